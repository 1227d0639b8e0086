"""The twins of ports.Deletions and ports.Budgets: what is accepted is gone a little later, unless Azure fails at it."""

from __future__ import annotations

from datetime import datetime

from shared.errors import Blocked, Denied, LostRace, Missing, Refused
from shared.model.draining import CallKind
from shared.model.identity import COLLECTION_TYPE, ResourceId, Shard
from shared.model.spending import Spending
from tests.world.steps import Call, Effect, Steps
from tests.world.twins.azure import Azure, Lock, SnapshotTruth
from tests.world.twins.throttle import Throttle
from tests.world.twins.witness import Witness


class DeletionsTwin:
    """Deletions of snapshots and restore points, and Azure's own time, which no skew of a process touches."""

    def __init__(self, azure: Azure, steps: Steps, throttle: Throttle, witness: Witness) -> None:
        self._azure = azure
        self._steps = steps
        self._throttle = throttle
        self._witness = witness

    def delete(self, shard: Shard, snapshot: ResourceId) -> None:
        bucket = (shard, CallKind.DELETE)
        call = Call("arm", "deletions.delete", Effect.WRITE, shard.subscription, snapshot.name, bucket)
        self._throttle.admit(bucket)
        asked_at = self._azure.now()
        self._steps.before(call)
        self._admit(shard)
        if snapshot.type == COLLECTION_TYPE and snapshot.top == snapshot:
            raise Refused("NeverDeleted", f"{snapshot} is a collection")
        truth = self._azure.snapshots.get(snapshot)
        if truth is not None:
            if truth.read_by_sas:
                raise Blocked("OperationNotAllowed", f"a shared access signature of {snapshot} is active", 409)
            self._witness.snapshot_deleted(truth, asked_at)
            self._let_go(truth)
        self._steps.after(call)

    def _let_go(self, truth: SnapshotTruth) -> None:
        fate = self._azure.weather.fate(truth.id)
        if fate.takes is not None and not fate.fails:
            self._steps.scheduler.at(self._azure.now() + fate.takes, lambda: self._azure.remove(truth))

    def azure_now(self, shard: Shard) -> datetime:
        bucket = (shard, CallKind.READ)
        call = Call("arm", "deletions.azure_now", Effect.READ, shard.subscription, str(shard), bucket)
        self._throttle.admit(bucket)
        self._steps.before(call)
        if shard.subscription in self._azure.disabled:
            raise Denied("AuthorizationFailed", f"{shard} cannot be read", 403)
        if shard not in self._azure.groups:
            raise Missing("ResourceGroupNotFound", f"{shard} has no recovery group", 404)
        answer = self._azure.now().replace(microsecond=0)
        self._steps.after(call)
        return answer

    def _admit(self, shard: Shard) -> None:
        if shard.subscription in self._azure.disabled:
            raise Denied("AuthorizationFailed", f"{shard} cannot be written", 403)
        if self._azure.locks.get(shard, Lock.NONE) is not Lock.NONE:
            raise Blocked("ScopeLocked", f"the recovery group of {shard} is locked", 409)


class BudgetsTwin:
    """What was claimed lately: one row per shard, replaced only as it was read."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._writes = 0
        self.rows: dict[Shard, Spending] = {}

    def spending(self, shard: Shard) -> Spending:
        call = Call("table", "budgets.spending", Effect.READ, str(shard), str(shard))
        self._steps.before(call)
        answer = self.rows.get(shard, Spending(shard))
        self._steps.after(call)
        return answer

    def spend(self, spending: Spending) -> None:
        call = Call("table", "budgets.spend", Effect.WRITE, str(spending.shard), str(spending.shard))
        self._steps.before(call)
        there = self.rows.get(spending.shard, Spending(spending.shard))
        if there.etag != spending.etag:
            raise LostRace(f"the budget of {spending.shard} changed")
        self._writes += 1
        self.rows[spending.shard] = Spending(spending.shard, spending.hours, f"b{self._writes}")
        self._steps.after(call)
