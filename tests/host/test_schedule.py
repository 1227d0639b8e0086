"""NCRONTAB and time spans: when a schedule fires next."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from local.host.schedule import Constant, ScheduleError, parse

START = "2026-11-20T10:30:15"  # a Friday

NEXT = [
    ("0 */5 * * * *", START, "2026-11-20T10:35:00"),
    ("0 0 * * * *", START, "2026-11-20T11:00:00"),
    ("15 30 10 * * *", START, "2026-11-21T10:30:15"),
    ("* * * * * *", START, "2026-11-20T10:30:16"),
    ("*/20 * * * * *", START, "2026-11-20T10:30:20"),
    ("0 0 9-17 * * 1-5", "2026-11-20T17:00:00", "2026-11-23T09:00:00"),
    ("0 0 0 1 * *", START, "2026-12-01T00:00:00"),
    ("0 0 0 31 * *", "2026-11-20T00:00:00", "2026-12-31T00:00:00"),
    ("0 0 0 29 2 *", START, "2028-02-29T00:00:00"),
    ("0 0 0 29 2 Mon", START, "2044-02-29T00:00:00"),
    ("0 0 0 13 * 5", START, "2027-08-13T00:00:00"),  # the 13th AND a Friday
    ("0 0 0 * Jan Sun", START, "2027-01-03T00:00:00"),
    ("0 0 0 1 JANUARY,mar *", "2027-01-02T00:00:00", "2027-03-01T00:00:00"),
    ("0 0 0 1 j *", START, "2027-01-01T00:00:00"),  # the first name that begins so
    ("0 10/20 * * * *", START, "2026-11-20T10:50:00"),  # from 10 to the end
    ("0 0 20-22/2 * * *", START, "2026-11-20T20:00:00"),
    ("0 5-1 * * * *", START, "2026-11-20T11:01:00"),  # turned round
    ("0 */0 * * * *", START, "2026-11-20T10:31:00"),  # a step below one is one
    ("30 10 * * *", START, "2026-11-21T10:30:00"),  # five fields: no seconds
    ("0  0\t12 * * *", START, "2026-11-20T12:00:00"),
    ("00:00:10", START, "2026-11-20T10:30:25"),
    ("1.02:00:00", START, "2026-11-21T12:30:15"),
    ("24:00:00", START, "2026-12-14T10:30:15"),  # .NET reads days here
    ("2", START, "2026-11-22T10:30:15"),
    ("00:00:00.5", START, "2026-11-20T10:30:15.500000"),
]


@pytest.mark.parametrize(("expression", "after", "expected"), NEXT, ids=[row[0] for row in NEXT])
def test_the_next_occurrence(expression: str, after: str, expected: str) -> None:
    found = parse(expression).next_after(datetime.fromisoformat(after).replace(tzinfo=UTC), UTC)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_fraction_of_a_second_is_no_reason_to_fire_twice() -> None:
    just_after = datetime(2026, 11, 20, 11, 0, 0, 3, tzinfo=UTC)
    assert parse("0 0 * * * *").next_after(just_after, UTC) == datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_date_that_does_not_exist_is_never() -> None:
    assert parse("0 0 0 30 2 *").next_after(datetime(2026, 1, 1, tzinfo=UTC), UTC) is None


BAD = [
    "",
    "* * * *",
    "* * * * * * *",
    "0 60 * * * *",
    "0 0 24 * * *",
    "0 0 0 0 * *",
    "0 0 0 32 * *",
    "0 0 0 * 13 *",
    "0 0 0 * * 7",
    "0 0 0 ? * *",
    "0 0 0 L * *",
    "0 0 0 15W * *",
    "0 0 0 * * 5#1",
    "0 0 0 * Foo *",
    "0 */x * * * *",
    "0 1, * * * *",
    "0 1-2-3 * * * *",
    "0 /5 * * * *",
    "0 1..2 * * * *",
    "00:00:00",
    "00:61:00",
    "@hourly",
    "every hour",
]


@pytest.mark.parametrize("expression", BAD)
def test_what_is_neither_cron_nor_time_span_is_refused_by_name(expression: str) -> None:
    with pytest.raises(ScheduleError, match=r"was not recognized as a valid cron expression or timespan string"):
        parse(expression)


BERLIN = ZoneInfo("Europe/Berlin")  # clocks go forward 2026-03-29 02:00, back 2026-10-25 03:00


def _fires(expression: str, start: datetime, count: int) -> list[str]:
    schedule, found, moment = parse(expression), [], start
    for _ in range(count):
        following = schedule.next_after(moment, BERLIN)
        assert following is not None
        moment = following
        found.append(moment.astimezone(UTC).strftime("%m-%dT%H:%M"))
    return found


def test_a_daily_time_that_the_clock_change_skips_fires_once_that_day() -> None:
    start = datetime(2026, 3, 28, 12, tzinfo=BERLIN)
    assert _fires("0 30 2 * * *", start, 2) == ["03-29T01:30", "03-30T00:30"]


def test_a_daily_time_that_happens_twice_fires_once_that_day() -> None:
    start = datetime(2026, 10, 24, 12, tzinfo=BERLIN)
    assert _fires("0 30 2 * * *", start, 2) == ["10-25T00:30", "10-26T01:30"]


def test_an_hourly_schedule_goes_through_both_clock_changes() -> None:
    spring = datetime(2026, 3, 29, 0, 59, tzinfo=BERLIN)
    assert _fires("0 0 * * * *", spring, 4) == ["03-29T00:00", "03-29T01:00", "03-29T02:00", "03-29T03:00"]
    autumn = datetime(2026, 10, 25, 1, 59, tzinfo=BERLIN)
    assert _fires("0 0 * * * *", autumn, 4) == ["10-25T00:00", "10-25T01:00", "10-25T02:00", "10-25T03:00"]


def test_sub_minute_schedules_are_known_because_nothing_is_remembered_of_them() -> None:
    assert parse("*/30 * * * * *").is_sub_minute
    assert parse("00:00:59").is_sub_minute
    assert not parse("0 * * * * *").is_sub_minute
    assert not Constant(timedelta(minutes=1)).is_sub_minute
