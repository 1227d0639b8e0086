"""What a vault is used for, in numbers, and the extended data that hybrid agents keep in it."""

from typing import TYPE_CHECKING

from local.simulator.answers import Document, Reply, encode
from local.simulator.backup_jobs import KIND as JOBS
from local.simulator.backup_jobs import is_running
from local.simulator.listing import joined
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.vault_ids import ROOT, VAULT, items_in, vault_of
from local.simulator.vault_shapes import note

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

# Counts in their order, with what they are called (recorded: test RetrieveVaultUsages); unit, name, words.
_COUNTS = """
Count MABContainersCount Backup management servers
Count ProtectedItemCount Backup items/Azure virtual machine backup
Count ProtectedItemCriticalCount Critical
Count ProtectedItemWarningCount Warning
Count IaaSVMProtectedItemCount Azure Virtual Machines
Count IaaSVMProtectedItemCriticalCount Critical
Count IaaSVMProtectedItemWarningCount Warning
Count MABProtectedItemCount File-Folders
Count DPMProtectedItemCount DPM Protected Items Count
Count AzureBackupServerProtectedItemCount Azure Backup Server Protected Items Count
Count InProgressJobsCount In progress
Count FailedJobsCount Failed
Bytes GRSStorageUsage Cloud - GRS
Bytes LRSStorageUsage Cloud - LRS
Count ManagedInstances Protected Instances
Bytes GRSDedupStorageUsage Dedup - GRS
Bytes LRSDedupStorageUsage Dedup - LRS
Bytes UsedDiskSize Backup Engines' Disk Used
Count ProtectedItem Replicated Items
Count RecoveryPlan Recovery Plans
Count UnHealthyProvider Server health critical
Count DeprecatedProvider
Count UnSupportedProvider
Count SupportedProvider
Count Event Events
Count FailedJob Failed
Count InProgressJob In progress
Count SuspendedJob User input required
Count RegisteredServersCount Registered servers count
0 Critical Critical
0 Warning Warning
"""


DAILY = ("InProgressJobsCount", "FailedJobsCount")  # counts of a day (recorded)


def usages(world: "World", call: "Call") -> Reply:
    """List the counts; those of machines and of jobs are what they are."""
    vault = vault_of(world, call)
    items = items_in(world, vault)
    jobs = world.store.all_of(vault.key, JOBS)
    known = {
        "ProtectedItemCount": len(items),
        "IaaSVMProtectedItemCount": len(items),
        "ManagedInstances": len(items),
        "InProgressJobsCount": sum(1 for job in jobs if is_running(job)),
        "FailedJobsCount": sum(1 for job in jobs if job.document()["properties"]["status"] == "Failed"),
    }
    return joined([encode(_count(line, known)) for line in _COUNTS.strip().splitlines()])


def _count(line: str, known: dict[str, int]) -> Document:
    unit, name, *words = line.split(" ", 2)
    said = {"value": name, "localizedValue": words[0] if words else None}
    count = {"currentValue": known.get(name, 0), "limit": -1, "name": said}
    if name in DAILY:
        count["quotaPeriod"] = "P1D"
    return {"unit": int(unit) if unit.isdigit() else unit, **count}


def get_extended(world: "World", call: "Call") -> Reply:
    """Answer the extended data, or say in a form of its own that there is none (recorded)."""
    vault = vault_of(world, call)
    held = (vault.notes or {}).get("extended")
    if held is None:
        missing = {"ErrorCode": "ResourceExtendedInfoNotFound", "Message": {"Language": "en-US", "Value": ""}}
        return Reply.of(missing, 404)
    return Reply.of(held)


def put_extended(world: "World", call: "Call") -> Reply:
    """Keep the extended data; its id lacks a slash (recorded)."""
    vault = vault_of(world, call)
    held = {
        "name": "vaultExtendedInfo",
        "etag": world.chance.guid(),
        "properties": call.body().get("properties") or {},
        "id": f"{vault.id}extendedInformation/vaultExtendedInfo",
        "type": f"{VAULT}/extendedInformation",
    }
    note(world, vault, call.now, extended=held)
    return Reply.of(held)


_EXTENDED, _SINCE = f"{ROOT}/extendedInformation/vaultExtendedInfo", Versions("2016-06-01")
_NET = "azure-sdk-for-net-2019-02/RecoveryServices"
ROUTES = (
    Route("GET", f"{ROOT}/usages", f"{VAULT}/usages/read", usages, Evidence.RECORDED, f"{_NET}/RetrieveVaultUsages",
          _SINCE),
    Route("GET", _EXTENDED, f"{VAULT}/extendedInformation/read", get_extended, Evidence.RECORDED,
          f"{_NET}/CanCreateGetListDeleteVaultExtendedInfoTest", _SINCE),
    Route("PUT", _EXTENDED, f"{VAULT}/extendedInformation/write", put_extended, Evidence.RECORDED,
          f"{_NET}/CanCreateGetListDeleteVaultExtendedInfoTest", _SINCE),
)  # fmt: skip
