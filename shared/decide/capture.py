"""How a capture goes on: which slot begins, which parts are sent or looked for, when it is complete or starts anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.decide.consistency import Choice, Rung, of_snapshots
from shared.decide.naming import part_name, stamp
from shared.decide.restore_points import restore_point_of
from shared.decide.retention import Kept, Neighbour, kept
from shared.decide.schedule import Owed, owed, start_of
from shared.model.identity import ResourceId
from shared.model.machine import Disk, Machine
from shared.model.operation import Failure, Kind, Operation, State
from shared.model.plan import Plan
from shared.model.point import Consistency, Engine, Origin, Part, PartState, Point, PointState

_PATIENCE = (  # how old the newest part is, how long until the next look
    (timedelta(minutes=1), timedelta(seconds=20)),
    (timedelta(minutes=10), timedelta(minutes=1)),
    (timedelta(hours=1), timedelta(minutes=5)),
    (timedelta(days=1), timedelta(minutes=30)),
)

Place = Callable[[str], ResourceId]


@dataclass(frozen=True, slots=True)
class Together:
    """How the disks of a machine are taken as one: the rung that holds, and the machine's collection."""

    choice: Choice
    collection: ResourceId


@dataclass(frozen=True, slots=True)
class Capture:
    """An operation and the point it is to make; the two rows always change together."""

    operation: Operation
    point: Point


def slot_that_begins(machine: Machine, plan: Plan, now: datetime) -> Owed | None:
    """The slot whose start has come for this machine and that nothing answers for yet."""
    if machine.settled is None or not plan.takes_snapshots:
        return None
    due = owed(plan.schedule, machine.settled, now)
    return due if due and start_of(due.slot, plan.schedule, machine.uid) <= now else None


def operation_id(origin: Origin, slot: datetime, engine: Engine) -> str:
    """Derived from what and when, so that two workers collide."""
    return f"{origin}-{stamp(slot)}-{engine}"


def opened(
    machine: Machine, slot: datetime, origin: Origin, because: str, now: datetime, engine: Engine = Engine.DISK
) -> Operation:
    """The intent to capture a machine; its parts are chosen when a drainer takes it up."""
    return Operation(
        uid=machine.uid,
        id=operation_id(origin, slot, engine),
        kind=Kind.CAPTURE,
        origin=origin,
        engine=engine,
        slot=slot,
        state=State.INTENDED,
        because=because,
        intended_at=now,
        next_look=now,
    )


def superseded_range(machine: Machine, due: Owed, now: datetime) -> Operation | None:
    """One row that answers for all the slots which the newest one supersedes."""
    if due.oldest_missed is None or due.newest_missed is None:
        return None
    passed = opened(machine, due.newest_missed, Origin.SLOT, f"superseded by the slot of {stamp(due.slot)}", now)
    return replace(
        passed,
        id=f"superseded-{stamp(due.newest_missed)}",
        state=State.SUPERSEDED,
        slot_from=due.oldest_missed,
        ended_at=now,
        next_look=None,
    )


def planned(
    operation: Operation,
    machine: Machine,
    plan: Plan,
    points: Iterable[Point],
    place: Place,
    together: Together | None = None,
) -> Capture:
    """The point with parts for every disk that is captured, and the date stamped on them at birth."""
    now = operation.intended_at
    keep = _kept(operation, plan, points)
    until = max(keep.until, _next_minute(now + plan.keep_floor))
    point = Point(
        uid=machine.uid,
        slot=operation.slot,
        engine=operation.engine,
        origin=operation.origin,
        attempt=1,
        state=PointState.TAKING,
        consistency=Consistency.PER_DISK,
        plan=plan.name,
        parts=(),
        birth_keep_until=until,
        keep_until=until,
        earned=keep.earned,
        because=f"{keep.because}, if it completes",
    )
    return Capture(operation, with_new_parts(point, machine, place, together))


def with_new_parts(point: Point, machine: Machine, place: Place, together: Together | None = None) -> Point:
    """The point with planned parts of its current attempt: a snapshot of each captured disk, or of each left apart."""
    if together and together.choice.rung is not Rung.SNAPSHOTS:
        point = replace(point, consistency=together.choice.consistency)
        apart = _snapshots(point, [disk for disk in machine.disks if disk.id in together.choice.apart], place)
        whole = restore_point_of(point, machine, together.choice.apart, len(apart) + 1, together.collection)
        return replace(point, parts=(*point.parts, whole, *apart))
    promise, _ = of_snapshots(machine)
    return replace(point, parts=point.parts + _snapshots(point, machine.disks, place), consistency=promise)


def _snapshots(point: Point, disks: Iterable[Disk], place: Place) -> tuple[Part, ...]:
    return tuple(
        Part(
            id=place(part_name(point.uid, point.engine, point.slot, point.attempt, disk.uid)),
            disk=disk.id,
            disk_uid=disk.uid,
            lun=disk.lun,
            attempt=point.attempt,
            state=PartState.PLANNED,
        )
        for disk in disks
        if not disk.left_out
    )


