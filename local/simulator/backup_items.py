"""Protected items: machines under a vault's protection: shown, listed, protected, stopped, resumed, changed, deleted.

What a PUT means depends on its body and on what is there (recorded); the work itself is in backup_protection.py.
"""

from typing import TYPE_CHECKING

from local.simulator import backup_jobs, backup_operations, backup_protection, backup_runs, vault_errors
from local.simulator.answers import Document, Reply, encode
from local.simulator.backup_containers import PAGE
from local.simulator.backup_errors import INTERNAL
from local.simulator.backup_schedule import DAY
from local.simulator.clock import parse_time
from local.simulator.ids import key_of, parse
from local.simulator.listing import members_of, paged
from local.simulator.odata import fits, terms_of
from local.simulator.recovery_points import item_of
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.vault_config import check_guard, check_immutable
from local.simulator.vault_ids import ITEM, ITEM_ROOT, MACHINE, ROOT, VAULT, item_id, items_in, same, vault_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

KIND = ITEM.lower()
KIND_OF_MACHINE = "Microsoft.Compute/virtualMachines"
MOST_MACHINES = 1000  # per vault (documented)
MOST_ON_DEMAND = 9  # in a day, a hard stop of the service (documented)


KPIS_SINCE, KPIS_UNTIL = "2021-01-01", "2021-12-01"  # versions that show them (recorded: neither 2017-07 nor 2024-04)
DAYS_RENAMED = "2024-10-01"  # softDeleteRetentionPeriod became ...InDays (specified: 2025-02-01; recorded: 2024-04-01)


def _health(properties: Document) -> Document:
    """Write the health of an item's backups, as versions of 2021 show it (recorded)."""
    last = properties["lastBackupStatus"]
    if not last:
        return {}
    details, state = [{"code": 0, "title": "Success", "message": "", "recommendations": []}], "Healthy"
    if last == "Failed":
        mended = properties["healthStatus"] == "ActionRequired"
        details = properties["healthDetails"] if mended else [INTERNAL.detail()]
        state = "TransientDegraded" if mended else "TransientUnhealthy"
    return {"BackupOperationStatusKPI": {"resourceHealthStatus": state, "resourceHealthDetails": details}}


def shown(item: Resource, call: "Call") -> Document:
    """Write an item; how long a deleted one stays is as of now."""
    document, now = item.document(), call.now
    properties = document["properties"]
    if KPIS_SINCE <= call.version < KPIS_UNTIL:
        properties["kpisHealths"] = _health(properties)
    days = properties["softDeleteRetentionPeriod"]
    if call.version >= DAYS_RENAMED:
        properties["softDeleteRetentionPeriodInDays"] = properties.pop("softDeleteRetentionPeriod")
    if properties.get("isScheduledForDeferredDelete"):
        ends = parse_time(properties["deferredDeleteTimeInUTC"]) + days * DAY
        days, rest = divmod(max(0.0, ends - now), DAY)
        hours, rest = divmod(rest, 3600)
        minutes, seconds = divmod(rest, 60)
        left = f"{int(days)}.{int(hours):02}:{int(minutes):02}:{seconds:010.7f}"
        properties["deferredDeleteTimeRemaining"] = left
    return document


def get(world: "World", call: "Call") -> Reply:
    """Answer one."""
    vault_of(world, call)
    return Reply.of(shown(item_of(world, call), call))


def every(world: "World", call: "Call") -> Reply:
    """List those of a vault that fit a filter (recorded: management type, item type, policy name)."""
    vault, terms = vault_of(world, call), terms_of(call)
    terms = {"workloadtype" if name == "itemtype" else name: value for name, value in terms.items()}
    found = [shown(item, call) for item in members_of(world, call, vault.key, KIND)]
    return paged(call, [encode(each) for each in found if fits(each["properties"], terms)], PAGE)


def put(world: "World", call: "Call") -> Reply:
    """Protect, change, stop, resume or undelete (202), as the body and the item's state say."""
    vault = vault_of(world, call)
    asked = call.body().get("properties") or {}
    if str(asked.get("protectedItemType", KIND_OF_MACHINE)).lower() not in (MACHINE, "azureiaasvmprotecteditem"):
        raise vault_errors.bad_protection()
    found = world.store.get(key_of(call.path))
    if asked.get("isRehydrate"):
        return _undelete(world, call, _existing(found))
    if asked.get("protectionState") == "ProtectionStopped" or (found is not None and asked.get("policyId") == ""):
        return _stop(world, call, vault, _existing(found))
    return _protect(world, call, vault, found)


