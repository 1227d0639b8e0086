"""The demo's own reckoning: which points are due, and that its checks see what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.demo.__main__ import Wish, wish
from local.demo.checks import PROMISES
from local.demo.due import due_slots, lives, read_plans
from local.demo.evidence import Evidence
from local.demo.scenario import Scenario, Turn, load
from local.demo.story import Finding, Story

ROOT = Path(__file__).parents[2]
NOW = datetime(2027, 1, 1, tzinfo=UTC)
SUBSCRIPTION = "a0000000-0000-4000-8000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
UID = "c0000000-0000-4000-8000-000000000003"
DISK_UID = "d0000000-0000-4000-8000-000000000004"
PLANS = """
default = "daily"
[plans.daily.snapshots]
at = ["02:00"]
window = "1h"
[plans.often.snapshots]
every = "6h"
window = "30min"
"""


def test_the_same_seed_gives_the_same_times_and_another_gives_others() -> None:
    assert load("spine", 7, NOW) == load("spine", 7, NOW)
    assert load("spine", 7, NOW) != load("spine", 8, NOW)


def test_a_start_that_has_passed_is_put_off_by_whole_weeks() -> None:
    later = load("spine", 1, datetime(2029, 1, 1, tzinfo=UTC)).start
    assert later > datetime(2029, 1, 2, tzinfo=UTC)
    assert (later - load("spine", 1, NOW).start) % timedelta(weeks=1) == timedelta()


def test_the_settings_of_the_demo_are_judged_whole() -> None:
    assert wish({}) == Wish(days=2, seed=1)
    assert wish({"DAYS": "30", "SEED": "7"}) == Wish(days=30, seed=7)
    with pytest.raises(ValueError, match=r"^DAYS=none: .*; SEED=-1: .*$"):
        wish({"DAYS": "none", "SEED": "-1"})


def expected(scenario: Scenario, name: str, days: int, plans: Path) -> list[str]:
    machine = next(machine for machine in scenario.machines if machine.name == name)
    stretches = lives(machine, scenario.start, scenario.start + timedelta(days=days))
    return [f"{slot:%d %H}" for life in stretches for slot in due_slots(life, read_plans(plans))]


@pytest.mark.parametrize(
    ("name", "slots"),
    [
        ("web-1", ["10 02", "11 02"]),
        ("db-1", ["10 06", "10 12", "10 18", "11 00", "11 06", "11 12", "11 18"]),
        ("app-1", ["10 02", "11 02"]),
        ("phoenix-1", ["10 02", "11 02"]),
        ("leaver-1", ["10 02", "11 02"]),
        ("quitter-1", ["10 02", "11 02"]),
        ("batch-1", []),
        ("bare-1", []),
        ("typo-1", []),
    ],
)
def test_due_slots_follow_the_story_and_the_shipped_plans(name: str, slots: list[str]) -> None:
    assert expected(load("spine", 1, NOW), name, 2, ROOT / "shared" / "plans.toml") == slots


def test_a_machine_opted_out_before_its_slot_owes_none(tmp_path: Path) -> None:
    plans = tmp_path / "plans.toml"
    plans.write_text(PLANS)
    scenario = load("spine", 1, NOW)
    machine = replace(
        scenario.machines[0], name="m", tags={"backup": "often"}, turns=(Turn(timedelta(hours=11), "untag"),)
    )
    assert expected(replace(scenario, machines=(machine,)), "m", 2, plans) == ["10 06"]


def finished() -> Story:
    """A demo of one machine and one night, as it should end."""
    scenario = load("spine", 1, NOW)
    machine = replace(scenario.machines[0], tags={"backup": "silver"}, disks=(), turns=())
    scenario = replace(scenario, machines=(machine,))
    born = scenario.start.isoformat()
    name = "tb-" + "0" * 32
    snapshot: dict[str, Any] = {
        "id": f"{GROUP}/tagback-westeurope/providers/Microsoft.Compute/snapshots/{name}",
        "name": name,
        "type": "Microsoft.Compute/snapshots",
        "tags": {
            "tagback-vm": UID,
            "tagback-disk": DISK_UID,
            "tagback-slot": "20270310T0200Z",
            "tagback-owner": "x",
        },
        "properties": {
            "provisioningState": "Succeeded",
            "networkAccessPolicy": "DenyAll",
            "incremental": True,
            "creationData": {"sourceUniqueId": DISK_UID},
        },
        "born": born,
        "gone": None,
    }
    disk = {
        "id": f"{GROUP}/shop/providers/Microsoft.Compute/disks/web-1-os",
        "name": "web-1-os",
        "type": "Microsoft.Compute/disks",
        "properties": {"uniqueId": DISK_UID},
        "born": born,
        "gone": None,
    }
    vm = {
        "id": machine.id,
        "name": "web-1",
        "type": "Microsoft.Compute/virtualMachines",
        "properties": {"vmId": UID, "storageProfile": {"osDisk": {"name": "web-1-os"}, "dataDisks": []}},
        "born": born,
        "gone": None,
    }
    row = {
        "table": "ledger",
        "RowKey": f"p|{UID}|20270310T0200Z|snapshots",
        "complete": True,
        "parts": json.dumps([{"id": snapshot["id"]}]),
    }
    call = {
        "t": born,
        "method": "PUT",
        "path": snapshot["id"],
        "operation": "Microsoft.Compute/snapshots/write",
        "principal": "tagback",
        "status": 202,
    }
    write = {"service": "table", "t": born, "method": "PUT", "path": "/devstoreaccount1/ledger(x)", "if-match": 'W/"1"'}
    evidence = Evidence((call,), [], (row,), (write,), (vm, disk, snapshot), "")
    plans = read_plans(ROOT / "shared" / "plans.toml")
    return Story(scenario, scenario.start + timedelta(days=1), plans, evidence)


def judged(story: Story) -> dict[str, Finding]:
    return {name: check(story) for name, check in PROMISES.items()}


def test_a_good_end_has_no_violation_and_every_check_looked_at_something() -> None:
    findings = judged(finished())
    assert {name: finding.violations for name, finding in findings.items() if finding.violations} == {}
    assert [name for name, finding in findings.items() if not finding.checked] == ["left-alone"]


def without_snapshot(story: Story) -> Evidence:
    return replace(story.evidence, resources=story.evidence.resources[:2])


def doubled(story: Story) -> Evidence:
    return replace(story.evidence, resources=(*story.evidence.resources, story.evidence.resources[2]))


def with_snapshot(story: Story, **properties: object) -> Evidence:
    vm, disk, snapshot = story.evidence.resources
    changed = {**snapshot, "properties": {**snapshot["properties"], **properties}}
    return replace(story.evidence, resources=(vm, disk, changed))


def with_call(story: Story, **fields: object) -> Evidence:
    return replace(story.evidence, calls=({**story.evidence.calls[0], **fields},))


def with_write(story: Story, condition: str) -> Evidence:
    return replace(story.evidence, requests=({**story.evidence.requests[0], "if-match": condition},))


def left_out(story: Story) -> Evidence:
    vm, disk, snapshot = story.evidence.resources
    return replace(story.evidence, resources=(vm, {**disk, "name": "web-1-data-0"}, snapshot))


@pytest.mark.parametrize(
    ("promise", "harm"),
    [
        ("S2", without_snapshot),
        ("S6", without_snapshot),
        ("S1", doubled),
        ("S1", lambda story: replace(story.evidence, calls=story.evidence.calls * 2)),
        ("S6", lambda story: with_snapshot(story, networkAccessPolicy="AllowAll")),
        ("S6", lambda story: with_snapshot(story, provisioningState="Creating")),
        ("S6", lambda story: with_snapshot(story, incremental=False)),
        ("S2", lambda story: replace(story.evidence, rows=())),
        ("S10", lambda story: with_call(story, operation="Microsoft.Compute/virtualMachines/write")),
        ("S10", lambda story: with_call(story, path=f"{GROUP}/shop/providers/Microsoft.Compute/snapshots/x")),
        ("S11", lambda story: with_write(story, "*")),
    ],
)
def test_harm_is_seen(promise: str, harm: Any) -> None:
    story = finished()
    assert judged(replace(story, evidence=harm(story)))[promise].violations


def test_a_snapshot_of_a_machine_that_did_not_ask_is_seen() -> None:
    story = finished()
    machine = replace(story.scenario.machines[0], tags={"backup": "off"})
    assert judged(replace(story, scenario=replace(story.scenario, machines=(machine,))))["left-alone"].violations


def test_a_snapshot_of_a_left_out_disk_is_seen() -> None:
    story = finished()
    machine = replace(story.scenario.machines[0], disks=(32,), left_out=(0,))
    harmed = replace(story, scenario=replace(story.scenario, machines=(machine,)), evidence=left_out(story))
    assert judged(harmed)["left-alone"].violations
