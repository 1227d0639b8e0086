"""A machine comes back from Azure Backup: the wired product on the simulator, judged by what its disks hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from shared.flows import request_kinds
from shared.model.identity import ResourceId
from shared.model.request import Progress, Request
from tests.e2e import test_vaults
from tests.e2e.vault_night import REGION, VaultNight
from tests.e2e.vault_night import beside as elsewhere

azure, night = test_vaults.azure, test_vaults.night
STEP = timedelta(seconds=31)


def place(night: VaultNight, machine: ResourceId) -> str:
    group = f"/subscriptions/{night.subscription}/resourceGroups/Web"
    return f"{group}/providers/Microsoft.Compute/virtualMachines/{machine.name}"


def disks(night: VaultNight, machine: ResourceId) -> dict[int | None, str]:
    profile = night.running.ask("GET", place(night, machine)).body["properties"]["storageProfile"]
    held = {disk["lun"]: disk["managedDisk"]["id"] for disk in profile["dataDisks"]}
    return {None: profile["osDisk"]["managedDisk"]["id"], **held}


def write(night: VaultNight, machine: ResourceId, text: str) -> None:
    for lun, disk in disks(night, machine).items():
        night.running.control("POST", "content", {"disk": disk, "blocks": {"0": f"{text} on {lun}"}})


def contents(night: VaultNight) -> Mapping[str, Any]:
    """What every disk of the subscription holds, by its id."""
    listed = night.running.control("GET", "state")
    return {str(one["id"]).lower(): one.get("content") for one in listed if not one.get("gone")}


def served(night: VaultNight, machine: ResourceId, **said: str) -> Request:
    """Asked for as over HTTP, and carried to its end, message by message."""
    wish = {"asked": "restore", "vm": machine.name, **said}
    asked = request_kinds.ask(night.world, night.rules, wish, "person")
    return carried(night, asked)


def carried(night: VaultNight, asked: Request) -> Request:
    for _ in range(160):
        night.serve(asked.id)
        found = night.world.requests.find(asked.id)
        assert found is not None
        if found.progress is not Progress.ASKED:
            return found
        night.running.advance(STEP.total_seconds())
    raise AssertionError(f"it did not end: {found}")


@dataclass(frozen=True)
class Spoilt:
    """A machine, its disks by LUN, what its point in a vault holds, and what those disks hold by now."""

    machine: ResourceId
    disks: Mapping[int | None, str]
    captured: Mapping[int | None, Any]
    held: Mapping[int | None, Any]


@pytest.fixture
def spoilt(night: VaultNight) -> Spoilt:
    machine = night.machine({"backup": "gold"})
    write(night, machine, "before")
    known, captured = disks(night, machine), contents(night)
    night.live(3)
    assert night.points(machine)
    write(night, machine, "encrypted by an intruder")
    held = contents(night)
    before, after = ({lun: of[disk.lower()] for lun, disk in known.items()} for of in (captured, held))
    assert all(before[lun] != after[lun] for lun in known)
    return Spoilt(machine, known, before, after)


def staging(night: VaultNight) -> str:
    return (
        f"/subscriptions/{night.subscription}/resourceGroups/Web/providers/Microsoft.Storage/storageAccounts/tbstage1"
    )


def test_a_machine_comes_back_from_a_vault_by_its_disks_alone_and_in_place(night: VaultNight, spoilt: Spoilt) -> None:
    beside = served(night, spoilt.machine, mode="disks", staging=staging(night))
    assert beside.progress is Progress.DONE, beside.because
    assert beside.restore is not None
    now = contents(night)
    assert {lun: now[disk.lower()] for lun, disk in disks(night, spoilt.machine).items()} == spoilt.held
    assert {source.lun: now[source.made.lower()] for source in beside.restore.sources} == spoilt.captured
    for source in beside.restore.sources:
        tags = night.running.ask("GET", source.made).body["tags"]
        assert (tags["tagback-restore"], "tagback-expires" in tags) == (beside.id, False)
    rescue = f"/subscriptions/{elsewhere(night.subscription)}/resourceGroups/Rescue"
    night.running.ask("PUT", rescue, {"location": REGION})
    far = served(night, spoilt.machine, mode="disks", staging=staging(night), group=rescue)
    assert far.progress is Progress.DONE, far.because
    assert far.restore is not None
    assert all(source.made.startswith(f"{rescue}/") for source in far.restore.sources)
    now = contents(night)
    assert {source.lun: now[source.made.lower()] for source in far.restore.sources} == spoilt.captured
    swapped = served(night, spoilt.machine, mode="in-place", staging=staging(night))
    assert swapped.progress is Progress.DONE, swapped
    new, now = disks(night, spoilt.machine), contents(night)
    assert {lun: now[disk.lower()] for lun, disk in new.items()} == spoilt.captured
    assert not set(new.values()) & set(spoilt.disks.values())
    asked = request_kinds.ask(night.world, night.rules, {"asked": "undo", "request": swapped.id}, "person")
    undone = carried(night, asked)
    assert undone.progress is Progress.DONE, undone
    assert disks(night, spoilt.machine) == spoilt.disks
    left = set(contents(night))
    assert not left & {disk.lower() for disk in new.values()}
    assert {source.made.lower() for source in beside.restore.sources} <= left


def held(night: VaultNight, machine: ResourceId) -> Mapping[int | None, Any]:
    """What the disks of a machine hold, by their LUNs."""
    now = contents(night)
    return {lun: now[disk.lower()] for lun, disk in disks(night, machine).items()}


def deleted(night: VaultNight, machine: ResourceId, places: Mapping[int | None, str]) -> None:
    """Somebody deletes a machine with all its disks, and it is known to be gone."""
    for place in (str(machine), *places.values()):
        night.running.ask("DELETE", place)
        night.running.advance(60)
    for _ in range(2):
        night.look(machine)
        night.running.advance(660)


def subnet(night: VaultNight) -> str:
    """A network for machines that had none."""
    place = f"/subscriptions/{night.subscription}/resourceGroups/Web/providers/Microsoft.Network/virtualNetworks/net"
    subnets = [{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}]
    body = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets}
    night.running.put_done(place, {"location": REGION, "properties": body})
    return f"{place}/subnets/a"


def test_a_machine_is_made_from_a_vault_beside_the_other_and_again_once_it_is_gone(
    night: VaultNight, spoilt: Spoilt
) -> None:
    where = {"staging": staging(night), "subnet": subnet(night)}
    beside = served(night, spoilt.machine, mode="new", **where)
    assert beside.progress is Progress.DONE, beside.because
    made = replace(spoilt.machine, name=f"{spoilt.machine.name}-restored")
    assert (held(night, made), held(night, spoilt.machine)) == (spoilt.captured, spoilt.held)
    deleted(night, spoilt.machine, spoilt.disks)
    again = served(night, spoilt.machine, **where)
    assert again.progress is Progress.DONE, again.because
    assert held(night, spoilt.machine) == spoilt.captured
    for place in (str(made), str(spoilt.machine)):
        tags = night.running.ask("GET", place).body["tags"]
        assert (tags["backup"], "tagback-expires" in tags) == ("off", False)
    asked = request_kinds.ask(night.world, night.rules, {"asked": "undo", "request": again.id}, "person")
    places = disks(night, spoilt.machine)
    assert carried(night, asked).progress is Progress.DONE
    left = set(contents(night))
    assert not left & {str(spoilt.machine), *(disk.lower() for disk in places.values())}
    assert held(night, made) == spoilt.captured
