"""The work behind protected items: an item comes, changes, stops, is deleted softly, comes back, goes for good.

Accepted by backup_items.py, ended here in virtual time, each with its job.
"""

from typing import TYPE_CHECKING

from local.simulator import backup_jobs, backup_operations, backup_policies, backup_runs, recovery_points
from local.simulator.answers import ArmError, Document
from local.simulator.backup_errors import BackupError, error_of
from local.simulator.backup_schedule import DAY
from local.simulator.clock import iso
from local.simulator.ids import parse
from local.simulator.item_shapes import check_policy_fits, new_item
from local.simulator.lro import Mourner, Operation
from local.simulator.schedule import Happening
from local.simulator.store import Resource
from local.simulator.vault_ids import ITEM, item_id, items_in, vault_above
from local.simulator.vault_shapes import note, soft_delete_days

if TYPE_CHECKING:
    from local.simulator.world import World

GONE = "backup-gone"
ensure_policies = backup_policies.ensure_defaults
soft_days = soft_delete_days


def order_job(world: "World", vault: Resource, machine: str, operation: str, policy: str, at: float) -> Resource:
    """Make the job of an operation, which ends with it; the properties are as recorded."""
    friendly = parse(machine).name
    bag: Document = {"VM Name": friendly}
    if operation in ("ConfigureBackup", "DisableBackup"):
        bag["Policy Name"] = policy
    if operation == "DeleteBackupData":
        item = world.store.get(item_id(vault, machine).lower())
        bag["Number of Recovery Points"] = str(len(recovery_points.points_of(world, item)) if item else 0)
    if operation == "Undelete":
        bag["Undelete flag"] = "True"
    job = backup_jobs.begin(world, vault, backup_jobs.Order(operation, machine, friendly, bag), at)
    target = world.store.get(item_id(vault, machine).lower()) or vault
    busy = dict((target.notes or {}).get("busy", {}))
    busy[item_id(vault, machine).lower()] = job.key
    note(world, target, at, busy=busy if target is not vault else _running(world, busy))
    return job


def _running(world: "World", busy: dict[str, str]) -> dict[str, str]:
    return {name: key for name, key in busy.items() if backup_jobs.is_running(world.store.get(key))}


def _done(world: "World", operation: Operation, at: float) -> Document:
    job = world.store.get(str(operation.arguments["job"]))
    if job is not None:
        backup_jobs.end(world, job, at)
    return backup_operations.job_output(str(operation.arguments["job"]).rsplit("/", 1)[-1])


def _refused(error: BackupError) -> ArmError:
    return ArmError(400, error.name, error.message)


def finish_protect(world: "World", operation: Operation, at: float) -> Document:
    """Let an item be there, waiting for its first backup."""
    vault = world.store.get(operation.target)
    machine = world.store.get(str(operation.arguments["machine"]).lower())
    policy = world.store.get(str(operation.arguments["policy"]))
    if vault is None or policy is None:
        raise ArmError(404, "UserErrorGenericResourceNotFound", "Azure resource does not exist.")
    if machine is None:
        raise _refused(error_of("UserErrorVmNotFoundV2"))
    if machine.document()["properties"].get("provisioningState") not in ("Succeeded", "Failed"):
        raise _refused(error_of("UserErrorVmNotInDesirableState"))
    if _protected_elsewhere(world, vault, machine):
        raise _refused(error_of("UserErrorVMAlreadyProtected"))
    check_policy_fits(machine.document(), policy.document()["properties"])
    new_id = item_id(vault, machine.id)
    found = world.store.get(new_id.lower())
    if found is None:
        document = new_item(world, vault, machine, new_id)
        notes = {"vm": machine.key, "item": True}
        found = world.store.create(new_id, document, at, notes=notes)
    _bind(world, found, policy, operation.arguments.get("extended"), at)
    note(world, vault, at, items=len(items_in(world, vault)))
    return _done(world, operation, at)


def _protected_elsewhere(world: "World", vault: Resource, machine: Resource) -> bool:
    subscription = "/".join(machine.key.split("/")[:3])
    items = world.store.all_of(subscription, ITEM.lower())
    return any(
        (item.notes or {}).get("vm") == machine.key and not item.key.startswith(vault.key + "/") for item in items
    )


def _bind(world: "World", item: Resource, policy: Resource, extended: Document | None, at: float) -> None:
    """Put an item under a policy and plan its next run."""
    document, held = item.document(), policy.document()
    properties = document["properties"]
    properties |= {"policyId": policy.id, "policyName": held["name"]}
    newer = held["properties"].get("policyType") == "V2"
    if newer:
        properties["policyType"] = "V2"
    if extended is not None:
        chosen = {name: value for name, value in extended.items() if value is not None}
        properties.pop("extendedProperties", None)
        if chosen:
            properties["extendedProperties"] = chosen
    if properties["protectionState"] == "ProtectionStopped":
        properties["protectionState"] = "Protected" if properties.get("lastRecoveryPoint") else "IRPending"
        recovery_points.resume(world, item, at)
    item.notes = {**(item.notes or {}), "policy": policy.key, "policy_type": "V2" if newer else "V1"}
    item.notes.pop("container", None)
    world.store.write(item, document, at)
    backup_runs.plan_next(world, item, at)


