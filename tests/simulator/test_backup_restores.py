"""Restores from a vault and file restores, over plain HTTP: what comes out holds what the point held."""

import base64
from typing import Any

from tests.simulator.backing import HOUR, ITEM, VAULT, VM, backed_up, done, job, points
from tests.simulator.running import COMPUTE, GROUP, SUBSCRIPTION, Answer, Running

STAGING = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/staging"
OPERATION = "provisionInstantItemRecoveryOperationId"
TARGET = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/backups"
SUBNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vm1-vnet/subnets/default"


def content_of(sim: Running, resource_id: str) -> Any:
    return next(item["content"] for item in sim.control("GET", "state") if item["id"].lower() == resource_id.lower())


def restore(sim: Running, kind: str = "RestoreDisks", **more: Any) -> Answer:
    name = points(sim)[0]["name"]
    wanted = {
        "objectType": "IaasVMRestoreRequest",
        "recoveryPointId": name,
        "recoveryType": kind,
        "sourceResourceId": VM,
        "storageAccountId": STAGING,
        "region": "westeurope",
        "createNewCloudService": False,
        "originalStorageAccountOption": False,
        **more,
    }
    return sim.ask("POST", f"{ITEM}/recoveryPoints/{name}/restore", {"properties": wanted})


def write(sim: Running, text: str, disk: str = "vm1-data") -> None:
    sim.control("POST", "content", {"disk": f"{COMPUTE}/disks/{disk}", "blocks": {"0": text}})


def restored(sim: Running, answer: Answer) -> dict[str, Any]:
    """Let a restore end and return its job."""
    name = done(sim, answer, seconds=2)["properties"]["jobId"]
    assert job(sim, name)["status"] == "InProgress"
    sim.advance(HOUR)
    return job(sim, name)


def test_restored_disks_hold_what_the_point_held_and_not_what_came_after(sim: Running) -> None:
    write(sim, "before")
    before = content_of(sim, f"{COMPUTE}/disks/vm1-data")
    backed_up(sim)
    write(sim, "after")
    ended = restored(sim, restore(sim, targetResourceGroupId=TARGET))
    assert (ended["status"], ended["operation"]) == ("Completed", "Restore")
    assert ended["extendedInfo"]["progressPercentage"] == 100.0
    disks = sim.ask("GET", f"{TARGET}/providers/Microsoft.Compute/disks").body["value"]
    assert [disk["name"].rsplit("-2026", 1)[0] for disk in disks] == ["vm1-osdisk", "vm1-datadisk-003"]
    assert content_of(sim, disks[1]["id"]) == before


def test_only_the_wanted_disks_come_back(sim: Running) -> None:
    backed_up(sim)
    restored(sim, restore(sim, targetResourceGroupId=TARGET, restoreDiskLunList=[]))
    disks = sim.ask("GET", f"{TARGET}/providers/Microsoft.Compute/disks").body["value"]
    assert [disk["name"].startswith("vm1-osdisk-") for disk in disks] == [True]


def test_a_new_machine_stands_on_restored_disks_with_its_tags(sim: Running) -> None:
    write(sim, "before")
    backed_up(sim)
    target = f"{TARGET}/providers/Microsoft.Compute/virtualMachines/again"
    more = {"targetVirtualMachineId": target, "targetResourceGroupId": TARGET}
    ended = restored(sim, restore(sim, "AlternateLocation", **more, subnetId=SUBNET, virtualNetworkId=SUBNET[:-16]))
    assert ended["status"] == "Completed", ended
    assert [task["taskId"] for task in ended["extendedInfo"]["tasksList"]][1] == "Create the restored virtual machine"
    sim.advance(300)
    machine = sim.ask("GET", target).body
    assert (machine["properties"]["provisioningState"], machine["tags"]) == ("Succeeded", {"backup": "silver"})
    data = machine["properties"]["storageProfile"]["dataDisks"][0]
    assert content_of(sim, data["managedDisk"]["id"]) == content_of(sim, f"{COMPUTE}/disks/vm1-data")


