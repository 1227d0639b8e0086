"""Restore points over plain HTTP: collections, modes, what is refused, copies elsewhere, disks made from points."""

from pathlib import Path
from typing import Any

import pytest

from local.simulator import restore_point_rules
from tests.simulator.running import COMPUTE, GROUP, SEED, SUBSCRIPTION, Answer, Running, inside, snapshot_path

VM = f"{COMPUTE}/virtualMachines/vm1"
HOUR = 3600
CRASH: dict[str, Any] = {"consistencyMode": "CrashConsistent"}
BACKUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/backups/providers/Microsoft.Compute"
HERE = f"{BACKUPS}/restorePointCollections/here"
FAR = f"{BACKUPS}/restorePointCollections/far"


def collect(sim: Running, path: str = HERE, source: str = VM, location: str = "westeurope", **more: Any) -> Answer:
    return sim.ask("PUT", path, {"location": location, "properties": {"source": {"id": source}}, **more})


def ask_point(sim: Running, name: str, where: str = HERE, **properties: Any) -> Answer:
    return sim.ask("PUT", f"{where}/restorePoints/{name}", {"properties": properties})


def take(sim: Running, name: str, where: str = HERE, **properties: Any) -> dict[str, Any]:
    answer = ask_point(sim, name, where, **properties)
    assert answer.status == 201, answer
    sim.advance(300)
    point: dict[str, Any] = sim.ask("GET", f"{where}/restorePoints/{name}").body
    return point


def content_of(sim: Running, resource_id: str) -> Any:
    return next(item["content"] for item in sim.control("GET", "state") if item["id"].lower() == resource_id.lower())


def test_a_point_is_accepted_with_201_and_has_a_disk_restore_point_per_disk_when_it_is_done(sim: Running) -> None:
    assert collect(sim).status == 201
    accepted = ask_point(sim, "p1", **CRASH)
    assert accepted.status == 201
    assert accepted.body["properties"]["provisioningState"] == "Creating"
    sim.advance(300)
    properties = sim.ask("GET", f"{HERE}/restorePoints/p1").body["properties"]
    assert (properties["provisioningState"], properties["consistencyMode"]) == ("Succeeded", "CrashConsistent")
    profile = properties["sourceMetadata"]["storageProfile"]
    ids = [disk["diskRestorePoint"]["id"] for disk in [profile["osDisk"], *profile["dataDisks"]]]
    shown = sim.ask("GET", f"{HERE}/restorePoints/p1/diskRestorePoints").body["value"]
    assert sorted(one["id"] for one in shown) == sorted(ids)
    uids = {sim.ask("GET", f"{COMPUTE}/disks/{name}").body["properties"]["uniqueId"] for name in ("vm1-os", "vm1-data")}
    assert {one["properties"]["sourceUniqueId"] for one in shown} == uids
    assert properties["sourceMetadata"]["vmId"] == sim.ask("GET", VM).body["properties"]["vmId"]


def test_disk_restore_points_of_one_disk_are_one_family(sim: Running) -> None:
    collect(sim)
    for name in ("p1", "p2"):
        take(sim, name, **CRASH)
        sim.advance(HOUR)
    families: dict[str, set[str]] = {}
    for name in ("p1", "p2"):
        for one in sim.ask("GET", f"{HERE}/restorePoints/{name}/diskRestorePoints").body["value"]:
            families.setdefault(one["properties"]["sourceUniqueId"], set()).add(one["properties"]["familyId"])
    assert [len(each) for each in families.values()] == [1, 1]


def test_a_collection_shows_its_points_on_request_only_and_keeps_its_source(sim: Running) -> None:
    first = collect(sim, tags={"a": "b"}).body
    assert first["tags"] == {"a": "b"}
    take(sim, "p1", **CRASH)
    assert "restorePoints" not in sim.ask("GET", HERE).body["properties"]
    expanded = sim.ask("GET", f"{HERE}?$expand=restorePoints").body["properties"]["restorePoints"]
    assert [one["name"] for one in expanded] == ["p1"]
    refused = collect(sim, source=VM + "2")
    assert refused.status in (404, 409)
    assert sim.ask("GET", HERE).body["properties"]["source"]["id"] == VM
    assert (
        collect(sim).body["properties"]["restorePointCollectionId"] == first["properties"]["restorePointCollectionId"]
    )


def test_a_collection_is_where_its_machine_is_and_one_of_a_collection_elsewhere(sim: Running) -> None:
    assert collect(sim, location="northeurope").code == "InvalidParameter"
    collect(sim)
    assert collect(sim, FAR, HERE).code == "InvalidParameter"
    assert collect(sim, FAR, HERE, "northeurope").status == 201
    assert ask_point(sim, "p", FAR).code == "InvalidParameter"


