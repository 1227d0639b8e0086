"""Cron expressions: the times and days that they name, and what is said of those that cannot be read."""

from __future__ import annotations

from datetime import date, time
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared.decide import cron
from tests.decide.enumerator import Calendar, calendar_of, members


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("0 2 * * 1-5", ""),
        ("0 2 * * MON-FRI", ""),
        ("*/30 0-4,22 1,15 JAN sun", ""),
        ("0 2 L * *", ""),
        ("0 2 * * MON#2", ""),
        ("0 2 * *", "has not five fields"),
        ("0 0 2 * * *", "has not five fields"),
        ("", "has not five fields"),
        ("60 2 * * *", "has a bad minute"),
        ("0 24 * * *", "has a bad hour"),
        ("0 2 0 * *", "has a bad day-of-month"),
        ("0 2 * 13 *", "has a bad month"),
        ("0 2 * * 8", "has a bad day-of-week"),
        ("٠ 2 * * *", "has a bad minute"),
        ("0 2 30 2 *", "has a bad day-of-month"),
        ("0 2 */20 * 1L", "names days that never come"),
        ("0 2 * * *" + " " * 91, ""),
        ("0 2 * * *" + " " * 92, "is longer than 100 characters"),
        ("9" * 5000 + " 2 * * *", "is longer than 100 characters"),
    ],
)
def test_what_cannot_be_read_or_never_comes_is_said(text: str, wrong: str) -> None:
    assert cron.problem(text) == wrong


def test_times_of_day_are_named_whatever_the_day() -> None:
    assert cron.times("30,0 2,14 1 1 *") == (time(2), time(2, 30), time(14), time(14, 30))


def test_a_weekday_or_a_date_is_enough_unless_one_of_them_is_any() -> None:
    either = islice(cron.days_from("0 0 15 * 1", date(2027, 3, 1)), 4)
    assert [day.day for day in either] == [1, 8, 15, 22]
    both = islice(cron.days_from("0 0 */7 * 1", date(2027, 3, 1)), 3)
    assert [(day.month, day.day) for day in both] == [(3, 1), (3, 8), (3, 15)]


def test_the_first_and_the_last_day_belong_to_the_search() -> None:
    assert next(cron.days_from("0 2 29 2 *", date(2028, 2, 29))) == date(2028, 2, 29)
    assert next(cron.days_from("0 2 29 2 *", date(2028, 3, 1))) == date(2032, 2, 29)
    assert next(cron.days_back_from("0 2 29 2 *", date(2028, 2, 29))) == date(2028, 2, 29)
    assert next(cron.days_back_from("0 2 29 2 *", date(2028, 2, 28))) == date(2024, 2, 29)


def test_moving_the_start_keeps_the_days() -> None:
    assert cron.moved("0 2 1,15 * MON", time(23, 5)) == "5 23 1,15 * MON"


def field(least: int, most: int) -> some.SearchStrategy[str]:
    numbers = some.integers(least, most)
    # The library takes the span of one value with a step, such as 3-3/2, for 3/2; nobody writes that.
    pairs = some.lists(numbers, min_size=2, max_size=2, unique=True)
    spans = pairs.map(lambda pair: f"{min(pair)}-{max(pair)}")
    steps = some.tuples(some.just("*") | spans, some.integers(1, most)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    return some.just("*") | some.lists(numbers.map(str) | spans | steps, min_size=1, max_size=3).map(",".join)


LINES = some.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7)).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(LINES)
def test_every_line_names_the_days_and_times_of_the_enumerator(line: str) -> None:
    if cron.problem(line):
        return
    calendar = calendar_of(line)
    assert [wall.hour * 60 + wall.minute for wall in cron.times(line)] == list(calendar.minutes)
    since, epoch = date(2027, 1, 1), date(1970, 1, 1).toordinal()
    low = (since.toordinal() - epoch) * 1440
    midnights = Calendar((0,), calendar.days).between(low, low + 800 * 1440)
    expected = [minute // 1440 for minute in islice(midnights, 20)]
    found = [day.toordinal() - epoch for day in islice(cron.days_from(line, since), len(expected))]
    assert found == expected
    if expected:
        last = date.fromordinal(expected[-1] + epoch)
        back = [day.toordinal() - epoch for day in islice(cron.days_back_from(line, last), len(expected))]
        assert back == expected[::-1]


def test_the_enumerator_reads_a_field_as_cron_does() -> None:
    assert members("1-10/3,50", 0, 59) == {1, 4, 7, 10, 50}
    assert members("50/5", 0, 59) == {50, 55}
