"""A plan that becomes shorter takes back what was added to a point when it completed: unplanned, never its stamp."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.decide.durations import parse_keep
from shared.decide.naming import stamp
from shared.model.machine import Machine
from shared.model.point import Point
from shared.model.rules import Rules
from tests.fleet import DAY, RULES, SILVER
from tests.flows.deleting import HOUR, Estate


def keeping(text: str) -> Rules:
    """The rules with another keep for the plan of all machines."""
    keep = parse_keep(text)
    assert keep is not None
    return replace(RULES, plans=replace(RULES.plans, by_name={"silver": replace(SILVER, keep=keep)}))


@pytest.fixture
def estate() -> Estate:
    return Estate()


def lengthened(estate: Estate) -> tuple[Machine, Point]:
    """A point of ten days ago, stamped for a week and kept for four once it was complete; and one of today."""
    of = estate.machine()
    old = estate.taken(of, 10)
    later = old.slot + 28 * DAY
    old = replace(old, keep_until=later, earned="weekly", because="first complete point of its week (weekly), kept 4w")
    for part in old.parts:
        truth = estate.truth(part)
        assert truth is not None
        truth.tags |= {"tagback-keep-until": stamp(later), "tagback-birth-keep-until": stamp(old.birth_keep_until)}
    estate.put(of, old, estate.taken(of, 0))
    return of, old


def test_as_long_as_the_plan_asks_for_it_nothing_is_taken_back(estate: Estate) -> None:
    of, old = lengthened(estate)
    estate.pass_time(100 * HOUR)
    assert estate.there(old) == [True, True]
    assert estate.points(of)[0].removal is None


def test_a_shorter_plan_takes_it_back_after_three_days_from_the_unplanned_budget(estate: Estate) -> None:
    of, old = lengthened(estate)
    estate.rules = keeping("7d")
    estate.pass_time(2 * HOUR)
    removal = estate.points(of)[0].removal
    assert removal is not None
    assert (removal.planned, "does not ask for that any more" in removal.because) == (False, True)
    estate.pass_time(68 * HOUR)
    assert estate.there(old) == [True, True]
    estate.pass_time(6 * HOUR)
    assert estate.there(old) == [False, False]
    [spending] = estate.stage.budgets.rows.values()
    assert sum(hour.unplanned for hour in spending.hours) == 1


def test_a_plan_that_is_longer_again_takes_back_the_mark(estate: Estate) -> None:
    of, old = lengthened(estate)
    estate.rules = keeping("7d")
    estate.pass_time(40 * HOUR)
    estate.rules = RULES
    estate.pass_time(60 * HOUR)
    assert estate.there(old) == [True, True]
    assert estate.points(of)[0].removal is None


def test_where_azure_shows_no_birth_stamp_the_later_date_stands(estate: Estate) -> None:
    of, old = lengthened(estate)
    for part in old.parts:
        truth = estate.truth(part)
        assert truth is not None
        del truth.tags["tagback-birth-keep-until"]
    estate.rules = keeping("7d")
    estate.pass_time(100 * HOUR)
    assert estate.there(old) == [True, True]
    assert "Azure's own dates keep it" in estate.why(of, old.slot)


def test_a_forged_birth_date_in_our_rows_takes_nothing_back_before_the_stamp(estate: Estate) -> None:
    of, old = lengthened(estate)
    forged = replace(old, birth_keep_until=old.slot, keep_until=old.slot + 28 * DAY)
    for part in old.parts:
        truth = estate.truth(part)
        assert truth is not None
        truth.tags["tagback-birth-keep-until"] = stamp(old.slot + 20 * DAY)
    estate.edit(of, forged)
    estate.rules = keeping("1d")
    estate.pass_time(100 * HOUR)
    assert estate.there(old) == [True, True]
