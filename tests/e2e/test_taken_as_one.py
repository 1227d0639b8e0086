"""All disks of a VM are taken at one instant by a restore point, kept, shown, and restored, on the real parts."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from tests.e2e.night import night
from tests.e2e.test_restore import Azure

PLANS = """
default = "silver"
[plans.silver]
keep_floor = "24h"
[plans.silver.snapshots]
every = "6h"
zone = "UTC"
keep = "7d"
window = "30min"
consistency = "vm"
"""
HOURS = timedelta(hours=7)
AFTER = timedelta(minutes=30)


def test_a_vm_taken_as_one_comes_back_whole_from_its_restore_point(tmp_path: Path) -> None:
    plans = tmp_path / "plans.toml"
    plans.write_text(PLANS, encoding="utf-8")
    with night(tmp_path, ["web-1"], TAGBACK_PLANS=str(plans)) as played:
        assert played.tagback.run("plans", "check", str(plans)).code == 0
        end = played.scenario.start + HOURS
        played.conductor.run(end)
        points = played.tagback.run("points", "web-1", "--output", "json").document()
        assert [(one["engine"], one["consistency"], one["complete"]) for one in points][-1] == (
            "restore-point",
            "file-system",
            True,
        ), json.dumps(points, indent=1)
        newest = points[-1]
        assert len({part["id"] for part in newest["parts"]}) == 1
        assert len(newest["parts"]) == 3
        explained = played.tagback.run("explain", "web-1", "--output", "json").document()
        assert "its newest point is file-system, by a restore point" in explained["because"]
        azure = Azure(played)
        [machine] = [place for place in azure.state() if place.endswith("/virtualmachines/web-1")]
        held = azure.contents(machine)
        azure.ask("DELETE", machine)
        played.conductor.run(end + AFTER)
        asked = played.tagback.run("restore", "web-1", "--no-wait", "--output", "json")
        assert asked.code == 0, asked.errors
        played.conductor.run(end + 2 * AFTER)
        told = played.tagback.run("request", asked.document()["id"], "--output", "json")
        assert told.document()["progress"] == "done", json.dumps(told.document(), indent=1)
        assert azure.contents(machine) == held
        sources = {
            one["properties"]["creationData"]["sourceResourceId"].lower().count("/diskrestorepoints/")
            for place, one in azure.state().items()
            if "/disks/tb-" in place
        }
        assert sources == {1}
        azure.close()