def test_points_are_never_changed_and_carry_no_tags(sim: Running) -> None:
    collect(sim)
    point = take(sim, "p1", **CRASH)
    assert "tags" not in point
    sim.advance(4 * HOUR)
    again = ask_point(sim, "p1", **CRASH)
    assert (again.status, again.code) == (409, "Conflict")
    tags = sim.ask("PUT", f"{point['id']}/providers/Microsoft.Resources/tags/default", {"properties": {"tags": {}}})
    assert tags.status >= 400


def test_disks_are_left_out_on_request_and_strangers_cannot_be(sim: Running) -> None:
    collect(sim)
    point = take(sim, "p1", **CRASH, excludeDisks=[{"id": f"{COMPUTE}/disks/VM1-DATA"}])
    assert point["properties"]["sourceMetadata"]["storageProfile"]["dataDisks"] == []
    strange = ask_point(sim, "p2", excludeDisks=[{"id": f"{COMPUTE}/disks/other"}])
    assert (strange.status, strange.code) == (400, "InvalidParameter")


def change_disk(sim: Running, sku: str = "PremiumV2_LRS", **more: Any) -> None:
    """Attach a disk of a kind that crash consistent points cannot take."""
    body: dict[str, Any] = {
        "location": "westeurope", "zones": ["1"], "sku": {"name": sku},
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8, **more},
    }  # fmt: skip
    path = f"{COMPUTE}/disks/odd"
    sim.put_done(path, body)
    attach = {"dataDisksToAttach": [{"diskId": path, "lun": 7}]}
    assert sim.ask("POST", f"{VM}/attachDetachDataDisks", attach).status == 202
    sim.advance(60)


@pytest.mark.parametrize("sku", ["PremiumV2_LRS", "UltraSSD_LRS"])
def test_a_crash_consistent_point_refuses_fast_disks_unless_they_are_left_out(sim: Running, sku: str) -> None:
    collect(sim)
    change_disk(sim, sku)
    refused = ask_point(sim, "p1", **CRASH)
    assert (refused.status, refused.code) == (409, "OperationNotAllowed")
    assert "'odd'" in refused.body["error"]["message"]
    assert ask_point(sim, "p2", **CRASH, excludeDisks=[{"id": f"{COMPUTE}/disks/odd"}]).status == 201


def test_no_mode_takes_shared_disks(sim: Running) -> None:
    collect(sim)
    change_disk(sim, "Premium_LRS", maxShares=2)
    assert "shared" in ask_point(sim, "p1", **CRASH).body["error"]["message"]
    assert "shared" in ask_point(sim, "p1").body["error"]["message"]


def test_a_crash_consistent_point_needs_a_size_with_premium_storage(tmp_path: Path) -> None:
    with inside(tmp_path, SEED.replace("Standard_D2s_v5", "Standard_D2_v5")) as sim:
        collect(sim)
        assert ask_point(sim, "p1", **CRASH).status == 409
        assert ask_point(sim, "p2").status == 201


def test_an_application_consistent_point_is_what_the_system_and_its_power_allow(sim: Running) -> None:
    collect(sim)
    assert take(sim, "p1")["properties"]["consistencyMode"] == "FileSystemConsistent"
    sim.advance(3 * HOUR)
    sim.ask("POST", f"{VM}/deallocate")
    sim.advance(300)
    assert take(sim, "p2")["properties"]["consistencyMode"] == "CrashConsistent"


def test_an_application_consistent_point_needs_an_agent(sim: Running) -> None:
    collect(sim)
    sim.control("POST", "vm", {"id": VM, "agent": "missing"})
    assert ask_point(sim, "p1").code == "VMAgentStatusCommunicationError"
    assert ask_point(sim, "p1", **CRASH).status == 201


@pytest.mark.parametrize(("mode", "hours"), [(CRASH, 1), ({}, 3)])
def test_points_of_a_mode_keep_their_distance(sim: Running, mode: dict[str, Any], hours: int) -> None:
    collect(sim)
    take(sim, "p1", **mode)
    early = ask_point(sim, "p2", **mode)
    assert (early.status, early.code) == (409, "OperationNotAllowed")
    sim.advance(hours * HOUR - 400)
    assert ask_point(sim, "p2", **mode).status == 409
    sim.advance(101)
    assert ask_point(sim, "p2", **mode).status == 201


