"""The contract of ports.Builder: what restores make, change, stop, tag and remove."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from shared.decide.probing import Seen, booted, command_body, command_place, commanded
from shared.decide.restoring import Standing, standing, tag_of
from shared.decide.subtraction import at
from shared.decide.swapping import power
from shared.errors import Blocked, Conflict, Missing, Refused
from shared.model.drill import Trial
from shared.model.machine import Sighting
from shared.model.restore import ArmPath, Power
from shared.model.snapshot import SnapshotOrder
from shared.ports import Builder, Inventory, Snapshots
from tests.contract.clouds import Cloud

REQUEST = "request-1"


@pytest.fixture
def machine(inventory: Inventory, cloud: Cloud) -> Sighting:
    place = cloud.machine(f"Vm-{uuid.uuid4().hex[:8]}", {"Env": "prod"})
    cloud.settle()
    seen = inventory.examine(place)
    assert isinstance(seen, Sighting)
    return seen


@pytest.fixture
def snapshot(snapshots: Snapshots, machine: Sighting, cloud: Cloud) -> ArmPath:
    """A snapshot of the OS disk that can be restored from."""
    snapshots.prepare(machine.shard)
    place = snapshots.place(machine.shard, f"tb-{uuid.uuid4().hex}")
    snapshots.create(SnapshotOrder(place, machine.disks[0].id, machine.shard, {"tagback-slot": "20261120T0200Z"}))
    cloud.settle()
    return ArmPath(str(place))


def place_of(machine: Sighting) -> ArmPath:
    return ArmPath(str(machine.id))


def fresh_disk(machine: Sighting) -> ArmPath:
    return ArmPath(str(replace(machine.disks[0].id, name=f"tb-{uuid.uuid4().hex}")))


def disk_body(machine: Sighting, snapshot: str) -> dict[str, Any]:
    creation = {"createOption": "Copy", "sourceResourceId": snapshot}
    return {
        "location": machine.shard.region,
        "tags": {"tagback-restore": REQUEST, "Env": "prod"},
        "properties": {"creationData": creation},
    }


def machine_body(machine: Sighting, disk: str) -> dict[str, Any]:
    storage = {"osDisk": {"osType": "Linux", "createOption": "Attach", "managedDisk": {"id": disk}}, "dataDisks": []}
    properties = {"hardwareProfile": {"vmSize": "Standard_D2s_v5"}, "storageProfile": storage}
    return {"location": machine.shard.region, "tags": {"tagback-restore": REQUEST}, "properties": properties}


def test_what_is_not_there_is_none(builder: Builder, machine: Sighting) -> None:
    assert builder.find(machine.shard, fresh_disk(machine)) is None
    elsewhere = str(machine.id).replace(f"/{machine.id.group}/", "/nowhere/")
    assert builder.find(machine.shard, ArmPath(elsewhere)) is None


def test_a_machine_is_found_with_its_power_and_its_disks(builder: Builder, machine: Sighting) -> None:
    seen = builder.find(machine.shard, place_of(machine))
    assert seen is not None
    assert (power(seen), at(seen, "properties.vmId").lower()) == ("running", machine.uid)
    assert at(seen, "properties.storageProfile.osDisk.managedDisk.id").lower() == str(machine.disks[0].id)


def test_a_disk_is_made_from_a_snapshot(builder: Builder, machine: Sighting, snapshot: ArmPath, cloud: Cloud) -> None:
    place = fresh_disk(machine)
    builder.make(machine.shard, place, disk_body(machine, snapshot))
    cloud.settle()
    seen = builder.find(machine.shard, place)
    assert standing(seen, REQUEST) is Standing.READY
    assert standing(seen, "another") is Standing.FOREIGN


def test_a_disk_needs_its_snapshot(builder: Builder, machine: Sighting, snapshot: ArmPath) -> None:
    place = fresh_disk(machine)
    with pytest.raises(Missing):
        builder.make(machine.shard, place, disk_body(machine, snapshot.rsplit("/", 1)[0] + "/tb-none"))
    assert builder.find(machine.shard, place) is None


def test_a_machine_is_made_of_disks_and_never_over_another(
    builder: Builder, machine: Sighting, snapshot: ArmPath, cloud: Cloud
) -> None:
    disk, place = fresh_disk(machine), ArmPath(f"{machine.id}-again")
    builder.make(machine.shard, disk, disk_body(machine, snapshot))
    cloud.settle()
    body = machine_body(machine, disk)
    with pytest.raises(Conflict):
        builder.make(machine.shard, place_of(machine), body)
    builder.make(machine.shard, place, body)
    cloud.settle()
    seen = builder.find(machine.shard, place)
    assert seen is not None
    assert standing(seen, REQUEST) is Standing.READY
    assert at(seen, "properties.storageProfile.osDisk.managedDisk.id").lower() == disk.lower()
    with pytest.raises(Conflict):
        builder.make(machine.shard, place, body)
    with pytest.raises((Conflict, Blocked)):
        builder.remove(machine.shard, disk)
    for gone in (place, disk):
        builder.remove(machine.shard, gone)
        cloud.settle()
        assert builder.find(machine.shard, gone) is None
        builder.remove(machine.shard, gone)


def test_a_command_is_run_in_a_machine_and_says_how_it_ended(builder: Builder, machine: Sighting, cloud: Cloud) -> None:
    place, trial = command_place(place_of(machine)), Trial(1800, "true")
    assert builder.find(machine.shard, place) is None
    builder.make(machine.shard, place, command_body(trial, machine.shard.region))
    going = builder.find(machine.shard, place)
    assert going is not None
    assert commanded(going, trial).seen is Seen.NOT_YET
    cloud.settle()
    ended = builder.find(machine.shard, place)
    assert ended is not None
    assert commanded(ended, trial).seen is Seen.PROVEN


def test_a_machine_that_runs_says_how_its_agent_is(builder: Builder, machine: Sighting, cloud: Cloud) -> None:
    seen = builder.find(machine.shard, place_of(machine))
    assert seen is not None
    assert booted(seen).seen is Seen.PROVEN
    builder.power(machine.shard, place_of(machine), Power.STOP)
    cloud.settle()
    stopped = builder.find(machine.shard, place_of(machine))
    assert stopped is not None
    assert booted(stopped).seen is Seen.NOT_YET


def test_a_network_of_its_own_is_made_and_removed(builder: Builder, machine: Sighting, cloud: Cloud) -> None:
    group, name = str(machine.id).partition("/providers/")[0], f"tb-{uuid.uuid4().hex}"
    rules = ArmPath(f"{group}/providers/Microsoft.Network/networkSecurityGroups/{name}")
    network = ArmPath(f"{group}/providers/Microsoft.Network/virtualNetworks/{name}")
    inner = {"addressPrefix": "10.9.0.0/28", "networkSecurityGroup": {"id": rules}}
    spaces = {"addressPrefixes": ["10.9.0.0/28"]}
    bodies: dict[ArmPath, dict[str, Any]] = {
        rules: {"securityRules": []},
        network: {"addressSpace": spaces, "subnets": [{"name": "isolated", "properties": inner}]},
    }
    tags = {"tagback-restore": REQUEST}
    for place, properties in bodies.items():
        builder.make(machine.shard, place, {"location": machine.shard.region, "tags": tags, "properties": properties})
        cloud.settle()
        assert standing(builder.find(machine.shard, place), REQUEST) is Standing.READY
    for place in reversed(bodies):
        builder.remove(machine.shard, place)
        cloud.settle()
        assert builder.find(machine.shard, place) is None


def test_a_machine_stops_and_starts(builder: Builder, machine: Sighting, cloud: Cloud) -> None:
    for wanted, reached in ((Power.STOP, "stopped"), (Power.START, "running")):
        for _ in range(2):
            builder.power(machine.shard, place_of(machine), wanted)
            cloud.settle()
        seen = builder.find(machine.shard, place_of(machine))
        assert seen is not None
        assert power(seen) == reached


def test_tags_are_put_and_taken_one_by_one(builder: Builder, machine: Sighting) -> None:
    place = place_of(machine)
    builder.tag(machine.shard, place, {"tagback-swapping": REQUEST, "tagback-expires": "never"}, {})
    builder.tag(machine.shard, place, {"tagback-expires": "soon"}, {"tagback-swapping": "another"})
    seen = builder.find(machine.shard, place)
    assert seen is not None
    tags = [tag_of(seen, name) for name in ("env", "tagback-swapping", "tagback-expires")]
    assert tags == ["prod", REQUEST, "soon"]
    builder.tag(machine.shard, place, {}, {"tagback-swapping": REQUEST, "tagback-expires": "soon"})
    seen = builder.find(machine.shard, place)
    assert seen is not None
    assert dict(seen["tags"]) == {"Env": "prod"}


def test_a_change_swaps_the_disks_of_a_machine(
    builder: Builder, machine: Sighting, snapshot: ArmPath, cloud: Cloud
) -> None:
    disk, place = fresh_disk(machine), place_of(machine)
    builder.make(machine.shard, disk, disk_body(machine, snapshot))
    cloud.settle()
    seen = builder.find(machine.shard, place)
    assert seen is not None
    storage = seen["properties"]["storageProfile"]
    system = {**storage["osDisk"], "name": disk.rsplit("/", 1)[-1], "managedDisk": {"id": disk}}
    system.pop("diskSizeGB", None)
    properties = {**seen["properties"], "storageProfile": {**storage, "osDisk": system}}
    for name in ("instanceView", "provisioningState", "vmId", "timeCreated"):
        properties.pop(name, None)
    body = {"location": machine.shard.region, "tags": dict(seen["tags"]), "properties": properties}
    for _ in range(2):
        builder.change(machine.shard, place, body)
        cloud.settle()
    after = builder.find(machine.shard, place)
    assert after is not None
    assert at(after, "properties.storageProfile.osDisk.managedDisk.id").lower() == disk.lower()
    old = builder.find(machine.shard, ArmPath(str(machine.disks[0].id)))
    assert old is not None, "what left is still there"


def luns(builder: Builder, machine: Sighting) -> dict[str, int]:
    """The data disks of the machine, by lower-case id."""
    seen = builder.find(machine.shard, place_of(machine))
    assert seen is not None
    data = at(seen, "properties.storageProfile.dataDisks")
    return {at(disk, "managedDisk.id").lower(): disk["lun"] for disk in data}


def test_disks_are_attached_and_detached_and_the_others_stay(
    builder: Builder, machine: Sighting, snapshot: ArmPath, cloud: Cloud
) -> None:
    first, second, before = fresh_disk(machine), fresh_disk(machine), luns(builder, machine)
    for disk in (first, second):
        builder.make(machine.shard, disk, disk_body(machine, snapshot))
        cloud.settle()
    builder.attach(machine.shard, place_of(machine), {first: 5})
    cloud.settle()
    assert luns(builder, machine) == {**before, first.lower(): 5}
    with pytest.raises(Refused):
        builder.attach(machine.shard, place_of(machine), {second: 5})
    with pytest.raises((Conflict, Blocked)):
        builder.remove(machine.shard, first)
    builder.detach(machine.shard, place_of(machine), [first])
    cloud.settle()
    assert luns(builder, machine) == before
    assert standing(builder.find(machine.shard, first), REQUEST) is Standing.READY
    with pytest.raises(Refused):
        builder.detach(machine.shard, place_of(machine), [first])


def test_a_size_says_how_many_disks_it_takes(builder: Builder, machine: Sighting) -> None:
    assert builder.room(machine.shard, place_of(machine), "standard_d2s_v5") == 4


def test_a_size_that_is_not_listed_says_nothing(builder: Builder, machine: Sighting) -> None:
    assert builder.room(machine.shard, place_of(machine), "Standard_Unheard_Of") is None
