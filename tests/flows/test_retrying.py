"""What was given up and is asked for again comes to a complete point; what Azure accepted meanwhile is adopted."""

from __future__ import annotations

from datetime import timedelta

from shared.flows.draining import drain
from shared.model.operation import Operation, State
from shared.model.point import Point
from tests.world.asked_scenes import retry_asked, retry_taken
from tests.world.exhaustive import pass_time, perform, small_world
from tests.world.scenes import FIRST, RULES, SHARD
from tests.world.seeded import Run


def answered(world: Run) -> tuple[Operation, Point]:
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    assert record is not None
    (point,) = [held.row for held in world.stage.world.ledger.points(SHARD, FIRST.uid)]
    return record.operations[0].row, point


def drained(world: Run) -> None:
    for _ in range(2):
        perform(world, lambda ports: drain(ports, RULES, SHARD))
        pass_time(world, timedelta(seconds=30))


def test_a_retry_of_what_was_given_up_ends_in_a_complete_point_of_the_same_slot() -> None:
    world = small_world()
    retry_asked(world)
    before, _ = answered(world)
    assert before.state is State.GAVE_UP
    world = small_world()
    retry_taken(world)
    drained(world)
    operation, point = answered(world)
    assert (operation.state, operation.failure, point.complete, point.slot) == (
        State.SUCCEEDED,
        None,
        True,
        before.slot,
    )
    assert point.attempt == 2
    assert not world.promises.violations