def test_two_collections_of_one_machine_share_its_distance_and_one_point_is_made_at_a_time(sim: Running) -> None:
    collect(sim)
    other = f"{BACKUPS}/restorePointCollections/second"
    collect(sim, other)
    assert ask_point(sim, "p1", **CRASH).status == 201
    assert "being created" in ask_point(sim, "p2", other, **CRASH).body["error"]["message"]
    sim.advance(300)
    assert ask_point(sim, "p2", other, **CRASH).status == 409


def test_a_point_that_is_deleted_is_gone_and_one_that_is_read_stays(sim: Running) -> None:
    collect(sim)
    take(sim, "p1", **CRASH)
    [disk, _] = sim.ask("GET", f"{HERE}/restorePoints/p1/diskRestorePoints").body["value"]
    granted = sim.ask("POST", f"{disk['id']}/beginGetAccess", {"access": "Read", "durationInSeconds": 3600})
    assert granted.status == 202
    sim.advance(60)
    assert sim.ask("GET", granted.headers["location"]).body["accessSAS"].startswith("https://")
    for path in (f"{HERE}/restorePoints/p1", HERE):
        refused = sim.ask("DELETE", path)
        assert (refused.status, refused.code) == (409, "OperationNotAllowed")
    assert sim.ask("POST", f"{disk['id']}/endGetAccess").status == 202
    sim.advance(60)
    assert sim.ask("DELETE", f"{HERE}/restorePoints/p1").status == 202
    sim.advance(300)
    assert sim.ask("GET", f"{HERE}/restorePoints/p1").status == 404
    assert sim.ask("GET", disk["id"]).status == 404
    assert sim.ask("DELETE", f"{HERE}/restorePoints/p1").status == 204


def test_points_outlive_their_machine_and_end_with_their_collection(sim: Running) -> None:
    collect(sim)
    take(sim, "p1", **CRASH)
    sim.ask("DELETE", VM)
    sim.advance(600)
    assert sim.ask("GET", VM).status == 404
    assert sim.ask("GET", f"{HERE}/restorePoints/p1").body["properties"]["provisioningState"] == "Succeeded"
    assert ask_point(sim, "p2", **CRASH).status == 404
    assert sim.ask("DELETE", HERE).status == 202
    sim.advance(600)
    assert sim.ask("GET", f"{HERE}/restorePoints/p1").status == 404


def test_a_disk_made_from_a_point_holds_what_the_disk_held_when_the_point_was_asked_for(sim: Running) -> None:
    disk = f"{COMPUTE}/disks/vm1-data"
    collect(sim)
    sim.control("POST", "content", {"disk": disk, "blocks": {"0": "one", "7": "seven"}})
    ask_point(sim, "p1", **CRASH)
    wanted = content_of(sim, disk)
    sim.control("POST", "content", {"disk": disk, "blocks": {"0": "two"}})
    sim.advance(300)
    profile = sim.ask("GET", f"{HERE}/restorePoints/p1").body["properties"]["sourceMetadata"]["storageProfile"]
    origin = profile["dataDisks"][0]["diskRestorePoint"]["id"]
    creation = {"createOption": "Restore", "sourceResourceId": origin}
    made = sim.put_done(f"{COMPUTE}/disks/back", {"location": "westeurope", "properties": {"creationData": creation}})
    assert made["properties"]["diskSizeGB"] == 64
    assert content_of(sim, made["id"]) == wanted != content_of(sim, disk)
    again = {"location": "northeurope", "properties": {"creationData": creation}}
    assert sim.ask("PUT", f"{COMPUTE}/disks/away", again).status == 400


