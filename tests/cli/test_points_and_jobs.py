"""`tagback points` and `tagback jobs`, to the letter of the contract and as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.decide.vaults import VAULT_TYPE
from shared.model.identity import ResourceId
from shared.model.operation import State
from shared.model.point import Engine, PartState, PointState
from shared.model.vault import VaultPoint
from tests.cli.running import answer, run
from tests.fleet import (
    DAY,
    FORMER,
    LAST_SLOT,
    NOW,
    SUBSCRIPTION,
    capture,
    empty_fleet,
    machine,
    point,
    rebuilt_fleet,
    uid_of,
    usual_fleet,
)

SNAPSHOTS = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/tagback-westeurope/providers/microsoft.compute/snapshots"
DISKS = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/web/providers/microsoft.compute/disks"


def test_points_are_as_the_contract_pins_them() -> None:
    result = run(usual_fleet(), "points", "web-1", "--output", "json")
    older, newer = answer(result)
    assert older["slot"] == "2026-11-19T02:00:00Z"
    assert newer == {
        "slot": "2026-11-20T02:00:00Z",
        "engine": "disk",
        "consistency": "per-disk",
        "state": "complete",
        "complete": True,
        "parts": [
            {"id": f"{SNAPSHOTS}/tb-web-1-os-20", "disk": f"{DISKS}/web-1-os", "lun": None, "state": "ready"},
            {"id": f"{SNAPSHOTS}/tb-web-1-data0-20", "disk": f"{DISKS}/web-1-data0", "lun": 0, "state": "ready"},
        ],
        "class": "daily",
        "keep_until": "2026-11-27T02:00:00Z",
        "held_until": None,
        "because": "first complete point of its day (daily), kept 7d",
        "tags_left_out": [],
        "vault": None,
    }
    assert result.exit_code == 0


def test_the_parts_of_earlier_attempts_are_not_shown_as_the_points_own() -> None:
    fleet = empty_fleet()
    well = machine(1, "web-1")
    again = point(well)
    second = tuple(replace(part, attempt=2) for part in again.parts[:1])
    fleet.put(well, replace(again, attempt=2, parts=again.parts + second))
    assert len(answer(run(fleet, "points", "web-1", "--output", "json"))[0]["parts"]) == 1


def test_the_table_of_points_counts_the_parts_that_are_ready() -> None:
    fleet = empty_fleet()
    well = machine(1, "web-1")
    fleet.put(well, point(well, LAST_SLOT - DAY, PointState.INCOMPLETE), point(well))
    rows = run(fleet, "points", "web-1").stdout.splitlines()
    assert "incomplete" in rows[1]
    assert "0 of 2" in rows[1]
    assert "2 of 2" in rows[2]


def test_a_point_of_a_vault_is_said_to_be_there() -> None:
    fleet = empty_fleet()
    well = machine(1, "web-1")
    vault = ResourceId(SUBSCRIPTION, "backups", VAULT_TYPE, "rsv-1")
    held = replace(point(well), engine=Engine.VAULT, parts=(), vault=VaultPoint(vault, "1", LAST_SLOT))
    fleet.put(well, held)
    assert "in a vault" in run(fleet, "points", "web-1").stdout.splitlines()[1]


def test_the_points_of_the_machine_before_are_pointed_at_by_its_vmid() -> None:
    fleet = rebuilt_fleet()
    said = f"The points of the machine that was web-1 before are named by its vmId: {FORMER}"
    assert run(fleet, "points", "web-1").stdout.splitlines()[-1] == said
    assert [one["slot"] for one in answer(run(fleet, "points", FORMER, "--output", "json"))] == ["2026-11-19T02:00:00Z"]
    assert "before" not in run(fleet, "points", FORMER).stdout
    assert "before" not in run(usual_fleet(), "points", "jump").stdout


def test_a_machine_without_points_says_where_to_look() -> None:
    assert "no recovery point yet" in run(usual_fleet(), "points", "jump").stdout


def test_jobs_are_as_the_contract_pins_them_newest_first() -> None:
    fleet = usual_fleet()
    fleet.put(machine(9, "web-9"), capture(machine(9, "web-9"), LAST_SLOT - timedelta(hours=10)))
    newest, older = answer(run(fleet, "jobs", "--output", "json"))
    assert newest == {
        "id": f"{uid_of(1)}|slot-20261120T0200Z-disk",
        "vm": "web-1",
        "vm_id": f"/subscriptions/{SUBSCRIPTION}/resourcegroups/web/providers/microsoft.compute/virtualmachines/web-1",
        "kind": "capture",
        "slot": "2026-11-20T02:00:00Z",
        "state": "succeeded",
        "because": "it succeeded",
        "attempts": 1,
        "started": "2026-11-20T02:03:00Z",
        "ended": "2026-11-20T02:09:00Z",
        "error": None,
        "next_look": None,
        "age_seconds": 360,
        "progress": None,
    }
    assert (older["vm"], older["slot"]) == ("web-9", "2026-11-19T16:00:00Z")


def test_jobs_of_more_than_a_day_ago_are_shown_only_while_somebody_has_to_act() -> None:
    fleet = empty_fleet()
    well, broken = machine(1, "web-1"), replace(machine(2, "web-2"), last_point=None)
    long_ago = LAST_SLOT - 3 * DAY
    fleet.put(well, capture(well, long_ago), capture(well, long_ago - DAY, State.GAVE_UP))
    fleet.put(broken, capture(broken, long_ago, State.GAVE_UP))
    shown = answer(run(fleet, "jobs", "--output", "json"))
    assert [(job["vm"], job["state"]) for job in shown] == [("web-2", "gave-up")]


def test_a_failed_job_says_what_happened_and_what_to_do() -> None:
    fleet = empty_fleet()
    well = machine(1, "web-1")
    failed = replace(capture(well, LAST_SLOT, State.NEEDS_PERSON), next_look=LAST_SLOT + timedelta(hours=6))
    fleet.put(well, failed)
    (job,) = answer(run(fleet, "jobs", "--output", "json"))
    assert job["error"] == {
        "code": "ScopeLocked",
        "message": "a lock",
        "remedy": "remove the lock",
        "since": None,
        "times": 1,
        "waits_for": None,
        "known": True,
    }
    assert (job["state"], job["ended"], job["next_look"]) == ("needs-person", None, "2026-11-20T08:00:00Z")
    assert "ScopeLocked: a lock; remove the lock" in run(fleet, "jobs").stdout


def test_slots_that_were_answered_without_work_are_no_jobs() -> None:
    fleet = empty_fleet()
    well = machine(1, "web-1")
    fleet.put(well, capture(well, LAST_SLOT, State.SKIPPED), capture(well, LAST_SLOT - DAY, State.SUPERSEDED))
    assert answer(run(fleet, "jobs", "--output", "json")) == []
    assert run(fleet, "jobs").stdout == "There are no jobs.\n"


def test_the_table_of_jobs_says_why_each_was_done() -> None:
    rows = run(usual_fleet(), "jobs").stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["STARTED", "2026-11-20"]
    assert rows[1].rstrip().endswith("it succeeded")


def test_an_open_job_says_how_far_it_came() -> None:
    fleet = empty_fleet()
    well = machine(1, "web-1")
    taking = point(well, state=PointState.TAKING)
    ready, waiting = taking.parts
    parts = (replace(ready, state=PartState.READY), replace(waiting, state=PartState.STARTED))
    fleet.put(well, capture(well, state=State.STARTED), replace(taking, parts=parts))
    (job,) = answer(run(fleet, "jobs", "--output", "json"))
    assert job["progress"] == {"ready": 1, "parts": 2, "percent": 50, "because": "Azure is making 1 of 2 parts"}
    assert job["age_seconds"] == (NOW - LAST_SLOT).total_seconds() - 180
    assert "1 of 2" in run(fleet, "jobs").stdout
