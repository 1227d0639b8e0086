"""Rows of the ledger with every field set or with only the needed ones, for tests of what stores them."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.model.drill import Drill
from shared.model.identity import DiskUid, ResourceId, Shard, VmUid, vm_id
from shared.model.machine import Disk, Machine, Status
from shared.model.operation import Failure, Kind, Operation, State
from shared.model.point import Consistency, Engine, Origin, Part, PartState, Point, PointState

SLOT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
EXACT = datetime(2026, 11, 20, 2, 0, 1, 234567, tzinfo=UTC)
DAY = timedelta(days=1)


def new_uid() -> VmUid:
    return VmUid(str(uuid.uuid4()))


def disk(subscription: str, lun: int | None) -> Disk:
    name = "os" if lun is None else f"data{lun}"
    return Disk(ResourceId(subscription, "web", "microsoft.compute/disks", name), DiskUid(str(uuid.uuid4())), lun)


def bare_machine(shard: Shard, uid: VmUid) -> Machine:
    name = f"vm-{uid[:8]}"
    base = f"/subscriptions/{shard.subscription}/resourceGroups/web/providers/Microsoft.Compute/virtualMachines"
    return Machine(
        uid=uid,
        id=vm_id(f"{base}/{name}"),
        name=name,
        shard=shard,
        tags={},
        disks=(),
        unsupported=(),
        plan="",
        status=Status.EXCLUDED,
        because="it has no tag",
        problems=(),
        as_of=EXACT,
    )


def full_machine(shard: Shard, uid: VmUid) -> Machine:
    return replace(
        bare_machine(shard, uid),
        name="Web-1 · Größe",
        tags={"Backup": "silver", "backup-keep": "7d4w"},
        disks=(disk(shard.subscription, None), replace(disk(shard.subscription, 3), left_out="tagged backup = off")),
        unsupported=("data disk LUN 1 is unmanaged (a VHD in a storage account)",),
        plan="silver",
        status=Status.DEGRADED,
        problems=("one", "two"),
        enrolled_at=SLOT,
        settled=SLOT,
        grace_from=SLOT + DAY,
        absent_since=SLOT + 2 * DAY,
        drill=Drill("r2", SLOT, SLOT + DAY, EXACT + DAY, False, "it did not answer: 'ß'", ("power: running",), 420, 60),
        proof=Drill("r1", None, SLOT, EXACT, True, "it ran"),
        last_point=SLOT,
        next_look=EXACT,
        next_due=SLOT + DAY,
        next_expiry=SLOT + 7 * DAY,
        model="f" * 64,
    )


def operation(uid: VmUid, id_: str = "slot-20261120T0200Z-disk", state: State = State.INTENDED) -> Operation:
    return Operation(
        uid=uid,
        id=id_,
        kind=Kind.CAPTURE,
        origin=Origin.SLOT,
        engine=Engine.DISK,
        slot=SLOT,
        state=state,
        because="its slot came",
        intended_at=EXACT,
    )


def full_operation(uid: VmUid) -> Operation:
    return replace(
        operation(uid, state=State.NEEDS_PERSON),
        attempts=3,
        started_at=EXACT,
        ended_at=EXACT + DAY,
        next_look=EXACT + DAY,
        slot_from=SLOT - DAY,
        failure=Failure("ScopeLocked", "a lock: 'web' \"x\"", "remove the lock"),
    )


def point(shard: Shard, uid: VmUid, slot: datetime = SLOT, parts: int = 2) -> Point:
    return Point(
        uid=uid,
        slot=slot,
        engine=Engine.DISK,
        origin=Origin.SLOT,
        attempt=1,
        state=PointState.TAKING,
        consistency=Consistency.PER_DISK,
        plan="silver",
        parts=tuple(part(shard, number) for number in range(parts)),
        birth_keep_until=slot + 7 * DAY,
        keep_until=slot + 7 * DAY,
        earned="",
        because="its slot came",
    )


def full_point(shard: Shard, uid: VmUid) -> Point:
    return replace(
        point(shard, uid),
        state=PointState.COMPLETE,
        earned="daily",
        keep_until=SLOT + 30 * DAY,
        held_until=SLOT + 90 * DAY,
        model="e" * 64,
    )


def part(shard: Shard, number: int) -> Part:
    group = f"tagback-{shard.region}"
    return Part(
        id=ResourceId(shard.subscription, group, "microsoft.compute/snapshots", f"tb-{number:032x}"),
        disk=ResourceId(shard.subscription, "web", "microsoft.compute/disks", f"disk-{number}"),
        disk_uid=DiskUid(f"{number:08x}-0000-0000-0000-000000000000"),
        lun=None if number == 0 else number - 1,
        attempt=1,
        state=PartState.STARTED if number else PartState.PLANNED,
        sent_at=EXACT if number else None,
    )
