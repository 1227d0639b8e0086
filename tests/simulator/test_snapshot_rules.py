"""What a backup product leans on in snapshots: copy limits, instant access, immutability, readers, what they hold."""

import hashlib
from typing import Any

import pytest

from tests.simulator.running import COMPUTE, GROUP, SUBSCRIPTION, Answer, Running, snapshot_body, snapshot_path

HOUR = 3600
VM = f"{COMPUTE}/virtualMachines/vm1"
DISK = f"{COMPUTE}/disks/vm1-data"


def copy(sim: Running, name: str, source: str, region: str = "northeurope") -> Answer:
    creation = {"createOption": "CopyStart", "sourceResourceId": source}
    return sim.ask(
        "PUT", snapshot_path(name), {"location": region, "properties": {"incremental": True, "creationData": creation}}
    )


def fast_disk(sim: Running, sku: str = "PremiumV2_LRS") -> str:
    path = f"{COMPUTE}/disks/fast"
    body = {
        "location": "westeurope", "zones": ["1"], "sku": {"name": sku},
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 100},
    }  # fmt: skip
    sim.put_done(path, body)
    return path


def properties_of(sim: Running, path: str, version: str = "2026-03-02") -> dict[str, Any]:
    found: dict[str, Any] = sim.ask("GET", f"{path}?api-version={version}").body["properties"]
    return found


def content_of(sim: Running, resource_id: str) -> Any:
    return next(item["content"] for item in sim.control("GET", "state") if item["id"].lower() == resource_id.lower())


def test_snapshots_of_one_disk_are_copied_one_after_the_other(sim: Running) -> None:
    for name in ("s1", "s2"):
        sim.put_done(snapshot_path(name), snapshot_body("vm1-data"))
    sim.put_done(snapshot_path("other"), snapshot_body("vm1-os"))
    assert copy(sim, "c1", snapshot_path("s1")).status == 202
    refused = copy(sim, "c2", snapshot_path("s2"))
    assert (refused.status, refused.code) == (409, "OperationNotAllowed")
    assert copy(sim, "c3", snapshot_path("other")).status == 202
    assert copy(sim, "c4", snapshot_path("s2"), "francecentral").status == 202
    sim.advance(6 * HOUR)
    assert copy(sim, "c2", snapshot_path("s2")).status == 202


def test_a_copy_goes_to_another_region_and_only_of_what_is_incremental(sim: Running) -> None:
    sim.put_done(snapshot_path("s1"), snapshot_body())
    assert copy(sim, "c1", snapshot_path("s1"), "westeurope").status == 400
    sim.put_done(snapshot_path("full"), snapshot_body(incremental=False))
    assert copy(sim, "c2", snapshot_path("full")).status == 400


def test_a_copy_of_a_snapshot_that_is_not_complete_is_refused(sim: Running) -> None:
    fast_disk(sim)
    sim.put_done(snapshot_path("s1"), snapshot_body("fast"))
    refused = copy(sim, "c1", snapshot_path("s1"))
    assert (refused.status, refused.code) == (409, "OperationNotAllowed")
    sim.advance(HOUR)
    assert copy(sim, "c1", snapshot_path("s1")).status == 202


def test_instant_access_lasts_as_long_as_it_was_asked_for(sim: Running) -> None:
    fast_disk(sim)
    body = snapshot_body("fast")
    body["properties"]["creationData"]["instantAccessDurationMinutes"] = 60
    sim.put_done(snapshot_path("s1"), body)
    assert properties_of(sim, snapshot_path("s1"))["snapshotAccessState"] == "InstantAccess"
    sim.advance(2 * HOUR)
    assert properties_of(sim, snapshot_path("s1"))["snapshotAccessState"] == "Available"


@pytest.mark.parametrize(("disk", "minutes"), [("fast", 59), ("fast", 301), ("vm1-os", 60)])
def test_instant_access_is_for_fast_disks_and_one_to_five_hours(sim: Running, disk: str, minutes: int) -> None:
    fast_disk(sim)
    body = snapshot_body(disk)
    body["properties"]["creationData"]["instantAccessDurationMinutes"] = minutes
    assert sim.ask("PUT", snapshot_path("s1"), body).status == 400


def hold(sim: Running, days: int, kind: str, action: str = "updateImmutabilityPolicy") -> Answer:
    answer = sim.ask("POST", f"{snapshot_path('s1')}/{action}", {"immutabilityDurationDays": days, "type": kind})
    sim.advance(60)
    return answer


def test_a_held_snapshot_is_not_deleted_before_its_time(sim: Running) -> None:
    sim.put_done(snapshot_path("s1"), snapshot_body())
    assert hold(sim, 2, "Unlocked").status == 202
    assert properties_of(sim, snapshot_path("s1"))["immutabilityPolicy"]["isPolicyExpired"] is False
    refused = sim.ask("DELETE", snapshot_path("s1"))
    assert (refused.status, refused.code) == (409, "OperationNotAllowed")
    sim.advance(48 * HOUR)
    assert properties_of(sim, snapshot_path("s1"))["immutabilityPolicy"]["isPolicyExpired"] is True
    assert sim.ask("DELETE", snapshot_path("s1")).status == 202


