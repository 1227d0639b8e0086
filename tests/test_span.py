"""Spans of time in the words that every page and every reason uses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.model.plan import Schedule
from shared.model.span import told


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(minutes=60), "1 h"),
        (timedelta(hours=23, minutes=59), "23 h 59 min"),
        (timedelta(days=1), "1 d"),
        (timedelta(days=3, minutes=59), "3 d"),
        (timedelta(days=3, hours=4, minutes=59), "3 d 4 h"),
    ],
)
def test_spans_are_told_as_people_say_them(span: timedelta, words: str) -> None:
    assert told(span) == words


def test_a_plan_runs_every_so_many_hours_not_minutes() -> None:
    schedule = Schedule(at=(), every=timedelta(hours=6), zone="Europe/Berlin", window=timedelta(0))
    assert str(schedule) == "every 6 h (Europe/Berlin)"
