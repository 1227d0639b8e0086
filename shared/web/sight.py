"""What a caller sees: where a role holds in some subscriptions only, nothing of the others is shown. Used by api.py.

Every answer begins with the shards that the ledger holds, and that is where it is cut: a machine of another
subscription is not found, as one that was never seen. What cannot be told apart by subscription is not shown either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.model.brake import Braking
from shared.model.caller import Caller
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.point import Point
from shared.model.request import PoisonedMessage, Request
from shared.model.transition import Held, Record, Transition, WithPoints
from shared.ports import World
from shared.ports.storage import Brakes, Ledger, Poisoned
from shared.web.scopes import RequestsOf


def seen(world: World, caller: Caller) -> World:
    """The world as far as the caller may see it."""
    if caller.sees_all:
        return world
    return replace(
        world,
        ledger=LedgerSeen(world.ledger, caller),
        requests=RequestsSeen(world.requests, caller),
        brakes=BrakesSeen(world.brakes, caller),
        poisoned=PoisonedSeen(world.poisoned),
    )


@dataclass(frozen=True, slots=True)
class LedgerSeen:
    """ports.Ledger of one caller: it holds the shards that they may see."""

    ledger: Ledger
    caller: Caller

    def shards(self) -> Sequence[Shard]:
        return [shard for shard in self.ledger.shards() if self.caller.sees(shard.subscription)]

    def record(self, shard: Shard, uid: VmUid) -> Record | None:
        return self.ledger.record(shard, uid) if self.caller.sees(shard.subscription) else None

    def machines(self, shard: Shard) -> Iterator[Held[Machine]]:
        return self.ledger.machines(shard)

    def expiring(self, shard: Shard, now: datetime) -> Iterator[Held[Machine]]:
        return self.ledger.expiring(shard, now)

    def operations(self, shard: Shard, since: datetime | None = None) -> Iterator[Held[Operation]]:
        return self.ledger.operations(shard, since)

    def due(self, shard: Shard, now: datetime) -> Sequence[Record]:
        return self.ledger.due(shard, now)

    def next_wanted(self, shard: Shard, until: datetime) -> datetime | None:
        return self.ledger.next_wanted(shard, until)

    def points(self, shard: Shard, uid: VmUid) -> tuple[Held[Point], ...]:
        return self.ledger.points(shard, uid)

    def with_points(self, shard: Shard, machines: Sequence[Held[Machine]], most: int) -> Iterator[Sequence[WithPoints]]:
        return self.ledger.with_points(shard, machines, most)

    def snapshots(self, shard: Shard) -> int:
        return self.ledger.snapshots(shard)

    def commit(self, transition: Transition) -> tuple[str, ...]:
        return self.ledger.commit(transition)


@dataclass(frozen=True, slots=True)
class RequestsSeen(RequestsOf):
    """ports.Requests of one caller: what others asked for elsewhere is not there."""

    def find(self, request_id: str) -> Request | None:
        found = self.requests.find(request_id)
        return found if found and self.caller.sees(found.shard.subscription) else None

    def unsettled(self) -> Sequence[Request]:
        return [one for one in self.requests.unsettled() if self.caller.sees(one.shard.subscription)]


@dataclass(frozen=True, slots=True)
class BrakesSeen:
    """ports.Brakes of one caller: those that are on everywhere, and in the subscriptions that they may see."""

    brakes: Brakes
    caller: Caller

    def now(self) -> Braking:
        braking = self.brakes.now()
        shown = (brake for brake in braking.brakes if not brake.scope or self.caller.sees(brake.scope))
        return replace(braking, brakes=tuple(shown))

    def change(self, braking: Braking) -> None:
        self.brakes.change(braking)


@dataclass(frozen=True, slots=True)
class PoisonedSeen:
    """ports.Poisoned of somebody who does not see everything: messages are of no subscription."""

    poisoned: Poisoned

    def keep(self, message: PoisonedMessage) -> None:
        self.poisoned.keep(message)

    def kept(self) -> Sequence[PoisonedMessage]:
        return ()

    def forget(self, before: datetime) -> None:
        self.poisoned.forget(before)
