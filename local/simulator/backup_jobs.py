"""Jobs of Azure Backup: what was asked for, how far it is, how it ended; listed with filters, cancelled in time.

Runs, items and restores begin and end them; the tasks of a running job show what has happened by now.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.simulator import backup_operations, vault_errors
from local.simulator.answers import Document, Reply, encode
from local.simulator.backup_errors import CANCELLED, BackupError
from local.simulator.clock import iso
from local.simulator.ids import key_of, parse
from local.simulator.job_shapes import shown
from local.simulator.listing import members_of, paged
from local.simulator.lro import Operation
from local.simulator.odata import fits, moment_of, terms_of
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.vault_ids import JOB, ROOT, VAULT, machine_name, vault_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

KIND = JOB.lower()
PAGE = 200  # assumed, as for protectable items
RUNNING = ("InProgress", "Cancelling")


@dataclass(frozen=True, slots=True)
class Order:
    """A job as it begins: on what, to do what, with which tasks and properties."""

    operation: str
    machine: str
    friendly: str
    bag: Document
    tasks: Sequence[str] = ()
    inner: Document = field(default_factory=dict)
    cancellable: bool = False
    extended: Document = field(default_factory=dict)


def begin(world: "World", vault: Resource, order: Order, at: float, name: str = "") -> Resource:
    """Make a job of a vault that is under way."""
    return begin_at(world, vault.id, order, at, name or world.chance.guid())


def begin_at(world: "World", place: str, order: Order, at: float, name: str) -> Resource:
    """Make a job that is under way below an id."""
    job_id = f"{place}/backupJobs/{name}"
    extended: Document = {"tasksList": [], "propertyBag": order.bag}
    if order.inner:
        extended["internalPropertyBag"] = order.inner
    properties: Document = {
        "jobType": "AzureIaaSVMJob",
        **({"actionsInfo": ["Cancellable"]} if order.cancellable else {}),
        "containerName": machine_name(order.machine),
        "virtualMachineVersion": "Compute",
        "extendedInfo": {**extended, **order.extended},
        "entityFriendlyName": order.friendly,
        "backupManagementType": "AzureIaasVM",
        "operation": order.operation,
        "status": "InProgress",
        "startTime": iso(at),
        "activityId": world.chance.guid(),
    }
    notes = {"started": at, "tasks": [[task, None, None] for task in order.tasks]}
    document = {"id": job_id, "name": name, "type": JOB, "properties": properties}
    return world.store.create(job_id, document, at, notes=notes)


def start_task(world: "World", job: Resource, number: int, at: float) -> None:
    """Let a task of a job begin."""
    tasks = [list(each) for each in (job.notes or {})["tasks"]]
    tasks[number][1] = at
    job.notes = {**(job.notes or {}), "tasks": tasks}
    world.store.touch(job, at)


def end_task(world: "World", job: Resource, number: int, at: float) -> None:
    """Let a task of a job end well."""
    tasks = [list(each) for each in (job.notes or {})["tasks"]]
    tasks[number][2] = at
    job.notes = {**(job.notes or {}), "tasks": tasks}
    world.store.touch(job, at)


def end(
    world: "World", job: Resource, at: float, error: BackupError | None = None, bag: Document | None = None
) -> None:
    """End a job: completed, or failed for a reason."""
    document = job.document()
    properties = document["properties"]
    status = "Completed" if error is None else "Cancelled" if error is CANCELLED else "Failed"
    properties["status"] = status
    properties["endTime"] = iso(at)
    properties["extendedInfo"]["propertyBag"] |= bag or {}
    properties["extendedInfo"].pop("dynamicErrorMessage", None)
    if error is not None:
        properties["errorDetails"] = [error.of_job()]
    job.notes = {**(job.notes or {}), "ended": at}
    world.store.write(job, document, at)


def warn(world: "World", job: Resource, error: BackupError, at: float) -> None:
    """Say of a completed job that it was completed with warnings."""
    document = job.document()
    document["properties"]["status"] = "CompletedWithWarnings"
    document["properties"]["errorDetails"] = [error.of_job()]
    world.store.write(job, document, at)


def is_running(job: Resource | None) -> bool:
    """Tell whether a job is under way."""
    return job is not None and "ended" not in (job.notes or {})


def get(world: "World", call: "Call") -> Reply:
    """Answer one with its details."""
    vault_of(world, call)
    return Reply.of(shown(_wanted(world, key_of(call.path)), call))


def _wanted(world: "World", key: str) -> Resource:
    found = world.store.get(key)
    if found is None:
        raise vault_errors.missing("BMSUserErrorJobNotFound", "Job")
    return found


def every(world: "World", call: "Call") -> Reply:
    """List those of a vault, the newest first, that fit a filter (recorded); a range is of their start."""
    vault, terms = vault_of(world, call), terms_of(call)
    since = moment_of(terms.pop("starttime")) if "starttime" in terms else float("-inf")
    until = moment_of(terms.pop("endtime")) if "endtime" in terms else float("inf")
    wanted = terms.pop("jobid", "")
    found = []
    for job in reversed(members_of(world, call, vault.key, KIND)):
        started = float((job.notes or {})["started"])
        if started < since:
            break
        if started > until:
            continue
        document = shown(job, call, listed=True)
        named = not wanted or document["name"].lower() == wanted.lower()
        if named and fits(document["properties"], terms):
            found.append(encode(document))
    return paged(call, found, PAGE)


def cancel(world: "World", call: "Call") -> Reply:
    """Cancel a job (202) that can be cancelled: while it snapshots or restores (documented)."""
    vault_of(world, call)
    job = _wanted(world, key_of(call.path.rsplit("/", 1)[0]))
    if not is_running(job):
        message = "The job is not in progress and cannot be cancelled. Please wait a minute and look again."
        raise vault_errors.refused(400, "UserErrorJobNotInProgress", message)
    if not _can_be_cancelled(job):
        message = "The operation cannot be cancelled, as it is transferring data to the vault."
        raise vault_errors.refused(400, "UserErrorJobCannotBeCancelled", message)
    document = job.document()
    document["properties"]["status"] = "Cancelling"
    world.store.write(job, document, call.now)
    operation = backup_operations.begin(world, call, job, "backup.cancel", {})
    return backup_operations.accepted(call, operation, call.path.rsplit("/", 1)[0])


def _can_be_cancelled(job: Resource) -> bool:
    properties = job.document()["properties"]
    first = (job.notes or {})["tasks"][:1]
    snapshots = properties["operation"] != "Backup" or (bool(first) and first[0][2] is None)
    return bool(properties.get("actionsInfo")) and snapshots


def finish_cancel(world: "World", operation: Operation, at: float) -> Document:
    """Let a job be cancelled, unless it ended meanwhile."""
    job = world.store.get(operation.target)
    if job is not None and is_running(job):
        end(world, job, at, CANCELLED)
        job.notes = {**(job.notes or {}), "cancelled": True}
        world.store.touch(job, at)
    return backup_operations.job_output(operation.target.rsplit("/", 1)[-1])


def friendly_name(machine_id: str) -> str:
    """Name a machine for people."""
    return parse(machine_id).name


_R, _SINCE, _CLI = Evidence.RECORDED, Versions("2016-06-01"), "azure-cli-2025-02/backup/test_backup_job"
_ONE, _LISTS = f"{ROOT}/backupJobs/{{job}}", ("Microsoft.RecoveryServices/ListBackupJobs",)
ROUTES = (
    Route("GET", f"{ROOT}/backupJobs", f"{JOB}/read", every, _R, _CLI, _SINCE, _LISTS, lists=True),
    Route("GET", _ONE, f"{JOB}/read", get, _R, _CLI, _SINCE),
    Route("POST", f"{_ONE}/cancel", f"{VAULT}/backupJobs/cancel/action", cancel, _R, _CLI, _SINCE),
)
FINISHERS = {"backup.cancel": finish_cancel}
