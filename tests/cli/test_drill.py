"""`tagback drill` over the twins: how it stands with drills, and what asking for one says and refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.flows import request_kinds
from shared.flows.requesting import run as run_request
from shared.model.drill import Drill
from shared.model.machine import Machine, Status
from shared.model.plan import DrillPart, Plans
from shared.model.request import Asked, Progress
from shared.model.restore import RestoreMode
from tests.cli.running import answer, run
from tests.fleet import DAY, LAST_SLOT, NOW, RULES, SILVER, Fleet, capture, empty_fleet, machine, point

PART = DrillPart(30 * DAY, 45 * DAY, 1, timedelta(minutes=20), "check", "fine", "drills")
PROOF = Drill("r-1", LAST_SLOT, NOW - DAY, NOW - DAY, True, "it was tried", ("it runs",), 900, 7200)
FAILED = replace(PROOF, request="r-2", at=NOW - 2 * DAY, proven=False, because="it did not boot")


def fleet_of(*machines: Machine) -> Fleet:
    drilling = replace(RULES, plans=Plans({"silver": replace(SILVER, drill=PART)}, "silver", {}))
    made = replace(empty_fleet(), rules=drilling)
    for each in machines:
        made.put(each, capture(each), point(each))
    return made


def test_nothing_is_said_of_machines_that_are_not_drilled() -> None:
    fleet = empty_fleet()
    fleet.put(machine(1, "web-1"))
    result = run(fleet, "drill")
    assert (result.exit_code, "No plan has drills" in result.stdout) == (0, True)


def test_how_it_stands_with_drills_is_shown() -> None:
    proven = replace(machine(1, "web-1"), drill=PROOF, proof=PROOF)
    fleet = fleet_of(proven, machine(2, "web-2"), machine(3, "jump", Status.EXCLUDED))
    result = run(fleet, "drill", "--output", "json")
    first, second = answer(result)["machines"]
    assert {name: first[name] for name in first if name not in ("id", "drill")} == {
        "vm": "web-1",
        "plan": "silver",
        "last_verified": "2026-11-19T12:00:00Z",
        "age_seconds": 86400,
        "rto_seconds": 900,
        "rpo_seconds": 7200,
        "next_drill": "2026-12-19T12:00:00Z",
        "because": "it is not due",
        "problems": [],
    }
    assert first["drill"] == {
        "id": "r-1",
        "slot": "2026-11-20T02:00:00Z",
        "started": "2026-11-19T12:00:00Z",
        "at": "2026-11-19T12:00:00Z",
        "proven": True,
        "because": "it was tried",
        "seen": ["it runs"],
        "rto_seconds": 900,
        "rpo_seconds": 7200,
    }
    assert (second["last_verified"], second["because"]) == (None, "it is next: no restore of it was ever tried")
    assert result.exit_code == 0


def test_a_drill_that_failed_is_exit_code_one_and_said_everywhere() -> None:
    fleet = fleet_of(replace(machine(1, "web-1"), drill=FAILED, proof=PROOF))
    result = run(fleet, "drill")
    assert result.exit_code == 1
    assert "web-1: it did not boot" in result.stdout
    assert "15 min" in result.stdout
    assert "2 h" in result.stdout
    status = run(fleet, "status", "--output", "json")
    [shown] = answer(status)["machines"]
    assert (status.exit_code, shown["status"], shown["problems"]) == (1, "degraded", ["it did not boot"])
    assert shown["drill"]["proven"] is False
    reasons = answer(run(fleet, "explain", "web-1", "--output", "json"))["because"]
    assert "its last drill, at 2026-11-18 12:00Z, failed: it did not boot" in reasons
    [told] = answer(run(fleet, "report", "--output", "json"))["machines"]
    assert (told["last_verified"], told["proof"]["rto_seconds"]) == ("2026-11-19T12:00:00Z", 900)


def test_a_drill_is_asked_for_as_the_plan_says() -> None:
    fleet = fleet_of(machine(1, "web-1"))
    result = run(fleet, "drill", "web-1", "--no-wait")
    assert result.exit_code == 0
    [asked] = fleet.stage.requests.asked.values()
    assert asked.id in result.stdout
    assert (asked.asked, asked.by) == (Asked.DRILL, "oid-of-the-asker")
    assert asked.order is not None
    assert asked.order.trial is not None
    assert (asked.order.mode, asked.order.group) == (RestoreMode.DRILL, "drills")
    trial = asked.order.trial
    assert (trial.boot_seconds, trial.command, trial.expects) == (1200, "check", "fine")
    [shown] = answer(run(fleet, "drill", "--output", "json"))["machines"]
    assert shown["because"] == f"it is being drilled: {asked.id}"


def test_what_cannot_be_is_refused_before_anything_is_asked() -> None:
    fleet = fleet_of(machine(1, "web-1"))
    bare = replace(machine(2, "web-2"), last_point=None)
    fleet.put(bare)
    nothing = run(fleet, "drill", "web-2", "--no-wait")
    assert (nothing.exit_code, "it has no recovery point" in nothing.stderr) == (2, True)
    assert run(fleet, "drill", "web-3").exit_code == 3
    run(fleet, "drill", "web-1", "--no-wait")
    twice = run(fleet, "drill", "web-1", "--no-wait")
    assert (twice.exit_code, "is being restored or drilled" in twice.stderr) == (2, True)
    mode = run(fleet, "restore", "web-1", "--mode", "drill")
    assert (mode.exit_code, "a drill is asked for by `tagback drill`" in mode.stderr) == (2, True)


def test_a_drill_that_cannot_begin_says_so_and_is_remembered() -> None:
    """The points of this fleet have no model: no machine can be made of them."""
    fleet = fleet_of(machine(1, "web-1"))
    asked = answer(run(fleet, "drill", "web-1", "--no-wait", "--output", "json"))["id"]
    run_request(*fleet.open(), asked)
    assert fleet.stage.requests.asked[asked].progress is Progress.REFUSED
    [shown] = answer(run(fleet, "drill", "--output", "json"))["machines"]
    assert "no drill of it could begin: no model was kept with the point" in shown["problems"][0]
    assert "refused" in run(fleet, "request", asked).stdout


def test_the_same_is_asked_over_http() -> None:
    fleet = fleet_of(machine(1, "web-1"))
    world, rules = fleet.open()
    asked = request_kinds.ask(world, rules, {"asked": "drill", "vm": "web-1"}, "program")
    assert (asked.asked, asked.by, asked.order is not None) == (Asked.DRILL, "program", True)
