"""Less usual actions on machines: generalized, converted, captured; whose disks nobody else may read or change."""

from pathlib import Path
from typing import Any

from tests.simulator.running import COMPUTE, SEED, SUBSCRIPTION, Running, inside

VM = f"{COMPUTE}/virtualMachines/vm1"
VERSION = "?api-version=2024-07-01"
UNMANAGED = f"""
[[vm]]
subscription = "{SUBSCRIPTION}"
group = "web"
name = "old"
power = "deallocated"
disks = [ {{ name = "old-os", gib = 30, os = "Linux", vhd = "https://here/old.vhd" }} ]
"""


def codes(sim: Running) -> list[str]:
    return [one["code"] for one in sim.ask("GET", f"{VM}/instanceView{VERSION}").body["statuses"]]


def test_a_generalized_machine_says_so_and_never_starts_again(sim: Running) -> None:
    sim.ask("POST", f"{VM}/deallocate{VERSION}")
    sim.advance(600)
    assert "OSState/generalized" not in codes(sim)
    assert sim.ask("POST", f"{VM}/generalize{VERSION}").status == 200
    assert codes(sim)[-1] == "OSState/generalized"
    refused = sim.ask("POST", f"{VM}/start{VERSION}")
    assert (refused.status, refused.code) == (409, "OperationNotAllowed")
    assert sim.ask("POST", f"{VM}/deallocate{VERSION}").status == 202


def test_blobs_of_a_machine_become_managed_disks_once_it_has_no_host(tmp_path: Path) -> None:
    with inside(tmp_path, SEED + UNMANAGED) as sim:
        old = VM.replace("vm1", "old")
        assert sim.ask("POST", f"{VM}/convertToManagedDisks{VERSION}").code == "OperationNotAllowed"
        assert sim.ask("POST", f"{old}/convertToManagedDisks{VERSION}").status == 202
        sim.advance(600)
        disk = sim.ask("GET", old + VERSION).body["properties"]["storageProfile"]["osDisk"]
        assert "vhd" not in disk
        made = sim.ask("GET", f"{disk['managedDisk']['id']}?api-version=2024-03-02").body
        assert (made["managedBy"].lower(), made["properties"]["diskState"]) == (old.lower(), "Reserved")


def test_a_machine_with_managed_disks_is_not_captured(sim: Running) -> None:
    body = {"vhdPrefix": "a", "destinationContainerName": "c", "overwriteVhds": True}
    assert sim.ask("POST", f"{VM}/capture{VERSION}", body).code == "OperationNotAllowed"


def test_a_disk_that_a_machine_writes_is_read_by_nobody_else(sim: Running) -> None:
    access = {"access": "Read", "durationInSeconds": 600}
    path = f"{COMPUTE}/disks/vm1-data/beginGetAccess?api-version=2024-03-02"
    refused = sim.ask("POST", path, access)
    assert (refused.status, refused.code) == (409, "OperationNotAllowed")
    sim.ask("POST", f"{VM}/deallocate{VERSION}")
    sim.advance(600)
    assert sim.ask("POST", path, access).status == 202


def test_the_kind_of_a_disk_is_not_changed_through_its_machine(sim: Running) -> None:
    machine: dict[str, Any] = sim.ask("GET", VM + VERSION).body
    machine["properties"]["storageProfile"]["dataDisks"][0]["managedDisk"]["storageAccountType"] = "Standard_LRS"
    refused = sim.ask("PUT", VM + VERSION, machine)
    assert (refused.status, refused.code) == (409, "OperationNotAllowed")
    assert "vm1-data" in refused.body["error"]["message"]
