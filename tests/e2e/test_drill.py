"""A night with drills in the running stack: the timer begins them, the host carries them on, nothing is left."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from shared.settings import SHIPPED_PLANS
from tests.e2e.night import night
from tests.e2e.test_restore import Azure

MACHINES = ("web-1", "db-1")
PLANS = ("bronze", "silver", "gold")
PART = '\n[plans.{}.drill]\nevery = "1d"\nper_day = 2\n'


def standing(azure: Azure) -> set[str]:
    """The machines and disks that there are."""
    return {place for place in azure.state() if "/virtualmachines/" in place or "/disks/" in place}


def test_machines_are_drilled_at_night_and_carry_their_last_verified_restore(tmp_path: Path) -> None:
    plans = tmp_path / "plans.toml"
    plans.write_text(SHIPPED_PLANS.read_text() + "".join(PART.format(name) for name in PLANS))
    with night(tmp_path, MACHINES, TAGBACK_PLANS=str(plans), TAGBACK_DRILL="0 0 3 * * *") as played:
        azure = Azure(played)
        played.cast.script.note("plans", played.scenario.start, text=plans.read_text())
        played.cast.script.note("drills", played.scenario.start, played.end + timedelta(hours=2))
        played.conductor.run(played.end)
        before = standing(azure)
        played.conductor.run(played.end + timedelta(hours=2))
        told = played.tagback.run("drill", "--output", "json")
        assert told.code == 0, json.dumps(told.document(), indent=1)
        shown = {one["vm"]: (one["drill"] or {}).get("proven") for one in told.document()["machines"]}
        assert shown == dict.fromkeys(MACHINES, True), json.dumps(told.document(), indent=1)
        assert [place for place, one in azure.state().items() if "tagback-drill" in (one.get("tags") or {})] == []
        assert standing(azure) == before
        _, found = played.judged()
        assert {name: finding.violations for name, finding in found.items() if finding.violations} == {}
        azure.close()
