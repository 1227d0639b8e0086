"""Brings machines closer to what their plans want of Azure Backup: all protection begins, changes and stops here.

Called by the drainer, before captures. Each machine is looked at with what its vaults show; what follows is recorded as
the intent of an operation, audited, and only then asked of Azure. Nothing is waited for: the next look follows it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.decide.capture import closed
from shared.decide.protection import wish_of
from shared.decide.stopped_vm import may_start
from shared.decide.vault_looks import observed
from shared.decide.vault_points import leaving
from shared.decide.vault_wish import Unwanted, Want, Wanted, of_vaults, taken_up, want_of
from shared.decide.vaulting import Begin, Rest, View, next_step
from shared.errors import CloudError, LostRace
from shared.flows.casework import Case, saved
from shared.flows.slicing import Slice
from shared.flows.vault_desk import Desk
from shared.flows.vault_expiry import left_behind
from shared.flows.vault_recording import TOGETHER
from shared.flows.vault_sending import ask_if_given_up, prepared, sent
from shared.flows.watching import Watched, unreadable, watch
from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.operation import Kind, Operation, State
from shared.model.transition import Record, Row
from shared.model.vault import Standing

log = logging.getLogger("tagback")

NOT_WANTED = "nobody asks for it any more"


def protect(slice_: Slice, desk: Desk, batch: Sequence[Record]) -> list[Record]:
    """Look at the machines of a batch whose vaults want a look; the records as they are afterwards."""
    records, errands = [], []
    for record in batch:
        case = _visited(slice_, desk, record) if _is_due(record, slice_.now()) else None
        if case is None:
            records.append(record)
            continue
        case, errand = prepared(slice_, desk, case)
        if errand:
            errands.append(errand)
        else:
            records.append(Record(case.machine, tuple(held for held in case.operations if held.row.state.unresolved)))
    return [*records, *sent(slice_, errands)]


def _is_due(record: Record, now: datetime) -> bool:
    known = record.machine.row.protection
    looks = [one.row.next_look for one in record.operations if one.row.kind is not Kind.CAPTURE and one.row.state.open]
    moments = [*looks, known.next_look if known else None]
    return any(moment is not None and moment <= now for moment in moments)


def _visited(slice_: Slice, desk: Desk, record: Record) -> Case | None:
    """One machine's rows after a look at its vaults; None when somebody else was faster."""
    ledger, uid = slice_.world.ledger, record.machine.row.uid
    whole = ledger.record(slice_.shard, uid)
    if whole is None:
        return None
    case = Case.of(whole, ledger.points(slice_.shard, uid))
    try:
        return _looked_at(slice_, desk, case)
    except LostRace:
        log.info("vm.raced vm=%s because=%r", record.machine.row.name, "somebody else changed it first")
        return None
    except CloudError as error:
        return _put_off(slice_, case, error)


def _put_off(slice_: Slice, case: Case, error: CloudError) -> Case | None:
    log.warning("vaults.unread vm=%s because=%r", case.machine.row.name, str(error))
    now, machine = slice_.now(), case.machine.row
    want = want_of(machine, wish_of(machine, slice_.rules, now), slice_.rules)
    asked = taken_up(machine.protection, want)
    try:
        return saved(slice_.world, slice_.rules, case, unreadable(case, asked, error, now), now)
    except LostRace:
        return None


def _looked_at(slice_: Slice, desk: Desk, case: Case) -> Case:
    now = slice_.now()
    machine = _with_disks(slice_, case.machine.row)
    want = want_of(machine, wish_of(machine, slice_.rules, now), slice_.rules)
    view = desk.view(machine, want, _sent_to(case))
    resting = observed(machine, want, view, Rest(""), now)
    case, found = _watched(slice_, desk, case, view, resting.state)
    machine = replace(case.machine.row, disks=machine.disks)
    operations = [_at_once_if_startable(_unless_unwanted(one, want, now), want, now) for one in found.operations]
    known = replace(found, operations=tuple(operations)).with_operations(
        of_vaults(held.row for held in case.operations)
    )
    step = next_step(replace(machine, protection=resting), want, view, known, now)
    withheld = bool(slice_.paused) and isinstance(step, Begin)
    if withheld:
        step = Rest(slice_.paused)
    seen = observed(machine, want, view, step, now, leaving([*case.known_points, *found.points], found.gone))
    if withheld and machine.protection:  # what is asked for is not taken up yet: it is looked at again
        seen = replace(seen, asked=machine.protection.asked)
    rows: list[Row] = [*operations, *found.points]
    if isinstance(step, Begin):
        rows.append(step.operation)
        what = (step.operation.kind, machine.name, step.operation.id, step.operation.because)
        log.info("%s.intended vm=%s operation=%s because=%r", *what)
    rows.append(replace(machine, protection=seen, model=found.model))
    for point in found.gone:
        case = case.without_point(point)
    ask_if_given_up(slice_, machine, operations)
    return saved(slice_.world, slice_.rules, case, rows, now)


def _watched(slice_: Slice, desk: Desk, case: Case, view: View, standing: Standing) -> tuple[Case, Watched]:
    """What became of a machine, once as many of its points are written as one transaction more cannot hold."""
    found = watch(slice_, desk, case, view, standing)
    points, gone = found.points, (*found.gone, *left_behind(slice_, desk, case, view))
    while len(points) + len(gone) > TOGETHER:
        leaving_now, gone = gone[:TOGETHER], gone[TOGETHER:]
        room = TOGETHER - len(leaving_now)
        for point in leaving_now:
            case = case.without_point(point)
        case = saved(slice_.world, slice_.rules, case, points[:room], slice_.now())
        points = points[room:]
    return case, replace(found, points=points, gone=gone)


def _sent_to(case: Case) -> ResourceId | None:
    """The vault that was asked to protect a machine and may not show it yet."""
    sent = (one.task for one in of_vaults(case.open) if one.kind is Kind.PROTECT and one.state is State.STARTED)
    return next((task.vault for task in sent if task), None)


def _with_disks(slice_: Slice, machine: Machine) -> Machine:
    """The machine with what its disks' tags leave out, as far as the bulk lens shows it at no cost."""
    known = machine.protection
    if known is None or known.holds:
        return machine
    seen = slice_.sighted(machine.uid)
    return replace(machine, disks=seen.disks) if seen and seen.disks else machine


def _unless_unwanted(operation: Operation, want: Want, now: datetime) -> Operation:
    """An operation that was not sent yet ends when nobody asks for it any more."""
    waits = operation.state.open and operation.state is not State.STARTED
    unwanted = (isinstance(want, Unwanted) and operation.kind is not Kind.STOP) or (
        isinstance(want, Wanted) and operation.kind is Kind.STOP
    )
    return closed(operation, State.SKIPPED, NOT_WANTED, now) if waits and unwanted else operation


def _at_once_if_startable(operation: Operation, want: Want, now: datetime) -> Operation:
    """An operation whose VM does not run is seen to now where the VM may be started for it."""
    return replace(operation, next_look=now) if may_start(operation, want, now) else operation
