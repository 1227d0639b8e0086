"""The truth about Azure in the world: VMs with their disks and history, recovery groups, snapshots.

Life (`tests/world/life.py`) changes it from outside, the port twins from inside. It has no faults of its own: what a
lens shows of it, and what becomes of a snapshot, is asked of the weather.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from shared.errors import CloudError
from shared.model.identity import VM_TYPE, DiskUid, ResourceId, Shard, VmUid
from shared.model.machine import Disk, GroupSeen, Lens, Sighting
from tests.world.twins.bodies import model_of

DISK_TYPE = "microsoft.compute/disks"
SNAPSHOT_TYPE = "microsoft.compute/snapshots"
QUICK = timedelta(seconds=5)


class Lock(StrEnum):
    """What stands in the way of writing to a recovery group, or only of deleting in it."""

    NONE = ""
    CANNOT_DELETE = "CannotDelete"
    CANNOT_WRITE = "ScopeLocked"


@dataclass(frozen=True, slots=True)
class DiskTruth:
    """A managed disk. `slow` ones (Premium SSD v2, Ultra) are copied in the background before they can be used.

    A `cached` one is cached for writing by the host.
    """

    id: ResourceId
    uid: DiskUid
    lun: int | None
    left_out: str = ""
    slow: bool = False
    cached: bool = False

    @property
    def seen(self) -> Disk:
        return Disk(self.id, self.uid, self.lun, self.left_out)


@dataclass(frozen=True, slots=True)
class VmTruth:
    """A virtual machine at one moment of its life. `given` are its resource group's tags where they are inherited."""

    id: ResourceId
    uid: VmUid
    name: str
    region: str
    tags: Mapping[str, str]
    disks: tuple[DiskTruth, ...]
    unsupported: tuple[str, ...] = ()
    scale_set: bool = False
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def counted(self) -> Mapping[str, str]:
        """Its own tags, and its group's where it has none of that name."""
        own = {name.lower(): value for name, value in self.tags.items()}
        return {name.lower(): value for name, value in self.given.items()} | own

    @property
    def shard(self) -> Shard:
        return Shard(self.id.subscription, self.region)

    @property
    def captured(self) -> frozenset[DiskUid]:
        return frozenset(disk.uid for disk in self.disks if not disk.left_out)


@dataclass(slots=True)
class SnapshotTruth:
    """A snapshot. `ready_at` is None when its copy never ends; `fails` when Azure gives it up instead."""

    id: ResourceId
    source_uid: DiskUid
    tags: dict[str, str]
    born: datetime
    ready_at: datetime | None
    fails: bool
    slow: bool
    born_at_step: int = 0
    source: ResourceId | None = None
    read_by_sas: bool = False
    inside: tuple[DiskTruth, ...] = ()
    mode: str = ""

    def ready(self, now: datetime) -> bool:
        return not self.fails and self.ready_at is not None and now >= self.ready_at


@dataclass(slots=True)
class CollectionTruth:
    """A collection of restore points, which are kept among the snapshots; of one machine at one place."""

    machine: ResourceId
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a snapshot: usable after `takes` (None: never), or failed by then."""

    takes: timedelta | None = QUICK
    fails: bool = False


class Weather(Protocol):
    """What the drivers decide about Azure's eventual answers."""

    def lag(self, subject: str) -> timedelta:
        """How far the bulk lens is behind for one resource."""

    def pages(self, subject: str, rows: list[Sighting]) -> list[list[Sighting]]:
        """The pages that a bulk list shows of its rows: perhaps short, empty or double."""

    def hides(self, subject: str) -> bool:
        """Whether a bulk list leaves one row out."""

    def fate(self, snapshot: ResourceId) -> Fate:
        """What becomes of a new snapshot."""


class Fair:
    """Every list is whole and late by nothing; every snapshot is usable after seconds."""

    def lag(self, subject: str) -> timedelta:
        return timedelta(0)

    def pages(self, subject: str, rows: list[Sighting]) -> list[list[Sighting]]:
        return [rows]

    def hides(self, subject: str) -> bool:
        return False

    def fate(self, snapshot: ResourceId) -> Fate:
        return Fate()


Published = Callable[[str, ResourceId], None]