def _item(world: "World", operation: Operation) -> Resource:
    found = world.store.get(operation.target)
    if found is None:
        raise ArmError(404, "UserErrorGenericResourceNotFound", "Azure resource does not exist.")
    return found


def finish_modify(world: "World", operation: Operation, at: float) -> Document:
    """Change an item's policy or disks, or resume its protection."""
    item, policy = _item(world, operation), world.store.get(str(operation.arguments["policy"]))
    if policy is None:
        raise ArmError(404, "UserErrorGenericResourceNotFound", "Azure resource does not exist.")
    extended = operation.arguments.get("extended", item.document()["properties"].get("extendedProperties"))
    _bind(world, item, policy, extended or {}, at)
    return _done(world, operation, at)


def _unbind(world: "World", item: Resource, at: float, **changes: object) -> None:
    document = item.document()
    document["properties"] |= {"protectionState": "ProtectionStopped", "policyId": "", "policyName": "", **changes}
    item.notes = {**(item.notes or {}), "policy": "", "due": None}
    world.store.write(item, document, at)


def finish_stop(world: "World", operation: Operation, at: float) -> Document:
    """Stop an item's protection and keep its data."""
    _unbind(world, _item(world, operation), at)
    return _done(world, operation, at)


def finish_delete(world: "World", operation: Operation, at: float) -> Document:
    """Delete an item softly: it stays, stopped, for some days (recorded)."""
    item = _item(world, operation)
    days = soft_delete_days(vault_above(world, item)) or 14
    changes = {"deferredDeleteTimeInUTC": iso(operation.started), "isScheduledForDeferredDelete": True}
    _unbind(world, item, at, **changes, softDeleteRetentionPeriod=days)
    until = operation.started + days * DAY
    item.notes = {**(item.notes or {}), "container": "SoftDeleted", "gone_at": until}
    world.store.touch(item, at)
    world.schedule.enter(until, GONE, f"{item.key}|{until}")
    return _done(world, operation, at)


def finish_undelete(world: "World", operation: Operation, at: float) -> Document:
    """Bring a softly deleted item back, stopped (recorded)."""
    item = _item(world, operation)
    document = item.document()
    for name in ("deferredDeleteTimeInUTC", "isScheduledForDeferredDelete"):
        document["properties"].pop(name, None)
    document["properties"]["softDeleteRetentionPeriod"] = 0
    item.notes = {**(item.notes or {}), "gone_at": None}
    world.store.write(item, document, at)
    return _done(world, operation, at)


def finish_purge(world: "World", operation: Operation, at: float) -> Document:
    """Remove an item with all its points."""
    item = _item(world, operation)
    vault = vault_above(world, item)
    world.store.remove(item, at)
    note(world, vault, at, items=len(items_in(world, vault)))
    return _done(world, operation, at)


def gone(world: "World", happening: Happening) -> None:
    """Remove a softly deleted item when its time is over."""
    key, _, until = happening.target.rpartition("|")
    item = world.store.get(key)
    if item is not None and (item.notes or {}).get("gone_at") == float(until):
        vault = vault_above(world, item)
        world.store.remove(item, happening.due)
        note(world, vault, happening.due, items=len(items_in(world, vault)))


def finish_job(world: "World", operation: Operation, _at: float) -> Document:
    """Name the job that was started; it goes on by itself."""
    return backup_operations.job_output(str(operation.arguments["job"]).rsplit("/", 1)[-1])


def mourn(world: "World", operation: Operation, at: float) -> None:
    """Let the job of a failed operation fail with it."""
    job = world.store.get(str(operation.arguments.get("job", "")))
    if job is not None and backup_jobs.is_running(job) and operation.error is not None:
        code = str(operation.error["code"])
        known = error_of("BackUpOperationFailed" if code == "InternalExecutionError" else code)
        backup_jobs.end(world, job, at, known)


HAPPENINGS = {GONE: gone}
FINISHERS = {
    "backup.protect": finish_protect,
    "backup.modify": finish_modify,
    "backup.stop": finish_stop,
    "backup.delete": finish_delete,
    "backup.undelete": finish_undelete,
    "backup.purge": finish_purge,
    "backup.job": finish_job,
}
MOURNERS: dict[str, Mourner] = {name: mourn for name in FINISHERS if name != "backup.job"}
