"""What flows need of the world.

Each port is implemented by an adapter in `shared/cloud` and by a twin in `tests/world`; one contract suite per port
(`tests/contract`) holds both to the docstrings below.

Unless said otherwise a port raises the CloudErrors of `shared/errors.py`, and reads are safe to repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from shared.errors import CloudError
from shared.model import approval
from shared.model.brake import Braking
from shared.model.event import Event
from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.machine import Absent, Machine, Sighting
from shared.model.operation import Operation
from shared.model.point import Point
from shared.model.request import PoisonedMessage, Request
from shared.model.restore import ArmPath, Power
from shared.model.rights import Permission, Quota
from shared.model.snapshot import SnapshotOrder, SnapshotSeen
from shared.model.spending import Spending
from shared.model.transition import Held, Record, Transition
from shared.model.vault import ItemOrder, ItemSeen, JobSeen, PointSeen, PolicySeen, Tracked, VaultOrder, VaultSeen

Answer = TypeVar("Answer")


class Clock(Protocol):
    """The only source of time. `now` is UTC and never goes back; `sleep` takes seconds."""

    def now(self) -> datetime: ...

    def sleep(self, seconds: float) -> None: ...


class Chance(Protocol):
    """The only source of randomness. A token is unique for ever and safe in a table key."""

    def token(self) -> str: ...


class Workers(Protocol):
    """A small pool. Runs every call, in any order; answers stand in the order of the calls.

    A CloudError is an answer; anything else is raised after the other calls ended.
    """

    def run(self, calls: Sequence[Callable[[], Answer]]) -> list[Answer | CloudError]: ...


class Queue(Protocol):
    """Sends a message, visible after `delay`. At least once, unordered; a message is a key and never a fact."""

    def send(self, queue: str, text: str, delay: timedelta = timedelta(0)) -> None: ...


class Models(Protocol):
    """VM models by `decide.naming.model_reference`: keeping the same content again changes nothing."""

    def keep(self, model: Mapping[str, object]) -> str: ...

    def load(self, reference: str) -> Mapping[str, object]: ...


class Audit(Protocol):
    """The append-only log of a shard and day. Lines are there when the call returns; repeating it repeats them."""

    def append(self, shard: Shard, at: datetime, lines: Sequence[str]) -> None: ...


class Events(Protocol):
    """Tells the custom topic. At least once: an event told again has the same id and is the same event.

    All of them are told when the call returns; none, some or all when it raises. Nothing happens without a topic.
    """

    def publish(self, events: Sequence[Event]) -> None: ...


class Inventory(Protocol):
    """Machines as Azure shows them; with their resource groups where the installation inherits tags."""

    def fleet(self, subscriptions: Sequence[str]) -> Iterator[Sequence[Sighting]]:
        """Every VM of the subscriptions as `look` shows them, page by page, by the bulk lens.

        May be late, short, empty or double.
        """

    def shard(self, shard: Shard) -> Mapping[VmUid, Sighting]:
        """The VMs of one shard, as complete as `examine` shows them, by the bulk lens.

        A VM with a disk that the lens does not show (yet) is left out whole.
        """

    def look(self, vm: ResourceId) -> Sighting | Absent:
        """One VM by one GET: enough to register it. Its disks have no `uid` and no `left_out`, its model is empty."""

    def examine(self, vm: ResourceId) -> Sighting | Absent:
        """One VM with its disks, interfaces and extensions, read from the provider itself: what a capture needs."""

    def enabled(self, subscription: str) -> bool:
        """Whether the subscription can be read and is enabled; False as well when it cannot be read."""


class Snapshots(Protocol):
    """Snapshots in our recovery groups."""

    def create(self, order: SnapshotOrder) -> None:
        """Ask for a snapshot; returns when Azure accepted it, never waits for it.

        Never call it for a name that may already exist: Azure would replace its tags. Missing with code
        `ResourceGroupNotFound` means the recovery group is to be made first (`prepare`).
        """

    def find(self, snapshot: ResourceId) -> SnapshotSeen | None:
        """One snapshot from the provider itself; None when there is none."""

    def taken(self, shard: Shard, slots: Sequence[datetime]) -> Iterator[SnapshotSeen]:
        """Our snapshots of the slots, by the bulk lens: absence proves nothing, presence with Succeeded does."""

    def prepare(self, shard: Shard) -> None:
        """Make the shard's recovery group, tagged as ours; nothing happens when it is there."""

    def merge(self, snapshot: ResourceId, tags: Mapping[str, str]) -> None:
        """Put tags beside those that are there; those of the same names take the new values. Safe to repeat.

        Missing when there is no such snapshot.
        """

    def place(self, shard: Shard, name: str) -> ResourceId:
        """The id that a snapshot of this name has in the shard's recovery group. Pure."""


