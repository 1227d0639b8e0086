"""The parts of a capture: what a look at their snapshots says, and whether they can still become one point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from shared.decide.naming import has_failed, is_ours, is_ready
from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.point import Inside, Part, PartState, Point
from shared.model.snapshot import SnapshotSeen

TOGETHER = timedelta(minutes=15)  # all parts of a point start within this time, or it is a new attempt
BULK_LAG = timedelta(minutes=5)  # a part that the bulk lens does not show by then gets a GET of its own
ENDLESS = timedelta(hours=24)  # a snapshot that is not ready by then never will be


def must_begin_anew(point: Point, machine: Machine, now: datetime) -> bool:
    """Whether the current attempt can no longer become a point of one time and of the machine's own disks.

    An attempt all of whose parts were accepted stands, whatever became of the disks since.
    """
    if has_lost_a_part(point):
        return True
    unsent = any(part.state in (PartState.PLANNED, PartState.UNKNOWN) for part in point.live_parts)
    return unsent and (_is_too_late(point, now) or _has_other_disks(point, machine))


def _is_too_late(point: Point, now: datetime) -> bool:
    """Whether the first part started too long ago for another one to belong to it."""
    sent = [part.sent_at for part in point.live_parts if part.sent_at]
    return bool(sent) and now - min(sent) > TOGETHER


def _has_other_disks(point: Point, machine: Machine) -> bool:
    """Whether the attempt was planned for other disks than the machine has now."""
    return {disk.disk_uid for disk in point.disks} != {disk.uid for disk in machine.disks if not disk.left_out}


def looked(point: Point, part: Part, seen: SnapshotSeen | None, owner: str, now: datetime) -> Part:
    """The part after a GET of its snapshot: adopted when it is ours, to be sent when nothing is there."""
    if seen is None:
        vanished = part.state in (PartState.STARTED, PartState.READY)
        return replace(part, state=PartState.FAILED if vanished else PartState.PLANNED)
    if has_failed(seen) or not is_ours(seen, point, part, owner):
        return replace(part, state=PartState.FAILED)
    return replace(
        part,
        state=PartState.READY if is_ready(seen) else PartState.STARTED,
        sent_at=part.sent_at or seen.created or now,
        inside=_inside(part, seen),
    )


def _inside(part: Part, seen: SnapshotSeen) -> tuple[Inside, ...]:
    """The disks of a restore point as Azure has them, once it names what they are restored from."""
    if not seen.inside or any(disk.id is None for disk in seen.inside):
        return part.inside
    known = {disk.disk: disk.disk_uid for disk in part.inside}
    return tuple(replace(disk, disk_uid=known.get(disk.disk, disk.disk_uid)) for disk in seen.inside)


def loss_of(seen: SnapshotSeen | None) -> str:
    """The code under which a lost part is reported: how a look found its snapshot."""
    if seen is None:
        return "PartVanished"
    if not has_failed(seen):
        return "PartForeign"
    return "PartCanceled" if seen.provisioning.lower() == "canceled" else "PartFailed"


def confirmed(point: Point, seen: Mapping[ResourceId, SnapshotSeen], owner: str) -> Point:
    """The point after a bulk look: only presence promotes a part, absence says nothing."""
    for part in point.live_parts:
        one = seen.get(part.id)
        if part.state is PartState.STARTED and one and is_ready(one) and is_ours(one, point, part, owner):
            point = point.with_part(replace(part, state=PartState.READY))
    return point


def needs_get(part: Part, now: datetime) -> bool:
    """Whether a part must be looked at by itself: its fate is unknown, or the bulk lens does not show it by now."""
    if part.state in (PartState.PLANNED, PartState.UNKNOWN):
        return True
    unlisted = part.is_restore_point or (part.sent_at is not None and now - part.sent_at >= BULK_LAG)
    return part.state is PartState.STARTED and unlisted


def is_complete(point: Point) -> bool:
    """Whether every part of the current attempt is ready, and there is one (promise S6)."""
    return bool(point.live_parts) and all(part.state is PartState.READY for part in point.live_parts)


def has_lost_a_part(point: Point) -> bool:
    """Whether a part of the current attempt failed, vanished, or is somebody else's."""
    return any(part.state is PartState.FAILED for part in point.live_parts)


def is_endless(point: Point, now: datetime) -> bool:
    """Whether a part has been in the making for so long that it never ends."""
    sent = [part.sent_at for part in point.live_parts if part.sent_at and part.state is PartState.STARTED]
    return bool(sent) and now - min(sent) > ENDLESS