def test_a_machines_disks_are_replaced_and_the_old_ones_stay(sim: Running) -> None:
    write(sim, "before")
    before = content_of(sim, f"{COMPUTE}/disks/vm1-data")
    backed_up(sim)
    write(sim, "after")
    ended = restored(sim, restore(sim, "OriginalLocation"))
    assert ended["status"] == "Completed", ended
    sim.advance(300)
    data = sim.ask("GET", VM).body["properties"]["storageProfile"]["dataDisks"][0]["managedDisk"]["id"]
    assert content_of(sim, data) == before
    assert sim.ask("GET", f"{COMPUTE}/disks/vm1-data").body["properties"]["diskState"] == "Unattached"


def test_a_restore_that_cannot_be_meant_is_refused(sim: Running) -> None:
    backed_up(sim)
    assert restore(sim, "Sideways").code == "InvalidRequestContent"
    assert restore(sim, "AlternateLocation").code == "BMSUserErrorInvalidRestoreRequest"
    sim.ask("DELETE", VM)
    sim.advance(600)
    assert restore(sim, "OriginalLocation").code == "UserErrorVmNotFoundV2"


def test_a_file_restore_is_mounted_with_its_script_and_unmounted_without_a_job(sim: Running) -> None:
    point = f"{ITEM}/recoveryPoints/{backed_up(sim)['name']}"
    wanted = {"objectType": "IaasVMILRRegistrationRequest", "recoveryPointId": "1", "virtualMachineId": VM}
    old = sim.ask("POST", f"{point}/provisionInstantItemRecovery?api-version=2025-02-01", {"properties": wanted})
    mounted = done(sim, old)["properties"]
    assert mounted["objectType"] == "OperationStatusProvisionILRExtendedInfo"
    assert mounted["recoveryTarget"]["clientScripts"][0]["osType"] == "Linux"
    assert sim.ask("GET", point).body["properties"]["isInstantIlrSessionActive"] is True
    again = sim.ask("POST", f"{point}/provisionInstantItemRecovery", {"properties": wanted})
    assert again.code == "UserErrorUnableToOpenMount"
    ended = done(sim, sim.ask("POST", f"{point}/revokeInstantItemRecovery"))
    assert (ended["status"], "properties" in ended) == ("Succeeded", False)
    assert sim.ask("GET", point).body["properties"]["isInstantIlrSessionActive"] is False


def test_newer_versions_ask_for_the_scripts_of_a_mount_by_themselves(sim: Running) -> None:
    point = f"{ITEM}/recoveryPoints/{backed_up(sim)['name']}"
    wanted = {"objectType": "IaasVMILRRegistrationRequest", "recoveryPointId": "1", "virtualMachineId": VM}
    new = sim.ask("POST", f"{point}/provisionInstantItemRecovery?api-version=2026-10-01", {"properties": wanted})
    assert "recoveryTarget" not in done(sim, new)["properties"]
    operation = new.headers["azure-asyncoperation"].partition("?")[0].rpartition("/")[2]
    listing = f"{point}/listInstantItemRecoveryOperationResult?api-version=2026-10-01"
    [script] = sim.ask("POST", listing, {OPERATION: operation}).body["clientScripts"]
    password = script["scriptNameSuffix"].rpartition("_")[2][32:47]
    assert script["scriptExtension"] == ".py"
    assert f'TargetPassword="{password}"' in base64.b64decode(script["scriptContent"]).decode()
    assert sim.ask("POST", listing, {}).code == "BMSUserErrorInvalidInput"
    assert sim.ask("POST", listing, {OPERATION: "another"}).code == "BMSUserErrorObjectNotFound"
    done(sim, sim.ask("POST", f"{point}/revokeInstantItemRecovery"))
    assert sim.ask("POST", listing, {OPERATION: operation}).code == "BMSUserErrorObjectNotFound"


def test_vaults_their_items_jobs_and_points_are_rows_of_resource_graph(sim: Running) -> None:
    backed_up(sim)
    sim.advance(60)
    query = "recoveryservicesresources | summarize count() by type"
    found = sim.ask("POST", "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01", {"query": query})
    kinds = {row["type"].rsplit("/", 1)[-1]: row["count_"] for row in found.body["data"]}
    assert (kinds["protecteditems"], kinds["recoverypoints"], kinds["backupjobs"]) == (1, 1, 2)
    assert kinds["backuppolicies"] == 3
    asked = {"query": "resources | where type =~ 'Microsoft.RecoveryServices/vaults' | project name"}
    vaults = sim.ask("POST", "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01", asked)
    assert vaults.body["data"] == [{"name": VAULT.rsplit("/", 1)[-1]}]
