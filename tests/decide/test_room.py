"""Limits of the platform before anything is sent: what fits, what waits for what, what is skipped and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.decide.naming import part_name
from shared.decide.room import (
    LOOK_AGAIN,
    PENDING,
    PER_DISK,
    PER_REGION,
    PER_WINDOW,
    WINDOW,
    Fits,
    NoRoom,
    WaitForRoom,
    exists,
    room,
    snapshots_of,
)
from shared.model.identity import VmUid
from shared.model.point import Part, PartState, Point, PointState, Removal
from tests.decide.test_restore_points import taken
from tests.fleet import DAY, LAST_SLOT, NOW, machine, point

MACHINE = machine(1, "web-1")


def taking(state: PartState = PartState.PLANNED) -> Point:
    found = point(MACHINE, LAST_SLOT, PointState.TAKING)
    return replace(found, parts=tuple(replace(part, state=state) for part in found.parts))


def earlier(number: int, state: PartState = PartState.READY, sent: timedelta | None = None) -> Point:
    found = point(MACHINE, LAST_SLOT - number * timedelta(hours=1))
    sent_at = NOW - sent if sent else found.slot
    parts = tuple(replace(part, state=state, sent_at=sent_at) for part in found.parts)
    return replace(found, parts=parts, keep_until=NOW + DAY)


def test_an_ordinary_capture_fits() -> None:
    assert room(taking(), [earlier(1), earlier(2)], 10, NOW) == Fits("every limit leaves room for it")


def test_a_disk_with_five_hundred_snapshots_that_are_all_kept_is_skipped_with_the_reason() -> None:
    almost = [earlier(number) for number in range(1, PER_DISK)]
    assert isinstance(room(taking(), almost, 0, NOW), Fits)
    verdict = room(taking(), [*almost, earlier(PER_DISK)], 0, NOW)
    assert isinstance(verdict, NoRoom)
    full = "the disk web-1-os has 500 snapshots of 500 that it may have"
    assert verdict == NoRoom(f"{full}, and none is about to go: shorten what the plan keeps")


@pytest.mark.parametrize("going", ["marked", "past"])
def test_where_points_are_about_to_go_their_room_is_waited_for(going: str) -> None:
    kept = [earlier(number) for number in range(1, PER_DISK)]
    removal = Removal(NOW, NOW, "due") if going == "marked" else None
    last = replace(earlier(PER_DISK), removal=removal, keep_until=NOW + DAY if removal else NOW)
    verdict = room(taking(), [*kept, last], 0, NOW)
    full = "the disk web-1-os has 500 snapshots of 500 that it may have"
    assert verdict == WaitForRoom(NOW + LOOK_AGAIN, f"{full}; 1 points of it are about to go")


def test_points_of_other_disks_make_no_room_by_going() -> None:
    full = [earlier(number) for number in range(1, PER_DISK + 1)]
    going = replace(earlier(PER_DISK + 1), keep_until=NOW)
    elsewhere = replace(
        going, parts=tuple(replace(part, disk_uid=type(part.disk_uid)("other")) for part in going.parts)
    )
    unmade = replace(going, parts=tuple(replace(part, state=PartState.PLANNED) for part in going.parts))
    for other in (elsewhere, unmade):
        assert isinstance(room(taking(), [*full, other], 0, NOW), NoRoom)


def test_seven_snapshots_within_five_minutes_are_waited_out() -> None:
    ages = [timedelta(seconds=30 * number + 1) for number in range(PER_WINDOW)]
    recent = [earlier(number + 1, PartState.READY, age) for number, age in enumerate(ages)]
    verdict = room(taking(), recent, 0, NOW)
    assert verdict == WaitForRoom(NOW - ages[-1] + WINDOW, "the disk web-1-os had 7 snapshots within five minutes")
    assert isinstance(room(taking(), recent[1:], 0, NOW), Fits)
    assert isinstance(room(taking(), recent, 0, NOW - ages[-1] + WINDOW), Fits)


@pytest.mark.parametrize("state", [PartState.STARTED, PartState.UNKNOWN])
def test_three_unfinished_snapshots_of_a_disk_are_waited_for(state: PartState) -> None:
    unfinished = [earlier(number, state) for number in range(1, PENDING + 1)]
    verdict = room(taking(), unfinished, 0, NOW)
    assert isinstance(verdict, WaitForRoom)
    assert "3 snapshots of the disk web-1-os are not complete yet" in verdict.because
    assert verdict.until == NOW + WINDOW
    assert isinstance(room(taking(), unfinished[1:], 0, NOW), Fits)


def test_restore_points_count_for_their_machine() -> None:
    wanted = taken()
    part = replace(wanted.parts[0], state=PartState.STARTED)
    unfinished = [replace(wanted, slot=wanted.slot - number * DAY, parts=(part,)) for number in range(1, PENDING + 1)]
    told = "3 snapshots of the machine web-1 are not complete yet, 3 may be"
    assert room(wanted, unfinished, 0, NOW) == WaitForRoom(NOW + WINDOW, told)


def test_a_full_region_takes_no_more_unless_something_is_about_to_go() -> None:
    assert isinstance(room(taking(), [earlier(1)], PER_REGION - 2, NOW), Fits)
    full = f"the region holds {PER_REGION - 1} of our snapshots, of {PER_REGION} that a subscription may have"
    assert room(taking(), [earlier(1)], PER_REGION - 1, NOW) == NoRoom(
        f"{full}, and none is about to go: shorten what the plan keeps"
    )
    past = replace(earlier(1), keep_until=NOW)
    assert room(taking(), [past], PER_REGION - 1, NOW) == WaitForRoom(
        NOW + LOOK_AGAIN, f"{full}; 1 points of it are about to go"
    )


def test_what_was_sent_already_needs_no_room() -> None:
    full = [earlier(number) for number in range(1, PER_DISK + 20)]
    assert isinstance(room(taking(PartState.STARTED), full, PER_REGION, NOW), Fits)


def test_other_disks_and_the_own_earlier_self_are_not_counted_twice() -> None:
    others = [
        replace(one, parts=tuple(replace(part, disk_uid=type(part.disk_uid)("other")) for part in one.parts))
        for one in (earlier(number) for number in range(1, PER_DISK + 5))
    ]
    assert isinstance(room(taking(), others, 0, NOW), Fits)
    assert isinstance(room(taking(), [taking(PartState.STARTED)], 0, NOW), Fits)


@pytest.mark.parametrize(
    ("state", "sent", "there"),
    [
        (PartState.PLANNED, False, False),
        (PartState.PLANNED, True, False),
        (PartState.UNKNOWN, False, True),
        (PartState.STARTED, True, True),
        (PartState.READY, False, True),
        (PartState.FAILED, False, False),
        (PartState.FAILED, True, True),
        (PartState.ABANDONED, False, False),
        (PartState.ABANDONED, True, True),
    ],
)
def test_a_part_counts_when_azure_may_hold_it(state: PartState, sent: bool, there: bool) -> None:
    part: Part = replace(point(MACHINE).parts[0], state=state, sent_at=NOW if sent else None)
    assert exists(part) is there
    assert snapshots_of([replace(point(MACHINE), parts=(part,))]) == there


@given(some.text(max_size=300), some.text(max_size=300), some.integers(1, 10**6))
def test_a_name_is_always_short_enough_and_of_allowed_characters(uid: str, disk: str, attempt: int) -> None:
    name = part_name(VmUid(uid), "disk", LAST_SLOT, attempt, disk)
    assert len(name) <= 80
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@given(
    some.lists(some.tuples(some.sampled_from(PartState), some.integers(0, 900)), max_size=30), some.integers(0, 10**5)
)
def test_every_capture_has_one_verdict_with_a_reason_and_never_waits_for_the_past(
    known: list[tuple[PartState, int]], in_region: int
) -> None:
    points = [earlier(number + 1, state, timedelta(seconds=age + 1)) for number, (state, age) in enumerate(known)]
    verdict = room(taking(), points, in_region, NOW)
    assert verdict.because
    assert not isinstance(verdict, WaitForRoom) or verdict.until > NOW
    assert room(taking(), list(reversed(points)), in_region, NOW) == verdict
