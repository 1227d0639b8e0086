"""A small fleet in the ledger twin, for the tests of what people are shown: one machine per status, jobs and points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from shared.model.identity import DiskUid, ResourceId, Shard, VmUid, vm_id
from shared.model.machine import Disk, Machine, Status
from shared.model.operation import Failure, Kind, Operation, State
from shared.model.plan import Age, Keep, Plan, Plans, Schedule, Unit
from shared.model.point import Consistency, Engine, Origin, Part, PartState, Point, PointState
from shared.model.rules import Mode, Rules
from shared.model.transition import Row, Transition, Write
from shared.ports import World
from tests.world.stage import Stage, stage
from tests.world.twins.witness import Witness

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
SHARD = Shard(SUBSCRIPTION, "westeurope")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LAST_SLOT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
FORMER = VmUid("f0f0f0f0-0000-0000-0000-000000000001")

SILVER = Plan(
    name="silver",
    schedule=Schedule(at=(time(2),), every=None, zone="UTC", window=timedelta(hours=1)),
    keep=Keep((Age(7, Unit.DAY), Age(4, Unit.WEEK))),
    keep_floor=DAY,
    max_per_day=24,
)
PLANS = Plans({"silver": SILVER}, "silver", {})
RULES = Rules(plans=PLANS, subscriptions={SUBSCRIPTION: Mode.ENFORCE}, owner="tagback-test")


def uid_of(number: int) -> VmUid:
    return VmUid(f"00000000-0000-0000-0000-{number:012d}")


def place(group: str, name: str, subscription: str = SUBSCRIPTION) -> ResourceId:
    return vm_id(
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
    )


def disk(machine: ResourceId, lun: int | None = None) -> Disk:
    name = f"{machine.name}-os" if lun is None else f"{machine.name}-data{lun}"
    return Disk(ResourceId(machine.subscription, machine.group, "microsoft.compute/disks", name), DiskUid(name), lun)


def machine(number: int, name: str, status: Status = Status.PROTECTED, group: str = "web") -> Machine:
    """A machine as the ledger remembers it, consistent with its status at NOW."""
    found = place(group, name)
    asks = status is not Status.EXCLUDED
    return Machine(
        uid=uid_of(number),
        id=found,
        name=name,
        shard=SHARD,
        tags={"backup": "silver"} if asks else {},
        disks=(disk(found), disk(found, 0)),
        unsupported=(),
        plan="silver" if asks else "",
        status=status,
        because=f"{name} is {status} for a reason",
        problems=(),
        as_of=NOW - timedelta(minutes=5),
        enrolled_at=LAST_SLOT - 10 * DAY if asks else None,
        settled=LAST_SLOT if asks else None,
        last_point=LAST_SLOT if status in (Status.PROTECTED, Status.DEGRADED) else None,
        next_due=LAST_SLOT + DAY if asks else None,
    )


def capture(of: Machine, slot: datetime = LAST_SLOT, state: State = State.SUCCEEDED) -> Operation:
    failure = Failure("ScopeLocked", "a lock", "remove the lock") if state is State.NEEDS_PERSON else None
    return Operation(
        uid=of.uid,
        id=f"slot-{slot:%Y%m%dT%H%MZ}-disk",
        kind=Kind.CAPTURE,
        origin=Origin.SLOT,
        engine=Engine.DISK,
        slot=slot,
        state=state,
        because=f"it {state}",
        intended_at=slot + timedelta(minutes=3),
        attempts=1,
        started_at=slot + timedelta(minutes=3),
        ended_at=None if state.open else slot + timedelta(minutes=9),
        failure=failure,
    )


def point(of: Machine, slot: datetime = LAST_SLOT, state: PointState = PointState.COMPLETE) -> Point:
    ready = PartState.READY if state is PointState.COMPLETE else PartState.ABANDONED
    parts = tuple(
        Part(
            id=ResourceId(SUBSCRIPTION, "tagback-westeurope", "microsoft.compute/snapshots", f"tb-{one.uid}-{slot:%d}"),
            disk=one.id,
            disk_uid=one.uid,
            lun=one.lun,
            attempt=1,
            state=ready,
        )
        for one in of.disks
    )
    return Point(
        uid=of.uid,
        slot=slot,
        engine=Engine.DISK,
        origin=Origin.SLOT,
        attempt=1,
        state=state,
        consistency=Consistency.PER_DISK,
        plan="silver",
        parts=parts,
        birth_keep_until=slot + 7 * DAY,
        keep_until=slot + 7 * DAY,
        earned="daily",
        because="first complete point of its day (daily), kept 7d",
    )


@dataclass(frozen=True)
class Fleet:
    """A calm world at NOW with the machines that were put into its ledger."""

    stage: Stage
    rules: Rules = RULES

    @property
    def world(self) -> World:
        return self.stage.world

    def open(self) -> tuple[World, Rules]:
        return self.world, self.rules

    def put(self, *rows: Row) -> None:
        """Create the rows of one machine, the machine first."""
        first = rows[0]
        assert isinstance(first, Machine)
        self.world.ledger.commit(Transition(first.shard, first.uid, tuple(Write(row, None) for row in rows)))


def empty_fleet() -> Fleet:
    return Fleet(stage(seed=1, start=NOW, witness=Witness()))


def usual_fleet() -> Fleet:
    """One machine that is well, one that was never asked for, one that is gone."""
    fleet = empty_fleet()
    well = machine(1, "web-1")
    fleet.put(well, capture(well), capture(well, LAST_SLOT - DAY), point(well, LAST_SLOT - DAY), point(well))
    fleet.put(machine(2, "jump", Status.EXCLUDED))
    fleet.put(replace(machine(3, "old", Status.GONE), enrolled_at=None, next_due=None))
    return fleet


def rebuilt_fleet() -> Fleet:
    """One machine that is well, and the one that had its name before it and is gone, with a point of its own."""
    fleet = empty_fleet()
    well = machine(1, "web-1")
    fleet.put(well, capture(well), point(well))
    gone = replace(machine(1, "web-1", Status.GONE), uid=FORMER, last_point=LAST_SLOT - DAY, next_due=None)
    fleet.put(replace(gone, enrolled_at=None), capture(gone, LAST_SLOT - DAY), point(gone, LAST_SLOT - DAY))
    return fleet
