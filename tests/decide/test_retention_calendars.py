"""What each plan keeps, as calendars under `tests/golden/retention` that one can check without reading code.

After a wanted change: `pytest --update-golden tests/decide/test_retention_calendars.py`, then read the diff.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from shared.decide.plan import read_plans
from shared.model.plan import Plan, Schedule
from shared.settings import SHIPPED_PLANS
from tests.decide.calendars import Story, text_of, utc

GOLDEN = Path(__file__).parents[1] / "golden" / "retention"
BERLIN = Schedule(at=(time(2, 30),), every=None, zone="Europe/Berlin", window=timedelta(hours=1))
NIGHTLY = replace(BERLIN, at=(time(2),), zone="UTC")


def shipped(name: str) -> Plan:
    plans, problems = read_plans(tomllib.loads(SHIPPED_PLANS.read_text()))
    assert not problems
    return plans.by_name[name]


def story_of(plan: Plan, title: str, first: str, last: str) -> Story:
    return Story(title, plan.schedule, str(plan.keep), utc(first), utc(last))


def days(*texts: str, at: str = "02:00") -> frozenset[datetime]:
    return frozenset(utc(f"{text} {at}") for text in texts)


STORIES = {
    "bronze": story_of(shipped("bronze"), "bronze after a month", "2027-01-01", "2027-02-01 12:00"),
    "silver": story_of(shipped("silver"), "silver after fifteen months", "2026-01-01", "2027-03-20 12:00"),
    "gold": story_of(shipped("gold"), "gold after three and a half years", "2024-01-01", "2027-07-15 12:00"),
    "summer-time-begins": Story(
        "02:30 in Berlin while the night of 28 March 2027 has no 02:30",
        BERLIN,
        "7d4w",
        utc("2027-03-01"),
        utc("2027-04-02 12:00"),
    ),
    "summer-time-ends": Story(
        "02:30 in Berlin while the night of 31 October 2027 has two of them",
        BERLIN,
        "7d1m",
        utc("2027-10-01"),
        utc("2027-11-04 12:00"),
    ),
    "missed-days": Story(
        "the app was down on two Mondays and over the first of February",
        NIGHTLY,
        "7d4w12m",
        utc("2027-01-01"),
        utc("2027-02-20 12:00"),
        missed=days("2027-01-18", "2027-01-31", "2027-02-01", "2027-02-02", "2027-02-15"),
    ),
    "plan-made-longer": Story(
        "a week of dailies until 10 March, from then on weeks and months too",
        NIGHTLY,
        "7d",
        utc("2027-02-20"),
        utc("2027-03-25 12:00"),
        changes={utc("2027-03-10"): "7d4w12m"},
    ),
    "plan-made-shorter": Story(
        "days, weeks and months until 10 March, from then on a week of dailies: what was stamped stays as stamped",
        NIGHTLY,
        "7d4w12m",
        utc("2027-02-01"),
        utc("2027-03-25 12:00"),
        changes={utc("2027-03-10"): "7d"},
    ),
    "leap-day": Story(
        "months and years from the end of February 2028",
        NIGHTLY,
        "2d1m1y",
        utc("2028-02-29"),
        utc("2028-05-31 12:00"),
        missed=days(*(f"2028-05-{day:02}" for day in range(1, 31))),
    ),
    "last-3": Story(
        "48h last=3, and nothing was taken for the last five days",
        NIGHTLY,
        "48h last=3",
        utc("2027-03-01"),
        utc("2027-03-20 12:00"),
        missed=days("2027-03-16", "2027-03-17", "2027-03-18", "2027-03-19", "2027-03-20"),
    ),
    "48-hours": Story(
        "48h of a plan that runs every six hours",
        Schedule(at=(), every=timedelta(hours=6), zone="UTC", window=timedelta(minutes=30)),
        "48h",
        utc("2027-03-01"),
        utc("2027-03-06 12:00"),
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_plan_keeps_what_its_calendar_shows(name: str, update_golden: bool) -> None:
    golden, text = GOLDEN / f"{name}.txt", text_of(STORIES[name])
    if update_golden:
        golden.write_text(text)
    wanted = golden.read_text() if golden.exists() else ""
    assert text == wanted, f"{golden.name}: retention changed. If that is wanted: pytest --update-golden, read the diff"


def test_every_calendar_belongs_to_a_story() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(STORIES)
