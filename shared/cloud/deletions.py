"""Deletes snapshots and restore points in our recovery groups, and tells Azure's time: the product's only deleter."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from shared.cloud.arm import Arm, Hook
from shared.cloud.pace import Lane
from shared.cloud.snapshots import GROUP_VERSION, Recovery
from shared.errors import Missing, Refused
from shared.model.draining import CallKind
from shared.model.identity import COLLECTION_TYPE, ResourceId, Shard


class AzureDeletions:
    """Deletions in the recovery groups of one installation."""

    def __init__(self, arm: Arm, recovery: Recovery) -> None:
        self._arm = arm
        self._recovery = recovery

    def delete(self, shard: Shard, snapshot: ResourceId) -> None:
        whole = snapshot.type == COLLECTION_TYPE
        if whole and snapshot.top == snapshot:
            raise Refused("NeverDeleted", f"{snapshot} is a collection, with all its restore points in it")
        compute = self._arm.compute(snapshot.subscription)

        def send(hook: Hook) -> None:
            if whole:
                names = (snapshot.group, snapshot.top.name, snapshot.own_name)
                compute.restore_points.begin_delete(*names, polling=False, raw_response_hook=hook)
            else:
                compute.snapshots.begin_delete(snapshot.group, snapshot.name, polling=False, raw_response_hook=hook)

        with suppress(Missing):
            self._arm.write(Lane.of(shard, CallKind.DELETE), send)

    def azure_now(self, shard: Shard) -> datetime:
        group = f"/subscriptions/{shard.subscription}/resourcegroups/{self._recovery.group(shard.region)}"
        return self._arm.time(Lane.of(shard, CallKind.READ), group, GROUP_VERSION)
