"""What flows need of the world.

Each port is implemented by an adapter in `shared/cloud` and by a twin in `tests/world`; one contract suite per port
(`tests/contract`) holds both to the docstrings below.

Unless said otherwise a port raises the CloudErrors of `shared/errors.py`, and reads are safe to repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from shared.errors import CloudError
from shared.model.draining import CallKind
from shared.model.event import Event
from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.machine import Absent, Sighting
from shared.model.restore import ArmPath, Power
from shared.model.restore_point import RestorePointSeen
from shared.model.rights import Permission, Quota
from shared.model.snapshot import SnapshotOrder, SnapshotSeen
from shared.ports.mounts import VaultMounts
from shared.ports.restore_points import RestorePoints
from shared.ports.storage import Approvals, Audit, Brakes, Budgets, Leases, Ledger, Models, Poisoned, Requests
from shared.ports.telemetry import Silent, Telemetry
from shared.ports.vaults import PairedRegions, VaultCatalogue, VaultItems, VaultJobs, VaultRestores

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


class Events(Protocol):
    """Tells the custom topic. At least once: an event told again has the same id and is the same event.

    All of them are told when the call returns; none, some or all when it raises. Nothing happens without a topic.
    """

    def publish(self, events: Sequence[Event]) -> None: ...


class Inventory(Protocol):
    """Machines as Azure shows them; with their resource groups where the installation inherits tags."""

    def fleet(self, subscriptions: Sequence[str]) -> Iterator[Sequence[Sighting]]:
        """Every VM as `look` shows it, page by page, by the bulk lens: may be late, short, empty or double."""

    def shard(self, shard: Shard) -> Mapping[VmUid, Sighting]:
        """A shard's VMs as `examine` shows them, by the bulk lens; one with a disk that it lacks is left out whole."""

    def look(self, vm: ResourceId, *, gives_way: bool = False) -> Sighting | Absent:
        """One VM by one GET: enough to register it. Its disks have no `uid` and no `left_out`, its model is empty.

        Who `gives_way` waits some seconds for a read that is left neither to others nor to what people asked for.
        """

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
        """Put tags beside those that are there, over those of the same names. Repeatable. Missing for no snapshot."""

    def place(self, shard: Shard, name: str) -> ResourceId:
        """The id that a snapshot of this name has in the shard's recovery group. Pure."""


class Holdings(Protocol):
    """What Azure itself holds of ours, from the provider's own list pages and never from an index that lags."""

    def shards(self, subscription: str) -> Sequence[Shard]:
        """The shards that have a recovery group of this installation."""

    def snapshots(self, shard: Shard) -> Iterator[SnapshotSeen]:
        """Every snapshot in the shard's recovery group, whoever made it; none when there is no such group."""

    def restore_points(self, shard: Shard) -> Iterator[RestorePointSeen]:
        """Every restore point in the shard's recovery groups, whoever made it, as `RestorePoints.of` shows them."""


class Deletions(Protocol):
    """The only way in which anything captured is ever deleted in Azure, and Azure's own time to judge our clock by."""

    def delete(self, shard: Shard, snapshot: ResourceId) -> None:
        """Ask for the deletion of a snapshot or restore point; returns when Azure accepted it, never waits.

        Nothing there is fine too. Blocked while a lock holds it, or a SAS on it is active. Refused for a collection.
        """

    def azure_now(self, shard: Shard) -> datetime:
        """The time of Azure, as it dates an answer about the shard's recovery group. Missing where there is none."""


class Builder(Protocol):
    """What restores are made of in Azure, as ARM's bodies: machines, disks, interfaces, and what they refer to.

    It acts at once and decides nothing: whoever calls has looked first. What it begins is never waited for.
    """

    def find(self, shard: Shard, place: ArmPath) -> Mapping[str, Any] | None:
        """Something by a GET, a machine, or a command in one, with its instance view; None when it is not there."""

    def make(self, shard: Shard, place: ArmPath, body: Mapping[str, Any]) -> None:
        """Ask for something new. A machine is made only where none is (Conflict); anything else is written over."""

    def change(self, shard: Shard, place: ArmPath, body: Mapping[str, Any]) -> None:
        """Ask that what is there become like this. May be repeated."""

    def power(self, shard: Shard, machine: ArmPath, wanted: Power) -> None:
        """Ask a machine to stop or to start. May be repeated."""

    def attach(self, shard: Shard, machine: ArmPath, disks: Mapping[ArmPath, int]) -> None:
        """Ask that disks be attached at LUNs; the machine's others stay as they are.

        Refused where a LUN is taken, Conflict where a disk is another machine's, or where no more of them fit.
        """

    def detach(self, shard: Shard, machine: ArmPath, disks: Sequence[ArmPath]) -> None:
        """Ask that disks which are attached be detached. They stay; so do the machine's others."""

    def room(self, shard: Shard, machine: ArmPath, size: str) -> int | None:
        """How many data disks a machine of this size takes, as Azure lists it; None where it does not."""

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


class Pace(Protocol):
    """Tells when a call may be sent, from what Azure's answers said of its buckets and the share left to others."""

    def wait(self, shard: Shard, kind: CallKind, *, gives_way: bool = False) -> timedelta:
        """How long to wait before the next call of this kind; zero means that one call is now counted as sent.

        Whoever `gives_way` leaves a share to what people asked for.
        """


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
    restore_points: RestorePoints
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
    vault_restores: VaultRestores
    paired_regions: PairedRegions
    vault_mounts: VaultMounts
    telemetry: Telemetry = field(default_factory=Silent)
