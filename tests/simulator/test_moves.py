"""Moves between groups over plain HTTP: what stays the same, what is told, what cannot move; groups as templates."""

from typing import Any

import pytest

from tests.simulator.running import COMPUTE, GROUP, OTHER, SUBSCRIPTION, Answer, Running, snapshot_body, snapshot_path

VM = f"{COMPUTE}/virtualMachines/vm1"
TARGET = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/backups"
THERE = f"{TARGET}/providers/Microsoft.Compute"
DISKS = [f"{COMPUTE}/disks/vm1-os", f"{COMPUTE}/disks/vm1-data"]


def move(
    sim: Running, ids: list[str], target: str = TARGET, action: str = "moveResources", origin: str = GROUP
) -> Answer:
    return sim.ask("POST", f"{origin}/{action}", {"resources": ids, "targetResourceGroup": target})


def nics(sim: Running) -> list[str]:
    return [one["id"] for one in sim.ask("GET", VM).body["properties"]["networkProfile"]["networkInterfaces"]]


def loose_disk(sim: Running, name: str = "loose") -> str:
    path = f"{COMPUTE}/disks/{name}"
    sim.put_done(
        path, {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}
    )
    return path


def test_a_machine_moves_with_its_disks_and_keeps_what_it_is(sim: Running) -> None:
    before = sim.ask("GET", VM).body
    disk = sim.ask("GET", DISKS[0]).body["properties"]["uniqueId"]
    accepted = move(sim, [VM, *DISKS, *nics(sim)])
    assert accepted.status == 202
    sim.advance(1800)
    assert sim.ask("GET", accepted.headers["location"]).status == 204
    assert sim.ask("GET", VM).status == 404
    moved = sim.ask("GET", f"{THERE}/virtualMachines/vm1").body
    assert moved["id"].startswith(TARGET + "/")
    assert moved["properties"]["vmId"] == before["properties"]["vmId"]
    assert moved["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"].startswith(TARGET + "/")
    there = sim.ask("GET", f"{THERE}/disks/vm1-os").body
    assert there["properties"]["uniqueId"] == disk
    assert there["managedBy"].lower() == moved["id"].lower()


def test_snapshots_of_a_disk_that_moved_stay_its_family(sim: Running) -> None:
    disk = loose_disk(sim)
    first = sim.put_done(snapshot_path("s1"), snapshot_body("loose"))["properties"]
    move(sim, [disk])
    sim.advance(1800)
    body = snapshot_body("loose")
    body["properties"]["creationData"]["sourceResourceId"] = f"{THERE}/disks/loose"
    second = sim.put_done(snapshot_path("s2"), body)["properties"]
    for name in ("incrementalSnapshotFamilyId",):
        assert first[name] == second[name]
    assert first["creationData"]["sourceUniqueId"] == second["creationData"]["sourceUniqueId"]


def test_a_move_to_another_subscription_is_a_move(sim: Running) -> None:
    disk = loose_disk(sim)
    target = f"/subscriptions/{OTHER}/resourceGroups/other"
    sim.ask("PUT", target, {"location": "westeurope"})
    assert move(sim, [disk], target).status == 202
    sim.advance(1800)
    assert sim.ask("GET", f"{target}/providers/Microsoft.Compute/disks/loose").status == 200


def incremental(sim: Running) -> str:
    sim.put_done(snapshot_path("s1", "web"), snapshot_body())
    return snapshot_path("s1", "web")


def locked(sim: Running) -> str:
    disk = loose_disk(sim)
    path = f"{disk}/providers/Microsoft.Authorization/locks/keep?api-version=2016-09-01"
    sim.ask("PUT", path, {"properties": {"level": "CanNotDelete"}})
    return disk


def exported(sim: Running) -> str:
    disk = loose_disk(sim)
    sim.ask("POST", f"{disk}/beginGetAccess", {"access": "Read", "durationInSeconds": 3600})
    sim.advance(60)
    return disk


def collection(sim: Running) -> str:
    path = f"{COMPUTE}/restorePointCollections/c"
    sim.put_done(path, {"location": "westeurope", "properties": {"source": {"id": VM}}})
    return path


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (incremental, 409, "ResourceMoveNotSupported"),
        (collection, 409, "ResourceMoveNotSupported"),
        (locked, 409, "ScopeLocked"),
        (exported, 409, "ResourceMoveProviderValidationFailed"),
        (lambda _sim: DISKS[0], 409, "ResourceMoveProviderValidationFailed"),
        (lambda _sim: f"{COMPUTE}/disks/none", 404, "ResourceNotFound"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("action", ["moveResources", "validateMoveResources"])
def test_what_cannot_move_is_refused_at_once(sim: Running, make: Any, status: int, code: str, action: str) -> None:
    answer = move(sim, [make(sim)], action=action)
    assert (answer.status, answer.code) == (status, code)


def test_a_name_that_is_taken_stops_a_move_and_a_check_moves_nothing(sim: Running) -> None:
    disk = loose_disk(sim)
    checked = move(sim, [disk], action="validateMoveResources")
    assert checked.status == 202
    sim.advance(1800)
    assert sim.ask("GET", checked.headers["location"]).status == 204
    assert sim.ask("GET", disk).status == 200
    body = {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}
    sim.put_done(f"{THERE}/disks/loose", body)
    assert move(sim, [disk]).code == "ResourceMoveConflict"


def test_resources_of_providers_that_are_not_simulated_are_listed_tagged_queried_and_moved(sim: Running) -> None:
    path = f"{GROUP}/providers/Microsoft.Sql/servers/db"
    sim.control("POST", "resources", {"id": path, "location": "westeurope", "tags": {"a": "b"}, "kind": "v12.0"})
    assert path in [one["id"] for one in sim.ask("GET", f"{GROUP}/resources").body["value"]]
    tags = f"{path}/providers/Microsoft.Resources/tags/default"
    assert sim.ask("PATCH", tags, {"operation": "Merge", "properties": {"tags": {"c": "d"}}}).status == 200
    assert sim.ask("GET", tags).body["properties"]["tags"] == {"a": "b", "c": "d"}
    sim.advance(600)
    query = {"query": "resources | where type == 'microsoft.sql/servers' | project tags, kind"}
    found = sim.ask("POST", "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01", query).body["data"]
    assert found == [{"tags": {"a": "b", "c": "d"}, "kind": "v12.0"}]
    assert move(sim, [path]).status == 202
    sim.advance(1800)
    assert sim.ask("GET", f"{TARGET}/resources").body["value"][0]["id"] == path.replace(GROUP, TARGET)


def test_a_group_is_written_as_a_template_without_what_azure_computes(sim: Running) -> None:
    written = sim.ask("POST", f"{GROUP}/exportTemplate", {"resources": ["*"]}).body["template"]
    disks = [one for one in written["resources"] if one["type"] == "Microsoft.Compute/disks"]
    assert sorted(one["name"] for one in disks) == ["vm1-data", "vm1-os"]
    assert all("uniqueId" not in one["properties"] and one["apiVersion"] for one in disks)
