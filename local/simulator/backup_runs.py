"""Backups as they run: snapshot, transfer, recovery point; on demand and at the policy's times; why they fail.

Items start runs, the schedule carries them on. A run's ends are drawn from what recordings took.
"""

from typing import TYPE_CHECKING, Any

from local.simulator import backup_jobs, recovery_points
from local.simulator.answers import Document
from local.simulator.backed_up_guests import consistency, failure
from local.simulator.backup_errors import HEALTHY, BackupError, error_of
from local.simulator.backup_schedule import next_run
from local.simulator.clock import EPOCH, iso, parse_time
from local.simulator.ids import key_of
from local.simulator.lro import Timing
from local.simulator.schedule import Happening
from local.simulator.store import Resource
from local.simulator.vault_ids import ITEM, vault_above

if TYPE_CHECKING:
    from local.simulator.world import World

DUE, PHASE = "backup-due", "backup-phase"
ACTION = f"{ITEM}/backup/action"
# Seconds of a run: median and longest of recordings (median 14 min, longest 2.5 h); the first copies everything. A
# fifth of it is the snapshot, and the transfer is reported three minutes after that.
RUN_SECONDS, RUN_LONGEST = 840.0, 9000.0
SNAPSHOT_SHARE, REPORTED_SECONDS = 0.2, 180.0
POINT_SECONDS = 3.9  # from a run's start to the instant of its point (recorded)
LATEST_START = 2 * 3600.0  # a backup starts within two hours of its time (documented)


def plan_next(world: "World", item: Resource, at: float) -> None:
    """Enter the next scheduled run of an item; an earlier entry no longer counts."""
    policy = policy_of(world, item)
    due = next_run(policy, at) if policy is not None else None
    item.notes = {**(item.notes or {}), "due": due}
    world.store.touch(item, at)
    if due is not None:
        share = world.chance.share(f"due {item.key} {due}")
        late = share * 900.0 if share < 0.95 else (share - 0.95) * 20 * LATEST_START * 0.95
        world.schedule.enter(due + late, DUE, f"{item.key}|{due}")


def policy_of(world: "World", item: Resource) -> Document | None:
    """Return what the policy of an item says, while it is protected."""
    found = world.store.get(str((item.notes or {}).get("policy", "")))
    return found.document()["properties"] if found is not None else None


def due(world: "World", happening: Happening) -> None:
    """Run a scheduled backup, unless it was planned anew, or another one runs."""
    key, _, planned = happening.target.rpartition("|")
    item = world.store.get(key)
    if item is None or (item.notes or {}).get("due") != float(planned):
        return
    if not is_busy(world, item):
        subject = {"operation": ACTION, "resource": item.id, "principal": "azure-backup"}
        fault = world.faults.strike(subject, frozenset({"lro"}), happening.due)
        begin(world, item, happening.due, None, fault.effect if fault else {})
    plan_next(world, item, happening.due)


def is_busy(world: "World", item: Resource) -> bool:
    """Tell whether a backup of an item is under way."""
    return backup_jobs.is_running(world.store.get(str((item.notes or {}).get("job", ""))))


def begin(world: "World", item: Resource, at: float, expiry: str | None, effect: dict[str, Any]) -> Resource:
    """Start a run; `expiry` is given for one on demand, `effect` is what a fault rule wants of it."""
    properties = item.document()["properties"]
    bag = {"VM Name": properties["friendlyName"]}
    if expiry is not None:
        until, _ = recovery_points.kept_until(None, at, expiry)
        bag["Recovery Point Expiry Time in UTC"] = us_time(until)
    order = backup_jobs.Order(
        "Backup",
        properties["sourceResourceId"],
        properties["friendlyName"],
        bag,
        ("Take Snapshot", "Transfer data to vault"),
        {"IsInstantRpJob": "True"},
        cancellable=True,
    )
    job = backup_jobs.begin(world, vault_above(world, item), order, at)
    blamed = {"fail": str(effect.get("code", "BackUpOperationFailed")), "cancel": "UserErrorJobSuccessfullyCancelled"}
    run = {"item": item.key, "expiry": expiry, "blamed": blamed.get(str(effect.get("lro")), "")}
    job.notes = {**(job.notes or {}), **run}
    backup_jobs.start_task(world, job, 0, at + 1.0)
    item.notes = {**(item.notes or {}), "job": job.key}
    world.store.touch(item, at)
    if effect.get("lro") != "hang":
        _enter_phases(world, item, job, at)
    return job


def us_time(moment: float) -> str:
    """Write a time as jobs' properties have it (recorded)."""
    found = EPOCH.fromtimestamp(moment, EPOCH.tzinfo)
    hour = found.hour % 12 or 12
    return f"{found.month}/{found.day}/{found.year} {hour}:{found:%M:%S} {'PM' if found.hour >= 12 else 'AM'}"


