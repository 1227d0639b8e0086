"""A VM is deleted in the running stack, and one command brings it back: the host does the work, message by message."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests

from tests.e2e.night import Night, night

AFTER = timedelta(minutes=30)
VM = "2026-04-01"


class Azure:
    """ARM as the owner of the machines sees it, and what their disks hold."""

    def __init__(self, played: Night) -> None:
        self._url = played.stack.simulator_url
        self._session = requests.Session()
        self._session.trust_env = False  # another bundle may be set around the tests
        self._session.verify = str(played.stack.bundle)
        self._session.headers["Authorization"] = "Bearer e30.eyJvaWQiOiJvd25lciJ9.x"

    def close(self) -> None:
        self._session.close()

    def ask(self, method: str, path: str, version: str = VM) -> Any:
        answer = self._session.request(method, f"{self._url}{path}", params={"api-version": version}, timeout=60)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def state(self) -> dict[str, Any]:
        listed = self._session.get(f"{self._url}/_sim/state", timeout=60).json()
        return {str(one["id"]).lower(): one for one in listed if not one.get("gone")}

    def contents(self, machine: str) -> dict[int | None, Any]:
        state = self.state()
        profile = state[machine.lower()]["properties"]["storageProfile"]
        held = {disk["lun"]: disk["managedDisk"]["id"] for disk in profile["dataDisks"]}
        held |= {None: profile["osDisk"]["managedDisk"]["id"]}
        return {lun: state[place.lower()].get("content") for lun, place in held.items()}


def test_a_deleted_vm_of_three_disks_comes_back_by_one_command(tmp_path: Path) -> None:
    with night(tmp_path, ["web-1"]) as played:
        played.conductor.run(played.end)
        azure = Azure(played)
        [machine] = [place for place in azure.state() if place.endswith("/virtualmachines/web-1")]
        body, held = azure.ask("GET", machine), azure.contents(machine)
        azure.ask("DELETE", machine)
        played.conductor.run(played.end + AFTER)
        for disk in body["properties"]["storageProfile"]["dataDisks"]:
            azure.ask("DELETE", disk["managedDisk"]["id"], "2026-03-02")
        azure.ask("DELETE", body["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"], "2026-03-02")
        played.conductor.run(played.end + 2 * AFTER)
        asked = played.tagback.run("restore", "web-1", "--no-wait", "--output", "json")
        assert asked.code == 0, asked.errors
        played.conductor.run(played.end + 3 * AFTER)
        told = played.tagback.run("request", asked.document()["id"], "--output", "json")
        assert told.document()["progress"] == "done", json.dumps(told.document(), indent=1)
        assert azure.contents(machine) == held
        assert len(held) == 3
        assert azure.ask("GET", machine)["tags"]["backup"] == "off"
        azure.close()
