"""The twin of the functions host: timers, queue triggers and event deliveries run the product's flows.

Figures as the Functions host has them [local-host.md, queue and timer triggers] and as our host.json sets them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from shared.errors import TagbackError
from shared.model.identity import ResourceId
from shared.ports import World
from tests.world.scheduler import Invocation, Killed, Process, Scheduler
from tests.world.steps import EventLog
from tests.world.twins.queues import POISON, Message, Queues

SWEEP = timedelta(minutes=15)
EXPIRE = timedelta(hours=1)
FIVE_PAST = timedelta(minutes=5)
DRILL, AT_FOUR = timedelta(days=1), timedelta(hours=4)
BATCH = 8
HIDDEN_WHILE_RUNNING = timedelta(minutes=10)
HIDDEN_AFTER_FAILURE = timedelta(seconds=30)
MAX_DEQUEUES = 5
RESTART = timedelta(seconds=20)
LADDER = tuple(timedelta(seconds=s) for s in (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200))
EVENT_LIFE = timedelta(hours=24)

Event = Mapping[str, Any]


class Habits(Protocol):
    """What goes wrong around the product rather than inside its calls.

    `oddness` names the fault that the last answer came from; empty when none did.
    """

    oddness: str

    def deliveries(self) -> list[timedelta]:
        """When an event is delivered; empty when it is lost."""

    def ticks(self) -> list[timedelta]:
        """When a timer fires after its moment; empty when it stays silent."""

    def poll_delay(self) -> timedelta:
        """How long a visible message waits to be fetched."""

    def renewal_lost(self) -> bool:
        """Whether a running message becomes visible again."""

    def deletion_lost(self) -> bool:
        """Whether a message that was done with comes back."""


class Regular:
    """Nothing goes wrong."""

    oddness = ""

    def deliveries(self) -> list[timedelta]:
        return [timedelta(seconds=2)]

    def ticks(self) -> list[timedelta]:
        return [timedelta(0)]

    def poll_delay(self) -> timedelta:
        return timedelta(milliseconds=200)

    def renewal_lost(self) -> bool:
        return False

    def deletion_lost(self) -> bool:
        return False


@dataclass(frozen=True)
class Flows:
    """The product's entry points, as function_app.py calls them."""

    sweep: Callable[[World], None]
    receive: Callable[[World, Event], None]
    on_queue: Mapping[str, Callable[[World, str], None]]
    expire: Callable[[World], None] = lambda world: None
    drill: Callable[[World], None] = lambda world: None


