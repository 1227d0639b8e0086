"""`tagback report`: every promise measured, and an exit code for those that are not kept."""

from __future__ import annotations

from dataclasses import replace

from shared.model.machine import Status
from tests.cli.running import answer, run
from tests.fleet import DAY, LAST_SLOT, NOW, capture, empty_fleet, machine, point, uid_of, usual_fleet


def test_a_machine_that_keeps_its_promise_is_told_with_what_stands_of_it() -> None:
    result = run(usual_fleet(), "report", "--output", "json")
    document = answer(result)
    assert (result.exit_code, document["kept"], document["as_of"]) == (0, True, "2026-11-20T12:00:00Z")
    assert document["counts"] == {"kept": 1, "breached": 0, "not yet": 0, "none": 0}
    (well,) = document["machines"]
    assert {name: well[name] for name in well if name != "id"} == {
        "vm": "web-1",
        "vm_uid": uid_of(1),
        "plan": "silver",
        "verdict": "kept",
        "because": "10 h would be lost, and its plan allows 1 d 1 h",
        "promised_seconds": 25 * 3600,
        "lost_seconds": 10 * 3600,
        "last_point": "2026-11-20T02:00:00Z",
        "points": 2,
        "oldest_point": "2026-11-19T02:00:00Z",
        "last_verified": None,
        "proof": None,
        "drill": None,
    }


def test_a_broken_promise_is_exit_code_one() -> None:
    fleet = empty_fleet()
    late = replace(machine(1, "web-1"), last_point=LAST_SLOT - 5 * DAY)
    fleet.put(late, point(late, LAST_SLOT - 5 * DAY))
    result = run(fleet, "report")
    assert result.exit_code == 1
    assert "web-1  breached  silver  1" in result.stdout
    assert result.stdout.splitlines()[-1] == "As of 2026-11-20 12:00Z: 1 breached."


def test_what_no_plan_takes_is_listed_only_while_it_has_points() -> None:
    fleet = empty_fleet()
    assert run(fleet, "report").stdout == "No VM has a plan or a recovery point yet.\n"
    out = replace(machine(1, "web-1", Status.EXCLUDED), tags={"backup": "off"}, left_at=NOW)
    fleet.put(out, point(out), capture(out))
    fleet.put(machine(2, "jump", Status.EXCLUDED))
    (left,) = answer(run(fleet, "report", "--output", "json"))["machines"]
    assert (left["vm"], left["verdict"], left["promised_seconds"], left["points"]) == ("web-1", "none", None, 1)
