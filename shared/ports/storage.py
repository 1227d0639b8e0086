"""What flows keep in storage: the ledger and what stands beside it. The rules of the package hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.model import approval
from shared.model.brake import Braking
from shared.model.draining import Lease
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.point import Point
from shared.model.request import PoisonedMessage, Request
from shared.model.spending import Spending
from shared.model.transition import Held, Record, Transition, WithPoints


class Models(Protocol):
    """VM models by `decide.naming.model_reference`: keeping the same content again changes nothing."""

    def keep(self, model: Mapping[str, object]) -> str: ...

    def load(self, reference: str) -> Mapping[str, object]: ...


class Audit(Protocol):
    """The append-only log of a shard and day. Lines are there when the call returns; repeating it repeats them."""

    def append(self, shard: Shard, at: datetime, lines: Sequence[str]) -> None: ...


class Ledger(Protocol):
    """Our memory of intent. Every write is conditional (promise S11): LostRace means read and decide again.

    Rows of a newer version raise NewerRows; a listing first yields every row that can be read.
    """

    def record(self, shard: Shard, uid: VmUid) -> Record | None:
        """The machine and all its operations; None when the machine is not registered."""

    def machines(self, shard: Shard) -> Iterator[Held[Machine]]:
        """Every machine of a shard."""

    def expiring(self, shard: Shard, now: datetime) -> Iterator[Held[Machine]]:
        """The machines of a shard whose `next_expiry` has come."""

    def operations(self, shard: Shard, since: datetime | None = None) -> Iterator[Held[Operation]]:
        """Every operation of a shard that the ledger still holds; with `since` those that ended then or later."""

    def due(self, shard: Shard, now: datetime) -> Sequence[Record]:
        """The machines whose `wanted_at` has come, earliest first and then by uid, with unresolved operations only."""

    def next_wanted(self, shard: Shard, until: datetime) -> datetime | None:
        """The earliest `wanted_at` of a machine of the shard, as far as it lies not after `until`."""

    def points(self, shard: Shard, uid: VmUid) -> tuple[Held[Point], ...]:
        """The machine's points by slot, oldest first, as last read."""

    def with_points(self, shard: Shard, machines: Sequence[Held[Machine]], most: int) -> Iterator[Sequence[WithPoints]]:
        """Machines as they were read, each with its unresolved operations and with its points by slot, oldest first.

        They come in batches of `most` at most, of machines that are cheap to read together; each is read when its turn
        comes, that of the first machine first.
        """

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
        """The restores and drills that were answered and whose `expires` has come: what they left behind may go."""

    def forget(self, before: datetime) -> None:
        """Remove the requests of before an instant that were answered."""


class Poisoned(Protocol):
    """Messages that failed too often: kept for people to see, so without secrets, and cut. Keeping one twice keeps it
    once."""

    def keep(self, message: PoisonedMessage) -> None: ...

    def kept(self) -> Sequence[PoisonedMessage]: ...

    def forget(self, before: datetime) -> None:
        """Remove the messages that were given up before an instant."""


class Leases(Protocol):
    """Who drains which shard."""

    def take(self, shard: Shard, holder: str, now: datetime, until: datetime) -> Lease | None:
        """The lease, when it is free or ran out before `now`; None while another holds it."""

    def give_back(self, lease: Lease) -> None:
        """Free it at once; nothing happens when it was lost meanwhile."""
