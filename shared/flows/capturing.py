"""Takes captures up: which slot begins, what became of earlier sends, what is to be sent. Records the intents.

Called by the drainer before anything is sent. An intent that it finds may have been acted upon by somebody who was
killed since: it looks for every part of it before one may be sent.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.decide import capture as decide
from shared.decide import parts
from shared.decide.capture import Capture
from shared.decide.hardware import steps_down
from shared.decide.naming import model_reference, part_tags
from shared.decide.protection import plan_of
from shared.decide.questions import differs
from shared.decide.restore_points import promised
from shared.decide.room import Fits, room
from shared.decide.tag_values import CLAIM
from shared.errors import CloudError, Conflict, Missing, Throttled
from shared.flows.casework import Case, closing, saved
from shared.flows.part_calls import find_part, together
from shared.flows.registering import register
from shared.flows.setbacks import setback, without_room
from shared.flows.slicing import Slice
from shared.messages import VMS, VmKey
from shared.model.draining import CallKind
from shared.model.machine import Absent, Machine, Sighting
from shared.model.operation import Operation, State
from shared.model.plan import Plan
from shared.model.point import Origin, PartState, Point
from shared.model.transition import Record, Row

log = logging.getLogger("tagback")

NO_ROOM = Throttled("Paced", "no read was free in this slice", timedelta(seconds=15))


@dataclass(frozen=True, slots=True)
class Errand:
    """A machine with the captures (by operation id) whose intents are recorded and whose parts may now be sent."""

    case: Case
    sighting: Sighting | None = None
    operations: tuple[str, ...] = ()


def take_up(slice_: Slice, record: Record) -> Errand:
    """Record what is wanted of one machine now. LostRace when somebody else was faster."""
    world, now = slice_.world, slice_.now()
    work_at = record.machine.row.work_at
    if work_at is None or work_at > now:
        return Errand(Case.of(record))
    case = Case.of(record, world.ledger.points(slice_.shard, record.machine.row.uid))
    plan = plan_of(case.machine.row, slice_.rules, now)
    if plan:
        case = _with_slot_begun(slice_, case, plan)
    due = [_tried(operation) for operation in case.captures if _is_due(operation, slice_)]
    if not due:
        return Errand(_refreshed(slice_, case))
    if plan is None:
        skipped = [row for one in due for row in closing(case, one, State.SKIPPED, "no plan takes it any more", now)]
        return Errand(saved(world, slice_.rules, case, skipped, now))
    if slice_.paused:
        return Errand(_put_by(slice_, case, due))
    try:
        sighting = _sighting(slice_, case, due)
    except CloudError as error:
        rows = [row for operation in due for row in setback(case, operation, error, now)]
        return Errand(saved(world, slice_.rules, case, rows, now))
    return _intended(slice_, case, plan, sighting, due) if sighting else Errand(case)


def _with_slot_begun(slice_: Slice, case: Case, plan: Plan) -> Case:
    """The slot that has come is recorded as intended; what it supersedes ends with that reason."""
    machine, now = case.machine.row, slice_.now()
    due = decide.slot_that_begins(machine, plan, now)
    if due is None:
        return case
    rows: list[Row] = [replace(machine, settled=due.slot)]
    if passed := decide.superseded_range(machine, due, now):
        rows.append(replace(passed, engine=plan.engine))
    because = f"superseded by the slot of {due.slot:%Y-%m-%d %H:%M}Z" + (slice_.paused and f"; {slice_.paused}")
    for older in case.captures:
        if older.state is not State.STARTED:
            rows += closing(case, older, State.SUPERSEDED, because, now)
    if not any(point.slot == due.slot and point.is_ours for point in case.known_points):
        wanted = slice_.paused or f"plan {plan.name}: {plan.schedule}"
        rows.append(decide.opened(machine, due.slot, Origin.SLOT, wanted, now, plan.engine))
    return saved(slice_.world, slice_.rules, case, rows, now)


def _put_by(slice_: Slice, case: Case, due: list[Operation]) -> Case:
    """What is due says who paused captures. It stays due, so that resuming takes it up at once."""
    silent = [replace(one, attempts=one.attempts - 1, because=slice_.paused) for one in due]
    changed = [one for one in silent if one not in case.open]
    return saved(slice_.world, slice_.rules, case, changed, slice_.now()) if changed else case


def _is_due(operation: Operation, slice_: Slice) -> bool:
    looked_at = operation.next_look is not None and operation.next_look <= slice_.now()
    return looked_at and operation.state is not State.STARTED


def _tried(operation: Operation) -> Operation:
    return replace(operation, attempts=operation.attempts + 1)


def _refreshed(slice_: Slice, case: Case) -> Case:
    """A row that called for a drainer without need is written anew, so that it does not call again."""
    started = any(operation.state is State.STARTED for operation in case.captures)
    wanted = case.machine.row.work_at
    if started or wanted is None or wanted > slice_.now():
        return case
    return saved(slice_.world, slice_.rules, case, [], slice_.now())


def _sighting(slice_: Slice, case: Case, due: list[Operation]) -> Sighting | None:
    """The machine as it is now: by the bulk lens when nothing speaks against it, else read from the provider.

    None when the machine must be registered afresh first; its capture is then taken up again in the next slice.
    """
    machine = case.machine.row
    first_try = all(operation.attempts == 1 for operation in due)
    seen = slice_.sighted(machine.uid) if first_try else None
    if seen and not differs(machine, _at_rest(seen), slice_.rules.prefix):
        return seen
    if not slice_.admitted(CallKind.READ):
        raise NO_ROOM
    found = slice_.world.inventory.examine(machine.id)
    if isinstance(found, Absent) or found.uid != machine.uid:
        slice_.world.queue.send(VMS, VmKey(machine.id, machine.uid, machine.shard).text())
        raise Missing("Absent", f"nothing of this machine is at {machine.id}")
    if differs(machine, _at_rest(found), slice_.rules.prefix):
        register(slice_.world, slice_.rules, found)
        return None
    return found


def _at_rest(seen: Sighting) -> Sighting:
    """The machine, unless a restore is changing its disks: half of them would make a point of nothing."""
    if any(name.lower() == CLAIM for name in seen.tags):
        raise Conflict("BeingMade", "a restore is changing its disks")
    return seen


def _intended(slice_: Slice, case: Case, plan: Plan, sighting: Sighting, due: list[Operation]) -> Errand:
    """Every capture of the machine planned or resumed, claimed for this slice, and recorded in one transaction."""
    now = slice_.now()
    machine = replace(case.machine.row, disks=sighting.disks, unsupported=sighting.unsupported)
    if all(disk.left_out for disk in machine.disks):
        because = "none of its disks can be captured"
        skipped = [row for one in due for row in closing(case, one, State.SKIPPED, because, now)]
        return Errand(saved(slice_.world, slice_.rules, case, [machine, *skipped], now))
    machine = replace(machine, model=kept_model(slice_, machine, sighting))
    rows: list[Row] = [machine]
    ids = []
    for operation in due:
        answer = _captured(slice_, case, operation, plan, machine, sighting)
        if isinstance(answer, Capture):
            answer = _with_room(slice_, case, answer, sighting)
        if isinstance(answer, Capture):
            claim = decide.claimed(answer, slice_.claim_ends)
            rows += [claim.operation, claim.point]
            ids.append(operation.id)
        else:
            rows += answer
    return Errand(saved(slice_.world, slice_.rules, case, rows, now), sighting, tuple(ids))


def _captured(
    slice_: Slice, case: Case, operation: Operation, plan: Plan, machine: Machine, sighting: Sighting
) -> Capture | list[Operation | Point]:
    """One capture ready to be claimed, or the rows that end or put it off."""
    point = case.point_of(operation)
    try:
        if point is None:
            whole = together(slice_, case, operation, machine, sighting)
            planned = decide.planned(operation, machine, plan, case.known_points, slice_.place, whole)
            planned = Capture(planned.operation, replace(planned.point, model=machine.model))
            return decide.floored(planned, plan, slice_.now())
        if point.origin is operation.origin:
            return _resumed(slice_, case, Capture(operation, point), machine, sighting)
    except CloudError as error:
        return setback(case, operation, error, slice_.now())
    because = f"the point of the same instant was taken at {point.origin}"
    return closing(case, operation, State.SUPERSEDED, because, slice_.now())


def _with_room(slice_: Slice, case: Case, capture: Capture, sighting: Sighting) -> Capture | list[Operation | Point]:
    """The capture with what its tags have no room for, or the rows that put it off or end it."""
    point = capture.point
    if point.live_parts:
        left_out = part_tags(point, point.live_parts[0], sighting, slice_.rules).left_out
        point = replace(point, tags_left_out=left_out)
    verdict = room(point, case.known_points, slice_.in_region(), slice_.now())
    if isinstance(verdict, Fits):
        slice_.planned(point)
        return Capture(capture.operation, point)
    known = case.with_point(point) if case.point_of(capture.operation) else case
    return without_room(known, capture.operation, verdict, slice_.now())


def _resumed(slice_: Slice, case: Case, capture: Capture, machine: Machine, sighting: Sighting) -> Capture:
    """Look for every part whose fate is unknown; start anew when the parts can no longer be of one time."""
    point = capture.point
    for part in point.live_parts:
        if not parts.needs_get(part, slice_.now()):
            continue
        if not slice_.admitted(CallKind.READ):
            raise NO_ROOM
        seen = find_part(slice_.world, slice_.rules, part.id)
        found = parts.looked(point, part, seen, slice_.rules.owner, slice_.now())
        point = point.with_part(found)
        point = promised(point, seen) if seen and part.is_restore_point else point
        if found.state in (PartState.STARTED, PartState.READY) and part.state in (PartState.PLANNED, PartState.UNKNOWN):
            because = f"the answer was lost and the {'restore point' if part.is_restore_point else 'snapshot'} is ours"
            log.info("part.adopted vm=%s snapshot=%s because=%r", machine.name, part.id.name, because)
    capture = Capture(capture.operation, point)
    if parts.must_begin_anew(point, machine, slice_.now()) or steps_down(point, capture.operation):
        whole = together(slice_, case.with_point(point), capture.operation, machine, sighting)
        capture = decide.next_attempt(capture, machine, slice_.place, whole)
        log.info("capture.anew vm=%s slot=%s attempt=%d", machine.name, point.slot, capture.point.attempt)
    return capture


def kept_model(slice_: Slice, machine: Machine, sighting: Sighting) -> str:
    """The reference of the model as it was sighted, which is kept."""
    reference = model_reference(sighting.model)
    return reference if reference == machine.model else slice_.world.models.keep(sighting.model)
