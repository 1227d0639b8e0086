"""A person's word that a running job of Azure Backup be cancelled: asked for here, carried out for requesting.py.

The vault decides whether it still can: where it says that the job is changing its state, it is asked again in a while.
What becomes of the job is seen by the next look at it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

from shared.decide.failure import AskPerson, GiveUp, Retry, Tries, follow_up
from shared.decide.vault_wish import VAULT_KINDS
from shared.errors import BadInput, Blocked, CloudError, Conflict, Denied, Missing, Refused, Unknown
from shared.flows.asking import filed, new_request
from shared.flows.lookup import machines, named
from shared.flows.setbacks import fault_of
from shared.flows.standing import operations_of
from shared.messages import REQUESTS, request_text
from shared.model.fault import Area, Task
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.request import Asked, Progress, Request
from shared.model.rules import Mode, Rules
from shared.ports import World

log = logging.getLogger("tagback")

FASTER = timedelta(seconds=60)  # a delayed message is only a faster look; the sweep asks as well


def running_job(world: World, text: str) -> tuple[Machine, Operation]:
    """The job of this id, or the newest running one of Azure Backup of the VM so named; Unknown when there is none."""
    seen = machines(world)
    uid, bar, operation_id = text.strip().partition("|")
    machine = next((one for one in seen if bar and one.uid == uid.lower()), None) or named(seen, uid)
    operations = operations_of(world, machine)
    wanted = [one for one in operations if (one.id == operation_id if bar else _is_running(one))]
    if not wanted:
        none = f"no job of Azure Backup is running for {machine.name}; see `tagback jobs`"
        raise Unknown(f"there is no job {text!r}" if bar else none)
    return machine, wanted[-1]


def ask_cancel(world: World, machine: Machine, operation: Operation, by: str) -> Request:
    """Ask that a job be cancelled; BadInput with the reason when that would surely be refused."""
    if not _is_running(operation):
        raise BadInput([f"{operation.id} of {machine.name} cannot be cancelled: {_why_not(operation)}"])
    asked = new_request(world, Asked.CANCEL, machine.shard, machine.uid, by)
    return filed(world, replace(asked, operation=operation.id))


def cancelled(world: World, rules: Rules, request: Request) -> Request:
    """The request settled: the vault was asked, or why not; still asked where the vault is to be asked again."""
    record = world.ledger.record(request.shard, request.uid)
    operations = [held.row for held in record.operations] if record else []
    operation = next((one for one in operations if one.id == request.operation), None)
    if operation is None:
        return replace(request, progress=Progress.REFUSED, because=f"there is no operation {request.operation}")
    task = operation.task
    if rules.subscriptions.get(request.shard.subscription) is not Mode.ENFORCE:
        return replace(
            request, progress=Progress.REFUSED, because="its subscription is not one in which Tagback may act"
        )
    if not _is_running(operation) or task is None or task.vault is None:
        return replace(request, progress=Progress.REFUSED, because=_why_not(operation))
    try:
        world.vault_jobs.cancel(task.vault, task.job)
    except (Refused, Conflict, Blocked, Denied, Missing) as error:
        return _refused(world, request, error)
    log.info("job.cancelled vm=%s job=%s by=%s", request.uid, task.job, request.by)
    return replace(request, progress=Progress.DONE, because=f"the vault was asked to cancel job {task.job}")


def _refused(world: World, request: Request, error: CloudError) -> Request:
    """What the table of failures says of a vault that does not cancel."""
    tries = request.revision + 1
    fault = replace(fault_of(error), area=Area.VAULT, task=Task.CANCEL)
    because = f"the vault does not cancel it: {error}"
    match follow_up(fault, Tries(tries, tries, request.id)):
        case Retry(after=after):
            world.queue.send(REQUESTS, request_text(request.id), min(after, FASTER))
            return replace(request, because=because)
        case AskPerson(remedy=remedy) | GiveUp(remedy=remedy) if remedy:
            return replace(request, progress=Progress.REFUSED, because=f"{because}; {remedy}")
        case _:
            return replace(request, progress=Progress.REFUSED, because=because)


def _is_running(operation: Operation) -> bool:
    return (
        operation.kind in VAULT_KINDS
        and operation.state.open
        and operation.task is not None
        and operation.task.job != ""
    )


def _why_not(operation: Operation) -> str:
    if operation.kind not in VAULT_KINDS:
        return "it is no job of Azure Backup"
    return "no job of the vault answers for it yet" if operation.state.open else f"it is {operation.state}"
