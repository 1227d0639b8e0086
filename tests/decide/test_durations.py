"""Durations and keeps, unit by unit: what people write, what it means, and how it is written back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.decide.durations import days_of, duration_text, lengthened, parse_duration, parse_keep
from shared.decide.retention import kept
from shared.model.plan import Age, Keep, Unit
from shared.model.point import Origin


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("5min", timedelta(minutes=5)),
        ("36h", timedelta(hours=36)),
        ("7d", timedelta(days=7)),
    ],
)
def test_a_duration_is_read_and_written_in_the_same_unit(text: str, duration: timedelta) -> None:
    assert (parse_duration(text), parse_duration(f" {text.upper()} "), duration_text(duration)) == (
        duration,
        duration,
        text,
    )


@pytest.mark.parametrize("text", ["", "7", "d", "7m", "7 d", "1.5h", "-1h", "1h30min", "1234567s"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("unit", "days"),
    [(Unit.HOUR, 1 / 24), (Unit.DAY, 1.0), (Unit.WEEK, 7.0), (Unit.MONTH, 30.4), (Unit.YEAR, 365.25)],
)
def test_an_age_has_about_so_many_days(unit: Unit, days: float) -> None:
    assert days_of(Age(1, unit)) == pytest.approx(days)
    assert days_of(Age(3, unit)) == pytest.approx(3 * days)


def test_a_keep_lists_its_ages_by_unit_whatever_the_order_they_are_written_in() -> None:
    assert parse_keep("3y12m 4w7d, LAST=3 48h") == Keep(
        (Age(48, Unit.HOUR), Age(7, Unit.DAY), Age(4, Unit.WEEK), Age(12, Unit.MONTH), Age(3, Unit.YEAR)), 3
    )
    assert parse_keep("last=3") == Keep((), 3)


@pytest.mark.parametrize("text", ["", "7d7d", "0d", "last=0", "7x", "d7", "100y", "last=3x"])
def test_what_is_no_keep_is_none(text: str) -> None:
    assert parse_keep(text) is None


def test_the_longer_of_two_keeps_counts_class_by_class() -> None:
    plan, asked = parse_keep("7d4w last=2"), parse_keep("3d8w1y last=1")
    assert plan is not None
    assert asked is not None
    assert str(lengthened(plan, asked)) == "7d8w1y last=2"
    assert lengthened(plan, Keep(())) == plan


@pytest.mark.parametrize(
    ("plan", "asked", "longer"),
    [
        ("7d4w", "48h", "7d4w"),
        ("30d", "1w", "30d"),
        ("30d", "5w", "30d5w"),
        ("28d", "4w", "28d4w"),
        ("27d", "1m", "27d1m"),
        ("28d", "1m", "28d"),
        ("1y", "12m", "1y"),
        ("1y", "13m", "13m1y"),
        ("350d", "12m", "350d12m"),
        ("last=3", "7d last=5", "last=5"),
    ],
)
@pytest.mark.parametrize("origin", [Origin.SLOT, Origin.ENROLMENT])
def test_what_a_tag_asks_never_becomes_the_shortest_age_of_a_plan(
    plan: str, asked: str, longer: str, origin: Origin
) -> None:
    own, wanted = parse_keep(plan), parse_keep(asked)
    assert own is not None
    assert wanted is not None
    both = lengthened(own, wanted)
    assert str(both) == longer
    for day in range(366):
        slot = datetime(2027, 12, 1, 2, tzinfo=UTC) + timedelta(days=day)
        assert kept(slot, origin, both, (), "UTC").until >= kept(slot, origin, own, (), "UTC").until