def _existing(found: Resource | None) -> Resource:
    if found is None:
        raise vault_errors.missing("BMSUserErrorItemNotFound", "Protected item")
    return found


def _protect(world: "World", call: "Call", vault: Resource, found: Resource | None) -> Reply:
    asked = call.body()["properties"]
    policy = world.store.get(key_of(str(asked.get("policyId") or "")))
    backup_protection.ensure_policies(world, vault)
    policy = policy or world.store.get(key_of(str(asked.get("policyId") or "")))
    if policy is None or not policy.key.startswith(vault.key + "/backuppolicies/"):
        raise vault_errors.bad_protection()
    _check_idle(world, found or vault, call.path)
    if found is not None:
        return _change(world, call, vault, found, policy)
    machine = _machine(world, call, vault)
    world.access.check_linked(call.principal.oid, call.route.action, call.path, [machine.id])
    if len(items_in(world, vault)) >= MOST_MACHINES:
        message = f"The vault protects {MOST_MACHINES} virtual machines already, which is its limit."
        raise vault_errors.refused(400, "UserErrorMaxProtectedItemsReached", message)
    arguments = {"machine": machine.id, "policy": policy.key, "extended": asked.get("extendedProperties")}
    job = backup_protection.order_job(world, vault, machine.id, "ConfigureBackup", policy.document()["name"], call.now)
    operation = backup_operations.begin(world, call, vault, "backup.protect", {**arguments, "job": job.key})
    return backup_operations.accepted(call, operation)


def _check_idle(world: "World", target: Resource, path: str) -> None:
    """Refuse while another operation on the item is under way (documented: wait for it; status and code assumed)."""
    busy = str((target.notes or {}).get("busy", {}).get(key_of(path), ""))
    if busy and backup_jobs.is_running(world.store.get(busy)):
        message = "Another operation is in progress on the selected item. Please wait until it is finished and retry."
        raise vault_errors.refused(409, "UserErrorAnotherOperationInProgress", message)


def _machine(world: "World", call: "Call", vault: Resource) -> Resource:
    """Return the machine to protect; its name in the path and its id have to agree."""
    asked = call.body()["properties"]
    source = str(asked.get("sourceResourceId") or asked.get("virtualMachineId") or "")
    found = world.store.get(key_of(source))
    if found is None or found.type != MACHINE or not same(item_id(vault, source), call.path):
        raise vault_errors.bad_protection()
    if parse(found.id).subscription.lower() != parse(vault.id).subscription.lower():
        raise vault_errors.bad_protection()
    if found.document()["location"] != vault.document()["location"]:
        message = "The virtual machine and the vault have to be in the same region."
        raise vault_errors.refused(400, "UserErrorVaultAndVmInDifferentRegions", message)
    return found


def _change(world: "World", call: "Call", vault: Resource, item: Resource, policy: Resource) -> Reply:
    properties = item.document()["properties"]
    if properties.get("isScheduledForDeferredDelete"):
        message = "The item is in soft deleted state. Undelete it before protecting it again."
        raise vault_errors.refused(400, "UserErrorItemInSoftDeletedState", message)
    _check_policy_type(world, item, policy)
    source = str(call.body()["properties"].get("sourceResourceId") or properties["sourceResourceId"])
    arguments: Document = {"policy": policy.key}
    if "extendedProperties" in call.body()["properties"]:
        arguments["extended"] = call.body()["properties"]["extendedProperties"]
    job = backup_protection.order_job(world, vault, source, "ConfigureBackup", policy.document()["name"], call.now)
    operation = backup_operations.begin(world, call, item, "backup.modify", {**arguments, "job": job.key})
    return backup_operations.accepted(call, operation)


def _check_policy_type(world: "World", item: Resource, policy: Resource) -> None:
    """Refuse to go from an enhanced policy back to a standard one (assumed; pages say it cannot be done)."""
    newer = policy.document()["properties"].get("policyType") == "V2"
    if (item.notes or {}).get("policy_type") == "V2" and not newer:
        message = "Switching a virtual machine from an enhanced policy to a standard policy is not supported."
        raise vault_errors.refused(400, "UserErrorPolicyTypeChangeNotSupported", message)


