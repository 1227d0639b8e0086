"""The judges' own calendar: changes of the clocks, ages, classes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local.judges.calendars import FOR_EVER, age_ends, kept_at_least_until, period, slots
from local.judges.plans import Plan, keep_of, length, modified, read_plans

FILE = """
default = "night"
[plans.Night]
keep_floor = "48h"
[plans.Night.snapshots]
at = ["02:30"]
zone = "Europe/Berlin"
keep = "7d4w12m last=3"
[plans.often.snapshots]
every = "6h"
zone = "America/New_York"
keep = "48h"
window = "30min"
[subscriptions."B"]
allowed_plans = ["often"]
"""
PLANS = read_plans(FILE)
NIGHT, OFTEN = PLANS.by_name["night"], PLANS.by_name["often"]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def instants(plan: Plan, after: str, until: str) -> list[str]:
    return [f"{slot:%m-%d %H:%M}" for slot in slots(plan, utc(after), utc(until))]


@pytest.mark.parametrize(
    ("plan", "after", "until", "expected"),
    [
        (NIGHT, "2027-03-27T00:00", "2027-03-30T00:00", ["03-27 01:30", "03-28 01:00", "03-29 00:30"]),
        (NIGHT, "2027-10-30T00:00", "2027-11-02T00:00", ["10-30 00:30", "10-31 00:30", "11-01 01:30"]),
        (
            OFTEN,
            "2027-03-13T23:00",
            "2027-03-15T05:00",
            ["03-14 05:00", "03-14 10:00", "03-14 16:00", "03-14 22:00", "03-15 04:00"],
        ),
        (NIGHT, "2027-06-01T00:30", "2027-06-02T00:30", ["06-02 00:30"]),
    ],
    ids=["skipped", "twice", "every", "after and until"],
)
def test_slots_follow_the_wall_clock(plan: Plan, after: str, until: str, expected: list[str]) -> None:
    assert instants(plan, after, until) == expected


@pytest.mark.parametrize(
    ("slot", "unit", "count", "ends"),
    [
        ("2027-01-31T01:00", "m", 1, "2027-02-28T01:00"),
        ("2028-02-29T01:00", "y", 1, "2029-02-28T01:00"),
        ("2027-03-10T01:00", "m", 1, "2027-04-10T00:00"),
        ("2027-11-15T01:00", "m", 2, "2028-01-15T01:00"),
        ("2027-03-27T01:00", "d", 2, "2027-03-29T01:00"),
        ("2027-03-27T01:00", "w", 1, "2027-04-03T01:00"),
        ("2027-03-27T01:00", "h", 5, "2027-03-27T06:00"),
    ],
)
def test_ages_end_exactly_or_by_the_calendar(slot: str, unit: str, count: int, ends: str) -> None:
    assert age_ends(utc(slot), unit, count, "Europe/Berlin") == utc(ends)


def test_an_age_beyond_the_calendar_never_ends() -> None:
    assert age_ends(utc("9990-01-01T00:00"), "y", 90, "UTC") == FOR_EVER


def test_a_point_is_kept_for_the_longest_class_whose_period_it_opens() -> None:
    monday, tuesday = utc("2027-03-15T01:30"), utc("2027-03-16T01:30")
    february = utc("2027-02-27T01:30")
    assert kept_at_least_until(monday, True, NIGHT, []) == utc("2028-03-15T01:30")
    assert kept_at_least_until(monday, True, NIGHT, [utc("2027-03-10T01:30")]) == monday + timedelta(weeks=4)
    assert kept_at_least_until(tuesday, True, NIGHT, [utc("2027-03-10T01:30"), monday]) == tuesday + timedelta(days=7)
    assert kept_at_least_until(monday, True, NIGHT, [february]) == utc("2028-03-15T01:30")
    assert kept_at_least_until(monday, False, NIGHT, []) == monday + timedelta(days=7)
    assert kept_at_least_until(monday, True, modified(NIGHT, {}), [tuesday]) == utc("2028-03-15T01:30")


def test_periods_are_local() -> None:
    late = utc("2027-12-31T23:30")
    assert [period(late, unit, "Europe/Berlin") for unit in "dwmy"] == ["2028-01-01", "2027-52", "2028-01", "2028"]
    assert period(late, "d", "UTC") == "2027-12-31"


def test_plans_are_read_with_their_defaults() -> None:
    assert (NIGHT.floor, NIGHT.window, NIGHT.last) == (timedelta(hours=48), timedelta(hours=1), 3)
    assert (OFTEN.floor, OFTEN.window) == (timedelta(hours=24), timedelta(minutes=30))
    assert PLANS.named("on", "a") is NIGHT
    assert PLANS.named("night", "B") is None
    assert PLANS.named("often", "b") is OFTEN
    assert PLANS.named("platinum", "a") is None


def test_tags_lengthen_the_keep_and_move_the_start() -> None:
    moved = modified(NIGHT, {"backup-keep": "2d8w last=1", "backup-at": "04:15 Asia/Tokyo"})
    assert (moved.ages, moved.last) == ({"d": 7, "w": 8, "m": 12}, 3)
    assert (moved.times[0].isoformat(), moved.zone) == ("04:15:00", "Asia/Tokyo")
    assert modified(NIGHT, {"backup-keep": "seven", "backup-at": "25:00"}) == NIGHT
    assert modified(OFTEN, {"backup-at": "04:15"}) == OFTEN


def test_what_cannot_be_read_is_an_error_and_never_passed_over() -> None:
    with pytest.raises(ValueError, match="not a keep"):
        keep_of("7d7d")
    with pytest.raises(ValueError, match="not a duration"):
        length("7 weeks")