def test_a_locked_policy_is_prolonged_and_never_shortened(sim: Running) -> None:
    sim.put_done(snapshot_path("s1"), snapshot_body())
    hold(sim, 5, "Unlocked")
    assert hold(sim, 3, "Unlocked").status == 202
    assert hold(sim, 3, "Locked", "updateImmutabilityPolicyLock").status == 202
    assert hold(sim, 2, "Locked").code == "OperationNotAllowed"
    assert hold(sim, 9, "Unlocked").code == "OperationNotAllowed"
    assert hold(sim, 9, "Locked").status == 202
    sim.advance(4 * 24 * HOUR)
    assert sim.ask("DELETE", snapshot_path("s1")).status == 409


def test_a_snapshot_or_disk_that_is_read_stays_until_the_reader_is_gone(sim: Running) -> None:
    sim.put_done(snapshot_path("s1"), snapshot_body())
    disk = f"{COMPUTE}/disks/loose"
    sim.put_done(
        disk, {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}
    )
    for path in (snapshot_path("s1"), disk):
        asked = sim.ask("POST", f"{path}/beginGetAccess", {"access": "Read", "durationInSeconds": 600})
        sim.advance(30)
        assert sim.ask("GET", asked.headers["location"]).body["accessSAS"].startswith("https://")
        assert properties_of(sim, path)["diskState"] == "ActiveSAS"
        assert sim.ask("DELETE", path).status == 409
        sim.ask("POST", f"{path}/endGetAccess")
        sim.advance(30)
        assert sim.ask("DELETE", path).status == 202


def restored(sim: Running, name: str, **creation: Any) -> str:
    path = f"{COMPUTE}/disks/{name}"
    sim.put_done(path, {"location": "westeurope", "properties": {"creationData": creation}})
    return path


def test_content_goes_through_disks_snapshots_and_copies_elsewhere(sim: Running) -> None:
    sim.control("POST", "content", {"disk": DISK, "blocks": {"0": "first", "9": "ninth"}})
    wanted = content_of(sim, DISK)
    sim.put_done(snapshot_path("s1"), snapshot_body("vm1-data"))
    sim.control("POST", "content", {"disk": DISK, "blocks": {"0": "changed"}})
    copy(sim, "far", snapshot_path("s1"))
    sim.advance(6 * HOUR)
    assert content_of(sim, snapshot_path("far")) == wanted
    there = {
        "location": "northeurope",
        "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": snapshot_path("far")}},
    }
    sim.put_done(f"{COMPUTE}/disks/there", there)
    assert content_of(sim, f"{COMPUTE}/disks/there") == wanted
    back = restored(sim, "back", createOption="Copy", sourceResourceId=snapshot_path("s1"))
    again = restored(sim, "again", createOption="Copy", sourceResourceId=back)
    assert content_of(sim, again) == content_of(sim, back) == wanted
    sim.put_done(snapshot_path("s2"), snapshot_body("again"))
    assert content_of(sim, snapshot_path("s2")) == wanted != content_of(sim, DISK)


def machine_body(reference: str) -> dict[str, Any]:
    return {
        "location": "westeurope",
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {"imageReference": {"id": reference}, "osDisk": {"createOption": "FromImage"}},
            "osProfile": {"computerName": "new", "adminUsername": "me", "adminPassword": "Secret-12345678"},
            "networkProfile": {"networkInterfaces": []},
        },
    }  # fmt: skip


def test_content_goes_through_images_and_versions_of_galleries_into_machines(sim: Running) -> None:
    system = f"{COMPUTE}/disks/vm1-os"
    sim.control("POST", "content", {"disk": system, "blocks": {"0": "boot"}})
    wanted = content_of(sim, system)
    sim.put_done(snapshot_path("s1"), snapshot_body("vm1-os"))
    profile = {"osDisk": {"osType": "Linux", "osState": "Generalized", "snapshot": {"id": snapshot_path("s1")}}}
    image = f"{COMPUTE}/images/golden"
    sim.put_done(image, {"location": "westeurope", "properties": {"storageProfile": profile}})
    gallery = f"{COMPUTE}/galleries/shelf"
    sim.put_done(gallery, {"location": "westeurope", "properties": {}})
    definition = {
        "osType": "Linux", "osState": "Generalized",
        "identifier": {"publisher": "p", "offer": "o", "sku": "s"},
    }  # fmt: skip
    sim.put_done(f"{gallery}/images/it", {"location": "westeurope", "properties": definition})
    version = f"{gallery}/images/it/versions/1.0.0"
    sim.put_done(version, {"location": "westeurope", "properties": {"storageProfile": {"source": {"id": image}}}})
    sim.advance(HOUR)
    for number, reference in enumerate((image, version)):
        path = f"{COMPUTE}/virtualMachines/new{number}"
        body = machine_body(reference)
        body["properties"]["storageProfile"]["osDisk"]["name"] = f"new{number}-os"
        sim.put_done(path, body)
        sim.advance(HOUR)
        assert content_of(sim, f"{COMPUTE}/disks/new{number}-os") == wanted


