"""What will become of each point: when it goes at the earliest, or why it stays. A forecast, never a deletion."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.decide.deletion import COOLING_OFF
from shared.decide.departure import Forecast, forecast
from shared.model.machine import Machine
from shared.model.point import Point, PointState, Removal
from tests.decide.plans import NOW, RULES, at, machine
from tests.decide.points import point_of

DAY = timedelta(days=1)
NEWEST = at("2027-03-10 02:00")
OUT = machine(tags={"backup": "off"}, enrolled_at=None, left_at=NOW - DAY)


def aged(days: int, state: PointState = PointState.COMPLETE) -> Point:
    return point_of(NEWEST - days * DAY, state=state)


def foreseen(*points: Point, of: Machine | None = None) -> Forecast:
    return forecast(of or machine(), points, RULES, NOW)


def slots(found: Forecast) -> list[datetime]:
    return [one.point.slot for one in found.going]


def test_the_newest_complete_point_stays_and_the_others_go_on_their_dates() -> None:
    found = foreseen(aged(0), aged(1), aged(2))
    assert [(one.point.slot, one.at) for one in found.going] == [
        (NEWEST - 2 * DAY, NEWEST + 5 * DAY),
        (NEWEST - DAY, NEWEST + 6 * DAY),
    ]
    (stays,) = found.staying
    assert stays.point.slot == NEWEST
    assert stays.because == "the newest complete point of a machine that exists and asks for protection"


def test_points_of_a_misspelt_plan_go_as_its_last_good_one_says_while_its_grace_runs() -> None:
    row = machine(tags={"backup": "slver"}, grace_from=NOW - DAY)
    assert foreseen(aged(0), aged(1), of=row) == foreseen(aged(0), aged(1))


def test_what_goes_first_stands_first() -> None:
    longer = replace(aged(3), keep_until=NEWEST + 30 * DAY, birth_keep_until=NEWEST + 30 * DAY)
    assert slots(foreseen(longer, aged(1), aged(0))) == [NEWEST - DAY, NEWEST - 3 * DAY]


def test_a_point_that_is_being_taken_has_no_date_yet() -> None:
    found = foreseen(aged(1), aged(0, PointState.TAKING))
    assert (slots(found), len(found.staying)) == ([], 2)


def test_a_point_whose_date_has_passed_unmarked_still_has_the_wait_before_it() -> None:
    (gone, *_) = foreseen(aged(30), aged(0)).going
    assert (gone.at, gone.because) == (NOW + RULES.delete_wait, "first complete point of its day (daily), kept 7d")


def test_a_mark_that_was_put_far_ahead_makes_nothing_earlier() -> None:
    early = replace(aged(1), removal=Removal(NOW - 9 * DAY, NOW, "due"))
    assert foreseen(early, aged(0)).going[0].at == NEWEST + 6 * DAY


def test_a_mark_was_put_ahead_so_the_wait_runs_from_there() -> None:
    old = aged(30)
    marked = replace(old, removal=Removal(NOW - DAY / 2, NOW, "its date has come"))
    assert foreseen(marked, aged(0)).going[0].at == NOW - DAY / 2 + RULES.delete_wait
    long_ago = replace(old, removal=Removal(NOW - 9 * DAY, NOW, "its date has come"))
    assert foreseen(long_ago, aged(0)).going[0].at == NOW


def test_nobody_planned_the_end_of_what_a_machine_leaves_so_it_cools_off() -> None:
    (first, last) = foreseen(aged(30), aged(20), of=OUT).going
    assert (first.at, first.point.slot) == (NOW + COOLING_OFF, NEWEST - 30 * DAY)
    assert last.at == NOW - DAY + RULES.orphan_keep - RULES.delete_wait + COOLING_OFF


def test_a_hold_that_ends_with_the_date_is_not_the_reason() -> None:
    (one,) = foreseen(replace(aged(1), held_until=NEWEST + 6 * DAY), aged(0)).going
    assert (one.at, one.because) == (NEWEST + 6 * DAY, aged(1).because)


@pytest.mark.parametrize(("days", "moves"), [(60, True), (1, False)])
def test_a_hold_moves_a_date_and_never_forward(days: int, moves: bool) -> None:
    held = replace(aged(1), held_until=NEWEST + days * DAY)
    (one,) = foreseen(held, aged(0)).going
    expected = (NEWEST + 60 * DAY, "held beyond its date") if moves else (NEWEST + 6 * DAY, aged(1).because)
    assert (one.at, one.because) == expected


def test_a_hold_on_the_machine_holds_its_points_and_the_longer_of_two_holds_counts() -> None:
    tags = {"backup": "silver", "backup-hold": "2027-05-01"}
    (one,) = foreseen(aged(1), aged(0), of=machine(tags=tags)).going
    assert one.because == "held beyond its date"
    (longer,) = foreseen(replace(aged(1), held_until=at("2028-01-01 00:00")), aged(0), of=machine(tags=tags)).going
    assert one.at < longer.at == at("2028-01-01 00:00")


def test_what_is_held_for_ever_stays() -> None:
    found = foreseen(aged(1), aged(0), of=machine(tags={"backup": "silver", "backup-hold": "forever"}))
    assert slots(found) == []
    assert (found.staying[0].point, found.staying[0].because) == (aged(1), "held for ever")


def test_the_remains_of_an_attempt_go_and_are_said_to_be_remains() -> None:
    (one,) = foreseen(aged(1, PointState.INCOMPLETE), aged(0)).going
    assert (one.remains, one.point.slot) == (True, NEWEST - DAY)
    assert not foreseen(aged(1), aged(0)).going[0].remains
    held = replace(aged(1, PointState.INCOMPLETE), held_until=NOW + 60 * DAY)
    (later,) = foreseen(held, aged(0)).going
    assert (later.remains, later.because) == (True, "held beyond its date")