def _stop(world: "World", call: "Call", vault: Resource, item: Resource) -> Reply:
    check_guard(vault, call, "stopping protection")
    _check_idle(world, item, call.path)
    source = item.document()["properties"]["sourceResourceId"]
    job = backup_protection.order_job(world, vault, source, "DisableBackup", "", call.now)
    operation = backup_operations.begin(world, call, item, "backup.stop", {"job": job.key})
    return backup_operations.accepted(call, operation)


def _undelete(world: "World", call: "Call", item: Resource) -> Reply:
    properties = item.document()["properties"]
    if not properties.get("isScheduledForDeferredDelete"):
        message = "The item is not in soft deleted state."
        raise vault_errors.refused(400, "UserErrorItemNotInSoftDeletedState", message)
    vault = vault_of(world, call)
    job = backup_protection.order_job(world, vault, properties["sourceResourceId"], "Undelete", "", call.now)
    operation = backup_operations.begin(world, call, item, "backup.undelete", {"job": job.key})
    return backup_operations.accepted(call, operation)


def delete(world: "World", call: "Call") -> Reply:
    """Delete an item with its data (202): softly where the vault does so, for good otherwise; unknown ones are 204."""
    vault, found = vault_of(world, call), world.store.get(key_of(call.path))
    if found is None:
        return Reply(204)
    properties = found.document()["properties"]
    softly = backup_protection.soft_days(vault) > 0
    check_guard(vault, call, "deleting backup data")
    if properties.get("lastRecoveryPoint"):
        check_immutable(vault, "deleting backup data")
    if softly and properties.get("isScheduledForDeferredDelete"):
        message = "The item is in soft deleted state already."
        raise vault_errors.refused(400, "UserErrorItemInSoftDeletedState", message)
    _check_idle(world, found, call.path)
    source = properties["sourceResourceId"]
    job = backup_protection.order_job(world, vault, source, "DeleteBackupData", "", call.now)
    pace = "backup.delete" if softly else "backup.purge"
    operation = backup_operations.begin(world, call, found, pace, {"job": job.key})
    return backup_operations.accepted(call, operation, "/" + "/".join(call.path.strip("/").split("/")[:8]), vaults=True)


def back_up(world: "World", call: "Call") -> Reply:
    """Start a backup on demand (202): one at a time, nine a day (documented)."""
    vault_of(world, call)
    item = world.store.get(backup_runs.item_key_of(call.path))
    item = _existing(item)
    state = item.document()["properties"]["protectionState"]
    if state == "ProtectionStopped":
        message = "Protection of the item is stopped. Resume it before backing up."
        raise vault_errors.refused(400, "UserErrorProtectionStopped", message)
    if backup_runs.is_busy(world, item):
        raise vault_errors.refused(
            409,
            "UserErrorBackupOperationInProgress",
            "Unable to initiate backup as another backup operation is currently in progress.",
        )
    made = [at for at in (item.notes or {}).get("on_demand", []) if at > call.now - DAY]
    if len(made) >= MOST_ON_DEMAND:
        message = f"The limit of {MOST_ON_DEMAND} backups on demand a day has been reached for the item."
        raise vault_errors.refused(400, "UserErrorMaxOnDemandBackupsReached", message)
    item.notes = {**(item.notes or {}), "on_demand": [*made, call.now]}
    effect = call.fault.effect if call.fault else {}
    job = backup_runs.begin(world, item, call.now, backup_runs.asked_expiry(call.body()), effect)
    operation = backup_operations.begin(world, call, item, "backup.job", {"job": job.key})
    return backup_operations.accepted(call, operation, call.path.rsplit("/", 1)[0])


_R, _SINCE = Evidence.RECORDED, Versions("2016-06-01")
_CLI, _SOFT = "azure-cli-2025-02/backup/test_backup_scenario", "azure-cli-2025-02/backup/test_backup_softdelete"
ROUTES = (
    Route("GET", f"{ROOT}/backupProtectedItems", f"{VAULT}/backupProtectedItems/read", every, _R, _CLI, _SINCE,
          lists=True),
    Route("GET", ITEM_ROOT, f"{ITEM}/read", get, _R, "azure-cli-2025-02/backup/test_backup_item", _SINCE),
    Route("PUT", ITEM_ROOT, f"{ITEM}/write", put, _R, f"{_CLI}, {_SOFT}", _SINCE),
    Route("DELETE", ITEM_ROOT, f"{ITEM}/delete", delete, _R, f"{_CLI}, {_SOFT}", _SINCE),
    Route("POST", f"{ITEM_ROOT}/backup", f"{ITEM}/backup/action", back_up, _R, _CLI, _SINCE),
)  # fmt: skip
