"""A machine measured by its plan: what may be lost, what would be, and since when nothing was promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.compliance import Verdict, allowed, compliance
from shared.model.drill import Drill
from shared.model.machine import Machine
from shared.model.plan import DrillPart, Plans
from shared.model.point import PointState
from tests.decide.plans import GOLD, NOW, RULES, SILVER, at, machine
from tests.decide.points import point_of

NEWEST = at("2027-03-10 02:00")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def test_a_plan_promises_its_interval_and_the_window_in_which_work_starts() -> None:
    assert (allowed(SILVER), allowed(GOLD)) == (25 * HOUR, 7 * HOUR)


def test_a_machine_with_a_young_point_keeps_its_promise() -> None:
    found = compliance(machine(), [point_of(NEWEST), point_of(NEWEST - DAY)], RULES, NOW)
    assert (found.verdict, found.because) == (Verdict.KEPT, "10 h would be lost, and its plan allows 1 d 1 h")
    assert (found.promised, found.lost, found.retained, found.oldest) == (25 * HOUR, 10 * HOUR, 2, NEWEST - DAY)
    assert (found.verified, found.machine) == (None, machine())


@pytest.mark.parametrize(("age", "verdict"), [(25 * HOUR, Verdict.KEPT), (25.1 * HOUR, Verdict.BREACHED)])
def test_the_promise_is_broken_only_beyond_it(age: timedelta, verdict: Verdict) -> None:
    assert compliance(machine(), [point_of(NOW - age)], RULES, NOW).verdict is verdict


def test_a_broken_promise_is_told_with_both_spans() -> None:
    found = compliance(machine(), [point_of(NOW - 3 * DAY)], RULES, NOW)
    assert found.because == "3 d would be lost, and its plan allows 1 d 1 h"


def test_points_that_did_not_complete_count_for_nothing() -> None:
    found = compliance(machine(), [point_of(NEWEST, state=PointState.INCOMPLETE)], RULES, NOW)
    assert (found.lost, found.retained, found.oldest) == (None, 0, None)


@pytest.mark.parametrize(
    ("waited", "verdict", "because"),
    [
        (25 * HOUR, Verdict.NOT_YET, "enrolled 1 d 1 h ago, and its plan allows 1 d 1 h"),
        (26 * HOUR, Verdict.BREACHED, "no complete point 1 d 2 h after it was enrolled"),
    ],
)
def test_a_machine_without_a_point_is_given_the_time_of_its_plan(
    waited: timedelta, verdict: Verdict, because: str
) -> None:
    found = compliance(machine(enrolled_at=NOW - waited), [], RULES, NOW)
    assert (found.verdict, found.because) == (verdict, because)


def test_a_machine_that_a_plan_takes_and_no_look_enrolled_is_not_in_breach() -> None:
    found = compliance(machine(enrolled_at=None), [], RULES, NOW)
    assert (found.verdict, found.because) == (
        Verdict.NOT_YET,
        "enrolled 0 min ago, and its plan allows 1 d 1 h",
    )


@pytest.mark.parametrize("row", [machine(tags={"backup": "off"}, because="its tag backup is off")])
def test_nothing_is_promised_to_what_no_plan_takes(row: Machine) -> None:
    found = compliance(row, [point_of(NOW - 9 * DAY)], RULES, NOW)
    assert (found.verdict, found.because, found.promised) == (Verdict.NONE, "its tag backup is off", None)
    assert found.lost == 9 * DAY


@pytest.mark.parametrize(("days", "promised"), [(6, 25 * HOUR), (7, None)])
def test_a_misspelt_plan_promises_as_the_last_good_one_while_its_grace_runs(
    days: int, promised: timedelta | None
) -> None:
    row = machine(tags={"backup": "slver"}, grace_from=NOW - days * DAY)
    assert compliance(row, [point_of(NEWEST)], RULES, NOW).promised == promised


def test_a_point_from_a_clock_ahead_of_ours_loses_nothing() -> None:
    assert compliance(machine(), [point_of(NOW + HOUR)], RULES, NOW).lost == timedelta(0)


def test_a_proof_that_is_older_than_the_plan_allows_breaks_its_promise() -> None:
    part = DrillPart(30 * DAY, 45 * DAY, 1, timedelta(minutes=30))
    rules = replace(RULES, plans=Plans({"silver": replace(SILVER, drill=part)}, "silver", {}))
    young, late = machine(enrolled_at=NOW - 45 * DAY), machine(enrolled_at=NOW - 46 * DAY)
    assert compliance(young, [point_of(NEWEST)], rules, NOW).verdict is Verdict.KEPT
    found = compliance(late, [point_of(NEWEST)], rules, NOW)
    assert (found.verdict, found.verified) == (Verdict.BREACHED, None)
    assert found.because.startswith("no restore of it was proven since")
    proven = replace(late, proof=Drill("r-1", NEWEST, NOW - DAY, NOW - DAY, True, ""))
    assert compliance(proven, [point_of(NEWEST)], rules, NOW).verified == NOW - DAY
    assert compliance(proven, [point_of(NEWEST)], rules, NOW).verdict is Verdict.KEPT
    lost = compliance(late, [point_of(NOW - 3 * DAY)], rules, NOW)
    assert "would be lost" in lost.because, "what is lost comes before what is not proven"
