"""What a vault has in its paired region, over plain HTTP: hours later, by access from the vault, never cancelled."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.backing import DAY, HOUR, ITEM, VAULT, VM, backed_up, operation_of, points
from tests.simulator.running import GROUP, SUBSCRIPTION, Answer, Running

VERSION = "?api-version=2018-12-20"
THERE = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.RecoveryServices/locations/northeurope"
TARGET = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/far"
STAGING = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/staging"
CROSSING = {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Enabled"}


@pytest.fixture
def crossed(sim: Running) -> Running:
    """A vault with cross-region restore, and a point that is in the paired region by now."""
    sim.ask("PUT", f"{TARGET}?api-version=2024-11-01", {"location": "northeurope"})
    backed_up(sim, redundancySettings=CROSSING)
    sim.advance(DAY / 2)
    return sim


def listed(sim: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sim.ask("GET", f"{ITEM}/recoveryPoints{VERSION}").body["value"]
    return found


def identity(sim: Running, there: str = THERE) -> dict[str, Any]:
    found: dict[str, Any] = sim.ask("GET", f"{there}/backupAadProperties{VERSION}").body["properties"]
    return found


def access(sim: Running, principal: dict[str, Any] | None = None, point: str = "") -> Answer:
    path = f"{ITEM}/recoveryPoints/{point or points(sim)[-1]['name']}/accessToken{VERSION}"
    return sim.ask("POST", path, {"properties": principal or identity(sim)})


def restore(sim: Running, given: dict[str, Any] | None = None, there: str = THERE, **more: Any) -> Answer:
    wanted = {
        "objectType": "IaasVMRestoreRequest",
        "recoveryPointId": points(sim)[-1]["name"],
        "recoveryType": "RestoreDisks",
        "sourceResourceId": VM,
        "storageAccountId": STAGING,
        "targetResourceGroupId": TARGET,
        "region": "northeurope",
        **more,
    }
    details = given or access(sim).body["properties"]
    body = {"crossRegionRestoreAccessDetails": details, "restoreRequest": wanted}
    return sim.ask("POST", f"{there}/backupCrossRegionRestore{VERSION}", body)


def job(sim: Running, name: str, of: str = VAULT) -> Answer:
    return sim.ask("POST", f"{THERE}/backupCrrJob{VERSION}", {"resourceId": of, "jobName": name})


def test_a_point_is_in_the_paired_region_some_hours_after_it_reached_the_vault(crossed: Running) -> None:
    newer, older = points(crossed)
    [point] = listed(crossed)
    assert point["name"] == older["name"], "the daily backup has made another one that is not copied yet"
    tiers = {(one["type"], one["status"]) for one in point["properties"]["recoveryPointTierDetails"]}
    assert (2, 1) in tiers, "older versions number the tiers"
    assert access(crossed, point=newer["name"]).code == "UserErrorRecoveryPointNotInSecondaryRegion"
    crossed.advance(DAY / 2)
    assert newer["name"] in {one["name"] for one in listed(crossed)}


@pytest.mark.parametrize("settings", [{**CROSSING, "crossRegionRestore": "Disabled"}, None])
def test_a_vault_without_cross_region_restore_has_nothing_there(sim: Running, settings: dict[str, str] | None) -> None:
    backed_up(sim, **({"redundancySettings": settings} if settings else {}))
    sim.advance(DAY / 2)
    assert listed(sim) == []
    assert access(sim).code == "UserErrorCrossRegionRestoreNotPossible"


def test_disks_come_back_in_the_paired_region_by_a_job_of_that_region(crossed: Running) -> None:
    answer = restore(crossed)
    assert (answer.status, answer.headers["retry-after"]) == (202, "60")
    where = f"{THERE}/backupCrrOperationsStatus/{operation_of(answer)}{VERSION}"
    crossed.advance(2)
    ended = crossed.ask("GET", where).body
    assert ended["status"] == "Succeeded"
    name = ended["properties"]["jobId"]
    running = job(crossed, name).body
    assert running["type"] == "Microsoft.RecoveryServices/vaults/backupJobs"
    said = running["properties"]
    assert (said["operation"], said["status"], said["entityFriendlyName"]) == (
        "CrossRegionRestore",
        "InProgress",
        "vm1",
    )
    assert not {"containerName", "actionsInfo"} & said.keys(), "it names no container and cannot be cancelled"
    assert crossed.ask("GET", f"{VAULT}/backupJobs/{name}").status == 404
    assert crossed.ask("POST", f"{VAULT}/backupJobs/{name}/cancel").status == 404
    crossed.advance(HOUR)
    assert job(crossed, name).body["properties"]["status"] == "Completed"
    assert job(crossed, name, VM).status == 200
    assert job(crossed, name, f"{VAULT}x").status == 404
    disks = crossed.ask("GET", f"{TARGET}/providers/Microsoft.Compute/disks").body["value"]
    assert [disk["name"].rsplit("-2026", 1)[0] for disk in disks] == ["vm1-osdisk", "vm1-datadisk-003"]
    assert {disk["location"] for disk in disks} == {"northeurope"}
    assert not any("zones" in disk for disk in disks)
    results = where.replace("OperationsStatus", "OperationResults")
    assert crossed.ask("GET", results).status == 200


def test_the_jobs_of_a_region_are_listed_by_their_vault_and_time(crossed: Running) -> None:
    restore(crossed)
    crossed.advance(HOUR)
    asked = {"resourceId": VAULT}
    path = f"{THERE}/backupCrrJobs{VERSION}"
    [one] = crossed.ask("POST", path, asked).body["value"]
    assert one["properties"]["operation"] == "CrossRegionRestore"
    assert "extendedInfo" not in one["properties"]
    assert crossed.ask("POST", path, {"resourceId": f"{VAULT}x"}).body["value"] == []
    window = "startTime eq '2030-01-01 12:00:00 AM' and endTime eq '2031-01-01 12:00:00 AM'"
    assert crossed.ask("POST", f"{path}&$filter={window.replace(' ', '%20')}", asked).body["value"] == []


def test_access_is_for_one_point_and_one_region(crossed: Running) -> None:
    details = access(crossed).body["properties"]
    assert details["objectType"] == "WorkloadCrrAccessToken"
    elsewhere = THERE.replace("northeurope", "eastus")
    assert access(crossed, identity(crossed, elsewhere)).code == "UserErrorCrossRegionRestoreNotPossible"
    for wrong in ({"accessTokenString": "x"}, {"recoveryPointId": "1"}, {"resourceName": "other"}):
        assert restore(crossed, {**details, **wrong}).code == "UserErrorInvalidCrossRegionRestoreAccess"
    assert restore(crossed, details, elsewhere, region="eastus").code == "UserErrorInvalidCrossRegionRestoreAccess"
    assert restore(crossed, details).status == 202


@pytest.mark.parametrize(
    "wrong", [{"recoveryType": "OriginalLocation"}, {"region": "westeurope"}, {"recoveryPointId": "1"}]
)
def test_nothing_is_replaced_nor_restored_elsewhere(crossed: Running, wrong: dict[str, Any]) -> None:
    assert restore(crossed, **wrong).code == "BMSUserErrorInvalidRestoreRequest"


def test_a_new_machine_stands_in_the_paired_region(crossed: Running) -> None:
    network = f"{TARGET}/providers/Microsoft.Network/virtualNetworks/far-net"
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}
    subnets = [{"name": "a", "properties": {"addressPrefix": "10.1.0.0/24"}}]
    crossed.put_done(network, {"location": "northeurope", "properties": {**space, "subnets": subnets}})
    target = f"{TARGET}/providers/Microsoft.Compute/virtualMachines/again"
    more: dict[str, Any] = {"recoveryType": "AlternateLocation", "targetVirtualMachineId": target}
    more["subnetId"] = f"{network}/subnets/a"
    assert restore(crossed, **more).status == 202
    crossed.advance(2 * HOUR)
    machine = crossed.ask("GET", target).body
    assert (machine["location"], machine["properties"]["provisioningState"]) == ("northeurope", "Succeeded")
    assert crossed.ask("GET", VM).body["location"] == "westeurope"


@pytest.mark.parametrize("path", ["backupCrrOperationsStatus/eDt5", "backupCrrOperationResults/%21"])
def test_what_a_region_does_not_know_is_missing(crossed: Running, path: str) -> None:
    assert crossed.ask("GET", f"{THERE}/{path}{VERSION}").status == 404
    nowhere = THERE.replace("northeurope", "nowhere")
    assert crossed.ask("GET", f"{nowhere}/{path}{VERSION}").status == 400


def test_regions_say_which_they_are_paired_with(sim: Running) -> None:
    found = sim.ask("GET", f"/subscriptions/{SUBSCRIPTION}/locations?api-version=2022-12-01").body["value"]
    pairs = {one["name"]: one["metadata"]["pairedRegion"][0]["name"] for one in found}
    assert (pairs["westeurope"], pairs["northeurope"]) == ("northeurope", "westeurope")
