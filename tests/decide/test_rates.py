"""How often a caller may ask: so many at once, then as the bucket fills again; nobody pays for another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.decide.pace import Bucket
from shared.decide.rates import ALLOWANCES, asked, remembered
from shared.model.caller import Use

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def until_full(use: Use, at: datetime) -> tuple[int, Bucket | None, timedelta]:
    """How many requests there is room for at once; the bucket then, and the wait for the next."""
    bucket: Bucket | None = None
    for count in range(10_000):
        bucket, wait = asked(bucket, use, at)
        if wait:
            return count, bucket, wait
    raise AssertionError


@pytest.mark.parametrize(("use", "most", "seconds_for_one"), [(Use.READ, 1200, 0.05), (Use.WRITE, 120, 1.0)])
def test_so_many_are_let_through_at_once_and_then_evenly(use: Use, most: int, seconds_for_one: float) -> None:
    count, bucket, wait = until_full(use, NOW)
    assert count == most
    assert seconds_for_one <= wait.total_seconds() <= seconds_for_one + 0.01
    assert asked(bucket, use, NOW + wait)[1] == timedelta(0)
    assert asked(bucket, use, NOW + wait / 2)[1] > timedelta(0)


def test_who_is_turned_away_loses_nothing_by_having_asked() -> None:
    _, bucket, wait = until_full(Use.WRITE, NOW)
    for _ in range(50):
        bucket, again = asked(bucket, Use.WRITE, NOW)
        assert again == wait


def test_who_asks_too_early_has_the_next_one_no_later() -> None:
    _, bucket, wait = until_full(Use.WRITE, NOW)
    half, left = asked(bucket, Use.WRITE, NOW + wait / 2)
    assert left > timedelta(0)
    assert asked(half, Use.WRITE, NOW + wait)[1] == timedelta(0)


def test_a_clock_that_went_back_opens_nothing() -> None:
    _, bucket, _ = until_full(Use.WRITE, NOW)
    assert asked(bucket, Use.WRITE, NOW - timedelta(hours=1))[1] > timedelta(0)


@pytest.mark.parametrize("use", Use)
def test_a_bucket_is_forgotten_when_it_is_full_again_and_not_before(use: Use) -> None:
    _, bucket, _ = until_full(use, NOW)
    assert bucket is not None
    within, about = ALLOWANCES[use].within, ("ann", use)
    assert remembered({about: bucket}, NOW + within - timedelta(seconds=1)) == {about: bucket}
    assert remembered({about: bucket}, NOW + within) == {}