def next_attempt(capture: Capture, machine: Machine, place: Place, together: Together | None = None) -> Capture:
    """Attempt n+1: the earlier parts can no longer become a point of one time, so they are abandoned."""
    point = replace(_abandoned(capture.point), attempt=capture.point.attempt + 1)
    return Capture(capture.operation, with_new_parts(point, machine, place, together))


def floored(capture: Capture, plan: Plan, now: datetime) -> Capture:
    """Stamped for the plan's floor from now on, when it is planned: it may have been wanted for hours.

    Never again after that: two drainers may be about to send an attempt, and must say the same. The name of a restore
    point tells the date that it was planned with. A floor that is longer by then is the deletion's to keep.
    """
    point = capture.point
    if any(part.is_restore_point for part in point.live_parts):
        return capture
    until = max(point.birth_keep_until, _next_minute(now + plan.keep_floor))
    point = replace(point, birth_keep_until=until, keep_until=max(until, point.keep_until))
    return Capture(capture.operation, point)


def claimed(capture: Capture, until: datetime) -> Capture:
    """Left `until` its claim runs out to the drainer that is about to send it.

    What waits for a person goes on doing so until it succeeds: nobody is alarmed anew by every look.
    """
    asked = capture.operation.state is State.NEEDS_PERSON
    state = State.NEEDS_PERSON if asked else State.INTENDED
    return Capture(replace(capture.operation, state=state, next_look=until), capture.point)


def waiting(capture: Capture, now: datetime) -> Capture:
    """Every part is accepted: the operation is started, and looked at again with growing patience."""
    newest = max((part.sent_at for part in capture.point.live_parts if part.sent_at), default=now)
    pause = next((pause for age, pause in _PATIENCE if now - newest < age), timedelta(hours=1))
    started = capture.operation.started_at or now
    because = f"every part of attempt {capture.point.attempt} is accepted"
    operation = replace(
        capture.operation, state=State.STARTED, because=because, started_at=started, next_look=now + pause
    )
    return Capture(operation, capture.point)


def has_been_overtaken(operation: Operation, machine: Machine) -> bool:
    """Whether a newer slot has begun: then this one is not tried anew. Slots are whole minutes, an enrolment is not."""
    return machine.settled is not None and stamp(operation.slot) < stamp(machine.settled)


def completed(capture: Capture, plan: Plan | None, points: Iterable[Point], now: datetime) -> Capture:
    """Complete: the ledger's date follows the classes really earned, and is never earlier than the birth stamp.

    Without a plan (it was removed meanwhile) the point is kept as it was stamped.
    """
    because = f"as stamped by plan {capture.point.plan}"
    point = replace(capture.point, state=PointState.COMPLETE, because=because, ended_at=now)
    if plan:
        keep = _kept(capture.operation, plan, points)
        until = max(keep.until, point.birth_keep_until)
        point = replace(point, keep_until=until, earned=keep.earned, because=keep.because)
    done = f"every part of attempt {point.attempt} is ready"
    operation = replace(
        capture.operation, state=State.SUCCEEDED, because=done, ended_at=now, next_look=None, failure=None
    )
    return Capture(operation, point)


def put_off(operation: Operation, state: State, failure: Failure, until: datetime) -> Operation:
    """Tried, failed, and tried again at `until`."""
    return replace(operation, state=state, failure=failure, because=failure.message, next_look=until)


def closed(operation: Operation, state: State, because: str, now: datetime) -> Operation:
    """Over, before any part was planned."""
    return replace(operation, state=state, because=because, ended_at=now, next_look=None)


def ended(capture: Capture, state: State, because: str, now: datetime) -> Capture:
    """Over without a complete point: superseded, skipped or given up."""
    point = replace(_abandoned(capture.point), state=PointState.INCOMPLETE, because=because, ended_at=now)
    return Capture(closed(capture.operation, state, because, now), point)


def _abandoned(point: Point) -> Point:
    for part in point.live_parts:
        point = point.with_part(replace(part, state=PartState.ABANDONED))
    return point


def _kept(operation: Operation, plan: Plan, points: Iterable[Point]) -> Kept:
    ours = [one for one in points if one.complete and one.origin is Origin.SLOT and one.is_ours]
    complete = [Neighbour(one.slot, one.keep_until) for one in ours]
    return kept(operation.slot, operation.origin, plan.keep, complete, plan.schedule.zone)


def _next_minute(moment: datetime) -> datetime:
    """Stamps carry minutes: rounded up, so that a floor is never undercut."""
    return (moment + timedelta(minutes=1) - timedelta(microseconds=1)).replace(second=0, microsecond=0)