def _enter_phases(world: "World", item: Resource, job: Resource, at: float) -> None:
    timing = world.operations.timing
    share = world.chance.share(f"run {item.key} {at}")
    length = RUN_SECONDS * (0.5 + share) + (RUN_LONGEST - RUN_SECONDS) * max(0.0, share - 0.95) * 20 * share
    if timing is not Timing.RECORDED:
        length = RUN_LONGEST if timing is Timing.LONGEST else 2.0
    snapshot = length * SNAPSHOT_SHARE
    reported = min(REPORTED_SECONDS, length * 0.3)
    phases = (("snapshot", snapshot), ("transfer", snapshot + reported), ("halfway", length * 0.6), ("end", length))
    for name, seconds in phases:
        world.schedule.enter(at + seconds, PHASE, f"{job.key}|{name}")


def phase(world: "World", happening: Happening) -> None:
    """Carry a run on, unless it has ended."""
    key, _, name = happening.target.rpartition("|")
    job = world.store.get(key)
    item = world.store.get(str((job.notes or {}).get("item", ""))) if job is not None else None
    if job is None or not backup_jobs.is_running(job):
        return
    if item is None:
        backup_jobs.end(world, job, happening.due, error_of("UserErrorGenericResourceNotFound"))
        return
    if name != "halfway":  # nothing happens then but that whoever waits from happening to happening looks again
        {"snapshot": _snapshot, "transfer": _transfer, "end": _end}[name](world, item, job, happening.due)


def _snapshot(world: "World", item: Resource, job: Resource, at: float) -> None:
    """End the snapshot: a point is there, in the snapshot tier alone (documented), or the run fails."""
    notes = job.notes or {}
    machine = world.store.get(str((item.notes or {})["vm"]))
    policy = policy_of(world, item)
    error = error_of(notes["blamed"]) if notes["blamed"] else failure(world, item, machine, policy, at)
    if error is not None or machine is None:
        _fail(world, item, job, error or error_of("UserErrorVmNotFoundV2"), at)
        return
    backup_jobs.end_task(world, job, 0, at)
    taken = float(notes["started"]) + POINT_SECONDS
    kept = recovery_points.kept_until(policy, taken, notes["expiry"])
    point = recovery_points.take(world, item, machine, taken, kept, consistency(machine, policy, at))
    recovery_points.remember_instant(world, point, policy, at)
    job.notes = {**(job.notes or {}), "point": point.key}
    world.store.touch(job, at)


def _transfer(world: "World", _item: Resource, job: Resource, at: float) -> None:
    """Report that the transfer runs, since the snapshot was there."""
    ended = (job.notes or {})["tasks"][0][2]
    backup_jobs.start_task(world, job, 1, float(ended if ended is not None else at) + 0.2)


def _end(world: "World", item: Resource, job: Resource, at: float) -> None:
    """End a run well: the point is in the vault, the item is protected."""
    point = world.store.get(str((job.notes or {}).get("point", "")))
    if point is None:
        _fail(world, item, job, error_of("BackUpOperationFailed"), at)
        return
    recovery_points.harden(world, point, at)
    backup_jobs.end_task(world, job, 1, at)
    size = sum(int(each["disk"]["properties"].get("diskSizeGB", 32)) for each in (point.notes or {})["disks"])
    backup_jobs.end(world, job, at, bag={"Backup Size": f"{size * 90} MB"})
    document = item.document()
    properties = document["properties"]
    if properties["protectionState"] in ("IRPending", "ProtectionError"):
        properties["protectionState"] = "Protected"
    started = float((job.notes or {})["started"])
    properties |= {"protectionStatus": "Healthy", "healthStatus": "Passed", "lastBackupStatus": "Completed"}
    properties["lastBackupTime"] = iso(started)
    properties["lastRecoveryPoint"] = point.document()["properties"]["recoveryPointTime"]
    properties["healthDetails"] = [HEALTHY.detail()]
    world.store.write(item, document, at)


def _fail(world: "World", item: Resource, job: Resource, error: BackupError, at: float) -> None:
    """End a run badly; what the user must mend shows in the item's health, the rest does not (recorded)."""
    backup_jobs.end(world, job, at, error)
    document = item.document()
    properties = document["properties"]
    mended = error.name not in INTERNAL_ERRORS
    properties |= {"protectionStatus": "Unhealthy", "lastBackupStatus": "Failed"}
    properties["healthStatus"] = "ActionRequired" if mended else "Passed"
    properties["healthDetails"] = [error.detail() if mended else HEALTHY.detail()]
    properties["lastBackupTime"] = iso(float((job.notes or {})["started"]))
    if properties["protectionState"] == "IRPending" and not mended:
        properties["protectionState"] = "ProtectionError"
    world.store.write(item, document, at)


INTERNAL_ERRORS = ("BackUpOperationFailed", "BackUpOperationFailedV2", "UserErrorJobSuccessfullyCancelled",
                   "CopyingVHDsFromBackUpVaultTakingLongTime", "VMRestorePointInternalError")  # fmt: skip


def asked_expiry(body: Document) -> str:
    """Return until when a run on demand is to be kept; empty for the default."""
    text = str((body.get("properties") or {}).get("recoveryPointExpiryTimeInUTC") or "")
    if text:
        parse_time(text)
    return text


def item_key_of(call_path: str) -> str:
    """Return the key of the item an action is on."""
    return key_of(call_path.rsplit("/", 1)[0])


HAPPENINGS = {DUE: due, PHASE: phase, recovery_points.HAPPENING: recovery_points.happen}
