"""Sees to the VM of an operation of Azure Backup that failed because it does not run: looks, and starts it if allowed.

Called by vault_sending.py before such an operation is sent again. The start is the only act on a machine itself that
protection has; it is recorded and audited first, and never waited for.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from shared.decide.failure_rules import WaitFor
from shared.decide.stopped_vm import Await, Send, Start, Stopped, turn, waits_for_vm
from shared.decide.swapping import power
from shared.decide.vault_wish import Want
from shared.errors import CloudError, Conflict
from shared.flows.casework import Case, saved_if_mine
from shared.flows.setbacks import setback
from shared.flows.slicing import Slice
from shared.flows.vault_desk import NO_TIME
from shared.model.draining import CallKind
from shared.model.operation import Operation
from shared.model.point import Point
from shared.model.restore import ArmPath, Power
from shared.model.vault import VaultTask

log = logging.getLogger("tagback")


def held_up(slice_: Slice, case: Case, operation: Operation, want: Want) -> Case | None:
    """The rows as they are written where the VM of an operation is waited for; None where it may be sent.

    CloudError where the VM cannot be looked at.
    """
    if not waits_for_vm(operation):
        return None
    now = slice_.now()
    match turn(operation, want, _power(slice_, case), now):
        case Send():
            return None
        case Start(until, because):
            return _started(slice_, case, replace(operation, because=because, next_look=until))
        case Await(until, because):
            waiting = replace(operation, because=because, next_look=until)
            return saved_if_mine(slice_.world, slice_.rules, case, [waiting]) or case
        case Stopped():
            assert operation.failure is not None
            still = Conflict(operation.failure.code, operation.failure.message)
            tried = replace(operation, attempts=operation.attempts + 1)
            return saved_if_mine(slice_.world, slice_.rules, case, setback(case, tried, still, now)) or case


def _power(slice_: Slice, case: Case) -> str:
    if not slice_.admitted(CallKind.READ):
        raise NO_TIME
    seen = slice_.world.builder.find(slice_.shard, ArmPath(str(case.machine.row.id)))
    return power(seen) if seen else ""


def _started(slice_: Slice, case: Case, operation: Operation) -> Case:
    """The VM was asked to start: recorded, audited, then asked; what fails is a failure of the operation.

    That it was asked is noted when Azure has heard it: who is cut off before asks again, and starting twice is as once.
    """
    now, machine = slice_.now(), case.machine.row
    after = saved_if_mine(slice_.world, slice_.rules, case, [operation])
    if after is None:
        return case
    line = {"event": "vm.start", "vm": machine.uid, "operation": operation.id, "because": operation.because}
    slice_.audit([line])
    try:
        if not slice_.admitted(CallKind.WRITE):
            raise NO_TIME
        slice_.world.builder.power(slice_.shard, ArmPath(str(machine.id)), Power.START)
    except CloudError as error:
        log.warning("vm.unstarted vm=%s because=%r", machine.name, str(error))
        failed = [_still_waiting(row) for row in setback(after, operation, error, now)]
        return saved_if_mine(slice_.world, slice_.rules, after, failed) or after
    log.info("vm.started vm=%s operation=%s because=%r", machine.name, operation.id, operation.because)
    asked = replace(operation, task=replace(operation.task or VaultTask(), started_vm_at=now))
    return saved_if_mine(slice_.world, slice_.rules, after, [asked]) or after


def _still_waiting(row: Operation | Point) -> Operation | Point:
    """What became of the operation when its VM could not be started: it waits for the VM all the same."""
    if isinstance(row, Point) or row.failure is None:
        return row
    return replace(row, failure=replace(row.failure, waits_for=WaitFor.VM_RUNNING))
