"""What is wrong with the proof that a machine can be restored, and what is known of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.decide.proofs import problems_of, reasons_of
from shared.decide.protection import standing
from shared.model.drill import Drill
from shared.model.machine import Status
from shared.model.plan import DrillPart, Plans
from tests.decide.plans import NOW, RULES, SILVER, machine

DAY = timedelta(days=1)
PLAN = replace(SILVER, drill=DrillPart(30 * DAY, 45 * DAY, 1, timedelta(minutes=30)))
PROOF = Drill("r-1", NOW, NOW - 45 * DAY, NOW - 45 * DAY, True, "it was tried", (), 900, 7200)
FAILED = replace(PROOF, request="r-2", at=NOW, proven=False, because="it did not boot")


def test_without_drills_in_the_plan_nothing_is_wrong() -> None:
    assert problems_of(machine(drill=FAILED), SILVER, NOW) == ()


def test_a_proof_is_good_until_the_limit() -> None:
    known = machine(drill=PROOF, proof=PROOF, enrolled_at=NOW - 300 * DAY)
    assert problems_of(known, PLAN, NOW) == ()
    late = "its last verified restore is of 2027-01-24 12:00Z; its plan wants one that is no older than 45d"
    assert problems_of(known, PLAN, NOW + timedelta(seconds=1)) == (late,)


def test_a_machine_without_proof_has_the_same_time_from_its_enrolment() -> None:
    known = machine(enrolled_at=NOW)
    assert problems_of(known, PLAN, NOW + 45 * DAY) == ()
    [late] = problems_of(known, PLAN, NOW + 46 * DAY)
    assert late.startswith("no restore of it was proven since it was enrolled at 2027-03-10 12:00Z; its plan wants")
    assert problems_of(machine(enrolled_at=None), PLAN, NOW) == ()


def test_a_drill_that_failed_is_a_problem_until_one_is_proven() -> None:
    assert problems_of(machine(drill=FAILED, proof=PROOF), PLAN, NOW) == ("it did not boot",)
    assert len(problems_of(machine(drill=FAILED, proof=PROOF), PLAN, NOW + DAY)) == 2


def test_what_is_wrong_makes_the_machine_degraded() -> None:
    rules = replace(RULES, plans=Plans({"silver": PLAN}, "silver", {}))
    found = standing(machine(drill=FAILED), (), rules, NOW)
    assert (found.status, found.problems) == (Status.DEGRADED, ("it did not boot",))
    assert standing(machine(drill=PROOF, proof=PROOF), (), rules, NOW).status is Status.PROTECTED


def test_what_is_known_is_said() -> None:
    every = "plan silver has a restore of it proven every 30d, and alarms after 45d"
    proven = "a restore of it was last proven at 2027-01-24 12:00Z: it took 15 min, and 2 h were lost"
    failed = "its last drill, at 2027-03-10 12:00Z, failed: it did not boot"
    assert reasons_of(machine(), None) == ()
    assert reasons_of(machine(), SILVER) == ()
    assert reasons_of(machine(), PLAN) == (every, "no restore of it was tried yet")
    assert reasons_of(machine(drill=PROOF, proof=PROOF), PLAN) == (every, proven)
    assert reasons_of(machine(drill=FAILED, proof=PROOF), PLAN) == (every, proven, failed)
    assert reasons_of(machine(drill=FAILED), None) == (failed,)
