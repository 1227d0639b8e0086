"""What Azure holds of ours, read from the provider's list pages as they are: by whom the ledger can be made anew.

Built by wiring. A list is whole or it is an error: a page that cannot be read is never taken for the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.cloud.arm import Arm
from shared.cloud.inventory import ABSENT, DISK_VERSION
from shared.cloud.pace import Lane
from shared.cloud.pages import listed
from shared.cloud.restore_points import held_in
from shared.cloud.snapshots import GROUP_VERSION, SNAPSHOT, Recovery, seen
from shared.errors import Missing
from shared.model.draining import CallKind
from shared.model.identity import Shard
from shared.model.restore_point import RestorePointSeen
from shared.model.snapshot import SnapshotSeen


class AzureHoldings:
    """The recovery groups of one installation, and what is in them."""

    def __init__(self, arm: Arm, recovery: Recovery) -> None:
        self._arm = arm
        self._recovery = recovery

    def shards(self, subscription: str) -> Sequence[Shard]:
        lane = Lane(subscription, "", CallKind.READ)
        found = listed(self._arm, lane, f"/subscriptions/{subscription}/resourcegroups", GROUP_VERSION)
        return sorted({shard for group in found if (shard := self._home(subscription, group))})

    def snapshots(self, shard: Shard) -> Iterator[SnapshotSeen]:
        group = f"/subscriptions/{shard.subscription}/resourcegroups/{self._recovery.group(shard.region)}"
        pages = listed(self._arm, Lane.of(shard, CallKind.READ), f"{group}/providers/{SNAPSHOT}", DISK_VERSION)
        try:
            yield from (seen(body) for body in pages)
        except Missing as error:
            if error.code.lower() not in ABSENT:
                raise

    def restore_points(self, shard: Shard) -> Iterator[RestorePointSeen]:
        yield from held_in(self._arm, shard, self._recovery)

    def _home(self, subscription: str, group: Mapping[str, Any]) -> Shard | None:
        """The shard whose recovery group this is: named by our pattern, tagged as ours."""
        region = str(group.get("location") or "").replace(" ", "").lower()
        owner = {str(name).lower(): value for name, value in (group.get("tags") or {}).items()}.get("tagback-owner")
        named = str(group.get("name") or "").lower() == self._recovery.group(region).lower()
        return Shard(subscription, region) if named and region and owner == self._recovery.owner else None
