"""Which points retention will let go: never the newest complete ones, and never before their date."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared.decide.departure import departures
from shared.model.plan import Keep
from shared.model.point import Point, PointState
from tests.fleet import DAY, LAST_SLOT, machine, point

WELL = machine(1, "web-1")
NO_LAST = Keep(())


def taken(age: int, state: PointState = PointState.COMPLETE) -> Point:
    return point(WELL, LAST_SLOT - age * DAY, state)


def slots(points: list[Point], keep: Keep = NO_LAST, for_good: int = 1) -> list[datetime]:
    return [departure.point.slot for departure in departures(points, keep, for_good)]


def test_the_newest_complete_point_stays() -> None:
    assert slots([taken(2), taken(1), taken(0)]) == [LAST_SLOT - 2 * DAY, LAST_SLOT - DAY]


def test_an_incomplete_point_does_not_stand_for_a_complete_one() -> None:
    assert slots([taken(1), taken(0, PointState.INCOMPLETE)]) == [LAST_SLOT]


def test_last_holds_so_many_of_the_newest() -> None:
    assert slots([taken(2), taken(1), taken(0)], Keep((), last=2)) == [LAST_SLOT - 2 * DAY]


def test_of_a_machine_that_opted_out_every_point_goes() -> None:
    assert slots([taken(1), taken(0)], for_good=0) == [LAST_SLOT - DAY, LAST_SLOT]


def test_a_point_that_is_being_taken_has_no_date_yet() -> None:
    assert slots([taken(1), taken(0, PointState.TAKING)]) == []


def test_what_goes_first_stands_first() -> None:
    longer = replace(taken(2), keep_until=LAST_SLOT + 30 * DAY)
    assert slots([longer, taken(1), taken(0)]) == [LAST_SLOT - DAY, LAST_SLOT - 2 * DAY]


def test_a_hold_moves_the_date_and_never_forward() -> None:
    held = replace(taken(1), held_until=LAST_SLOT + 60 * DAY)
    briefly = replace(taken(1), held_until=LAST_SLOT)
    (later,), (same,) = departures([held, taken(0)], NO_LAST), departures([briefly, taken(0)], NO_LAST)
    assert (later.at, later.because) == (LAST_SLOT + 60 * DAY, "held beyond its date")
    assert same.at == LAST_SLOT - DAY + timedelta(days=7)
