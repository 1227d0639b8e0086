"""Azure Backup of machines over plain HTTP: discovery, protection, runs, jobs, points, stopping and deleting."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.simulator.backing import (
    DAY,
    HOUR,
    ITEM,
    VAULT,
    VM,
    back_up,
    backed_up,
    body_for,
    done,
    item,
    job,
    jobs,
    make_vault,
    operation_of,
    points,
    protect,
)
from tests.simulator.running import COMPUTE, GROUP, SEED, SUBSCRIPTION, Running, inside, simulator

OTHER_VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/other"
STOP = {
    "properties": {"protectedItemType": "Microsoft.Compute/virtualMachines", "protectionState": "ProtectionStopped"}
}
REGION = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.RecoveryServices/locations/westeurope"
BACKUP = {"properties": {"objectType": "IaasVMBackupRequest"}}
TRIGGER = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action"


def protectable(sim: Running) -> list[str]:
    of_machines = quote("backupManagementType eq 'AzureIaasVM'", safe="")
    found = sim.ask("GET", f"{VAULT}/backupProtectableItems?$filter={of_machines}")
    return [each["properties"]["friendlyName"] for each in found.body["value"]]


def test_a_machine_is_protectable_once_it_was_discovered_and_until_it_is_protected(sim: Running) -> None:
    make_vault(sim)
    disk = {"createOption": "Empty", "diskSizeGB": 30, "osType": "Linux"}
    storage = {"osDisk": disk, "dataDisks": []}
    properties = {"hardwareProfile": {"vmSize": "Standard_D2s_v5"}, "storageProfile": storage}
    body = {"location": "westeurope", "properties": properties}
    assert sim.ask("PUT", f"{COMPUTE}/virtualMachines/late", body).status == 201
    sim.advance(300)
    assert protectable(sim) == ["vm1"]
    first = sim.ask("POST", f"{VAULT}/backupFabrics/Azure/refreshContainers")
    second = sim.ask("POST", f"{VAULT}/backupFabrics/Azure/refreshContainers")
    assert (first.status, second.code) == (202, "UserErrorDiscoveryInProgress")
    assert sim.ask("GET", first.headers["location"]).status == 202
    sim.advance(120)
    assert sim.ask("GET", first.headers["location"]).status == 204
    assert protectable(sim) == ["vm1", "late"]
    protect(sim)
    assert protectable(sim) == ["late"]


def test_an_operation_resolves_below_its_item_its_vault_and_the_fabric(sim: Running) -> None:
    make_vault(sim)
    answer = sim.ask("PUT", ITEM, body_for())
    assert (answer.status, answer.body) == (202, None)
    assert "/protectedItems/vm;iaasvmcontainerv2;web;vm1/operationsStatus/" in answer.headers["azure-asyncoperation"]
    name = operation_of(answer)
    under_way = sim.ask("GET", f"{VAULT}/backupOperations/{name}").body
    assert (under_way["status"], under_way["endTime"]) == ("InProgress", "0001-01-01T00:00:00")
    sim.advance(120)
    for path in (
        f"{ITEM}/operationsStatus",
        f"{VAULT}/backupOperations",
        f"{VAULT}/backupFabrics/Azure/operationsStatus",
    ):
        ended = sim.ask("GET", f"{path}/{name}").body
        assert (ended["status"], ended["endTime"]) == ("Succeeded", ended["startTime"])
        assert ended["properties"]["objectType"] == "OperationStatusJobExtendedInfo"
    assert job(sim, ended["properties"]["jobId"])["operation"] == "ConfigureBackup"


def test_the_first_backup_waits_for_the_policys_time_and_the_next_come_daily(sim: Running) -> None:
    make_vault(sim)
    assert protect(sim)["protectionState"] == "IRPending"
    sim.advance(9 * HOUR)
    assert item(sim)["protectionState"] == "IRPending"
    sim.advance(6 * HOUR)
    shown = item(sim)
    assert (shown["protectionState"], shown["lastBackupStatus"]) == ("Protected", "Completed")
    assert shown["healthDetails"][0]["code"] == 400239
    sim.advance(2 * DAY)
    taken = [point["properties"]["recoveryPointTime"] for point in points(sim)]
    assert [time[:10] for time in taken] == ["2026-11-22", "2026-11-21", "2026-11-20"]
    assert all(10 <= int(time[11:13]) < 13 for time in taken)


def test_a_run_snapshots_then_transfers_and_its_point_gains_the_vaults_tier(sim: Running) -> None:
    make_vault(sim)
    protect(sim)
    name = back_up(sim)
    stages, tiers = [], []
    for _ in range(400):
        tasks = [task["status"] for task in job(sim, name)["extendedInfo"]["tasksList"]]
        found = [tier["type"] for point in points(sim) for tier in point["properties"]["recoveryPointTierDetails"]]
        stages += [tasks] if tasks not in stages else []
        tiers += [found] if found not in tiers else []
        sim.advance(30)
    ended = job(sim, name)
    assert stages == [
        ["InProgress", "NotStarted"],
        ["Completed", "NotStarted"],
        ["Completed", "InProgress"],
        ["Completed", "Completed"],
    ]
    assert tiers == [[], ["InstantRP"], ["InstantRP", "HardenedRP"]]
    assert (ended["status"], ended["actionsInfo"]) == ("Completed", ["Cancellable"])


def test_one_backup_at_a_time_and_nine_a_day_on_demand(sim: Running) -> None:
    make_vault(sim)
    protect(sim)
    for _ in range(9):
        name = back_up(sim)
        assert sim.ask("POST", f"{ITEM}/backup", BACKUP).code == "UserErrorBackupOperationInProgress"
        sim.ask("POST", f"{VAULT}/backupJobs/{name}/cancel")
        sim.advance(120)
        assert job(sim, name)["status"] == "Cancelled"
    assert sim.ask("POST", f"{ITEM}/backup", BACKUP).code == "UserErrorMaxOnDemandBackupsReached"


def test_a_job_can_be_cancelled_while_it_snapshots_and_not_after(sim: Running) -> None:
    make_vault(sim)
    protect(sim)
    name = back_up(sim)
    while job(sim, name)["extendedInfo"]["tasksList"][0]["status"] == "InProgress":
        sim.advance(20)
    assert sim.ask("POST", f"{VAULT}/backupJobs/{name}/cancel").code == "UserErrorJobCannotBeCancelled"
    sim.advance(3 * HOUR)
    assert sim.ask("POST", f"{VAULT}/backupJobs/{name}/cancel").code == "UserErrorJobNotInProgress"


FAILURES: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("agent missing", {"agent": "missing"}, "UserErrorGuestAgentStatusUnavailable", "ActionRequired"),
    ("never started", {"power": "deallocated"}, "AzureVmOffline", "ActionRequired"),
    (
        "VSS broken",
        {"backup": "ExtensionFailedVssWriterInBadState"},
        "ExtensionFailedVssWriterInBadState",
        "ActionRequired",
    ),
    ("internal", {"backup": "BackUpOperationFailed"}, "BackUpOperationFailed", "Passed"),
)


@pytest.mark.parametrize(("said", "guest", "code", "health"), FAILURES, ids=[row[0] for row in FAILURES])
def test_a_guest_fails_a_backup_with_the_code_of_its_state(
    sim: Running, said: str, guest: dict[str, Any], code: str, health: str
) -> None:
    make_vault(sim)
    protect(sim)
    sim.control("POST", "vm", {"id": VM, **guest})
    name = back_up(sim)
    sim.advance(3 * HOUR)
    failed = job(sim, name)
    assert (failed["status"], failed["errorDetails"][0]["errorTitle"]) == ("Failed", code), said
    shown = item(sim)
    assert (shown["lastBackupStatus"], shown["healthStatus"]) == ("Failed", health)
    assert points(sim) == []


def test_a_machine_that_was_backed_up_before_is_backed_up_stopped_and_crash_consistently(sim: Running) -> None:
    backed_up(sim)
    sim.control("POST", "vm", {"id": VM, "power": "deallocated"})
    name = back_up(sim)
    sim.advance(3 * HOUR)
    assert job(sim, name)["status"] == "Completed"
    assert [each["properties"]["recoveryPointType"] for each in points(sim)] == [
        "CrashConsistent",
        "FileSystemConsistent",
    ]


def test_a_deleted_machine_fails_its_backup_and_keeps_its_points(sim: Running) -> None:
    backed_up(sim)
    assert sim.ask("DELETE", VM).status == 202
    sim.advance(600)
    name = back_up(sim)
    sim.advance(3 * HOUR)
    assert job(sim, name)["errorDetails"][0]["errorCode"] == 400136
    assert len(points(sim)) == 1


def test_a_fault_rule_fails_a_scheduled_run_by_name_and_hangs_one_on_demand(sim: Running) -> None:
    make_vault(sim)
    protect(sim)
    named = {"match": {"operation": TRIGGER}, "count": 1, "effect": {"lro": "fail", "code": "UserErrorFsFreezeFailed"}}
    sim.control("POST", "faults", named)
    sim.advance(15 * HOUR)
    failed = jobs(sim)[0]["properties"]
    assert (failed["status"], failed["errorDetails"][0]["errorTitle"]) == ("Failed", "UserErrorFsFreezeFailed")
    sim.control("POST", "faults", {"match": {"operation": TRIGGER}, "count": 1, "effect": {"lro": "hang"}})
    name = back_up(sim)
    sim.advance(3 * DAY)
    assert job(sim, name)["status"] == "InProgress"


def test_jobs_are_listed_by_state_operation_and_start(sim: Running) -> None:
    backed_up(sim)
    assert [each["properties"]["operation"] for each in jobs(sim)] == ["Backup", "ConfigureBackup"]
    assert "extendedInfo" not in jobs(sim)[0]["properties"]
    wanted = "startTime eq '2026-11-20 12:00:00 AM' and endTime eq '2026-11-20 11:59:59 PM' and operation eq 'Backup'"
    assert len(jobs(sim, f"?$filter={quote(wanted, safe='')}")) == 1
    for nothing in ("startTime eq '2026-11-21 12:00:00 AM'", "status eq 'Failed'"):
        assert jobs(sim, "?$filter=" + quote(nothing, safe="")) == []


def test_points_lose_their_snapshot_first_and_end_as_the_policy_says(sim: Running) -> None:
    backed_up(sim)
    assert done(sim, sim.ask("PUT", ITEM, STOP))["status"] == "Succeeded"
    assert done(sim, sim.ask("PUT", ITEM, body_for()))["status"] == "Succeeded"
    sim.advance(3 * DAY)
    oldest = points(sim)[-1]["properties"]
    assert [tier["status"] for tier in oldest["recoveryPointTierDetails"]] == ["Deleted", "Valid"]
    assert oldest["recoveryPointProperties"]["expiryTime"].startswith("2026-12-20")
    sim.advance(28 * DAY)
    assert points(sim)[-1]["properties"]["recoveryPointTime"] > oldest["recoveryPointTime"]


def test_stopped_protection_keeps_points_for_ever_and_runs_nothing(sim: Running) -> None:
    backed_up(sim)
    done(sim, sim.ask("PUT", ITEM, STOP))
    stopped = item(sim)
    assert (stopped["protectionState"], stopped["policyId"]) == ("ProtectionStopped", "")
    assert sim.ask("POST", f"{ITEM}/backup", BACKUP).code == "UserErrorProtectionStopped"
    sim.advance(60 * DAY)
    assert len(points(sim)) == 1
    done(sim, sim.ask("PUT", ITEM, body_for()))
    assert item(sim)["protectionState"] == "Protected"


def test_a_deleted_item_stays_for_fourteen_days_and_can_be_brought_back(sim: Running) -> None:
    backed_up(sim)
    answer = sim.ask("DELETE", ITEM)
    assert "/vaults/safe/backupOperations/" in answer.headers["azure-asyncoperation"]
    done(sim, answer)
    shown = item(sim)
    assert shown["isScheduledForDeferredDelete"] is True
    assert shown["deferredDeleteTimeRemaining"].startswith("13.23:")
    assert sim.ask("PUT", ITEM, body_for()).code == "UserErrorItemInSoftDeletedState"
    assert sim.ask("GET", f"{VAULT}/backupProtectionContainers").body["value"] == []
    deleted = sim.ask("GET", f"{VAULT}/backupDeletedProtectionContainers").body["value"]
    assert deleted[0]["properties"]["registrationStatus"] == "SoftDeleted"
    back = {"properties": {**STOP["properties"], "isRehydrate": True}}
    done(sim, sim.ask("PUT", ITEM, back))
    assert (item(sim)["protectionState"], len(points(sim))) == ("ProtectionStopped", 1)
    done(sim, sim.ask("DELETE", ITEM))
    sim.advance(15 * DAY)
    assert sim.ask("GET", ITEM).status == 404


def test_a_machine_of_another_vault_is_refused_by_the_operation_and_its_job(sim: Running) -> None:
    make_vault(sim)
    protect(sim)
    make_vault(sim, OTHER_VAULT)
    path = ITEM.replace("/vaults/safe/", "/vaults/other/")
    ended = done(sim, sim.ask("PUT", path, body_for(vault=OTHER_VAULT)), OTHER_VAULT)
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "UserErrorVMAlreadyProtected")
    failed = jobs(sim, vault=OTHER_VAULT)[0]["properties"]
    assert (failed["operation"], failed["status"]) == ("ConfigureBackup", "Failed")
    asked = f"{REGION}/backupStatus", {"resourceType": "VM", "resourceId": VM}
    status = sim.ask("POST", *asked)
    assert (status.body["protectionStatus"], status.body["vaultId"].rsplit("/", 1)[-1]) == ("Protected", "safe")


def test_protectable_machines_are_listed_in_pages_of_two_hundred(tmp_path: Path) -> None:
    vm = f'[[vm]]\nsubscription = "{SUBSCRIPTION}"\ngroup = "web"\nname = "m{{}}"\n'
    with inside(tmp_path, SEED + "".join(vm.format(number) for number in range(250))) as sim:
        make_vault(sim)
        first = sim.ask("GET", f"{VAULT}/backupProtectableItems").body
        second = sim.ask("GET", first["nextLink"]).body
        names = [each["name"] for page in (first, second) for each in page["value"]]
        assert (len(first["value"]), len(names), len(set(names)), "nextLink" in second) == (200, 251, 251, False)


def test_lists_of_a_vaults_jobs_are_throttled_by_the_hour(sim: Running) -> None:
    make_vault(sim)
    answers = [sim.ask("GET", f"{VAULT}/backupJobs") for _ in range(151)]
    assert {answer.status for answer in answers[:150]} == {200}
    assert (answers[150].status, answers[150].code) == (429, "ResourceRequestsThrottled")
    sim.advance(60)
    assert sim.ask("GET", f"{VAULT}/backupJobs").status == 200


def test_protection_and_what_is_planned_outlive_the_process(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state.db"))
    with simulator(tmp_path, *state) as sim:
        make_vault(sim)
        protect(sim)
        name = back_up(sim)
        sim.advance(400)
        assert job(sim, name)["status"] == "InProgress"
    with simulator(tmp_path, *state) as sim:
        sim.advance(3 * HOUR)
        assert job(sim, name)["status"] == "Completed"
        sim.advance(14 * HOUR)
        assert [each["properties"]["operation"] for each in jobs(sim)] == ["Backup", "Backup", "ConfigureBackup"]
        assert len(points(sim)) == 2
