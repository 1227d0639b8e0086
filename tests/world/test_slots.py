"""The tests' own calendar, against known clock changes; and the product's, against the tests' own."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from shared.decide.schedule import slots
from shared.model.plan import Schedule
from tests.world.slots import Wish, first_minute, slots_between

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
    "Africa/Cairo",
    "Pacific/Chatham",
    "Europe/Dublin",
)


def test_a_time_that_summer_time_skips_is_due_when_the_clocks_have_moved_on() -> None:
    assert first_minute(date(2026, 3, 29), time(2, 30), "Europe/Berlin") == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_time_that_comes_twice_is_due_the_first_time() -> None:
    assert first_minute(date(2026, 10, 25), time(2, 30), "Europe/Berlin") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_last_minute_of_a_day_is_found() -> None:
    assert first_minute(date(2028, 2, 29), time(23, 59), "UTC") == datetime(2028, 2, 29, 23, 59, tzinfo=UTC)


def test_every_six_hours_goes_by_the_wall_clock() -> None:
    wish = Wish(every=timedelta(hours=6), zone="Europe/Berlin")
    found = list(slots_between(wish, datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)))
    assert [slot.hour for slot in found] == [4, 10, 16, 22]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "wish",
    [Wish(at=(time(2, 30),)), Wish(at=(time(0), time(23, 59))), Wish(every=timedelta(hours=4))],
    ids=["daily", "twice", "every"],
)
def test_the_product_finds_the_same_slots_over_a_year(zone: str, wish: Wish) -> None:
    mine = Wish(wish.at, wish.every, zone)
    theirs = Schedule(at=wish.at, every=wish.every, zone=zone, window=timedelta(0))
    after, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert list(slots(theirs, after, until)) == list(slots_between(mine, after, until))
