"""What a mark, a claim, and its being taken back make of a point, and as what its machine is seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.decide.deletion import COOLING_OFF
from shared.decide.deletion_dates import Going, Owner
from shared.decide.removal import (
    accepted,
    asking,
    begun,
    doomed,
    frozen,
    next_expiry,
    owner_of,
    put_off,
    remarked,
    spared,
    waiting_for_people,
    without,
)
from shared.model.machine import Machine, Status
from shared.model.plan import Plans
from shared.model.point import PartState, Point, PointState, Removal
from tests.decide import plans, points
from tests.fleet import DAY, NOW, machine, point

REMOVAL = Removal(NOW, NOW, "it is due")
DELETING = replace(point(machine(1, "web-1"), state=PointState.DELETING), removal=REMOVAL)


@pytest.mark.parametrize(("remains", "state"), [(False, PointState.COMPLETE), (True, PointState.INCOMPLETE)])
def test_what_nothing_has_happened_to_is_again_what_it_was(remains: bool, state: PointState) -> None:
    claimed = replace(DELETING, removal=replace(REMOVAL, remains=remains))
    assert spared(claimed) == replace(claimed, state=state)


def test_what_was_never_claimed_stays_as_it_is() -> None:
    for one in (point(machine(1, "web-1")), replace(DELETING, removal=None)):
        assert spared(one) is one


def test_deletions_that_wait_for_people_are_counted_with_the_reason_of_the_first() -> None:
    frozen = replace(DELETING, removal=replace(REMOVAL, frozen=True, because="a pause"))
    assert waiting_for_people([DELETING]) == ""
    assert waiting_for_people([DELETING, frozen]) == "1 deletion waits: a pause"
    assert waiting_for_people([frozen, DELETING, frozen]) == "2 deletions wait: a pause"


def test_a_deletion_that_begins_waits_for_nobody_and_remembers_its_first_claim() -> None:
    row = point(machine(1, "web-1"))
    asking = replace(REMOVAL, frozen=True, asks=True, because="a pause")
    going = Going(replace(row, removal=asking), NOW, planned=True, because="it is due")
    first = begun(going, NOW + DAY)
    assert first.state is PointState.DELETING
    assert first.removal == replace(REMOVAL, claimed_at=NOW + DAY, next_look=NOW + DAY, planned=True)
    again = begun(replace(going, point=first), NOW + 2 * DAY)
    assert again.removal == replace(REMOVAL, claimed_at=NOW + DAY, next_look=NOW + 2 * DAY, planned=True)
    for planned in (False, True):
        claimed = replace(row, removal=replace(REMOVAL, planned=not planned))
        removal = begun(replace(going, point=claimed, planned=planned), NOW).removal
        assert removal is not None
        assert removal.planned is planned
    assert begun(replace(going, withdrawn=True), NOW).removal == replace(
        first.removal, claimed_at=NOW, next_look=NOW, withdrawn=True
    )
    left_overs = begun(replace(going, remains=True), NOW)
    assert left_overs.state is PointState.COMPLETE


LATE = replace(plans.SILVER, schedule=replace(plans.DAILY, zone="Europe/Berlin"))
RULES = replace(plans.RULES, plans=Plans({"silver": LATE}, "silver", {}))
LIVING = Owner(living=True, keep=LATE.keep, floor=LATE.keep_floor, zone="Europe/Berlin")
AGO = plans.NOW - DAY


@pytest.mark.parametrize(
    ("row", "owner"),
    [
        (plans.machine(), LIVING),
        (plans.machine(tags={"backup": "typo"}, plan=""), Owner(living=True)),
        (plans.machine(tags={"backup": "off"}, left_at=AGO), Owner(living=False, left_at=AGO)),
        (plans.machine(status=Status.GONE, left_at=AGO), Owner(living=False, left_at=AGO)),
    ],
    ids=["protected", "misnamed", "opted out", "gone"],
)
def test_a_machine_is_seen_by_its_wish_and_its_plan(row: Machine, owner: Owner) -> None:
    assert owner_of(row, RULES, plans.NOW) == owner


def aged(days: int, **changes: object) -> Point:
    return points.changed(points.point_of(plans.at("2027-03-10 02:00") - days * DAY), **changes)


def marked(first: Point, owner: Owner, now: datetime = plans.NOW) -> Point:
    """The older of two points once its mark was judged."""
    changed = remarked([first, aged(0)], owner, RULES, now)
    return next((one for one in changed if one.slot == first.slot), first)


WAIT, DUE = RULES.delete_wait, aged(5).keep_until


@pytest.mark.parametrize(
    ("now", "first"),
    [(DUE - WAIT, DUE), (DUE - WAIT + timedelta(hours=1), DUE + timedelta(hours=1)), (DUE + DAY, DUE + DAY + WAIT)],
    ids=["in time", "late", "long past"],
)
def test_a_point_is_marked_ahead_of_its_date_and_waits_after_the_mark(now: datetime, first: datetime) -> None:
    assert marked(aged(5), LIVING, now) == aged(5, removal=Removal(now, first, aged(5).because))
    assert marked(aged(5), LIVING, DUE - WAIT - timedelta(seconds=1)) == aged(5)


def test_what_nobody_planned_cools_off_after_its_mark() -> None:
    left = Owner(living=False, left_at=AGO)
    because = f"{aged(9).because}; its machine has left"
    removal = Removal(plans.NOW, plans.NOW + COOLING_OFF, because, planned=False)
    assert marked(aged(9), left) == aged(9, removal=removal)


def test_a_mark_is_taken_back_when_nothing_is_due_and_stays_where_it_is_of_the_same_kind() -> None:
    early = Removal(AGO, AGO, "it was due by another plan")
    assert marked(aged(1, removal=early), LIVING) == aged(1)
    assert marked(aged(9, removal=early), LIVING) == aged(9, removal=early)
    of_remains = replace(early, remains=True)
    assert marked(aged(9, removal=of_remains), LIVING).removal == Removal(plans.NOW, plans.NOW + WAIT, aged(9).because)
    begun_already = aged(9, removal=of_remains, state=PointState.DELETING)
    assert marked(begun_already, LIVING) == begun_already


def test_the_next_look_is_the_earliest_mark_or_date() -> None:
    assert next_expiry([aged(0)], LIVING, RULES) is None
    assert next_expiry([aged(2), aged(1), aged(0)], LIVING, RULES) == aged(2).keep_until - WAIT
    waiting = aged(1, removal=Removal(AGO, AGO, "due"))
    assert next_expiry([aged(2), waiting, aged(0)], LIVING, RULES) == AGO


def test_what_stands_in_the_way_is_written_down_with_who_may_decide() -> None:
    marked = replace(DELETING, removal=replace(REMOVAL, frozen=True, asks=True))
    later = replace(REMOVAL, next_look=NOW + DAY, because="held")
    for after, frozen_, asks in ((put_off, False, False), (frozen, True, False), (asking, True, True)):
        assert after(marked, NOW + DAY, "held").removal == replace(later, frozen=frozen_, asks=asks)


def test_parts_whose_deletion_was_accepted_are_being_deleted_and_what_is_gone_is_left_out() -> None:
    first, second = DELETING.parts
    after = accepted(DELETING, [second])
    assert after.parts == (first, replace(second, state=PartState.DELETING))
    assert without(after, [second]).parts == (first,)


def test_a_mark_is_about_the_whole_point_or_about_its_earlier_attempts() -> None:
    first, second = point(machine(1, "web-1")).parts
    renewed = replace(point(machine(1, "web-1")), attempt=2, parts=(first, replace(second, attempt=2)))
    assert doomed(replace(renewed, removal=REMOVAL)) == renewed.parts
    assert doomed(replace(renewed, removal=replace(REMOVAL, remains=True))) == (first,)
    cut_off = replace(renewed, state=PointState.INCOMPLETE, removal=replace(REMOVAL, remains=True))
    assert doomed(cut_off) == renewed.parts
