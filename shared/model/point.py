"""Recovery points and their parts: one row `p|uid|slot|engine` per point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.model.identity import COLLECTION_TYPE, DiskUid, ResourceId, VmUid
from shared.model.vault import VaultPoint


class Engine(StrEnum):
    """What takes a point.

    `disk`: one incremental snapshot per managed disk. `restore-point`: one of the whole VM, with snapshots of what it
    cannot hold. `vault`: Azure Backup.
    """

    DISK = "disk"
    RESTORE_POINT = "restore-point"
    VAULT = "vault"


class Consistency(StrEnum):
    """What a point promises about the VM's disks relative to each other, the most first."""

    APPLICATION = "application"
    FILE_SYSTEM = "file-system"
    CRASH = "crash"
    MIXED = "mixed"
    PER_DISK = "per-disk"


class Origin(StrEnum):
    """Why a point was taken: its plan's slot came, the machine was just enrolled, or a person asked."""

    SLOT = "slot"
    ENROLMENT = "enrolment"
    REQUEST = "request"


class PartState(StrEnum):
    """What we know of one snapshot.

    `planned`: the name is recorded, nothing was sent. `unknown`: it was sent and the answer was lost, or a crash hides
    whether it was sent: look before acting. `started`: Azure accepted it. `ready`: it can be restored from.
    `abandoned`: its attempt can no longer complete. `deleting`: Azure accepted its deletion.
    """

    PLANNED = "planned"
    UNKNOWN = "unknown"
    STARTED = "started"
    READY = "ready"
    FAILED = "failed"
    ABANDONED = "abandoned"
    DELETING = "deleting"


@dataclass(frozen=True, slots=True)
class Inside:
    """One disk within a restore point. `id` is what it is restored from: Azure names it once the point is there."""

    disk: ResourceId
    disk_uid: DiskUid
    lun: int | None
    id: ResourceId | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One snapshot of one disk, or one restore point of the disks `inside`.

    `id` is known before it is made, because its name is derived and never drawn. A restore point's `disk` and
    `disk_uid` are those of the machine that it is taken of.
    """

    id: ResourceId
    disk: ResourceId
    disk_uid: DiskUid
    lun: int | None
    attempt: int
    state: PartState
    sent_at: datetime | None = None
    inside: tuple[Inside, ...] = ()

    @property
    def is_restore_point(self) -> bool:
        return self.id.type == COLLECTION_TYPE

    @property
    def disks(self) -> tuple[Inside, ...]:
        """The disks in it: a snapshot has one, and is restored from itself."""
        return self.inside if self.is_restore_point else (Inside(self.disk, self.disk_uid, self.lun, self.id),)


class PointState(StrEnum):
    """`taking` until its operation ends; then `complete`, or `incomplete` for ever; `deleting` is no point any more."""

    TAKING = "taking"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    DELETING = "deleting"


@dataclass(frozen=True, slots=True)
class Removal:
    """The deletion of a point, as recorded: marked, announced, looked at again at `next_look`, and why it still stands.

    `planned` is how it was claimed from the budget. `remains` are only the parts of earlier attempts: the point stays.
    `frozen` says that people are to look at it, `asks` that two of them may agree to it. `claimed_at` is when it began
    for good, `withdrawn` that it began before a date that was only lengthened.
    """

    marked_at: datetime
    next_look: datetime
    because: str
    remains: bool = False
    planned: bool = True
    frozen: bool = False
    claimed_at: datetime | None = None
    asks: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """A recovery point of one VM: complete only when every part of its attempt is ready (promise S6).

    `slot` is the scheduled UTC instant. `birth_keep_until` is stamped on the parts before they are made; `keep_until`
    is the ledger's date and only ever later. `earned` names the retention class. `origin` says whether classes apply.
    `tags_left_out` are the machine's tags for which its snapshots had no room.
    `ended_at` is when it became complete, or was given up; `rebuilt_at` when it was found in Azure, its row being lost.
    `vault` says where a point of Azure Backup is: such a point has no parts, and its vault expires it, never we.
    """

    uid: VmUid
    slot: datetime
    engine: Engine
    origin: Origin
    attempt: int
    state: PointState
    consistency: Consistency
    plan: str
    parts: tuple[Part, ...]
    birth_keep_until: datetime
    keep_until: datetime
    earned: str
    because: str
    held_until: datetime | None = None
    model: str = ""
    ended_at: datetime | None = None
    rebuilt_at: datetime | None = None
    removal: Removal | None = None
    tags_left_out: tuple[str, ...] = ()
    vault: VaultPoint | None = None

    @property
    def complete(self) -> bool:
        return self.state is PointState.COMPLETE

    @property
    def is_ours(self) -> bool:
        """Whether it was made by us, of parts that are ours to delete; a point of a vault is the vault's."""
        return self.engine is not Engine.VAULT

    @property
    def live_parts(self) -> tuple[Part, ...]:
        """The parts of the current attempt."""
        return tuple(part for part in self.parts if part.attempt == self.attempt)

    @property
    def disks(self) -> tuple[Inside, ...]:
        """The disks in the current attempt."""
        return tuple(disk for part in self.live_parts for disk in part.disks)

    def with_part(self, changed: Part) -> Point:
        """The point with one part replaced by its newer self."""
        return replace(self, parts=tuple(changed if part.id == changed.id else part for part in self.parts))
