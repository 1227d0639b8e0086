"""A seeded scheduler of greenlets with a virtual clock; the only place where the world moves.

Workers give way at every port call; when nobody can run, time moves to whatever comes next. The drivers run it, the
twins and the host are called by it. It knows nothing of Azure or of the product.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from greenlet import getcurrent, greenlet

from shared.model.draining import CallKind
from shared.model.identity import Shard

STEPS_OF_ONE_INVOCATION = 50_000


class Killed(BaseException):
    """The process of this worker is gone: raised at every further port call, so that nothing of it acts again."""


@dataclass(eq=False)
class Process:
    """One worker process of the functions host. What it was told by Azure is forgotten when it is replaced."""

    place: str
    life: int = 1
    skew: timedelta = timedelta(0)
    alive: bool = True
    closed_until: dict[tuple[Shard, CallKind], datetime] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.place}.{self.life}"


@dataclass(eq=False)
class Invocation:
    """One run of one function in one process; its children belong to it and die with it.

    `marks` are the faults that it came from.
    """

    name: str
    process: Process
    steps: int = 0
    killed: bool = False
    over: bool = False
    workers: int = 0
    looked: dict[object, int] = field(default_factory=dict)
    began: int = 0
    began_at: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    marks: frozenset[str] = frozenset()

    @property
    def dead(self) -> bool:
        return self.killed or not self.process.alive


class Worker(greenlet):
    """One line of execution of an invocation."""

    invocation: Invocation
    failure: BaseException | None = None
    awaited_by: Worker | None = None
    awaiting: int = 0
    flow: str = ""


class Scheduler:
    """Runs workers one at a time in an order drawn from the seed."""

    def __init__(self, seed: int, start: datetime) -> None:
        self.now = start
        self._random = random.Random(seed)
        self._hub = getcurrent()
        self._ready: list[Worker] = []
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []
        self._sequence = 0
        self.halted = False
        self.steps = 0
        self.names_flow: Callable[[], str] = str

    @property
    def current(self) -> Worker | None:
        worker = getcurrent()
        return worker if isinstance(worker, Worker) else None

    def spawn(
        self,
        invocation: Invocation,
        call: Callable[[], None],
        ended: Callable[[BaseException | None], None] | None = None,
    ) -> Worker:
        """Start a worker; `ended` is told what it raised, Killed included."""
        if not invocation.workers:
            invocation.began, invocation.began_at = self.steps, self.now
        invocation.workers += 1

        def body() -> None:
            try:
                call()
            except BaseException as error:
                worker.failure = error
            if ended is not None:
                ended(worker.failure)

        worker = Worker(body, parent=self._hub)
        worker.invocation = invocation
        worker.flow = self.names_flow()
        self._ready.append(worker)
        return worker

    def pause(self) -> None:
        """Let anybody else run first."""
        if self._ready:
            worker = self.current
            if worker is not None:
                self._ready.append(worker)
                self._hub.switch()

    def sleep(self, duration: timedelta) -> None:
        worker = self.current
        if worker is None:
            self.now += max(duration, timedelta(0))
        elif duration > timedelta(0):
            self.at(self.now + duration, lambda: self._ready.append(worker))
            self._hub.switch()

    def together(self, calls: list[Callable[[], None]]) -> None:
        """Run calls as children of the current worker and wait for all of them."""
        parent = self.current
        if parent is None:
            for call in calls:
                call()
            return
        parent.awaiting = len(calls)

        def ended(_failure: BaseException | None) -> None:
            parent.awaiting -= 1
            if parent.awaiting == 0:
                self._ready.append(parent)

        for call in calls:
            self.spawn(parent.invocation, call, ended)
        if calls:
            self._hub.switch()

    def at(self, moment: datetime, call: Callable[[], None]) -> None:
        """Call something in the hub at a virtual moment."""
        self._sequence += 1
        heapq.heappush(self._later, (max(moment, self.now), self._sequence, call))

    def run(self, until: datetime) -> None:
        """Run until virtual `until`, or until somebody sets `halted`."""
        while not self.halted:
            if self._ready:
                self._switch_to_one()
            elif self._later and self._later[0][0] <= until:
                moment, _, call = heapq.heappop(self._later)
                self.now = max(self.now, moment)
                call()
            else:
                self.now = max(self.now, until)
                return

    def _switch_to_one(self) -> None:
        ready = self._ready
        chosen = self._random.randrange(len(ready)) if len(ready) > 1 else 0
        ready[chosen], ready[-1] = ready[-1], ready[chosen]
        ready.pop().switch()
