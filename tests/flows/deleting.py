"""A machine with points of several days in a calm world, for the tests of the flows that delete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.decide.naming import part_name, stamp
from shared.flows.expiring import expire
from shared.flows.reaping import reap
from shared.messages import REAP
from shared.model.identity import DiskUid, ResourceId, Shard
from shared.model.machine import Disk, Machine, Status
from shared.model.operation import Operation
from shared.model.point import Part, PartState, Point
from shared.model.rules import Mode, Rules
from shared.model.transition import Held, Transition, Write
from shared.ports import Deletions
from tests.fleet import DAY, LAST_SLOT, NOW, RULES, SHARD, Fleet, capture, empty_fleet, machine, point
from tests.world.stage import Stage
from tests.world.twins.azure import DiskTruth, Lock, SnapshotTruth, VmTruth

OWNER = RULES.owner
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@dataclass
class Estate:
    """One machine, its points in the ledger, and their snapshots in Azure."""

    fleet: Fleet = field(default_factory=empty_fleet)
    rules: Rules = RULES

    @property
    def stage(self) -> Stage:
        return self.fleet.stage

    def machine(self, number: int = 1, **changes: object) -> Machine:
        """A living machine, in Azure too; its row says that its points want a look."""
        row = replace(machine(number, f"web-{number}"), next_expiry=NOW - HOUR)
        row = replace(row, **changes)  # type: ignore[arg-type]  # a test names the fields it changes
        azure = self.stage.azure
        azure.groups.add(SHARD)
        azure.subscriptions = [SHARD.subscription]
        if row.status is not Status.GONE:
            disks = tuple(DiskTruth(disk.id, disk.uid, disk.lun) for disk in row.disks)
            azure.write(VmTruth(row.id, row.uid, row.name, SHARD.region, dict(row.tags), disks))
        return row

    def taken(self, of: Machine, age: int, until: datetime | None = None, attempt: int = 1) -> Point:
        """A complete point of so many days ago, its snapshots in Azure."""
        slot = LAST_SLOT - age * DAY
        made = point(of, slot)
        parts = tuple(self.part(of, slot, disk, attempt) for disk in of.disks)
        kept = until or slot + 7 * DAY
        return replace(
            made, parts=parts, attempt=attempt, birth_keep_until=kept, keep_until=kept, ended_at=slot + 10 * MINUTE
        )

    def part(self, of: Machine, slot: datetime, disk: Disk, attempt: int = 1) -> Part:
        place = self.fleet.world.snapshots.place(SHARD, part_name(of.uid, "disk", slot, attempt, disk.uid))
        tags = {
            "tagback-owner": OWNER,
            "tagback-vm": of.uid,
            "tagback-disk": disk.uid,
            "tagback-slot": stamp(slot),
            "tagback-keep-until": stamp(slot + 7 * DAY),
        }
        self.stage.azure.snapshots[place] = SnapshotTruth(place, disk.uid, tags, slot, slot, fails=False, slow=False)
        return Part(place, disk.id, disk.uid, disk.lun, attempt, PartState.READY, slot + MINUTE)

    def put(self, *rows: Machine | Operation | Point) -> None:
        self.fleet.put(*rows)

    def truth(self, of: Part) -> SnapshotTruth | None:
        return self.stage.azure.snapshots.get(of.id)

    def there(self, of: Point) -> list[bool]:
        """Which parts of a point are still in Azure."""
        return [self.truth(part) is not None for part in of.parts]

    def points(self, of: Machine) -> list[Point]:
        return [held.row for held in self.fleet.world.ledger.points(of.shard, of.uid)]

    def row(self, of: Machine) -> Machine:
        record = self.fleet.world.ledger.record(of.shard, of.uid)
        assert record is not None
        return record.machine.row

    def why(self, of: Machine, slot: datetime) -> str:
        """What the ledger says of the removal of a point."""
        [found] = [one for one in self.points(of) if one.slot == slot]
        return found.removal.because if found.removal else ""

    def pass_time(self, duration: timedelta, before_each_hour: Callable[[], None] = lambda: None) -> None:
        """Hour by hour: the timer fires, and whatever it pokes is reaped."""
        stage, world = self.stage, self.fleet.world
        for _ in range(int(duration / HOUR)):
            stage.scheduler.run(stage.scheduler.now + HOUR)
            before_each_hour()
            expire(world, self.rules)
            self.reap_poked()

    def reap_poked(self) -> None:
        queues = self.stage.queues
        for message in [one for one in queues.messages.values() if one.queue == REAP]:
            queues.delete(message)
            reap(self.fleet.world, self.rules, SHARD)

    def change(self, held: Held[Machine], *fresh: Operation) -> None:
        """Somebody else writes the machine's row, with operations that are new."""
        writes = (Write(held.row, held.etag), *(Write(row, None) for row in fresh))
        self.fleet.world.ledger.commit(Transition(held.row.shard, held.row.uid, writes))

    def edit(self, of: Machine, row: Machine | Point) -> None:
        """Replace one row of a machine."""
        record = self.fleet.world.ledger.record(of.shard, of.uid)
        assert record is not None
        held = record.machine
        if isinstance(row, Point):
            [etag] = [one.etag for one in self.fleet.world.ledger.points(of.shard, of.uid) if one.row.slot == row.slot]
            writes: tuple[Write, ...] = (Write(held.row, held.etag), Write(row, etag))
        else:
            writes = (Write(row, held.etag),)
        self.fleet.world.ledger.commit(Transition(of.shard, of.uid, writes))

    def retag(self, tags: dict[str, str]) -> None:
        """The VM itself gets other tags."""
        for vm in list(self.stage.azure.vms()):
            self.stage.azure.write(replace(vm, tags=tags))

    def hold(self, of: Part) -> None:
        truth = self.truth(of)
        assert truth is not None
        self.stage.azure.hold(truth, "forever")

    def read(self, of: Part) -> None:
        truth = self.truth(of)
        assert truth is not None
        truth.read_by_sas = True

    def untag(self, of: Part) -> None:
        truth = self.truth(of)
        assert truth is not None
        truth.tags.clear()

    def replace_disk(self, of: Part) -> None:
        truth = self.truth(of)
        assert truth is not None
        truth.source_uid = DiskUid("another")

    def lock(self) -> None:
        self.stage.azure.locks[SHARD] = Lock.CANNOT_WRITE

    def observe(self) -> None:
        self.rules = replace(self.rules, subscriptions={SHARD.subscription: Mode.OBSERVE})

    def skew(self, by: timedelta) -> None:
        """Azure's clock differs from ours."""
        world = self.fleet.world
        self.stage.world = replace(world, deletions=Skewed(world.deletions, by))


@dataclass
class Skewed:
    """Azure by a clock that is wrong, or right where ours is not."""

    real: Deletions
    by: timedelta

    def azure_now(self, shard: Shard) -> datetime:
        return self.real.azure_now(shard) + self.by

    def delete(self, shard: Shard, snapshot: ResourceId) -> None:
        self.real.delete(shard, snapshot)


def gains(of: Machine, *slots: datetime) -> list[Operation]:
    """Captures that succeeded, so that the budget has room."""
    return [replace(capture(of, slot), ended_at=slot + 10 * MINUTE) for slot in slots]