class Holdings(Protocol):
    """What Azure itself holds of ours, from the provider's own list pages and never from an index that lags."""

    def shards(self, subscription: str) -> Sequence[Shard]:
        """The shards that have a recovery group of this installation."""

    def snapshots(self, shard: Shard) -> Iterator[SnapshotSeen]:
        """Every snapshot in the shard's recovery group, whoever made it; none when there is no such group."""


class Deletions(Protocol):
    """The only way in which anything captured is ever deleted in Azure, and Azure's own time to judge our clock by."""

    def delete(self, shard: Shard, snapshot: ResourceId) -> None:
        """Ask for a snapshot's deletion; returns when Azure accepted it, never waits. Nothing there is fine too.

        Blocked while a lock holds it, or a SAS on it is active.
        """

    def azure_now(self, shard: Shard) -> datetime:
        """The time of Azure, as it dates an answer about the shard's recovery group. Missing where there is none."""


class Builder(Protocol):
    """What restores are made of in Azure, as ARM's bodies: machines, disks, interfaces, and what they refer to.

    It acts at once and decides nothing: whoever calls has looked first. What it begins is never waited for.
    """

    def find(self, shard: Shard, place: ArmPath) -> Mapping[str, Any] | None:
        """Something by a GET, a machine with its instance view; None when it is not there, nor its group."""

    def make(self, shard: Shard, place: ArmPath, body: Mapping[str, Any]) -> None:
        """Ask for something new. A machine is made only where none is (Conflict); anything else is written over."""

    def change(self, shard: Shard, place: ArmPath, body: Mapping[str, Any]) -> None:
        """Ask that what is there become like this. May be repeated."""

    def power(self, shard: Shard, machine: ArmPath, wanted: Power) -> None:
        """Ask a machine to stop or to start. May be repeated."""

    def tag(self, shard: Shard, place: ArmPath, tags: Mapping[str, str], gone: Mapping[str, str]) -> None:
        """Put tags beside those that are there, and take those away that have exactly these values. May be repeated."""

    def remove(self, shard: Shard, place: ArmPath) -> None:
        """Ask for its deletion. Nothing there is fine too. Conflict or Blocked while something uses it."""


class Surroundings(Protocol):
    """What Azure says of rights, providers, quotas and groups, to whoever may see it. It only reads.

    Everything raises Denied where the caller may not look; nothing is remembered between calls.
    """

    def permissions(self, scope: str) -> Sequence[Permission]:
        """What the caller may do at a scope, by every role that reaches it."""

    def granted(self, scope: str, principal: str) -> Sequence[Permission]:
        """What another principal may do at a scope, by its own assignments and its groups'."""

    def provider(self, scope: str, namespace: str) -> str:
        """The registration state of a resource provider in a subscription."""

    def quotas(self, shard: Shard) -> Sequence[Quota]:
        """What is used of each quota of a region."""

    def owner(self, group: str) -> str | None:
        """The installation that a group is tagged with, empty where it carries no such tag; None for no group."""

    def recovery_group(self, region: str) -> str:
        """The name of the recovery group of a region."""


