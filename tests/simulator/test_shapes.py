"""Request bodies that break Microsoft's documents are refused as the services do, and change nothing."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from local.simulator.shapes import TABLES
from tests.simulator.running import COMPUTE, GROUP, Running, snapshot_body, snapshot_path
from tests.simulator.specification.documents import SPECIFICATIONS
from tests.simulator.specification.tables import expected

VM = f"{COMPUTE}/virtualMachines/made"
DISK = f"{COMPUTE}/disks/made"
SNAPSHOT = snapshot_path("made")
LOCK = f"{GROUP}/providers/Microsoft.Authorization/locks/made"
TAGS = f"{GROUP}/providers/Microsoft.Resources/tags/default"
WATCH = f"{GROUP}/providers/Microsoft.EventGrid/eventSubscriptions/made"
BODIES: dict[str, dict[str, Any]] = {
    VM: {
        "location": "westeurope",
        "tags": {"a": "b"},
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {
                "osDisk": {"createOption": "FromImage"},
                "dataDisks": [{"lun": 0, "createOption": "Empty", "diskSizeGB": 4}],
            },
        },
    },
    DISK: {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}},
    SNAPSHOT: snapshot_body(),
    LOCK: {"properties": {"level": "CanNotDelete"}},
    TAGS: {"properties": {"tags": {"a": "b"}}},
    WATCH: {
        "properties": {
            "destination": {"endpointType": "StorageQueue", "properties": {"queueName": "q", "resourceId": "/x"}}
        }
    },
}


def inside(body: dict[str, Any], *path: str | int) -> Any:
    found: Any = body
    for part in path:
        found = found[part]
    return found


Spoil = Callable[[dict[str, Any]], Any]
STORAGE = ("properties", "storageProfile")
# what is wrong, where, code, words of the message, target
REFUSED: dict[str, tuple[str, Spoil, str, str, str | None]] = {
    "unknown at the top": (
        DISK, lambda b: b.update(AccountType="StandardLRS"), "InvalidRequestContent",
        "Could not find member 'AccountType' on object of type 'ResourceDefinition'. Path 'AccountType'", None),
    "unknown property": (
        VM, lambda b: b["properties"].update(osDisk={}), "BadRequest",
        "Could not find member 'osDisk' on object of type 'Properties'. Path 'properties.osDisk'",
        "vm.properties.osDisk"),
    "unknown deep inside": (
        VM, lambda b: inside(b, *STORAGE).update(destinationVhdsContainer="x"), "BadRequest",
        "Could not find member 'destinationVhdsContainer' on object of type 'StorageProfile'.",
        "vm.properties.storageProfile.destinationVhdsContainer"),
    "a choice that is none": (
        VM, lambda b: inside(b, *STORAGE, "osDisk").update(managedDisk={"storageAccountType": "StandardLRS"}),
        "BadRequest", 'Error converting value "StandardLRS" to type',
        "vm.properties.storageProfile.osDisk.managedDisk.storageAccountType"),
    "a choice of another kind": (
        VM, lambda b: inside(b, *STORAGE, "osDisk").update(caching=3), "BadRequest", "Error converting value 3",
        "vm.properties.storageProfile.osDisk.caching"),
    "no storage profile": (
        VM, lambda b: b["properties"].pop("storageProfile"), "InvalidParameter",
        "Required parameter 'storageProfile' is missing (null).", "storageProfile"),
    "no system disk": (
        VM, lambda b: inside(b, *STORAGE).pop("osDisk"), "InvalidParameter",
        "Required parameter 'osDisk' is missing (null).", "osDisk"),
    "no lun": (
        VM, lambda b: inside(b, *STORAGE, "dataDisks", 0).pop("lun"), "InvalidParameter",
        "Required parameter 'dataDisk.lun' is missing (null).", "dataDisk.lun"),
    "text for a number": (
        VM, lambda b: inside(b, *STORAGE, "dataDisks", 0).update(diskSizeGB="big"), "BadRequest",
        "Error converting value \"big\" to type 'System.Int32'.",
        "vm.properties.storageProfile.dataDisks[0].diskSizeGB"),
    "an object for a list": (
        VM, lambda b: inside(b, *STORAGE).update(dataDisks={}), "BadRequest", "to a list",
        "vm.properties.storageProfile.dataDisks"),
    "text for an object": (
        VM, lambda b: b["properties"].update(hardwareProfile="x"), "BadRequest", "'HardwareProfile'",
        "vm.properties.hardwareProfile"),
    "properties of the wrong kind": (
        VM, lambda b: b.update(properties=[]), "InvalidRequestContent", "properties", None),
    "no location": (VM, lambda b: b.pop("location"), "LocationRequired", "location property is required", None),
    "a number for the location": (
        VM, lambda b: b.update(location=5), "InvalidRequestContent", "Path 'location'", None),
    "a list for tags": (VM, lambda b: b.update(tags=[]), "InvalidRequestContent", "Path 'tags'", None),
    "an object for a tag": (DISK, lambda b: b.update(tags={"a": {}}), "InvalidRequestContent", "tags.a", None),
    "text for zones": (DISK, lambda b: b.update(zones="1"), "InvalidRequestContent", "Path 'zones'", None),
    "no creation data": (
        DISK, lambda b: b["properties"].pop("creationData"), "InvalidParameter", "creationData", "creationData"),
    "no create option": (
        SNAPSHOT, lambda b: inside(b, "properties", "creationData").pop("createOption"), "InvalidParameter",
        "creationData.createOption", "creationData.createOption"),
    "a create option that is none": (
        SNAPSHOT, lambda b: inside(b, "properties", "creationData").update(createOption="Steal"), "BadRequest",
        "Steal", "snapshot.properties.creationData.createOption"),
    "text for a truth": (
        SNAPSHOT, lambda b: b["properties"].update(incremental="yes"), "BadRequest", "yes",
        "snapshot.properties.incremental"),
    "a level that is none": (
        LOCK, lambda b: b["properties"].update(level="Tight"), "InvalidRequestContent", "Tight", None),
    "a lock without level": (LOCK, lambda b: b["properties"].pop("level"), "InvalidParameter", "level", None),
    "tags without properties": (TAGS, lambda b: b.pop("properties"), "InvalidParameter", "properties", None),
    "a destination that is none": (
        WATCH, lambda b: inside(b, "properties", "destination").update(endpointType="Pigeon"),
        "InvalidRequestContent", "Pigeon", None),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_forbidden_body_is_refused_and_nothing_is_made(shared: Running, name: str) -> None:
    path, spoil, code, words, target = REFUSED[name]
    body = copy.deepcopy(BODIES[path])
    spoil(body)
    before = shared.control("GET", "state")
    answer = shared.ask("PUT", path, body)
    assert (answer.status, answer.code) == (400, code)
    assert words in answer.body["error"]["message"]
    assert answer.body["error"].get("target") == target
    assert shared.control("GET", "state") == before


def test_the_same_bodies_unspoilt_are_accepted(sim: Running) -> None:
    assert {path: sim.ask("PUT", path, body).status < 300 for path, body in BODIES.items()} == dict.fromkeys(
        BODIES, True
    )


def test_a_missing_group_is_said_before_a_body_is_read(shared: Running) -> None:
    answer = shared.ask("PUT", DISK.replace("/web/", "/none/"), {"location": 5})
    assert (answer.status, answer.code) == (404, "ResourceGroupNotFound")


def test_changes_are_held_to_the_documents_too(shared: Running) -> None:
    machine, disk = f"{COMPUTE}/virtualMachines/vm1", f"{COMPUTE}/disks/vm1-os"
    assert shared.ask("PATCH", machine, {"properties": {"storageProfile": {"dataDisks": [{}]}}}).status == 400
    assert shared.ask("PATCH", disk, {"properties": {"networkAccessPolicy": "AllowSome"}}).code == "BadRequest"
    assert shared.ask("PATCH", disk, {"location": "eastus"}).code == "InvalidRequestContent"
    access = {"access": "Look", "durationInSeconds": 60}
    assert shared.ask("POST", f"{disk}/beginGetAccess", access).status == 400


def test_what_only_the_service_writes_is_ignored_where_a_client_sends_it_back(sim: Running) -> None:
    seen = sim.ask("GET", f"{COMPUTE}/disks/vm1-data").body
    sent = copy.deepcopy(seen)
    sent["properties"] |= {"uniqueId": "mine", "timeCreated": "2001-01-01T00:00:00Z", "diskState": "Lost"}
    sent["managedBy"] = "/me"
    after = sim.put_done(f"{COMPUTE}/disks/vm1-data", sent)
    for name in ("uniqueId", "timeCreated", "diskState"):
        assert after["properties"][name] == seen["properties"][name]
    assert after["managedBy"] == seen["managedBy"]


def test_members_and_choices_are_understood_in_any_letter_case(sim: Running) -> None:
    body = {"Location": "westeurope", "Properties": {"CreationData": {"CreateOption": "empty"}, "DiskSizeGB": 4}}
    made = sim.put_done(DISK, body)
    assert (made["location"], made["properties"]["creationData"]["createOption"]) == ("westeurope", "Empty")
    assert made["properties"]["diskSizeGB"] == 4


@pytest.mark.skipif(not SPECIFICATIONS.is_dir(), reason="../shared/realdata is not here")
def test_the_tables_say_what_the_documents_say() -> None:
    wanted = expected()
    kept = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in TABLES.glob("*.toml")}
    assert sorted(kept) == sorted(wanted)
    for family, table in wanted.items():
        same = json.dumps(kept[family]) == json.dumps(table)
        assert same, f"{family}.toml is not what the documents say: python -m tests.simulator.specification.tables"


def test_the_tables_hold_every_body_of_the_resource_types_served() -> None:
    rows = [key for path in TABLES.glob("*.toml") for key in tomllib.loads(path.read_text())["bodies"]]
    assert len(rows) == len(set(rows)) >= 20
    for kind in ("virtualMachines", "virtualMachines/extensions", "disks", "snapshots"):
        assert {f"PUT Microsoft.Compute/{kind}/write", f"PATCH Microsoft.Compute/{kind}/write"} <= set(rows)
