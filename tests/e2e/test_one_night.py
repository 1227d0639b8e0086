"""A VM tagged in Azure is registered, captured at its slot, and told about: the whole product, for real."""

from __future__ import annotations

from pathlib import Path

import requests

from tests.e2e.night import night


def test_a_tagged_vm_has_a_complete_point_after_its_first_night(tmp_path: Path) -> None:
    with night(tmp_path, ["web-1", "data-1", "bare-1"]) as played:
        played.conductor.run(played.end)
        _, findings = played.judged()
        assert {name: finding.violations for name, finding in findings.items() if finding.violations} == {}
        assert findings["S2"].checked >= 1, "the slot of 02:00 was due"
        status = played.tagback.run("status", "--output", "json")
        told = {machine["vm"]: machine["status"] for machine in status.document()["machines"]}
        assert told == {"web-1": "protected", "data-1": "protected", "bare-1": "excluded"}
        assert status.code == 0
        answer = requests.get(
            f"{played.stack.host_url}/api/status",
            headers={"x-functions-key": played.stack.keys["default"]},
            timeout=30,
        )
        assert {machine["vm"]: machine["status"] for machine in answer.json()["machines"]} == told
