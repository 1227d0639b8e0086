"""A person's wish that an operation be tried again: asked by the command line, carried out for flows/requesting.py.

It only reopens the operation in the ledger, under If-Match; the shard's drainer does the work. Repeating it changes
nothing once the request is settled.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from shared.decide.protection import plan_of
from shared.decide.reopening import NotSensible, reopened
from shared.errors import BadInput, LostRace, Unknown
from shared.flows.asking import filed, new_request
from shared.flows.casework import TRIES, Case, saved
from shared.flows.lookup import machines, named
from shared.flows.standing import operations_of
from shared.model.machine import Machine
from shared.model.operation import Operation, State
from shared.model.point import Point
from shared.model.request import Asked, Progress, Request
from shared.model.rules import Rules
from shared.ports import World

log = logging.getLogger("tagback")


FAILED = (State.FAILED, State.NEEDS_PERSON, State.GAVE_UP)


def failed_job(world: World, text: str) -> tuple[Machine, Operation]:
    """The job of this id, or the newest failed one of the VM so named; Unknown when there is none."""
    seen = machines(world)
    uid, bar, operation_id = text.strip().partition("|")
    machine = next((one for one in seen if bar and one.uid == uid.lower()), None) or named(seen, uid)
    operations = operations_of(world, machine)
    wanted = [one for one in operations if (one.id == operation_id if bar else one.state in FAILED)]
    if not wanted:
        raise Unknown(f"there is no job {text!r}" if bar else f"no job of {machine.name} failed; see `tagback jobs`")
    return machine, wanted[-1]


def ask_retry(world: World, machine: Machine, operation: Operation, by: str) -> Request:
    """Ask that an operation be tried again now; BadInput with the reason when that would surely be refused."""
    now = world.clock.now()
    points = (held.row for held in world.ledger.points(machine.shard, machine.uid) if held.row.is_ours)
    point = next((one for one in points if (one.slot, one.engine) == (operation.slot, operation.engine)), None)
    verdict = reopened(operation, point, machine, now)
    if isinstance(verdict, NotSensible):
        raise BadInput([f"{operation.id} of {machine.name} is not tried again: {verdict.because}"])
    asked = new_request(world, Asked.RETRY, machine.shard, machine.uid, by)
    return filed(world, replace(asked, operation=operation.id))


def retried(world: World, rules: Rules, request: Request) -> Request:
    """The request settled: its operation is open again and due now, or the reason why not."""
    for turn in range(TRIES):
        try:
            return _retried(world, rules, request, world.clock.now())
        except LostRace:
            if turn == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _retried(world: World, rules: Rules, request: Request, now: datetime) -> Request:
    record = world.ledger.record(request.shard, request.uid)
    if record is None:
        return _refused(request, "the machine is not registered")
    case = Case.of(record, world.ledger.points(request.shard, request.uid))
    operation = next((held.row for held in case.operations if held.row.id == request.operation), None)
    if operation is None:
        return _refused(request, f"the machine has no operation {request.operation}")
    if _marked(operation, request):
        return _taken(request, operation.because)
    if plan_of(case.machine.row, rules, now) is None:
        return _refused(request, f"no plan takes it: {case.machine.row.because}")
    verdict = reopened(operation, case.point_of(operation), case.machine.row, now)
    if isinstance(verdict, NotSensible):
        return _refused(request, verdict.because)
    because = f"{verdict.because}; asked for by {request.by} ({request.id})"
    rows: list[Operation | Point] = [replace(verdict.operation, because=because)]
    saved(world, rules, case, rows + ([verdict.point] if verdict.point else []), now)
    log.info("operation.reopened vm=%s operation=%s because=%r", case.machine.row.name, operation.id, because)
    return _taken(request, verdict.because)


def _marked(operation: Operation, request: Request) -> bool:
    """Whether this very request reopened it already, and died before it was settled."""
    return operation.state.open and operation.because.endswith(f"({request.id})")


def _taken(request: Request, because: str) -> Request:
    return replace(request, progress=Progress.TAKEN, because=because)


def _refused(request: Request, because: str) -> Request:
    return replace(request, progress=Progress.REFUSED, because=because)
