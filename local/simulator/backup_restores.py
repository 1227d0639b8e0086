"""Restores from a vault: disks, a new machine, or the disks of the old one replaced; accepted, carried on, ended.

The job has the operation's name (recorded). What is restored is made in restored_machines.py.
"""

from typing import TYPE_CHECKING, Any

from local.simulator import backup_jobs, backup_operations, restored_machines, vault_errors
from local.simulator.answers import ArmError, Document, Reply
from local.simulator.backup_errors import error_of
from local.simulator.backup_runs import us_time
from local.simulator.clock import parse_time
from local.simulator.ids import key_of, parse
from local.simulator.lro import Timing
from local.simulator.recovery_points import item_of, point_at
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.schedule import Happening
from local.simulator.store import Resource
from local.simulator.vault_ids import ITEM_ROOT, POINT, vault_above
from local.simulator.within import Caller

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

PHASE = "restore-phase"
# Seconds of a restore: median 3 min, longest 37 min (recorded); its progress is told at these shares.
RESTORE_SECONDS, RESTORE_LONGEST = 180.0, 2220.0
SHARES = (0.02, 0.5, 0.85, 0.95, 1.0)
# What a job says of each kind, with its tasks (recorded for disks; the others' tasks too, in notes of recordings).
KINDS = {
    "restoredisks": ("Recover disks", ("Transfer data from vault",)),
    "alternatelocation": (
        "Recover to an alternate location",
        ("Transfer data from vault", "Create the restored virtual machine"),
    ),
    "originallocation": (
        "Recover to the original location",
        ("Transfer data from vault", "Update the virtual machine"),
    ),
}


def restore(world: "World", call: "Call") -> Reply:
    """Start a restore (202) of a recovery point."""
    item = item_of(world, call)
    point = point_at(world, key_of(call.path.rsplit("/", 1)[0]))
    asked = call.body().get("properties") or {}
    kind = str(asked.get("recoveryType", "")).lower()
    check(world, item, asked, kind)
    operation = backup_operations.begin(world, call, item, "backup.job", {})
    vault = vault_above(world, item)
    job = backup_jobs.begin(world, vault, order_of(item, point, asked), call.now, operation.id)
    backup_jobs.start_task(world, job, 0, call.now)
    operation.arguments = {"job": job.key}
    world.operations.keep(operation)
    enter(world, call, job, asked, point)
    return backup_operations.accepted(call, operation, "/" + "/".join(call.path.strip("/").split("/")[:14]))


def check(world: "World", item: Resource, asked: Document, kind: str) -> None:
    """Refuse a restore that could not be carried out."""
    properties = item.document()["properties"]
    if kind not in KINDS or not asked.get("storageAccountId") or not asked.get("region"):
        message = "Input for restore is not in proper format."
        raise vault_errors.refused(400, "BMSUserErrorInvalidRestoreRequest", message)
    if properties.get("isScheduledForDeferredDelete"):
        message = "The item is in soft deleted state. Undelete it before restoring."
        raise vault_errors.refused(400, "UserErrorItemInSoftDeletedState", message)
    if kind == "alternatelocation" and not (asked.get("targetVirtualMachineId") and asked.get("subnetId")):
        message = "A new virtual machine needs a name and a subnet."
        raise vault_errors.refused(400, "BMSUserErrorInvalidRestoreRequest", message)
    if kind == "originallocation" and world.store.get(key_of(properties["sourceResourceId"])) is None:
        message = "Virtual machine doesn't exist; its disks cannot be replaced."
        raise vault_errors.refused(400, "UserErrorVmNotFoundV2", message)


def order_of(item: Resource, point: Resource, asked: Document, operation: str = "Restore") -> backup_jobs.Order:
    """Write down what a job is to do."""
    properties = item.document()["properties"]
    said, tasks = KINDS[str(asked["recoveryType"]).lower()]
    target = parse(str(asked.get("targetVirtualMachineId") or "")).name or "vmName"
    taken = parse_time(point.document()["properties"]["recoveryPointTime"])
    bag = {
        "Job Type": said,
        "Target VM Name": target,
        "Target Storage Account Name": parse(str(asked["storageAccountId"])).name,
        "Recovery point time ": us_time(taken),
    }
    return backup_jobs.Order(
        operation,
        properties["sourceResourceId"],
        properties["friendlyName"],
        bag,
        tasks,
        {"restoreLocationType": str(asked["recoveryType"])},
        cancellable=operation == "Restore",
        extended={"dynamicErrorMessage": ""},
    )