@dataclass
class Host:
    """Runs flows in worker processes, and again when they failed."""

    scheduler: Scheduler
    queues: Queues
    log: EventLog
    world: World
    flows: Flows
    processes: list[Process]
    habits: Habits = field(default_factory=Regular)
    running: Counter[tuple[Process, str]] = field(default_factory=Counter)
    crashed: list[tuple[str, BaseException]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    at_work: Counter[Process] = field(default_factory=Counter)
    down: bool = False
    back_since: datetime | None = None
    sweeps_every: timedelta = SWEEP
    drills: bool = False
    _invoked: int = 0

    def start(self) -> None:
        """Set the timers and listen."""
        self.queues.arrived = self._arrived
        self._set_timer(self.sweeps_every, timedelta(0), "sweep", self.flows.sweep)
        self._set_timer(EXPIRE, FIVE_PAST, "expire", self.flows.expire)
        if self.drills:
            self._set_timer(DRILL, AT_FOUR, "drill", self.flows.drill)

    def kill(self, process: Process) -> None:
        """The process dies at once; a new one takes its place a little later."""
        process.alive = False
        index = self.processes.index(process)
        successor = Process(process.place, process.life + 1, process.skew)
        self.log.add(self.scheduler.now, f"killed {process.name}")

        def restart() -> None:
            if self.processes[index] is process and not self.down:
                self.processes[index] = successor
                self._pump_all()

        self.scheduler.at(self.scheduler.now + RESTART, restart)

    def stop(self) -> None:
        """The whole app is down: nothing runs until it is brought back."""
        self.down = True
        for process in self.processes:
            process.alive = False

    def come_back(self) -> None:
        self.down, self.back_since = False, self.scheduler.now
        self.processes[:] = [Process(process.place, process.life + 1, process.skew) for process in self.processes]
        self._pump_all()

    def _pump_all(self) -> None:
        for queue in self.flows.on_queue:
            self._pump(queue)

    def invoke(
        self,
        name: str,
        process: Process,
        call: Callable[[], None],
        ended: Callable[[BaseException | None], None],
        marks: frozenset[str] = frozenset(),
    ) -> Invocation:
        """Run one function; what it raises decides what its trigger does, and a crash is kept for the promises."""
        self._invoked += 1
        invocation = Invocation(f"{process.name}/{name}#{self._invoked}", process, marks=marks)
        self.at_work[process] += 1

        def done(failure: BaseException | None) -> None:
            kind = type(failure).__name__ if failure else "fine"
            invocation.over = True
            self.at_work[process] -= 1
            self.outcomes[f"{name} {kind}"] += 1
            self.log.add(self.scheduler.now, f"{invocation.name} ended {kind} {failure or ''}")
            if failure is not None and not isinstance(failure, (TagbackError, Killed)):
                self.crashed.append((invocation.name, failure))
                self.scheduler.halted = True
            ended(failure)

        self.scheduler.spawn(invocation, call, done)
        return invocation

    def publish(self, operation: str, resource: ResourceId) -> None:
        """Event Grid takes an event; it is delivered as the habits say."""
        uri = f"/subscriptions/{resource.subscription}/resourceGroups/{resource.group.upper()}/providers/"
        uri += f"Microsoft.Compute/virtualMachines/{resource.name.upper()}"
        event = {"operationName": operation, "resourceUri": uri}
        delays = self.habits.deliveries()
        marks = self._marks() | {"F23"}
        for delay in delays:
            moment = self.scheduler.now + delay
            self.scheduler.at(moment, lambda: self._deliver(event, self.scheduler.now, 0, marks))

    def _marks(self) -> frozenset[str]:
        return frozenset({self.habits.oddness} - {""})

    def _deliver(self, event: Event, since: datetime, attempt: int, marks: frozenset[str]) -> None:
        def ended(failure: BaseException | None) -> None:
            again = self.scheduler.now + LADDER[min(attempt, len(LADDER) - 1)]
            if failure is not None and again < since + EVENT_LIFE:
                self.scheduler.at(again, lambda: self._deliver(event, since, attempt + 1, marks))

        process = self._some_process()
        if process is None:
            ended(Killed())
        else:
            self.invoke("receive", process, lambda: self.flows.receive(self.world, event), ended, marks)

    def _set_timer(self, every: timedelta, past: timedelta, name: str, flow: Callable[[World], None]) -> None:
        def fire(marks: frozenset[str]) -> None:
            process = self._some_process()
            if process is not None:
                self.invoke(name, process, lambda: flow(self.world), lambda _failure: None, marks)

        def tick() -> None:
            delays = self.habits.ticks()
            marks = self._marks()
            for delay in delays:
                self.scheduler.at(self.scheduler.now + delay, lambda: fire(marks))
            self._set_timer(every, past, name, flow)

        self.scheduler.at(_next_tick(self.scheduler.now - past, every) + past, tick)

    def _some_process(self) -> Process | None:
        alive = [process for process in self.processes if process.alive]
        return alive[self._invoked % len(alive)] if alive else None

    def _arrived(self, message: Message) -> None:
        moment = max(message.visible_at, self.scheduler.now) + self.habits.poll_delay()
        self.scheduler.at(moment, lambda: self._pump(message.queue))

    def _pump(self, queue: str) -> None:
        """Each process fetches its next batch when it is done with the last one; a queue may have no listener."""
        if queue not in self.flows.on_queue:
            return
        for process in self.processes:
            if process.alive and not self.running[process, queue]:
                waiting = [m for m in self.queues.messages.values() if m.queue == queue]
                visible = [m for m in waiting if m.visible_at <= self.scheduler.now]
                for message in visible[:BATCH]:
                    self._handle(process, message)

    def _handle(self, process: Process, message: Message) -> None:
        message.dequeued += 1
        if message.dequeued > MAX_DEQUEUES and not message.queue.endswith(POISON):
            self._bury(message)
            return
        receipt = message.dequeued
        self.running[process, message.queue] += 1
        self.queues.hide(message, self.scheduler.now + HIDDEN_WHILE_RUNNING)

        def ended(failure: BaseException | None) -> None:
            self.running[process, message.queue] -= 1
            if not isinstance(failure, Killed) and message.dequeued == receipt:
                self._settle(message, failure)
            if not self.running[process, message.queue]:
                self.scheduler.at(self.scheduler.now, lambda: self._pump(message.queue))

        work = self.flows.on_queue[message.queue]
        invocation = self.invoke(message.queue, process, lambda: work(self.world, message.text), ended, message.marks)
        if not self.habits.renewal_lost():
            self._renew_later(message, receipt, invocation)

    def _renew_later(self, message: Message, receipt: int, by: Invocation) -> None:
        def renew() -> None:
            if message.dequeued == receipt and not by.dead and not by.over:
                self.queues.hide(message, self.scheduler.now + HIDDEN_WHILE_RUNNING)
                self._renew_later(message, receipt, by)

        self.scheduler.at(self.scheduler.now + HIDDEN_WHILE_RUNNING / 2, renew)

    def _settle(self, message: Message, failure: BaseException | None) -> None:
        if failure is None:
            if not self.habits.deletion_lost():
                self.queues.delete(message)
        elif message.queue.endswith(POISON):
            return  # there is no poison queue of a poison queue: it stays hidden until its ten minutes are over
        elif message.dequeued >= MAX_DEQUEUES:
            self._bury(message)
        else:
            self.queues.hide(message, self.scheduler.now + HIDDEN_AFTER_FAILURE)

    def _bury(self, message: Message) -> None:
        self.queues.bury(message)
        self.log.add(self.scheduler.now, f"poison {message.queue} {message.text}")


def _next_tick(now: datetime, every: timedelta) -> datetime:
    whole = datetime(now.year, now.month, now.day, tzinfo=UTC)
    return whole + every * ((now - whole) // every + 1)
