"""The rows of a capture, field by field: what is written at each step, and what is left as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide import capture, parts
from shared.decide.capture import Capture
from shared.decide.naming import part_name
from shared.decide.schedule import start_of
from shared.model.identity import ResourceId
from shared.model.operation import Failure, Kind, Operation, State
from shared.model.point import Consistency, Engine, Origin, Part, PartState, Point, PointState
from shared.model.snapshot import SnapshotSeen
from tests.decide.plans import NOW, SILVER, SUBSCRIPTION, UID, at, disk, machine
from tests.decide.points import point_of
from tests.decide.test_vaulting import plan_of

SLOT = at("2027-03-11 02:00")
TAKEN = SLOT + timedelta(minutes=3, seconds=7, microseconds=9)
ROW = machine(disks=(disk("os"),))
FAILURE = Failure("ScopeLocked", "a lock", "remove it")


def place(name: str) -> ResourceId:
    return ResourceId(SUBSCRIPTION, "tagback-westeurope", "microsoft.compute/snapshots", name)


def wanted() -> Operation:
    return capture.opened(ROW, SLOT, Origin.SLOT, "its slot came", TAKEN)


def planned() -> Capture:
    return capture.planned(wanted(), ROW, SILVER, [], place)


def test_an_intent_says_what_for_what_and_since_when() -> None:
    assert wanted() == Operation(
        uid=UID,
        id="slot-20270311T0200Z-disk",
        kind=Kind.CAPTURE,
        origin=Origin.SLOT,
        engine=Engine.DISK,
        slot=SLOT,
        state=State.INTENDED,
        because="its slot came",
        intended_at=TAKEN,
        next_look=TAKEN,
    )


def test_a_superseded_range_is_one_ended_row() -> None:
    due = capture.slot_that_begins(ROW, SILVER, SLOT + timedelta(days=3, hours=2))
    assert due is not None
    passed = capture.superseded_range(ROW, due, TAKEN)
    assert passed is not None
    expected = replace(
        wanted(),
        id="superseded-20270313T0200Z",
        slot=SLOT + timedelta(days=2),
        slot_from=SLOT,
        state=State.SUPERSEDED,
        because="superseded by the slot of 20270314T0200Z",
        ended_at=TAKEN,
        next_look=None,
    )
    assert passed == expected


def test_nothing_is_superseded_by_the_only_slot_that_is_due() -> None:
    due = capture.slot_that_begins(ROW, SILVER, SLOT + timedelta(hours=2))
    assert due is not None
    assert capture.superseded_range(ROW, due, TAKEN) is None


def test_a_slot_begins_in_the_very_second_of_its_start() -> None:
    start = start_of(SLOT, SILVER.schedule, UID)
    assert SLOT <= start <= SLOT + SILVER.schedule.window
    assert capture.slot_that_begins(ROW, SILVER, start - timedelta(seconds=1)) is None
    assert capture.slot_that_begins(ROW, SILVER, start) is not None


def test_no_slot_begins_where_nothing_is_settled_or_no_snapshots_are_taken() -> None:
    later = SLOT + timedelta(hours=2)
    assert capture.slot_that_begins(replace(ROW, settled=None), SILVER, later) is None
    of_vault = plan_of(at="22:00", keep="30d")
    assert not of_vault.takes_snapshots
    assert capture.slot_that_begins(ROW, of_vault, later) is None


def test_a_planned_point_is_stamped_for_the_class_it_would_earn() -> None:
    assert planned().point == Point(
        uid=UID,
        slot=SLOT,
        engine=Engine.DISK,
        origin=Origin.SLOT,
        attempt=1,
        state=PointState.TAKING,
        consistency=Consistency.CRASH,
        plan="silver",
        parts=(
            Part(
                id=place(part_name(UID, "disk", SLOT, 1, "uid-os")),
                disk=disk("os").id,
                disk_uid=disk("os").uid,
                lun=None,
                attempt=1,
                state=PartState.PLANNED,
            ),
        ),
        birth_keep_until=SLOT + timedelta(weeks=4),
        keep_until=SLOT + timedelta(weeks=4),
        earned="weekly",
        because="first complete point of its week (weekly), kept 4w, if it completes",
    )
    assert planned().operation == wanted()


@pytest.mark.parametrize(
    ("second", "microsecond", "minute"), [(0, 0, 3), (0, 1, 4), (1, 0, 4), (59, 999_999, 4)], ids=str
)
def test_a_floor_is_rounded_up_to_the_next_whole_minute(second: int, microsecond: int, minute: int) -> None:
    begun = SLOT + timedelta(minutes=3, seconds=second, microseconds=microsecond)
    floored = replace(SILVER, keep_floor=timedelta(weeks=9))
    point = capture.planned(replace(wanted(), intended_at=begun), ROW, floored, [], place).point
    assert point.birth_keep_until == SLOT + timedelta(weeks=9, minutes=minute)


def test_the_next_attempt_keeps_its_operation_and_promises_by_the_disks_of_now() -> None:
    two = machine(disks=(disk("os"), disk("data", 0)))
    again = capture.next_attempt(planned(), two, place)
    assert (again.operation, again.point.attempt) == (wanted(), 2)
    assert again.point.consistency is Consistency.PER_DISK
    assert [(part.attempt, part.state) for part in again.point.parts] == [
        (1, PartState.ABANDONED),
        (2, PartState.PLANNED),
        (2, PartState.PLANNED),
    ]


@pytest.mark.parametrize(
    ("state", "claimed"),
    [
        (State.INTENDED, State.INTENDED),
        (State.FAILED, State.INTENDED),
        (State.NEEDS_PERSON, State.NEEDS_PERSON),
    ],
)
def test_a_claim_changes_when_it_is_looked_at_and_does_not_hide_who_is_waited_for(state: State, claimed: State) -> None:
    before = planned()
    before = Capture(replace(before.operation, state=state), before.point)
    after = capture.claimed(before, NOW)
    assert after == Capture(replace(before.operation, state=claimed, next_look=NOW), before.point)


def test_a_complete_point_keeps_what_it_really_earned() -> None:
    earlier = replace(point_of(SLOT - timedelta(days=1)), keep_until=SLOT + timedelta(weeks=9))
    requested = replace(earlier, slot=SLOT - timedelta(hours=3), origin=Origin.REQUEST)
    incomplete = replace(earlier, slot=SLOT - timedelta(hours=2), state=PointState.INCOMPLETE)
    done = capture.completed(planned(), SILVER, [earlier, requested, incomplete], NOW)
    assert (done.point.state, done.point.earned, done.point.ended_at) == (PointState.COMPLETE, "daily", NOW)
    assert done.point.because == "first complete point of its day (daily), kept 7d"
    assert done.point.keep_until == done.point.birth_keep_until
    assert (done.operation.state, done.operation.because) == (State.SUCCEEDED, "every part of attempt 1 is ready")
    assert (done.operation.ended_at, done.operation.next_look, done.operation.failure) == (NOW, None, None)


def test_a_point_of_a_plan_that_is_gone_is_kept_as_it_was_stamped() -> None:
    before = planned()
    done = capture.completed(Capture(replace(before.operation, failure=FAILURE), before.point), None, [], NOW)
    assert done.point.because == "as stamped by plan silver"
    assert (done.point.keep_until, done.point.earned) == (before.point.keep_until, "weekly")
    assert done.operation.failure is None


def test_what_is_put_off_says_why_and_until_when() -> None:
    assert capture.put_off(wanted(), State.FAILED, FAILURE, NOW) == replace(
        wanted(), state=State.FAILED, failure=FAILURE, because="a lock", next_look=NOW
    )


def test_what_ends_without_a_point_leaves_an_incomplete_one_with_the_reason() -> None:
    over = capture.ended(planned(), State.GAVE_UP, "eleven times", NOW)
    assert over.operation == replace(
        wanted(), state=State.GAVE_UP, because="eleven times", ended_at=NOW, next_look=None
    )
    assert (over.point.state, over.point.because, over.point.ended_at) == (PointState.INCOMPLETE, "eleven times", NOW)
    assert [part.state for part in over.point.parts] == [PartState.ABANDONED]


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (timedelta(seconds=59), timedelta(seconds=20)),
        (timedelta(minutes=1), timedelta(minutes=1)),
        (timedelta(minutes=10), timedelta(minutes=5)),
        (timedelta(hours=1), timedelta(minutes=30)),
        (timedelta(days=1), timedelta(hours=1)),
    ],
    ids=str,
)
def test_patience_grows_with_the_age_of_the_newest_part(age: timedelta, pause: timedelta) -> None:
    before = planned()
    first = replace(before.point.parts[0], state=PartState.STARTED, sent_at=NOW - age)
    older = replace(first, id=place("older"), sent_at=NOW - age - timedelta(hours=1))
    waiting = capture.waiting(Capture(before.operation, replace(before.point, parts=(older, first))), NOW)
    assert (waiting.operation.next_look, waiting.operation.state) == (NOW + pause, State.STARTED)
    assert (waiting.operation.started_at, waiting.operation.because) == (NOW, "every part of attempt 1 is accepted")
    again = capture.waiting(waiting, NOW + timedelta(hours=1))
    assert again.operation.started_at == NOW


def test_a_part_that_is_adopted_was_sent_when_it_was_or_is_found_now() -> None:
    point = planned().point
    part = point.parts[0]
    tags = {"tagback-owner": "acct", "tagback-vm": UID, "tagback-disk": part.disk_uid}
    seen = SnapshotSeen(part.id, part.disk_uid, "Succeeded", 100.0, "Available", tags)
    assert parts.looked(point, part, seen, "acct", NOW).sent_at == NOW
    sent = replace(part, state=PartState.UNKNOWN, sent_at=SLOT)
    assert parts.looked(point, sent, seen, "acct", NOW).sent_at == SLOT


@pytest.mark.parametrize(
    ("provisioning", "code"),
    [("Succeeded", "PartForeign"), ("Failed", "PartFailed"), ("Canceled", "PartCanceled"), (None, "PartVanished")],
)
def test_a_lost_part_is_reported_by_how_its_snapshot_was_found(provisioning: str | None, code: str) -> None:
    part = planned().point.parts[0]
    seen = SnapshotSeen(part.id, part.disk_uid, provisioning, None, "", {}) if provisioning else None
    assert parts.loss_of(seen) == code


def test_where_no_part_says_when_it_was_sent_patience_begins_now() -> None:
    assert capture.waiting(planned(), NOW).operation.next_look == NOW + timedelta(seconds=20)
