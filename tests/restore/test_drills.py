"""Drills over the real adapters and the simulator: what is restored holds what was captured, and nothing is left."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from shared.flows.asking import filed, new_request
from shared.flows.ordering import ask_undo
from shared.model.drill import Drill, Trial
from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.request import Asked, Progress, Request
from shared.model.restore import RestoreMode, RestoreOrder
from tests.restore.estate import NET, VM, Estate, Wanted, disks_of


@pytest.fixture
def machine(estate: Estate) -> ResourceId:
    return estate.machine(Wanted(disks=2, properties={"userData": "c2VjcmV0"}))


def asked(estate: Estate, row: Machine, trial: Trial) -> Request:
    request = new_request(estate.world, Asked.DRILL, row.shard, row.uid, "person")
    return filed(estate.world, replace(request, order=RestoreOrder(RestoreMode.DRILL, trial=trial)))


def drilled(estate: Estate, row: Machine, trial: Trial) -> tuple[Request, Drill]:
    [done] = estate.carried(asked(estate, row, trial))
    given = estate.row(row.id).drill
    assert given is not None
    return done, given


def sums(estate: Estate, machine: ResourceId) -> str:
    """What the first block of the OS disk holds, as the guest itself would say it."""
    return hashlib.sha256(f"{estate.body(machine)['id']!s} wrote this to None".encode()).hexdigest()


def of_drills(estate: Estate) -> list[str]:
    return [place for place, one in estate.state().items() if "tagback-drill" in (one.get("tags") or {})]


def without(body: Any) -> Any:
    return {name: value for name, value in body.items() if name != "etag"}


def test_a_drill_proves_by_contents_that_a_point_can_be_restored(estate: Estate, machine: ResourceId) -> None:
    [row] = estate.protected(machine)
    before, held = without(estate.body(machine)), estate.contents(machine)
    for place in disks_of(before).values():
        estate.write(place, "written since")
    since = estate.contents(machine)
    done, given = drilled(estate, row, Trial(1800, "sha256sum os/0 1/7", expected := sums(estate, machine)))
    assert done.progress is Progress.DONE, done
    assert given.proven
    assert expected in given.seen[-1]
    assert held[0][None]["0"] == expected
    assert 60 <= given.took_seconds < 1800
    assert estate.row(machine).last_verified == given.at
    assert (without(estate.body(machine)), estate.contents(machine)) == (before, since)
    assert of_drills(estate) == []


def test_contents_that_are_not_those_expected_refute(estate: Estate, machine: ResourceId) -> None:
    [row] = estate.protected(machine)
    done, given = drilled(estate, row, Trial(1800, "sha256sum os/0", "0" * 64))
    assert done.progress is Progress.FAILED
    assert not given.proven
    assert f"did not write '{'0' * 64}'" in given.because
    assert estate.row(machine).last_verified is None
    assert of_drills(estate) == []


def test_a_command_that_fails_refutes(estate: Estate, machine: ResourceId) -> None:
    [row] = estate.protected(machine)
    _, given = drilled(estate, row, Trial(1800, "sha256sum os/4711"))
    assert "its command failed with exit code 1" in given.because
    assert of_drills(estate) == []


def test_the_machine_of_a_drill_is_alone(estate: Estate, machine: ResourceId) -> None:
    [row] = estate.protected(machine)
    request = asked(estate, row, Trial(1800))
    made = ""
    for _ in range(40):
        estate.slice(request)
        now = estate.world.requests.find(request.id)
        made = next((place for place in of_drills(estate) if "/virtualmachines/" in place), "")
        if made or now is None or now.progress is not Progress.ASKED:
            break
        estate.running.advance(15)
    body = estate.ask("GET", made, version=VM)
    assert body["tags"]["backup"] == "off"
    assert "identity" not in body
    assert "userData" not in body["properties"]
    [card] = body["properties"]["networkProfile"]["networkInterfaces"]
    interface = estate.ask("GET", card["id"], version=NET)["properties"]
    [address] = interface["ipConfigurations"]
    network = address["properties"]["subnet"]["id"].rsplit("/subnets/", 1)[0]
    [subnet] = estate.ask("GET", network, version=NET)["properties"]["subnets"]
    rules = estate.ask("GET", subnet["properties"]["networkSecurityGroup"]["id"], version=NET)["properties"]
    denied = {(rule["properties"]["direction"], rule["properties"]["access"]) for rule in rules["securityRules"]}
    assert denied == {("Inbound", "Deny"), ("Outbound", "Deny")}
    assert "publicIPAddress" not in address["properties"]
    assert estate.find(f"{network}/virtualNetworkPeerings", NET) in (None, {"value": []})
    [ended] = estate.carried(request)
    assert ended.progress is Progress.DONE
    assert of_drills(estate) == []


def test_a_machine_whose_agent_is_silent_is_not_proven(estate: Estate, machine: ResourceId) -> None:
    [row] = estate.protected(machine)
    request = asked(estate, row, Trial(300))
    for _ in range(60):
        estate.slice(request)
        for made in [place for place in of_drills(estate) if "/virtualmachines/" in place]:
            estate.running.control("POST", "vm", {"id": made, "agent": "missing"})
        now = estate.world.requests.find(request.id)
        if now is None or now.progress is not Progress.ASKED:
            break
        estate.running.advance(15)
    given = estate.row(machine).drill
    assert given is not None
    assert "it runs, and its agent is silent, 5 min after it was made" in given.because
    assert of_drills(estate) == []


def test_a_drill_that_is_undone_leaves_nothing(estate: Estate, machine: ResourceId) -> None:
    [row] = estate.protected(machine)
    request = asked(estate, row, Trial(1800))
    for _ in range(6):
        estate.slice(request)
        estate.running.advance(15)
    assert of_drills(estate) != []
    [undone] = estate.carried(ask_undo(estate.world, request.id, "person"))
    assert undone.progress is Progress.DONE
    assert of_drills(estate) == []
    assert estate.row(machine).drill is None