class Ledger(Protocol):
    """Our memory of intent. Every write is conditional (promise S11): LostRace means read and decide again.

    Rows of a newer version raise NewerRows; a listing first yields every row that can be read.
    """

    def record(self, shard: Shard, uid: VmUid) -> Record | None:
        """The machine and all its operations; None when the machine is not registered."""

    def machines(self, shard: Shard) -> Iterator[Held[Machine]]:
        """Every machine of a shard."""

    def operations(self, shard: Shard) -> Iterator[Held[Operation]]:
        """Every operation of a shard that the ledger still holds."""

    def due(self, shard: Shard, now: datetime) -> Sequence[Record]:
        """The machines whose `wanted_at` has come, earliest first and then by uid, with unresolved operations only."""

    def next_wanted(self, shard: Shard, until: datetime) -> datetime | None:
        """The earliest `wanted_at` of a machine of the shard, as far as it lies not after `until`."""

    def points(self, shard: Shard, uid: VmUid) -> tuple[Held[Point], ...]:
        """The machine's points by slot, oldest first, as last read."""

    def snapshots(self, shard: Shard) -> int:
        """How many snapshots the points of the shard's machines are made of, by the machines' rows."""

    def commit(self, transition: Transition) -> tuple[str, ...]:
        """Write all rows of the transition or none, and answer their new ETags in the order of `writes`.

        LostRace when a row changed since it was read or exists already; OutcomeUnknown when the answer was lost.
        """

    def shards(self) -> Sequence[Shard]:
        """The shards that hold machines."""


class Budgets(Protocol):
    """What was claimed for deletion lately, one row per shard. It is charged before the act, under If-Match."""

    def spending(self, shard: Shard) -> Spending:
        """The shard's row; an empty one while nothing was ever claimed."""

    def spend(self, spending: Spending) -> None:
        """Replace the row as it was read by its newer self; LostRace when it changed meanwhile."""


class Brakes(Protocol):
    """What people, and the mass brake, have stopped. No table: it outlives the loss of the ledger."""

    def now(self) -> Braking:
        """Every brake; an empty value while nothing was ever stopped."""

    def change(self, braking: Braking) -> None:
        """Replace the brakes as they were read by their newer self; LostRace when they changed meanwhile."""


class VaultCatalogue(Protocol):
    """The Recovery Services vaults of a shard and their policies, from the provider's own lists."""

    def vaults(self, shard: Shard) -> Sequence[VaultSeen]:
        """Every vault of the subscription in the shard's region, whoever made it."""

    def make(self, order: VaultOrder) -> None:
        """Ask for a vault; a missing group is made first, tagged as ours. Never waits for it."""

    def policies(self, vault: ResourceId) -> Mapping[str, PolicySeen]:
        """The policies for VMs by name, as they were named. Missing when there is no such vault."""

    def write_policy(self, vault: ResourceId, name: str, properties: Mapping[str, object]) -> None:
        """Make a policy, or replace it. Refused where the service takes no such policy."""

    def place(self, shard: Shard) -> str:
        """The resource group in which new vaults of a shard are made. Pure."""


class VaultItems(Protocol):
    """What a vault protects, and could. Lists are whole or raise; what is missing from one may still be there."""

    def items(self, vault: ResourceId) -> Iterator[ItemSeen]:
        """Every protected VM of a vault, soft-deleted ones included."""

    def protectable(self, vault: ResourceId) -> Iterator[ResourceId]:
        """The VMs that a vault has discovered and does not protect."""

    def refresh(self, vault: ResourceId) -> str:
        """Ask a vault to discover VMs; the operation by which `refreshed` knows it. Conflict while another runs."""

    def refreshed(self, vault: ResourceId, operation: str) -> bool:
        """Whether a discovery has ended. One that the vault does not know any more has."""

    def change(self, order: ItemOrder) -> str:
        """Ask for a change of one item; the operation by which `tracked` knows it. It states an end: repeatable."""

    def tracked(self, vault: ResourceId, operation: str) -> Tracked:
        """How far an operation of a vault came. One that the vault does not know any more is done."""


