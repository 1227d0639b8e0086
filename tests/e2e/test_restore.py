"""One command in the running stack: a deleted VM is back, or another VM reads single files; the host does the work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.e2e.night import Night, night

MACHINES = ("web-1", "db-1")
PLAN = """
[plans.{}.snapshots]
cron = "0 2 1 * *"
zone = "UTC"
keep = "90d"
"""  # its first points are all that there will be
AFTER = timedelta(minutes=30)
LENT_FOR = timedelta(days=1)
SELDOM = "0 0 */6 * * *"  # nothing here waits for a timer but what is lent, and a day has to go by
TIMERS = dict.fromkeys(("TAGBACK_SWEEP", "TAGBACK_EXPIRE", "TAGBACK_REPORT"), SELDOM)
TIMER = timedelta(hours=6, minutes=10)
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


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """One stack for both tests, after the machines' first points; each goes on from the time that it finds."""
    folder = tmp_path_factory.mktemp("night")
    plans = folder / "plans.toml"
    plans.write_text('default = "silver"' + PLAN.format("silver") + PLAN.format("gold"), encoding="utf-8")
    with night(folder, MACHINES, TAGBACK_PLANS=str(plans), **TIMERS) as begun:
        begun.conductor.run(begun.end)
        yield begun


@pytest.fixture
def azure(played: Night) -> Iterator[Azure]:
    seen = Azure(played)
    yield seen
    seen.close()


def later(played: Night, after: timedelta) -> None:
    played.conductor.run(played.conductor.now() + after)


def asked(played: Night, *words: str) -> Any:
    """What became of what a person asked for, half an hour later."""
    said = played.tagback.run(*words, "--no-wait", "--output", "json")
    assert said.code == 0, said.errors
    later(played, AFTER)
    return played.tagback.run("request", said.document()["id"], "--output", "json").document()["restore"]


def place_of(azure: Azure, name: str) -> str:
    [found] = [place for place in azure.state() if place.endswith(f"/virtualmachines/{name}")]
    return found


def test_a_deleted_vm_of_three_disks_comes_back_by_one_command(played: Night, azure: Azure) -> None:
    machine = place_of(azure, "web-1")
    body, held = azure.ask("GET", machine), azure.contents(machine)
    azure.ask("DELETE", machine)
    later(played, AFTER)
    for disk in body["properties"]["storageProfile"]["dataDisks"]:
        azure.ask("DELETE", disk["managedDisk"]["id"], "2026-03-02")
    azure.ask("DELETE", body["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"], "2026-03-02")
    later(played, AFTER)
    told = asked(played, "restore", "web-1")
    assert told["progress"] == "done", json.dumps(told, indent=1)
    assert azure.contents(machine) == held
    assert len(held) == 3
    assert azure.ask("GET", machine)["tags"]["backup"] == "off"


def test_another_vm_reads_disks_until_that_is_undone_or_its_time_is_over(played: Night, azure: Azure) -> None:
    lender, reader = place_of(azure, "db-1"), place_of(azure, "web-1")
    there, own, held = azure.state().keys(), azure.contents(reader), azure.contents(lender)
    command = ("restore", "db-1", "--mode", "files", "--to", "web-1")
    told = asked(played, *command)
    assert told["progress"] == "done", json.dumps(told, indent=1)
    with_disks = azure.contents(reader)
    assert [with_disks[one["lun"]] for one in told["lent"]] == list(held.values())
    assert len(with_disks) == len(own) + len(held)
    undone = asked(played, "restore", "undo", told["id"])
    assert undone["progress"] == "done", json.dumps(undone, indent=1)
    assert azure.contents(reader) == own
    again = asked(played, *command, "--disk", "os")
    assert len(azure.contents(reader)) == len(own) + 1, json.dumps(again, indent=1)
    later(played, LENT_FOR + TIMER)
    assert azure.contents(reader) == own
    assert {place for place in azure.state() if "/disks/" in place} == {place for place in there if "/disks/" in place}
