"""The machinery that the worlds stand on: scheduler, steps, kills, the host's queues and events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from shared.errors import OutcomeUnknown, Unavailable
from shared.ports import World
from tests.world.exhaustive import small_world
from tests.world.host import Flows
from tests.world.scheduler import Invocation, Killed, Process, Scheduler
from tests.world.seeded import Run
from tests.world.stage import Stage, stage
from tests.world.steps import Call, Phase
from tests.world.twins.witness import Witness

START = datetime(2026, 6, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)


def calm(seed: int = 1) -> Stage:
    return stage(seed, START, Witness())


def order_of_two(seed: int) -> list[str]:
    made, seen = calm(seed), list[str]()

    def work(name: str) -> None:
        for _ in range(5):
            made.world.queue.send("vms", name)
            seen.append(name)

    process = Process("one")
    made.scheduler.spawn(Invocation("a", process), lambda: work("a"))
    made.scheduler.spawn(Invocation("b", process), lambda: work("b"))
    made.scheduler.run(START + HOUR)
    return seen


def test_workers_take_turns_at_port_calls_in_an_order_that_the_seed_decides() -> None:
    orders = [order_of_two(seed) for seed in range(20)]
    assert orders == [order_of_two(seed) for seed in range(20)]
    assert len({tuple(order) for order in orders}) > 5
    assert any(order != sorted(order) for order in orders)


def test_time_moves_only_when_nobody_can_run() -> None:
    scheduler, seen = Scheduler(1, START), list[datetime]()

    def work() -> None:
        seen.append(scheduler.now)
        scheduler.sleep(HOUR)
        seen.append(scheduler.now)

    scheduler.spawn(Invocation("a", Process("one")), work)
    scheduler.run(START + 3 * HOUR)
    assert seen == [START, START + HOUR]
    assert scheduler.now == START + 3 * HOUR


class Executioner:
    """Kills the process at the second call."""

    def __init__(self) -> None:
        self.left = 2

    def step(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        self.left -= phase is Phase.AFTER
        if not self.left:
            invocation.process.alive = False
            raise Killed


def test_a_killed_worker_acts_no_more_whatever_it_catches_and_its_children_die_with_it() -> None:
    made, log = calm(), list[str]()
    made.steps.interference = Executioner()

    def child() -> None:
        try:
            made.world.queue.send("vms", "first")
            made.world.queue.send("vms", "second")
            made.world.queue.send("vms", "third")
        finally:
            log.append("cleaning up")
            made.world.queue.send("vms", "fourth")

    def parent() -> None:
        made.world.workers.run([child])
        log.append("never")

    made.scheduler.spawn(Invocation("a", Process("one")), parent)
    made.scheduler.run(START + HOUR)
    assert [message.text for message in made.queues.messages.values()] == ["first", "second"]
    assert log == ["cleaning up"]


def host_with(work: object) -> Run:
    nothing = Flows(sweep=lambda world: None, receive=lambda world, event: None, on_queue={"vms": work})  # type: ignore[dict-item]
    world = small_world(nothing)
    world.host.start()
    return world


def test_a_message_that_fails_comes_back_and_is_poison_after_five_times() -> None:
    times = list[datetime]()

    def work(ports: World, text: str) -> None:
        times.append(ports.clock.now())
        raise Unavailable("no", text)

    world = host_with(work)
    world.stage.queues.put("vms", "hello", timedelta(0))
    world.stage.scheduler.run(world.options.start + HOUR)
    gaps = {round((later - earlier).total_seconds()) for earlier, later in pairwise(times)}
    assert (len(times), gaps) == (5, {30})
    assert [message.text for message in world.stage.queues.poison] == ["hello"]


def test_a_message_whose_process_died_comes_back_after_ten_minutes() -> None:
    times = list[datetime]()

    def work(ports: World, text: str) -> None:
        times.append(ports.clock.now())
        if len(times) == 1:
            world.host.kill(world.host.processes[0])
            ports.clock.sleep(1)

    world = host_with(work)
    world.stage.queues.put("vms", "hello", timedelta(0))
    world.stage.scheduler.run(world.options.start + HOUR)
    assert len(times) == 2
    assert timedelta(minutes=10) <= times[1] - times[0] < timedelta(minutes=11)
    assert not world.stage.queues.messages


def test_a_message_stays_hidden_as_long_as_it_is_worked_on() -> None:
    runs = list[str]()

    def work(ports: World, text: str) -> None:
        runs.append(text)
        ports.clock.sleep(1500)

    world = host_with(work)
    world.stage.queues.put("vms", "hello", timedelta(0))
    world.stage.scheduler.run(world.options.start + HOUR)
    assert runs == ["hello"]


def test_a_process_takes_eight_messages_and_the_next_ones_when_it_is_done() -> None:
    running, most = 0, 0

    def work(ports: World, text: str) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        ports.clock.sleep(60)
        running -= 1

    world = host_with(work)
    for number in range(20):
        world.stage.queues.put("vms", str(number), timedelta(0))
    world.stage.scheduler.run(world.options.start + HOUR)
    assert most == 8
    assert not world.stage.queues.messages


def test_an_event_that_nobody_took_is_delivered_again_on_the_ladder() -> None:
    times = list[datetime]()

    def receive(ports: World, event: object) -> None:
        times.append(ports.clock.now())
        if len(times) < 4:
            raise OutcomeUnknown("no", "")

    world = small_world(Flows(sweep=lambda ports: None, receive=receive, on_queue={}))
    world.host.start()
    vm = world.life.create("sub-one", {})
    world.host.publish("Microsoft.Compute/virtualMachines/write", vm.id)
    world.stage.scheduler.run(world.options.start + HOUR)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert gaps == [10, 30, 60]


def test_an_exception_outside_the_tree_of_errors_stops_the_world() -> None:
    def work(ports: World, text: str) -> None:
        raise KeyError(text)

    world = host_with(work)
    world.stage.queues.put("vms", "hello", timedelta(0))
    world.stage.scheduler.run(world.options.start + HOUR)
    assert [type(failure) for _, failure in world.host.crashed] == [KeyError]


def test_a_flow_that_never_ends_is_stopped_and_named() -> None:
    def work(ports: World, text: str) -> None:
        while True:
            ports.clock.sleep(0)

    world = host_with(work)
    world.stage.queues.put("vms", "hello", timedelta(0))
    world.stage.scheduler.run(world.options.start + HOUR)
    assert world.stage.steps.endless is not None


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_gives_the_same_digest(seed: int) -> None:
    def digest() -> str:
        made = calm(seed)
        for name in "abc":
            made.scheduler.spawn(Invocation(name, Process("one")), lambda: made.world.queue.send("vms", "x"))
        made.scheduler.run(START + HOUR)
        return made.log.digest

    assert digest() == digest()
