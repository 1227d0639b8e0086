"""Recovery points for the tests of retention and deletion, as small as they can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared.decide.naming import part_name
from shared.model.identity import DiskUid, ResourceId
from shared.model.point import Consistency, Engine, Origin, Part, PartState, Point, PointState
from tests.decide.plans import SUBSCRIPTION, UID

TOOK = timedelta(minutes=10)


def part_of(slot: datetime, attempt: int = 1, state: PartState = PartState.READY, disk: str = "os") -> Part:
    name = part_name(UID, Engine.DISK, slot, attempt, f"uid-{disk}")
    return Part(
        id=ResourceId(SUBSCRIPTION, "tagback-westeurope", "microsoft.compute/snapshots", name),
        disk=ResourceId(SUBSCRIPTION, "web", "microsoft.compute/disks", disk),
        disk_uid=DiskUid(f"uid-{disk}"),
        lun=None,
        attempt=attempt,
        state=state,
        sent_at=slot + timedelta(minutes=1),
    )


def point_of(
    slot: datetime,
    until: datetime | None = None,
    state: PointState = PointState.COMPLETE,
    earned: str = "daily",
    because: str = "first complete point of its day (daily), kept 7d",
) -> Point:
    """A point of one disk, kept a week unless told otherwise."""
    due = until or slot + timedelta(days=7)
    return Point(
        uid=UID,
        slot=slot,
        engine=Engine.DISK,
        origin=Origin.SLOT,
        attempt=1,
        state=state,
        consistency=Consistency.PER_DISK,
        plan="silver",
        parts=(part_of(slot),),
        birth_keep_until=due,
        keep_until=due,
        earned=earned,
        because=because,
        ended_at=None if state is PointState.TAKING else slot + TOOK,
    )


def changed(point: Point, **fields: object) -> Point:
    return replace(point, **fields)  # type: ignore[arg-type]  # a test names the fields it changes
