"""Deletes snapshots in our recovery groups, and tells Azure's time: the product's only deleter. Built by wiring."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from shared.cloud.arm import Arm, Hook
from shared.cloud.pace import Lane
from shared.cloud.snapshots import GROUP_VERSION, Recovery
from shared.errors import Missing
from shared.model.draining import CallKind
from shared.model.identity import ResourceId, Shard


class AzureDeletions:
    """Deletions in the recovery groups of one installation."""

    def __init__(self, arm: Arm, recovery: Recovery) -> None:
        self._arm = arm
        self._recovery = recovery

    def delete(self, shard: Shard, snapshot: ResourceId) -> None:
        snapshots = self._arm.compute(snapshot.subscription).snapshots

        def send(hook: Hook) -> None:
            snapshots.begin_delete(snapshot.group, snapshot.name, polling=False, raw_response_hook=hook)

        with suppress(Missing):
            self._arm.write(Lane.of(shard, CallKind.DELETE), send)

    def azure_now(self, shard: Shard) -> datetime:
        group = f"/subscriptions/{shard.subscription}/resourcegroups/{self._recovery.group(shard.region)}"
        return self._arm.time(Lane.of(shard, CallKind.READ), group, GROUP_VERSION)