def enter(world: "World", call: "Call", job: Resource, asked: Document, point: Resource) -> None:
    """Let a restore go on in virtual time, as its fault says."""
    effect: dict[str, Any] = call.fault.effect if call.fault else {}
    _enter(world, job, call.now, effect, {"caller": Caller.of(call).state(), "asked": asked, "point": point.key})


def _enter(world: "World", job: Resource, at: float, effect: dict[str, Any], state: Document) -> None:
    share = world.chance.share(f"restore {job.key}")
    length = RESTORE_SECONDS * (0.6 + 0.8 * share) + (RESTORE_LONGEST - RESTORE_SECONDS) * max(0.0, share - 0.9) * 10
    if world.operations.timing is not Timing.RECORDED:
        length = RESTORE_LONGEST if world.operations.timing is Timing.LONGEST else 2.0
    point = world.store.get(state["point"])
    disks = (point.notes or {})["disks"] if point is not None else []
    gib = sum(int(each["disk"]["properties"].get("diskSizeGB", 32)) for each in disks)
    blamed = {
        "fail": str(effect.get("code", "DataTransferFromVaultFailed")),
        "cancel": "UserErrorJobSuccessfullyCancelled",
    }
    notes = {"expected": length, "gib": gib, "blamed": blamed.get(str(effect.get("lro")), ""), **state}
    job.notes = {**(job.notes or {}), **notes}
    world.store.touch(job, at)
    if effect.get("lro") != "hang":
        for part in SHARES:
            world.schedule.enter(at + length * part, PHASE, f"{job.key}|{part}")


def phase(world: "World", happening: Happening) -> None:
    """Carry a restore on; at its end what was asked for is there."""
    key, _, part = happening.target.rpartition("|")
    job = world.store.get(key)
    if job is None or not backup_jobs.is_running(job) or float(part) < 1:
        return
    notes, at = job.notes or {}, happening.due
    point = world.store.get(str(notes["point"]))
    if notes["blamed"] or point is None:
        backup_jobs.end(world, job, at, error_of(notes["blamed"] or "UserErrorGenericResourceNotFound"))
        return
    try:
        restored_machines.restore(world, Caller.again(notes["caller"]), point, notes["asked"], at)
    except ArmError as refusal:
        known = error_of(refusal.code)
        backup_jobs.end(world, job, at, known)
        return
    for number in range(len(notes["tasks"])):
        if notes["tasks"][number][1] is None:
            backup_jobs.start_task(world, job, number, at)
        backup_jobs.end_task(world, job, number, at)
    backup_jobs.end(world, job, at, bag=_blobs(job, point, notes["asked"]))


def _blobs(job: Resource, point: Resource, asked: Document) -> Document:
    """Name the configuration that a restore leaves in its staging account (recorded; names by its rule)."""
    name = job.key.rsplit("/", 1)[-1]
    machine = str((point.notes or {})["vm"]["name"]).lower().replace("-", "").replace("_", "")[:14]
    account = parse(str(asked["storageAccountId"])).name
    container = f"{machine}-{name.replace('-', '')}"
    root = f"https://{account}.blob.core.windows.net/{container}"
    return {
        "Config Blob Name": f"config-{machine}-{name}.json",
        "Config Blob Container Name": container,
        "Config Blob Uri": f"{root}/config-{machine}-{name}.json",
        "Template Blob Uri": f"{root}/azuredeploy{name}.json",
    }


def validate(world: "World", call: "Call") -> Reply:
    """Check a restore without doing it (200): what would refuse it is in the answer."""
    asked = (call.body().get("properties") or {}).get("restoreRequest") or {}
    wanted = str(call.body().get("id") or "")
    found = []
    item = world.store.get("/".join(key_of(wanted).split("/")[:15])) if wanted else None
    try:
        if item is not None:
            check(world, item, asked, str(asked.get("recoveryType", "")).lower())
    except ArmError as refusal:
        found.append({"code": refusal.code, "message": refusal.message, "recommendations": []})
    return Reply.of({"validateOperationResponse": {"validationResults": found} if found else {}})


_RESTORE = f"{ITEM_ROOT}/recoveryPoints/{{point}}/restore"
_VALIDATE = ITEM_ROOT.split("/backupFabrics", 1)[0] + "/backupValidateOperation"
ROUTES = (
    Route("POST", _RESTORE, f"{POINT}/restore/action", restore, Evidence.RECORDED,
          "azure-cli-2025-02/backup/test_backup_scenario; disks only, the rest specified", Versions("2016-06-01")),
    Route("POST", _VALIDATE, "Microsoft.RecoveryServices/vaults/backupValidateOperation/action", validate,
          Evidence.SPECIFIED, "ValidateOperation_Trigger", Versions("2016-06-01")),
)  # fmt: skip
HAPPENINGS = {PHASE: phase}