class VaultJobs(Protocol):
    """What a vault is doing and did, and the recovery points that it made."""

    def jobs(self, vault: ResourceId, since: datetime) -> Iterator[JobSeen]:
        """The jobs that began after an instant, without errors and tasks."""

    def job(self, vault: ResourceId, name: str) -> JobSeen | None:
        """One job with its errors and tasks; None when there is none."""

    def back_up(self, vault: ResourceId, vm: ResourceId, until: datetime) -> str:
        """Ask for a backup now whose point expires at `until`; the operation by which it is tracked. Not repeatable."""

    def cancel(self, vault: ResourceId, job: str) -> None:
        """Ask that a job be cancelled. Conflict or Refused where it cannot be any more."""

    def points(self, vault: ResourceId, vm: ResourceId) -> Sequence[PointSeen]:
        """The recovery points of one VM in a vault. Missing when the vault does not protect it."""


class Approvals(Protocol):
    """Which unplanned deletions two people agreed to, by shard. No table: who may write rows cannot make one."""

    def of(self, shard: Shard) -> approval.Approvals:
        """The shard's approvals; an empty value where there never was one."""

    def change(self, shard: Shard, approvals: approval.Approvals) -> None:
        """Replace the shard's approvals as they were read by their newer self; LostRace when they changed meanwhile."""


class Requests(Protocol):
    """What people asked for. Created once, then only its progress changes, under If-Match."""

    def add(self, request: Request) -> None:
        """Record a request; LostRace when its id exists."""

    def find(self, request_id: str) -> Request | None: ...

    def settle(self, request: Request) -> Request:
        """Replace the stored request by its newer self, and answer it as stored, one revision on.

        LostRace when it changed since `find`, or was settled for good.
        """

    def unsettled(self) -> Sequence[Request]:
        """The requests that nobody has answered for good."""

    def expired(self, now: datetime) -> Sequence[Request]:
        """The restores that were answered and whose `expires` has come: what they left behind may go."""

    def forget(self, before: datetime) -> None:
        """Remove the requests of before an instant that were answered."""


class Poisoned(Protocol):
    """Messages that failed too often: kept for people to see. Keeping one twice keeps it once."""

    def keep(self, message: PoisonedMessage) -> None: ...

    def kept(self) -> Sequence[PoisonedMessage]: ...

    def forget(self, before: datetime) -> None:
        """Remove the messages that were given up before an instant."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A shard held by one drainer until `until`. Politeness only: safety never rests on it."""

    shard: Shard
    holder: str
    until: datetime
    etag: str


class Leases(Protocol):
    """Who drains which shard."""

    def take(self, shard: Shard, holder: str, now: datetime, until: datetime) -> Lease | None:
        """The lease, when it is free or ran out before `now`; None while another holds it."""

    def give_back(self, lease: Lease) -> None:
        """Free it at once; nothing happens when it was lost meanwhile."""


class CallKind(StrEnum):
    """The kinds of calls that Azure counts apart."""

    READ = "reads"
    WRITE = "writes"
    DELETE = "deletes"
    SNAPSHOT = "snapshot-creates"


class Pace(Protocol):
    """Tells when a call may be sent, from what Azure's answers said of its buckets and the share left to others."""

    def wait(self, shard: Shard, kind: CallKind) -> timedelta:
        """How long to wait before the next call of this kind; zero means that one call is now counted as sent."""


@dataclass(frozen=True, slots=True)
class World:
    """Every port, built once per process in `wiring.py`, or from twins in `tests/world`."""

    clock: Clock
    chance: Chance
    workers: Workers
    queue: Queue
    models: Models
    audit: Audit
    events: Events
    inventory: Inventory
    snapshots: Snapshots
    holdings: Holdings
    ledger: Ledger
    requests: Requests
    poisoned: Poisoned
    leases: Leases
    reaper_leases: Leases
    budgets: Budgets
    brakes: Brakes
    approvals: Approvals
    deletions: Deletions
    builder: Builder
    pace: Pace
    vaults: VaultCatalogue
    vault_items: VaultItems
    vault_jobs: VaultJobs
