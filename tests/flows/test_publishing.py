"""The outbox: told once where the topic answers, kept for later where it does not; dropped where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from shared.errors import Denied
from shared.flows.casework import Case
from shared.flows.draining import drain
from shared.flows.publishing import PAUSE, publish
from shared.flows.registering import reconcile
from shared.flows.slicing import Slice
from shared.messages import VmKey
from shared.model.event import Event, Happening
from shared.model.machine import Machine
from shared.ports import World
from tests.world.exhaustive import pass_time, perform, small_world
from tests.world.scenes import FIRST, RULES, SHARD, complete, registered
from tests.world.seeded import Run

NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass
class Shut:
    """A topic that refuses."""

    asked: int = field(default=0)

    def publish(self, events: Sequence[Event]) -> None:
        self.asked += 1
        raise Denied("Forbidden", "no right to send")


def machine(world: Run) -> Machine:
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    assert record is not None
    return record.machine.row


def drained(world: Run, ports: World | None = None, topic: str = RULES.topic) -> None:
    rules = replace(RULES, topic=topic)
    perform(world, lambda own: drain(ports or own, rules, SHARD))


def types(world: Run) -> list[Happening]:
    return [event.type for event in world.stage.events.heard if event.subject == str(FIRST.id)]


def test_a_drainer_tells_what_it_and_others_changed_and_clears_it() -> None:
    world = small_world()
    registered(world)
    assert [event.type for event in machine(world).outbox] == [Happening.REGISTERED]
    drained(world)
    assert types(world) == [Happening.REGISTERED]
    pass_time(world, timedelta(minutes=1))
    drained(world)
    assert types(world) == [Happening.REGISTERED, Happening.PROTECTED, Happening.POINT_COMPLETED]
    assert (machine(world).outbox, machine(world).next_publish) == ((), None)


def test_a_topic_that_refuses_is_left_alone_for_a_while_and_captures_go_on() -> None:
    world, shut = small_world(), Shut()
    registered(world)
    closed = replace(world.stage.world, events=shut)
    drained(world, closed)
    told = machine(world)
    assert len(told.outbox) == 1
    assert told.next_publish is not None
    assert told.next_publish.replace(microsecond=0) == world.stage.scheduler.now.replace(microsecond=0) + PAUSE
    pass_time(world, timedelta(minutes=1))
    drained(world, closed)
    assert machine(world).last_point is not None
    assert shut.asked == 1
    pass_time(world, PAUSE)
    drained(world)
    assert types(world) == [Happening.REGISTERED, Happening.PROTECTED, Happening.POINT_COMPLETED]


def test_without_a_topic_nothing_waits_to_be_told() -> None:
    world = small_world()
    registered(world)
    drained(world, topic="")
    assert (machine(world).outbox, machine(world).next_publish, types(world)) == ((), None, [])


def test_a_misspelt_plan_is_told_every_day_of_its_grace_whatever_else_happens() -> None:
    world = small_world()
    complete(world)
    world.stage.azure.write(replace(FIRST, tags={"backup": "goldd"}))
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(FIRST.id)))
    before = machine(world)
    assert before.grace_from is not None
    for _ in range(24 * 9):
        drained(world)
        pass_time(world, timedelta(hours=1))
    alarms = [event for event in world.stage.events.heard if event.type is Happening.MISNAMED]
    days = [(event.at - before.grace_from) // timedelta(days=1) for event in alarms]
    assert days == list(range(7))
    assert len({event.id for event in alarms}) == 7
    assert not world.promises.violations


def test_an_alarm_that_somebody_else_noted_first_is_left_to_them() -> None:
    world = small_world()
    complete(world)
    world.stage.azure.write(replace(FIRST, tags={"backup": "goldd"}))
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(FIRST.id)))
    pass_time(world, timedelta(minutes=5))
    drained(world)
    pass_time(world, timedelta(days=1, minutes=1))
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    assert record is not None
    stale = Case(replace(record.machine, etag="old"), ())
    slice_ = Slice(world.stage.world, RULES, SHARD, record.machine.row.as_of + timedelta(days=9), NEVER)
    publish(slice_, [stale])
    assert len([event for event in world.stage.events.heard if event.type is Happening.MISNAMED]) == 1