def power(sim: Running) -> str:
    statuses = sim.ask("GET", f"{VM}/instanceView?api-version=2024-11-01").body["statuses"]
    return next(str(one["code"]) for one in statuses if one["code"].startswith("PowerState/")).rsplit("/", 1)[-1]


@pytest.mark.parametrize(
    ("action", "between", "after"),
    [
        ("deallocate", "deallocating", "deallocated"),
        ("powerOff", "stopping", "stopped"),
        ("restart", "running", "running"),
    ],
)
def test_a_machine_says_what_is_going_on_while_it_changes_its_power(
    sim: Running, action: str, between: str, after: str
) -> None:
    assert power(sim) == "running"
    assert sim.ask("POST", f"{VM}/{action}").status == 202
    assert power(sim) == between
    sim.advance(600)
    assert power(sim) == after
    sim.ask("POST", f"{VM}/start")
    assert power(sim) == ("running" if after == "running" else "starting")
    sim.advance(600)
    assert power(sim) == "running"


def test_disks_are_attached_and_detached_by_a_call_of_their_own(sim: Running) -> None:
    disk = restored(sim, "more", createOption="Copy", sourceResourceId=DISK)
    asked = sim.ask("POST", f"{VM}/attachDetachDataDisks", {"dataDisksToAttach": [{"diskId": disk}]})
    sim.advance(600)
    output = sim.ask("GET", asked.headers["azure-asyncoperation"]).body["properties"]["output"]
    assert sorted(one["lun"] for one in output["dataDisks"]) == [0, 3]
    assert sim.ask("GET", disk).body["managedBy"].lower() == VM.lower()
    assert sim.ask("POST", f"{VM}/attachDetachDataDisks", {"dataDisksToDetach": [{"diskId": DISK}]}).status == 202
    sim.advance(600)
    assert "managedBy" not in sim.ask("GET", DISK).body
    strange = sim.ask("POST", f"{VM}/attachDetachDataDisks", {"dataDisksToDetach": [{"diskId": DISK}]})
    assert (strange.status, strange.code) == (400, "InvalidParameter")


def test_no_lun_gets_two_disks_and_no_machine_more_than_its_size_takes(sim: Running) -> None:
    places = [restored(sim, f"more-{n}", createOption="Copy", sourceResourceId=DISK) for n in range(4)]
    before = sim.ask("GET", VM).body["properties"]["storageProfile"]["dataDisks"]
    taken = sim.ask(
        "POST", f"{VM}/attachDetachDataDisks", {"dataDisksToAttach": [{"diskId": places[0], "lun": before[0]["lun"]}]}
    )
    assert (taken.status, taken.code) == (400, "InvalidParameter")
    every = [{"diskId": place} for place in places]
    full = sim.ask("POST", f"{VM}/attachDetachDataDisks", {"dataDisksToAttach": every})
    assert (full.status, full.code) == (409, "OperationNotAllowed")
    assert sim.ask("GET", VM).body["properties"]["storageProfile"]["dataDisks"] == before


def test_commands_run_by_name_and_as_resources(sim: Running) -> None:
    asked = sim.ask("POST", f"{VM}/runCommand", {"commandId": "RunShellScript", "script": ["ls"]})
    assert asked.status == 202
    sim.advance(300)
    assert "[stdout]" in sim.ask("GET", asked.headers["location"]).body["value"][0]["message"]
    path = f"{VM}/runCommands/one"
    body = {"location": "westeurope", "properties": {"source": {"script": "ls"}}}
    assert sim.ask("PUT", path, body).status == 201
    sim.advance(300)
    assert (
        sim.ask("GET", f"{path}?$expand=instanceView").body["properties"]["instanceView"]["executionState"]
        == "Succeeded"
    )
    system = sim.ask("GET", VM).body["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"]
    sim.control("POST", "content", {"disk": system, "blocks": {"7": "kept"}})
    kept = hashlib.sha256(b"kept").hexdigest()
    for number, (script, state, output) in enumerate(
        [("sha256sum os/7", "Succeeded", f"{kept}  os/7"), ("sha256sum os/7 os/99", "Failed", "")]
    ):
        sums = f"{VM}/runCommands/sums{number}"
        assert sim.ask("PUT", sums, {"location": "westeurope", "properties": {"source": {"script": script}}}).status
        view = sim.ask("GET", f"{sums}?$expand=instanceView").body["properties"]["instanceView"]
        assert (view["executionState"], view["output"]) == ("Running", "")
        sim.advance(300)
        view = sim.ask("GET", f"{sums}?$expand=instanceView").body["properties"]["instanceView"]
        assert (view["executionState"], view["output"]) == (state, output)
    at = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/runCommands"
    assert "RunShellScript" in [one["id"] for one in sim.ask("GET", at).body["value"]]
    assert sim.ask("GET", f"{GROUP}/providers/Microsoft.Compute/snapshots").body["value"] == []