@dataclass
class Azure:
    """One Azure: everything in it, and who is told when a VM changes."""

    now: Callable[[], datetime]
    weather: Weather = field(default_factory=Fair)
    publish: Published = lambda operation, resource: None
    subscriptions: list[str] = field(default_factory=list)
    disabled: set[str] = field(default_factory=set)
    locks: dict[Shard, Lock] = field(default_factory=dict)
    groups: set[Shard] = field(default_factory=set)
    resource_groups: dict[tuple[str, str], GroupSeen] = field(default_factory=dict)
    inherits: bool = False
    snapshots: dict[ResourceId, SnapshotTruth] = field(default_factory=dict)
    by_slot: dict[tuple[Shard, str], list[SnapshotTruth]] = field(default_factory=dict)
    deleted: dict[ResourceId, SnapshotTruth] = field(default_factory=dict)
    holds: dict[ResourceId, datetime] = field(default_factory=dict)
    released: dict[ResourceId, datetime] = field(default_factory=dict)
    refusals: dict[ResourceId, CloudError] = field(default_factory=dict)
    history: dict[ResourceId, list[tuple[datetime, VmTruth | None]]] = field(default_factory=dict)
    loose: dict[ResourceId, DiskTruth] = field(default_factory=dict)
    made_from: dict[ResourceId, ResourceId] = field(default_factory=dict)
    lives: dict[VmUid, list[tuple[datetime, VmTruth | None]]] = field(default_factory=dict)
    vault_points: set[tuple[ResourceId, str]] = field(default_factory=set)
    collections: dict[ResourceId, CollectionTruth] = field(default_factory=dict)

    def vm(self, place: ResourceId) -> VmTruth | None:
        versions = self.history.get(place)
        return versions[-1][1] if versions else None

    def vms(self) -> Iterator[VmTruth]:
        """Every VM that exists now."""
        for versions in self.history.values():
            vm = versions[-1][1]
            if vm is not None:
                yield vm

    def living(self, uid: VmUid) -> VmTruth | None:
        life = self.lives.get(uid)
        return life[-1][1] if life else None

    def versions(self, uid: VmUid, since: datetime) -> list[VmTruth | None]:
        """What a machine was at any time from `since` on, oldest first; None where it did not exist."""
        life = self.lives.get(uid, [])
        before = [vm for moment, vm in life if moment <= since][-1:] or [None]
        return before + [vm for moment, vm in life if moment > since]

    def write(self, vm: VmTruth, operation: str = "Microsoft.Compute/virtualMachines/write") -> None:
        """Create or change a VM; Azure tells its subscribers."""
        self._set(vm.id, vm, vm.uid)
        self.publish(operation, vm.id)

    def delete(self, vm: VmTruth) -> None:
        self._set(vm.id, None, vm.uid)
        self.publish("Microsoft.Compute/virtualMachines/delete", vm.id)

    def move(self, vm: VmTruth, moved: VmTruth) -> None:
        """To another group or subscription: the same machine under another id. No VM event is raised for it."""
        self.history.setdefault(vm.id, []).append((self.now(), None))
        self._set(moved.id, moved, moved.uid)

    def tag_group(self, subscription: str, group: str, tags: Mapping[str, str]) -> None:
        """Give a resource group other tags: no VM event is raised for it."""
        self.resource_groups[subscription, group] = GroupSeen(dict(tags))
        for vm in list(self.vms()):
            if self.inherits and (vm.id.subscription, vm.id.group) == (subscription, group):
                self._set(vm.id, vm, vm.uid)

    def _set(self, place: ResourceId, vm: VmTruth | None, uid: VmUid) -> None:
        group = self.resource_groups.get((place.subscription, place.group))
        if vm is not None and self.inherits:
            vm = replace(vm, given=group.tags if group else {})
        self.history.setdefault(place, []).append((self.now(), vm))
        self.lives.setdefault(uid, []).append((self.now(), vm))

    def as_of(self, place: ResourceId, moment: datetime) -> VmTruth | None:
        """The VM under an id as it was at an earlier moment."""
        found = None
        for since, vm in self.history.get(place, ()):
            if since > moment:
                break
            found = vm
        return found

    def disk(self, place: ResourceId) -> DiskTruth | None:
        attached = next((disk for vm in self.vms() for disk in vm.disks if disk.id == place), None)
        return attached or self.loose.get(place)

    def hold(self, snapshot: SnapshotTruth, until: str) -> None:
        """Somebody holds a snapshot by a tag, which `until` says; another word replaces it."""
        if snapshot.tags.get("backup-hold") != until:
            self.holds[snapshot.id] = self.now()
        snapshot.tags["backup-hold"] = until

    def let_go(self, snapshot: SnapshotTruth) -> None:
        """Somebody takes the hold of a snapshot away."""
        if snapshot.tags.pop("backup-hold", None) is not None:
            self.holds.pop(snapshot.id, None)
            self.released[snapshot.id] = self.now()

    def has_restore_points(self, vm: ResourceId) -> bool:
        """Whether Azure refuses to move a VM because of its restore points [reliability S27]."""
        mine = {place for place, collection in self.collections.items() if collection.machine == vm}
        return any(one.top in mine for one in self.snapshots)

    def remove(self, snapshot: SnapshotTruth) -> None:
        """It is gone for good."""
        if self.snapshots.pop(snapshot.id, None) is not None:
            self.deleted[snapshot.id] = snapshot
            of_slot = self.by_slot.get((self.shard_of(snapshot.id), snapshot.tags.get("tagback-slot", "")), [])
            of_slot[:] = [other for other in of_slot if other is not snapshot]

    def recovery_group(self, shard: Shard) -> str:
        return f"tagback-{shard.region}"

    def shard_of(self, snapshot: ResourceId) -> Shard:
        return Shard(snapshot.subscription, snapshot.group.removeprefix("tagback-").partition("-rp")[0])


def glance(vm: VmTruth, lens: Lens, as_of: datetime) -> Sighting:
    """The VM as one GET of it alone shows it: its disks by id, without what only they know."""
    return Sighting(
        uid=vm.uid,
        id=vm.id,
        name=vm.name,
        shard=vm.shard,
        tags=dict(vm.tags),
        disks=tuple(Disk(disk.id, DiskUid(""), disk.lun) for disk in vm.disks),
        unsupported=vm.unsupported,
        scale_set=vm.scale_set,
        model={},
        lens=lens,
        as_of=as_of,
    )


def portrait(vm: VmTruth, lens: Lens, as_of: datetime) -> Sighting:
    """The VM with its disks and everything that a rebuild needs."""
    seen = glance(vm, lens, as_of)
    return replace(seen, disks=tuple(disk.seen for disk in vm.disks), model=model_of(seen))


def vm_place(subscription: str, group: str, name: str) -> ResourceId:
    return ResourceId(subscription, group.lower(), VM_TYPE, name.lower())


def disk_place(subscription: str, group: str, name: str) -> ResourceId:
    return ResourceId(subscription, group.lower(), DISK_TYPE, name.lower())
