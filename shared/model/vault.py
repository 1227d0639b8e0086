"""Azure Backup: how a machine stands with its vault, what is ordered of vaults, and what they show when looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.model.identity import ResourceId

MOST_FORMER = 20


class Redundancy(StrEnum):
    """How a vault stores what it holds, as Azure names it."""

    LOCAL = "LocallyRedundant"
    ZONE = "ZoneRedundant"
    GEO = "GeoRedundant"


@dataclass(frozen=True, slots=True)
class VaultRules:
    """What this installation may do about vaults: make them, under which name, and how.

    `pattern` holds `{region}`. `immutable` turns immutability on, unlocked, before anything is in the vault.
    """

    create: bool = True
    pattern: str = "tagback-{region}"
    redundancy: Redundancy = Redundancy.GEO
    immutable: bool = False


class Standing(StrEnum):
    """How a machine stands with its vault."""

    WANTED = "wanted"
    PENDING = "first-backup-pending"
    PROTECTED = "protected"
    STOPPED = "stopped"
    DELETED = "soft-deleted"
    ELSEWHERE = "elsewhere"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Protection:
    """A machine and its vault, as last looked at.

    `asked` is what was wanted of the vault when it was last taken up (`decide.policies.asked_of`); empty for nothing.
    `vault` is None until one is chosen; `policy` and `state` are as the vault shows them, `state` since `since`.
    `last_point` is the time of the newest recovery point that the vault shows. `problem` is what a person should know.
    """

    state: Standing
    because: str
    since: datetime
    asked: str = ""
    vault: ResourceId | None = None
    policy: str = ""
    last_point: datetime | None = None
    next_look: datetime | None = None
    problem: str = ""

    @property
    def holds(self) -> bool:
        """Whether the vault takes points of the machine."""
        return self.state in (Standing.PENDING, Standing.PROTECTED)


@dataclass(frozen=True, slots=True)
class VaultTask:
    """What an operation is doing at a vault: which policy it wants, and by what Azure answers for it.

    `tracking` is the id of Azure's operation, `job` the vault's job; `refresh` is a container refresh that is waited
    for. Each is empty while unknown. `former` are the jobs of earlier attempts. `started_vm_at` is when the VM was last
    started for it, `policy_at` when a policy was written for it.
    """

    vault: ResourceId | None = None
    policy: str = ""
    tracking: str = ""
    job: str = ""
    refresh: str = ""
    sent_at: datetime | None = None
    former: tuple[str, ...] = ()
    started_vm_at: datetime | None = None
    policy_at: datetime | None = None

    def anew(self, sent_at: datetime | None) -> VaultTask:
        """The same task for another attempt; its job so far is remembered as a former one."""
        former = (*self.former, self.job) if self.job else self.former
        return replace(self, tracking="", job="", refresh="", sent_at=sent_at, former=former[-MOST_FORMER:])


@dataclass(frozen=True, slots=True)
class VaultPoint:
    """Where a recovery point of Azure Backup is: what a restore needs to name it. `tiers` as Azure names them."""

    vault: ResourceId
    name: str
    at: datetime
    tiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VaultSeen:
    """A Recovery Services vault as the provider lists it. Seen by itself it also says how it stores what it has, in
    Azure's words (`redundancy`), and whether it restores in its paired region (`crosses`)."""

    id: ResourceId
    region: str
    tags: Mapping[str, str]
    ready: bool = True
    redundancy: str = ""
    crosses: bool = False


@dataclass(frozen=True, slots=True)
class VaultOrder:
    """A vault to be made, under a name that is ours, in a group that may have to be made first."""

    id: ResourceId
    region: str
    redundancy: Redundancy
    immutable: bool
    tags: Mapping[str, str]


class ItemState(StrEnum):
    """The protection states of an item, as Azure names them, in lower case."""

    PENDING = "irpending"
    PROTECTED = "protected"
    ERROR = "protectionerror"
    STOPPED = "protectionstopped"
    PAUSED = "protectionpaused"
    SUSPENDED = "backupssuspended"
    OTHER = ""


AT_REST = frozenset({ItemState.STOPPED, ItemState.PAUSED, ItemState.SUSPENDED})
"""The states in which a vault takes no points. Of a stopped item it keeps those that are there without an end, of a
suspended one as its policy says, but for the newest (documented: Disable-AzRecoveryServicesBackupProtection)."""


@dataclass(frozen=True, slots=True)
class ItemSeen:
    """A protected item as its vault lists it. `policy` is the policy's name, empty where protection is stopped."""

    vault: ResourceId
    vm: ResourceId
    state: ItemState
    policy: str
    last_point: datetime | None = None
    soft_deleted: bool = False
    health: tuple[str, ...] = ()


class Act(StrEnum):
    """What a PUT of a protected item is to do."""

    PROTECT = "protect"
    STOP = "stop"
    UNDELETE = "undelete"


@dataclass(frozen=True, slots=True)
class ItemOrder:
    """A change of one protected item. `left_out` are the LUNs of data disks that are not backed up."""

    act: Act
    vault: ResourceId
    vm: ResourceId
    policy: str = ""
    left_out: tuple[int, ...] = ()


class JobStatus(StrEnum):
    """The status of a vault's job, as Azure names it, in lower case."""

    IN_PROGRESS = "inprogress"
    COMPLETED = "completed"
    WARNED = "completedwithwarnings"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CANCELLING = "cancelling"
    OTHER = ""

    @property
    def open(self) -> bool:
        return self in (JobStatus.IN_PROGRESS, JobStatus.CANCELLING, JobStatus.OTHER)


@dataclass(frozen=True, slots=True)
class JobError:
    """One entry of a job's error details; `code` is a number or a name."""

    code: str
    message: str
    recommendation: str = ""


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A job as its vault shows it, both names in lower case: `container` is `group;vm`, which those of a paired region
    do not say, `machine` the VM's alone. `errors` and `tasks` are only in the answer for one job."""

    vault: ResourceId
    name: str
    operation: str
    status: JobStatus
    container: str
    started: datetime
    ended: datetime | None = None
    errors: tuple[JobError, ...] = ()
    tasks: tuple[str, ...] = ()
    cancellable: bool = False
    machine: str = ""


@dataclass(frozen=True, slots=True)
class PointSeen:
    """A recovery point as its vault lists it. `kind` is AppConsistent, FileSystemConsistent or CrashConsistent."""

    name: str
    at: datetime
    kind: str
    tiers: tuple[str, ...]
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class PolicySeen:
    """A policy of a vault: its properties as Azure has them."""

    name: str
    properties: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Tracked:
    """How far an asynchronous operation of a vault came; `job` once it is known."""

    done: bool
    job: str = ""
    error: JobError | None = None