def encrypted(sim: Running) -> str:
    """Give the data disk a key of the customer's."""
    path = f"{COMPUTE}/diskEncryptionSets/keys"
    key = {"keyUrl": "https://vault.vault.azure.net/keys/k/1"}
    sim.put_done(
        path, {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": {"activeKey": key}}
    )
    sim.ask("POST", f"{VM}/deallocate")
    sim.advance(300)
    wanted = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": path}
    assert sim.ask("PATCH", f"{COMPUTE}/disks/vm1-data", {"properties": {"encryption": wanted}}).status == 202
    sim.advance(60)
    return path


def data_disk(point: dict[str, Any]) -> dict[str, Any]:
    disk: dict[str, Any] = point["properties"]["sourceMetadata"]["storageProfile"]["dataDisks"][0]
    return disk


def test_a_copy_elsewhere_is_done_over_time_and_falls_back_to_platform_keys(sim: Running) -> None:
    keys = encrypted(sim)
    collect(sim)
    origin = take(sim, "p1", **CRASH)
    inner = data_disk(origin)["diskRestorePoint"]["encryption"]
    assert inner == {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSet": {"id": keys}}
    collect(sim, FAR, HERE, "northeurope")
    assert ask_point(sim, "c1", FAR, sourceRestorePoint={"id": origin["id"]}).status == 201
    sim.advance(30)
    path = f"{FAR}/restorePoints/c1"
    begun = sim.ask("GET", f"{path}?$expand=instanceView").body["properties"]
    assert begun["sourceRestorePoint"] == {"id": origin["id"]}
    sim.advance(120)
    begun = sim.ask("GET", f"{path}?$expand=instanceView").body
    percents = [
        one["replicationStatus"]["completionPercent"]
        for one in begun["properties"]["instanceView"]["diskRestorePoints"]
    ]
    assert len(percents) == 2
    assert all(0 <= each < 100 for each in percents)
    assert begun["properties"]["instanceView"]["statuses"][0]["code"] == "ReplicationState/inprogress"
    sim.advance(6 * HOUR)
    done = sim.ask("GET", f"{path}?$expand=instanceView").body
    assert done["properties"]["instanceView"]["statuses"][0]["code"] == "ReplicationState/succeeded"
    assert data_disk(done)["diskRestorePoint"]["encryption"]["type"] == "EncryptionAtRestWithPlatformKey"
    copied = sim.ask("GET", data_disk(done)["diskRestorePoint"]["id"]).body["properties"]
    assert (copied["replicationState"], copied["completionPercent"]) == ("Succeeded", 100)
    assert copied["sourceResourceId"] == data_disk(origin)["diskRestorePoint"]["id"]


def test_a_copy_is_of_a_finished_point_of_its_source_collection(sim: Running) -> None:
    collect(sim)
    collect(sim, FAR, HERE, "northeurope")
    other = f"{BACKUPS}/restorePointCollections/second"
    collect(sim, other)
    ask_point(sim, "p1", **CRASH)
    early = ask_point(sim, "c1", FAR, sourceRestorePoint={"id": f"{HERE}/restorePoints/p1"})
    assert (early.status, early.code) == (409, "OperationNotAllowed")
    sim.advance(HOUR + 1)
    strange = take(sim, "p2", other, **CRASH)
    assert ask_point(sim, "c1", FAR, sourceRestorePoint={"id": strange["id"]}).code == "InvalidParameter"
    assert ask_point(sim, "c1", FAR, sourceRestorePoint={"id": f"{HERE}/restorePoints/none"}).status == 404


def test_points_of_a_machine_are_throttled_by_the_hour(sim: Running) -> None:
    collect(sim)
    left = []
    for number in range(3):
        answer = ask_point(sim, f"p{number}", **CRASH)
        left.append(answer.headers["x-ms-ratelimit-remaining-resource"])
        sim.advance(60)
        sim.ask("DELETE", f"{HERE}/restorePoints/p{number}")
        sim.advance(60)
    assert left[0].endswith("CreateCrashConsistentRestorePoint;2")
    refused = ask_point(sim, "p3", **CRASH)
    assert refused.status == 429
    sim.advance(int(refused.headers["retry-after"]))
    assert ask_point(sim, "p3", **CRASH).status == 201


def test_a_collection_holds_a_machine_of_another_group_and_lists_by_group_and_subscription(sim: Running) -> None:
    collect(sim)
    for scope in (BACKUPS, f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute"):
        names = [one["name"] for one in sim.ask("GET", f"{scope}/restorePointCollections").body["value"]]
        assert names == ["here"]
    assert sim.ask("GET", f"{GROUP}/providers/Microsoft.Compute/restorePointCollections").body["value"] == []
    assert sim.ask("GET", snapshot_path("here")).status == 404


def test_a_machine_has_so_many_points_whatever_their_collection(sim: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    assert restore_point_rules.MOST == 500
    monkeypatch.setattr(restore_point_rules, "MOST", 2)
    second = f"{BACKUPS}/restorePointCollections/second"
    collect(sim)
    collect(sim, second)
    for name, where in (("p1", HERE), ("p2", second)):
        take(sim, name, where, **CRASH)
        sim.advance(HOUR)
    refused = ask_point(sim, "p3", **CRASH)
    assert (refused.status, "maximum number of 2" in refused.body["error"]["message"]) == (409, True)
    sim.ask("DELETE", f"{second}/restorePoints/p2")
    sim.advance(HOUR)
    assert ask_point(sim, "p3", **CRASH).status == 201
