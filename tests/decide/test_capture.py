"""A capture from its slot to its end, step by step."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.decide import capture, parts
from shared.decide.capture import Capture
from shared.decide.naming import stamp
from shared.model.identity import DiskUid, ResourceId
from shared.model.machine import Machine
from shared.model.operation import Failure, State
from shared.model.point import Origin, PartState, Point, PointState
from shared.model.snapshot import SnapshotSeen
from tests.decide.plans import NOW, RULES, SILVER, SUBSCRIPTION, UID, at, disk, machine

SLOT = at("2027-03-11 02:00")
LATER = SLOT + timedelta(hours=2)


def place(name: str) -> ResourceId:
    return ResourceId(SUBSCRIPTION, "tagback-westeurope", "microsoft.compute/snapshots", name)


def begun(row: Machine | None = None) -> Capture:
    row = row or machine(disks=(disk("os"), disk("data", 0), disk("scratch", 1, "is tagged backup = off")))
    wanted = capture.opened(row, SLOT, Origin.SLOT, "", SLOT)
    return capture.planned(wanted, row, SILVER, [], place)


def in_state(state: PartState, minutes: int = 0) -> Capture:
    """A capture all of whose parts are in one state, sent so many minutes after the slot."""
    planned = begun()
    sent = SLOT + timedelta(minutes=minutes)
    parts = tuple(replace(part, state=state, sent_at=sent) for part in planned.point.parts)
    return Capture(planned.operation, replace(planned.point, parts=parts))


def seen(point: Point, number: int = 0, **changes: Any) -> SnapshotSeen:
    part = point.live_parts[number]
    tags = {"tagback-owner": RULES.owner, "tagback-vm": UID, "Tagback-Disk": part.disk_uid}
    snapshot = SnapshotSeen(part.id, part.disk_uid, "Succeeded", 100.0, "Available", tags)
    return replace(snapshot, **changes)


def test_a_slot_begins_at_its_start_and_not_before() -> None:
    row = machine()
    assert capture.slot_that_begins(row, SILVER, SLOT) is None
    due = capture.slot_that_begins(row, SILVER, SLOT + SILVER.schedule.window)
    assert due
    assert due.slot == SLOT


def test_missed_slots_are_one_superseded_range() -> None:
    row = machine()
    due = capture.slot_that_begins(row, SILVER, SLOT + timedelta(days=3, hours=2))
    assert due
    passed = capture.superseded_range(row, due, NOW)
    assert passed
    assert (passed.slot_from, passed.slot, passed.state) == (SLOT, SLOT + timedelta(days=2), State.SUPERSEDED)
    assert stamp(due.slot) in passed.because


def test_the_point_has_a_part_for_every_disk_that_is_not_left_out_under_repeatable_names() -> None:
    first, again = begun().point, begun().point
    assert [part.lun for part in first.parts] == [None, 0]
    assert [part.id for part in first.parts] == [part.id for part in again.parts]
    assert len({part.id for part in first.parts}) == 2
    assert all(len(part.id.name) == 35 and part.id.name.startswith("tb-") for part in first.parts)


def test_what_was_wanted_for_hours_is_stamped_for_the_floor_from_when_it_is_planned() -> None:
    plan, later = replace(SILVER, keep_floor=timedelta(weeks=9)), LATER + timedelta(seconds=30)
    waiting = capture.floored(begun(), plan, later)
    stamped = later + plan.keep_floor + timedelta(seconds=30)
    assert (waiting.point.birth_keep_until, waiting.point.keep_until) == (stamped, stamped)
    assert capture.floored(waiting, SILVER, later) == waiting, "never shortened"


@pytest.mark.parametrize(
    ("state", "origin", "days"),
    [
        (PointState.INCOMPLETE, Origin.SLOT, 28),
        (PointState.COMPLETE, Origin.REQUEST, 28),
        (PointState.COMPLETE, Origin.SLOT, 7),
    ],
)
def test_only_a_complete_plan_point_takes_a_class_from_the_next(state: PointState, origin: Origin, days: int) -> None:
    monday = replace(begun().point, slot=SLOT - timedelta(days=3), state=state, origin=origin)
    wanted = capture.opened(machine(), SLOT, Origin.SLOT, "", SLOT)
    point = capture.planned(wanted, machine(), SILVER, [monday], place).point
    assert point.birth_keep_until == SLOT + timedelta(days=days)


def test_the_birth_stamp_is_never_before_the_floor() -> None:
    row = machine()
    wanted = capture.opened(row, SLOT, Origin.SLOT, "", SLOT + timedelta(days=6, hours=23, seconds=1))
    point = capture.planned(wanted, row, SILVER, [], place).point
    assert point.birth_keep_until == max(SLOT + timedelta(weeks=4), wanted.intended_at + SILVER.keep_floor)
    floored = capture.planned(wanted, row, replace(SILVER, keep_floor=timedelta(weeks=9)), [], place).point
    assert floored.birth_keep_until >= wanted.intended_at + timedelta(weeks=9)
    assert floored.birth_keep_until.second == 0


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        pytest.param({}, PartState.READY, id="succeeded and ours"),
        pytest.param({"completion": None}, PartState.READY, id="no percentage is given"),
        pytest.param({"completion": 40.0}, PartState.STARTED, id="still copying"),
        pytest.param({"completion": 40.0, "access": "InstantAccess"}, PartState.READY, id="restorable while copying"),
        pytest.param({"provisioning": "Updating", "source_uid": DiskUid("")}, PartState.STARTED, id="being made"),
        pytest.param({"provisioning": "Failed"}, PartState.FAILED, id="failed"),
        pytest.param({"source_uid": DiskUid("another")}, PartState.FAILED, id="of another disk of the same name"),
        pytest.param({"tags": {"tagback-owner": "acct"}}, PartState.FAILED, id="somebody else's under our name"),
    ],
)
def test_a_part_after_a_look_at_its_snapshot(changes: dict[str, Any], state: PartState) -> None:
    point = in_state(PartState.UNKNOWN).point
    part = point.live_parts[0]
    assert parts.looked(point, part, seen(point, **changes), RULES.owner, LATER).state is state


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PartState.UNKNOWN, PartState.PLANNED),
        (PartState.PLANNED, PartState.PLANNED),
        (PartState.STARTED, PartState.FAILED),
    ],
)
def test_a_snapshot_that_is_not_there_was_never_made_or_has_vanished(before: PartState, after: PartState) -> None:
    point = in_state(before).point
    assert parts.looked(point, point.live_parts[0], None, RULES.owner, LATER).state is after


def test_a_list_promotes_what_it_shows_and_says_nothing_about_the_rest() -> None:
    point = in_state(PartState.STARTED).point
    one = seen(point, 0)
    confirmed = parts.confirmed(point, {one.id: one}, RULES.owner)
    assert [part.state for part in confirmed.live_parts] == [PartState.READY, PartState.STARTED]
    assert not parts.is_complete(confirmed)
    both = {one.id: one, point.live_parts[1].id: seen(point, 1)}
    assert parts.is_complete(parts.confirmed(point, both, RULES.owner))


@pytest.mark.parametrize(
    "changed",
    [{"tagback-owner": "another"}, {"tagback-vm": "another"}, {"Tagback-Disk": "another"}, {"tagback-owner": ""}],
)
def test_a_foreign_snapshot_under_our_name_is_not_promoted_by_a_list(changed: dict[str, str]) -> None:
    point = in_state(PartState.STARTED).point
    ours = seen(point, 0)
    assert parts.confirmed(point, {ours.id: ours}, RULES.owner) != point
    foreign = replace(ours, tags={**ours.tags, **changed})
    assert parts.confirmed(point, {foreign.id: foreign}, RULES.owner) == point


def test_a_point_without_parts_is_not_complete() -> None:
    assert not parts.is_complete(replace(begun().point, parts=()))


def test_parts_that_cannot_start_together_make_a_new_attempt_with_other_names() -> None:
    half = begun()
    sent = replace(half.point.parts[0], state=PartState.STARTED, sent_at=SLOT)
    half = Capture(half.operation, half.point.with_part(sent))
    row = machine(disks=(disk("os"), disk("data", 0)))
    assert not parts.must_begin_anew(half.point, row, SLOT + timedelta(minutes=15))
    assert parts.must_begin_anew(half.point, row, SLOT + timedelta(minutes=16))
    anew = capture.next_attempt(half, row, place).point
    assert anew.attempt == 2
    assert [part.state for part in anew.parts] == [PartState.ABANDONED] * 2 + [PartState.PLANNED] * 2
    assert len({part.id for part in anew.parts}) == 4


def test_an_attempt_is_for_the_disks_it_was_planned_for_unless_all_of_it_was_accepted() -> None:
    remade = machine(disks=(disk("os"), replace(disk("data", 0), uid=DiskUid("new"))))
    same = machine(disks=(disk("os"), disk("data", 0)))
    assert not parts.must_begin_anew(begun().point, same, SLOT)
    assert parts.must_begin_anew(begun().point, remade, SLOT)
    for accepted in (PartState.STARTED, PartState.READY):
        assert not parts.must_begin_anew(in_state(accepted).point, remade, SLOT + timedelta(hours=1))


def test_an_attempt_that_lost_a_part_begins_anew() -> None:
    row = machine(disks=(disk("os"), disk("data", 0)))
    assert parts.must_begin_anew(in_state(PartState.FAILED).point, row, SLOT)


def test_patience_grows_with_the_age_of_the_newest_part() -> None:
    pauses = []
    for minutes in (0, 5, 30, 180, 60 * 30):
        now = SLOT + timedelta(minutes=minutes)
        waiting = capture.waiting(in_state(PartState.STARTED), now)
        assert waiting.operation.state is State.STARTED
        assert waiting.operation.next_look
        pauses.append((waiting.operation.next_look - now).total_seconds())
    assert pauses == [20, 60, 300, 1800, 3600]
    assert parts.is_endless(in_state(PartState.STARTED).point, SLOT + timedelta(hours=25))
    begun = min(part.sent_at for part in in_state(PartState.STARTED).point.live_parts if part.sent_at)
    assert not parts.is_endless(in_state(PartState.STARTED).point, begun + timedelta(hours=24))
    assert not parts.is_endless(in_state(PartState.READY).point, SLOT + timedelta(hours=25))


def test_completion_lengthens_and_never_shortens_what_was_stamped() -> None:
    taken = in_state(PartState.READY)
    earlier = replace(begun().point, slot=SLOT - timedelta(hours=1), state=PointState.COMPLETE)
    done = capture.completed(taken, SILVER, [earlier], LATER)
    assert done.point.complete
    assert done.point.earned == ""
    assert done.point.keep_until == taken.point.birth_keep_until
    assert done.operation.state is State.SUCCEEDED
    stamped_short = Capture(taken.operation, replace(taken.point, birth_keep_until=SLOT, keep_until=SLOT))
    assert capture.completed(stamped_short, SILVER, [], LATER).point.keep_until == SLOT + timedelta(weeks=4)
    assert capture.completed(taken, None, [], LATER).point.keep_until == taken.point.keep_until


def test_what_ends_without_a_point_leaves_no_part_that_counts() -> None:
    over = capture.ended(in_state(PartState.READY), State.SUPERSEDED, "a newer slot", LATER)
    assert (over.point.state, over.operation.next_look) == (PointState.INCOMPLETE, None)
    assert all(part.state is PartState.ABANDONED for part in over.point.parts)


def test_a_slot_is_not_tried_anew_once_a_newer_one_has_begun() -> None:
    operation = begun().operation
    assert not capture.has_been_overtaken(operation, machine(settled=SLOT))
    assert capture.has_been_overtaken(operation, machine(settled=SLOT + timedelta(days=1)))
    assert not capture.has_been_overtaken(operation, machine(settled=None))


def test_a_first_point_is_not_overtaken_by_the_seconds_of_its_own_enrolment() -> None:
    """Its slot is the minute of the enrolment, and the machine's row has that instant to the microsecond."""
    operation = begun().operation
    assert not capture.has_been_overtaken(operation, machine(settled=SLOT + timedelta(seconds=59, microseconds=999999)))
    assert capture.has_been_overtaken(operation, machine(settled=SLOT + timedelta(minutes=1)))


def test_a_failed_try_is_open_and_says_when_it_goes_on() -> None:
    failure = Failure("Conflict", "busy", "")
    put_off = capture.put_off(begun().operation, State.FAILED, failure, LATER)
    assert put_off.state.open
    assert (put_off.next_look, put_off.failure) == (LATER, failure)


@pytest.mark.parametrize(
    ("state", "minutes", "wanted"),
    [
        (PartState.PLANNED, 0, True),
        (PartState.UNKNOWN, 0, True),
        (PartState.STARTED, 4, False),
        (PartState.STARTED, 5, True),
        (PartState.READY, 60, False),
    ],
)
def test_which_parts_are_worth_a_get(state: PartState, minutes: int, wanted: bool) -> None:
    part = in_state(state).point.live_parts[0]
    assert parts.needs_get(part, SLOT + timedelta(minutes=minutes)) is wanted
