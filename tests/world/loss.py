"""The loss of the ledger: every table is deleted in the middle of everything, and an operator asks for a rebuild.

What must hold afterwards beside every other promise: no point is lost that Azure still holds.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from shared.errors import CloudError
from shared.flows.asking import ask_rebuild, shards_with_points
from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.point import Point, PointState
from shared.model.request import Progress
from shared.model.rules import Rules
from shared.model.vault import VaultPoint
from tests.world.promises import Promises
from tests.world.scheduler import Invocation, Process
from tests.world.stage import Stage

AGAIN = timedelta(minutes=20)
NOTICED_AFTER = (timedelta(minutes=1), timedelta(minutes=40), timedelta(hours=5))
PROMISE = "S8"


@dataclass
class Loss:
    """One loss and what is known of it. `asked` are the ids of the requests for a rebuild that were accepted."""

    stage: Stage
    promises: Promises
    rules: Rules
    asked: list[str] = field(default_factory=list)
    complete: dict[tuple[Shard, VmUid, object, object], frozenset[ResourceId]] = field(default_factory=dict)
    of_vaults: dict[tuple[Shard, VmUid, object], VaultPoint] = field(default_factory=dict)
    happened: bool = False
    _asked_for: dict[str, Shard] = field(default_factory=dict)

    def strike(self) -> None:
        """Delete every table; blobs and queues stay."""
        self.happened = True
        for shard, machines in self.stage.ledger.rows.items():
            for uid, rows in machines.items():
                for held in rows.points.values():
                    if held.row.vault:
                        self.of_vaults[shard, uid, held.row.slot] = held.row.vault
                    elif held.row.complete:
                        self.complete[shard, uid, held.row.slot, held.row.engine] = _parts(held.row)
        self.stage.log.add(self.stage.scheduler.now, f"the ledger is lost with {len(self.complete)} complete points")
        self.stage.ledger.rows.clear()
        self.stage.requests.asked.clear()
        self.stage.poisoned.lose()
        self.stage.leases.held.clear()
        self.stage.budgets.rows.clear()
        self.promises.ledger_lost()
        self.asked.clear()

    def rebuild(self) -> None:
        """An operator asks for every shard, from a process of their own, and again for what was refused."""
        world = self.stage.world

        def ask() -> None:
            try:
                shards = shards_with_points(world, self.rules)
                for shard in shards:
                    if shard not in self._those(Progress.ASKED, Progress.DONE):
                        self._asked_for[ask_rebuild(world, shard, "operator").id] = shard
            except CloudError:
                shards = ()
            self.asked += [one for one in self._asked_for if one not in self.asked]
            if not shards or set(shards) - self._those(Progress.DONE):
                self.stage.scheduler.at(self.stage.scheduler.now + AGAIN, self.rebuild)

        self.stage.scheduler.spawn(Invocation("cli", Process("cli")), ask)

    def _those(self, *progress: Progress) -> set[Shard]:
        """The shards with a request that came so far."""
        known = self.stage.requests.asked
        return {shard for one, shard in self._asked_for.items() if one in known and known[one].progress in progress}

    def check(self) -> None:
        """Every complete point of before is complete again, of the same parts, as far as Azure still has them."""
        for (shard, uid, slot, engine), parts in self.complete.items():
            if not all(part in self.stage.azure.snapshots for part in parts):
                continue
            rows = self.stage.ledger.rows.get(shard, {}).get(uid)
            found = [held.row for held in rows.points.values()] if rows else []
            alike = [one for one in found if (one.slot, one.engine, _parts(one)) == (slot, engine, parts)]
            again = any(one.complete or one.state is PointState.DELETING for one in alike)
            self.promises.require(again, PROMISE, f"the point {slot} of {uid} in {shard} was lost with the ledger")
        for (shard, uid, slot), point in self.of_vaults.items():
            there = [held.row for one in self.stage.ledger.rows.get(shard, {}).values() for held in one.points.values()]
            again = any(row.vault == point for row in there) or not self.stage.vaults.has(point)
            self.promises.require(again, PROMISE, f"a vault has {slot} of {uid} in {shard}, and the ledger lost it")


def plan(loss: Loss, seed: int, moments: tuple[timedelta, timedelta]) -> None:
    """Draw when it happens and how long nobody notices."""
    draw = random.Random(seed)
    first, last = moments
    moment = loss.stage.scheduler.now + first + (last - first) * draw.random()
    noticed: Callable[[], None] = loss.rebuild
    loss.stage.scheduler.at(moment, loss.strike)
    loss.stage.scheduler.at(moment + draw.choice(NOTICED_AFTER), noticed)


def _parts(point: Point) -> frozenset[ResourceId]:
    return frozenset(part.id for part in point.live_parts)
