"""Setbacks from end to end: what the ledger says after a failure in Azure, and that it comes right by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.naming import stamp
from shared.decide.room import PENDING
from shared.errors import CloudError, Conflict, Refused
from shared.flows.draining import drain
from shared.model.event import Happening
from shared.model.identity import DiskUid
from shared.model.machine import Machine, Status
from shared.model.operation import Operation, State
from shared.model.point import PartState, Point, PointState
from shared.model.rules import Rules
from tests.world.exhaustive import pass_time, perform, small_world
from tests.world.scenes import FIRST, RULES, SHARD, registered, started
from tests.world.seeded import Run
from tests.world.twins.azure import Fair, Fate, SnapshotTruth

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class Endless(Fair):
    """Snapshots made now never become ready."""

    def fate(self, snapshot: object) -> Fate:
        return Fate(None)


def drained(world: Run, after: timedelta = timedelta(0), rules: Rules = RULES) -> None:
    if after:
        pass_time(world, after)
    perform(world, lambda ports: drain(ports, rules, SHARD))


def rows(world: Run) -> tuple[Machine, list[Operation], list[Point]]:
    """What the ledger says of the first machine."""
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    assert record is not None
    points = [held.row for held in world.stage.world.ledger.points(SHARD, FIRST.uid)]
    return record.machine.row, [held.row for held in record.operations], points


def snapshots(world: Run) -> list[SnapshotTruth]:
    return [one for one in world.stage.azure.snapshots.values() if one.tags["tagback-vm"] == FIRST.uid]


def failed(one: SnapshotTruth) -> None:
    one.fails = True


def of_another_disk(one: SnapshotTruth) -> None:
    one.source_uid, one.ready_at, one.slow = DiskUid("another"), None, True


def of_another_owner(one: SnapshotTruth) -> None:
    one.tags["tagback-owner"], one.ready_at = "somebody", None


@pytest.mark.parametrize(
    ("spoil", "code"),
    [(failed, "PartFailed"), (of_another_disk, "PartForeign"), (of_another_owner, "PartForeign")],
)
def test_a_part_that_came_to_nothing_is_reported_by_how_and_the_point_is_begun_anew(
    spoil: Callable[[SnapshotTruth], None], code: str
) -> None:
    world = small_world()
    started(world)
    spoil(snapshots(world)[0])
    drained(world, 6 * MINUTE)
    _, (operation,), (point,) = rows(world)
    assert operation.failure is not None
    assert (operation.state, operation.failure.code, operation.failure.times) == (State.FAILED, code, 1)
    assert point.attempt == 1
    drained(world, 2 * MINUTE)
    drained(world, MINUTE)
    _, (operation,), (point,) = rows(world)
    assert (operation.state, operation.failure, point.attempt, point.complete) == (State.SUCCEEDED, None, 2, True)


def test_a_first_point_that_came_to_nothing_is_begun_anew_whatever_the_second_of_the_enrolment() -> None:
    world = small_world()
    pass_time(world, timedelta(seconds=51))
    started(world)
    failed(snapshots(world)[0])
    drained(world, 6 * MINUTE)
    assert [one.state for one in rows(world)[1]] == [State.FAILED]
    drained(world, 2 * MINUTE)
    drained(world, MINUTE)
    assert rows(world)[2][0].complete


def test_a_snapshot_that_vanished_is_reported_and_the_point_is_begun_anew() -> None:
    world = small_world()
    started(world)
    lost = snapshots(world)[0]
    del world.stage.azure.snapshots[lost.id]
    world.stage.azure.by_slot[SHARD, lost.tags["tagback-slot"]].remove(lost)
    drained(world, 6 * MINUTE)
    _, (operation,), _ = rows(world)
    assert operation.failure is not None
    assert operation.failure.code == "PartVanished"
    drained(world, 2 * MINUTE)
    drained(world, MINUTE)
    assert rows(world)[2][0].complete


def test_what_never_becomes_ready_is_tried_for_a_day_and_then_named() -> None:
    world = small_world()
    world.stage.azure.weather = Endless()
    started(world)
    drained(world, 6 * HOUR)
    assert {one.state for one in rows(world)[1]} <= {State.STARTED, State.SUPERSEDED}
    drained(world, 19 * HOUR)
    _, operations, points = rows(world)
    first = min(operations, key=lambda one: one.slot)
    assert first.failure is not None
    assert (first.state, first.failure.code, first.failure.known) == (State.GAVE_UP, "PartEndless", True)
    assert "not ready after a day" in first.because
    assert "delete it if Azure never completes it" in first.failure.remedy
    assert next(point.state for point in points if point.slot == first.slot) is PointState.INCOMPLETE
    assert Happening.GAVE_UP in [event.type for event in world.stage.events.heard]


def test_what_failed_after_a_newer_slot_began_is_answered_for_by_that_slot() -> None:
    world = small_world()
    world.stage.azure.weather = Endless()
    started(world)
    drained(world, 6 * HOUR)
    spoilt = min(snapshots(world), key=lambda one: one.tags["tagback-slot"])
    spoilt.fails, spoilt.ready_at = True, world.stage.scheduler.now
    drained(world, HOUR)
    first = min(rows(world)[1], key=lambda one: one.slot)
    assert (first.state, first.failure, "came to nothing" in first.because) == (State.SUPERSEDED, None, True)


def test_after_what_never_became_ready_the_next_slots_go_on() -> None:
    world = small_world()
    world.stage.azure.weather = Endless()
    started(world)
    world.host.start()
    world.stage.azure.weather = Fair()
    pass_time(world, 27 * HOUR)
    machine, operations, _ = rows(world)
    first, *others = sorted(operations, key=lambda one: one.slot)
    assert first.state is State.GAVE_UP
    assert {one.state for one in others} == {State.SUCCEEDED}
    assert (machine.status, machine.problems) == (Status.PROTECTED, ())
    assert not world.promises.violations


@pytest.mark.parametrize(("pause", "attempt"), [(3 * MINUTE, 1), (20 * MINUTE, 2)], ids=["soon", "too-late"])
def test_the_rest_of_a_partial_set_follows_or_the_whole_begins_anew(pause: timedelta, attempt: int) -> None:
    world = small_world()
    registered(world)
    world.stage.azure.refusals[FIRST.disks[1].id] = Conflict("AnotherOperationInProgress", "busy", 409)
    drained(world)
    _, (operation,), (point,) = rows(world)
    assert operation.failure is not None
    assert (operation.state, operation.failure.waits_for) == (State.FAILED, "the other operation has ended")
    assert [part.state for part in point.parts] == [PartState.STARTED, PartState.PLANNED]
    world.stage.azure.refusals.clear()
    drained(world, pause)
    drained(world, MINUTE)
    _, (operation,), (point,) = rows(world)
    assert (operation.state, point.attempt, point.complete) == (State.SUCCEEDED, attempt, True)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Refused("InvalidParameter", "Required parameter is missing", 400), State.GAVE_UP),
        (Refused("OperationNotAllowed", "results in exceeding quota limits", 409), State.NEEDS_PERSON),
        (Conflict("ShinyNewCode", "something new", 409), State.FAILED),
    ],
    ids=["refused", "quota", "unknown"],
)
def test_a_failure_is_shown_as_a_problem_when_somebody_should_know(error: CloudError, state: State) -> None:
    world = small_world()
    registered(world)
    world.stage.azure.refusals[FIRST.disks[0].id] = error
    drained(world)
    machine, (operation,), _ = rows(world)
    assert operation.state is state
    assert machine.status is Status.UNPROTECTED
    assert any(error.code in problem for problem in machine.problems)
    assert operation.failure is not None
    assert operation.failure.known is (error.code != "ShinyNewCode")


def test_what_waits_for_a_person_stays_so_while_it_is_looked_at_again_and_ends_when_it_is_mended() -> None:
    world = small_world()
    registered(world)
    world.stage.azure.refusals[FIRST.disks[0].id] = Conflict("ScopeLocked", "locked", 409)
    drained(world)
    since = rows(world)[1][0].failure
    assert since is not None
    drained(world, 4 * HOUR)
    assert rows(world)[1][0].failure == since
    world.stage.azure.refusals.clear()
    drained(world, 30 * HOUR)
    drained(world, MINUTE)
    machine, operations, _ = rows(world)
    assert any(one.state is State.SUCCEEDED for one in operations)
    assert not machine.problems


def test_a_point_that_could_not_be_sent_for_hours_is_stamped_as_it_was_planned_by_whoever_sends_it() -> None:
    plans = {name: replace(plan, keep_floor=timedelta(weeks=99)) for name, plan in RULES.plans.by_name.items()}
    rules = replace(RULES, plans=replace(RULES.plans, by_name=plans))
    world = small_world()
    registered(world)
    busy = Conflict("AnotherOperationInProgress", "busy", 409)
    world.stage.azure.refusals.update({disk.id: busy for disk in FIRST.disks})
    drained(world, rules=rules)
    (planned,) = rows(world)[2]
    world.stage.azure.refusals.clear()
    drained(world, HOUR, rules)
    (point,) = rows(world)[2]
    assert planned.birth_keep_until == point.birth_keep_until == point.keep_until
    assert {one.tags["tagback-keep-until"] for one in snapshots(world)} == {stamp(point.birth_keep_until)}


def test_three_unfinished_snapshots_of_a_disk_are_waited_for_before_a_fourth_is_sent() -> None:
    world = small_world()
    world.stage.azure.weather = Endless()
    registered(world)
    world.host.start()
    pass_time(world, 20 * HOUR)
    machine, operations, points = rows(world)
    waiting = max(operations, key=lambda one: one.slot)
    assert waiting.failure is not None
    assert (waiting.state, waiting.failure.code) == (State.FAILED, "NoRoom")
    assert "are not complete yet" in waiting.failure.message
    assert len(snapshots(world)) == PENDING * len(FIRST.disks) == machine.snapshots
    assert len(points) == PENDING
    for one in snapshots(world):
        one.ready_at = world.stage.scheduler.now
    world.stage.azure.weather = Fair()
    pass_time(world, 2 * HOUR)
    _, operations, points = rows(world)
    assert max(operations, key=lambda one: one.slot).state is State.SUCCEEDED
    assert all(point.complete for point in points)


def test_the_tags_for_which_there_was_no_room_are_named_in_the_ledger() -> None:
    world = small_world()
    registered(world)
    tags = {f"tag-{number:02}": "x" for number in range(60)}
    world.stage.azure.write(replace(FIRST, tags={**FIRST.tags, **tags}))
    drained(world)
    (point,) = rows(world)[2]
    assert point.tags_left_out
    assert set(point.tags_left_out) < set(tags)
    assert all(len(one.tags) == 48 for one in snapshots(world))
