"""The twin of ports.Holdings: the provider's own lists, exact where they can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.errors import Denied
from shared.model.draining import CallKind
from shared.model.identity import COLLECTION_TYPE, Shard
from shared.model.restore_point import RestorePointSeen
from shared.model.snapshot import SnapshotSeen
from tests.world.steps import Call, Effect, Steps
from tests.world.twins.azure import Azure
from tests.world.twins.restore_points import restore_point_seen
from tests.world.twins.snapshots import seen
from tests.world.twins.throttle import Throttle


class HoldingsTwin:
    """Recovery groups and what is in them."""

    def __init__(self, azure: Azure, steps: Steps, throttle: Throttle) -> None:
        self._azure = azure
        self._steps = steps
        self._throttle = throttle

    def shards(self, subscription: str) -> Sequence[Shard]:
        bucket = (Shard(subscription, ""), CallKind.READ)
        call = Call("arm", "holdings.shards", Effect.READ, subscription, subscription, bucket)
        self._throttle.admit(bucket)
        self._steps.before(call)
        self._admit(subscription)
        answer = sorted(shard for shard in self._azure.groups if shard.subscription == subscription)
        self._steps.after(call)
        return answer

    def snapshots(self, shard: Shard) -> Iterator[SnapshotSeen]:
        bucket = (shard, CallKind.READ)
        call = Call("arm", "holdings.snapshots", Effect.READ, shard.subscription, str(shard), bucket)
        self._throttle.admit(bucket)
        self._steps.before(call)
        self._admit(shard.subscription)
        now = self._azure.now()
        group = self._azure.recovery_group(shard)
        mine = [
            truth
            for truth in self._azure.snapshots.values()
            if truth.id.group == group and truth.id.subscription == shard.subscription
        ]
        answer = [seen(truth, now) for truth in mine]
        self._steps.after(call)
        yield from answer

    def restore_points(self, shard: Shard) -> Iterator[RestorePointSeen]:
        bucket = (shard, CallKind.READ)
        call = Call("arm", "holdings.restore_points", Effect.READ, shard.subscription, str(shard), bucket)
        self._throttle.admit(bucket)
        self._steps.before(call)
        self._admit(shard.subscription)
        of_shard = (truth for truth in self._azure.snapshots.values() if self._azure.shard_of(truth.id) == shard)
        mine = [truth for truth in of_shard if truth.id.type == COLLECTION_TYPE]
        answer = [restore_point_seen(self._azure, truth) for truth in mine]
        self._steps.after(call)
        yield from answer

    def _admit(self, subscription: str) -> None:
        if subscription in self._azure.disabled:
            raise Denied("AuthorizationFailed", f"{subscription} cannot be read")
