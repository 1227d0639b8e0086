"""Virtual machines: what one look at Azure showed (`Sighting`), and what the ledger remembers (`Machine`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model.drill import Drill
from shared.model.event import Event
from shared.model.identity import DiskUid, ResourceId, Shard, VmUid
from shared.model.vault import Protection


class Status(StrEnum):
    """How a machine stands, in the words of the contract."""

    PROTECTED = "protected"
    PENDING = "pending"
    DEGRADED = "degraded"
    UNPROTECTED = "unprotected"
    EXCLUDED = "excluded"
    GONE = "gone"


class Lens(StrEnum):
    """Where a sighting comes from. A bulk list only raises questions; a GET answers them."""

    BULK = "bulk"
    GET = "get"


@dataclass(frozen=True, slots=True)
class Disk:
    """A managed disk as attached to a VM. `lun` is None for the OS disk; `left_out` says why it is not captured.

    `uid` is empty where only the VM was read: enough to register the VM, not to capture it.
    """

    id: ResourceId
    uid: DiskUid
    lun: int | None
    left_out: str = ""

    @property
    def place(self) -> str:
        """The disk's place in the machine, as people say it."""
        return "OS disk" if self.lun is None else f"LUN {self.lun}"


@dataclass(frozen=True, slots=True)
class GroupSeen:
    """A machine's resource group: its tags, and the id of what manages it (empty for a group that people manage)."""

    tags: Mapping[str, str]
    managed_by: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One VM as one look at Azure showed it at `as_of` (UTC).

    `tags` are as Azure gave them. `unsupported` are the disks that no snapshot can take, each with its reason
    (ephemeral, unmanaged). `model` is what a later rebuild needs: the VM's body with its interfaces and extensions.
    `group` is None where groups are not asked for, or where the group could not be seen: that says nothing about it.
    """

    uid: VmUid
    id: ResourceId
    name: str
    shard: Shard
    tags: Mapping[str, str]
    disks: tuple[Disk, ...]
    unsupported: tuple[str, ...]
    scale_set: bool
    model: Mapping[str, object]
    lens: Lens
    as_of: datetime
    group: GroupSeen | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """A GET answered 404: nothing has this id now."""

    id: ResourceId
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Machine:
    """What the ledger remembers of a VM: one row `m|uid`.

    `tags` holds only the machine's own opt-in tags, `group` its resource group as last seen with only those; None where
    groups' tags are not inherited or it was never seen.
    `settled` is the newest slot with a final answer: slots after it are still owed.
    `next_look`, `next_due` are the earliest instants at which something of this machine wants a drainer or falls due;
    None means nothing does. `grace_from` is when the plan tag stopped naming a plan. `absent_since` is the first 404.
    `left_at` is when it was opted out or found gone; None while it asks for protection. `next_expiry` is the earliest
    instant at which a point of it is to be marked for deletion, or one that is marked is to be looked at. `outbox`
    holds the events that nobody was told yet, to be published from `next_publish` on; `next_prune` is when ended
    operations may leave. `snapshots` is how many its points are made of. `protection` is how it
    stands with Azure Backup; None where that was never asked for. `frozen` says which deletions wait for people, and
    why; empty when none does. `alarmed_at` is when people were last told that its tag names no plan. `drill` is the
    verdict of its last drill, `proof` that of the last one that was proven.
    """

    uid: VmUid
    id: ResourceId
    name: str
    shard: Shard
    tags: Mapping[str, str]
    disks: tuple[Disk, ...]
    unsupported: tuple[str, ...]
    plan: str
    status: Status
    because: str
    problems: tuple[str, ...]
    as_of: datetime
    enrolled_at: datetime | None = None
    settled: datetime | None = None
    grace_from: datetime | None = None
    absent_since: datetime | None = None
    last_point: datetime | None = None
    next_look: datetime | None = None
    next_due: datetime | None = None
    next_expiry: datetime | None = None
    left_at: datetime | None = None
    model: str = ""
    outbox: tuple[Event, ...] = ()
    next_publish: datetime | None = None
    next_prune: datetime | None = None
    group: GroupSeen | None = None
    scale_set: bool = False
    snapshots: int = 0
    protection: Protection | None = None
    frozen: str = ""
    alarmed_at: datetime | None = None
    drill: Drill | None = None
    proof: Drill | None = None

    @property
    def last_verified(self) -> datetime | None:
        """When a restore of it was last proven."""
        return self.proof.at if self.proof else None

    @property
    def wanted_at(self) -> datetime | None:
        """When a drainer should next take this machine up; None when nothing is planned."""
        moments = (self.next_look, self.next_due, self.next_publish, self.next_prune)
        return min((moment for moment in moments if moment), default=None)

    @property
    def work_at(self) -> datetime | None:
        """When something of it is next to be captured or looked for; None when nothing is."""
        return min((moment for moment in (self.next_look, self.next_due) if moment), default=None)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a sweep holds of a machine's row while the lists pass by, so that it can hold a hundred thousand of them.

    The fields are the machine's own. `outdated` says why the row no longer follows from its tags; empty when it does.
    """

    uid: VmUid
    id: ResourceId
    name: str
    shard: Shard
    tags: Mapping[str, str]
    disks: tuple[Disk, ...]
    unsupported: tuple[str, ...]
    status: Status
    enrolled_at: datetime | None
    absent_since: datetime | None
    left_at: datetime | None
    group: GroupSeen | None
    scale_set: bool
    outdated: str
