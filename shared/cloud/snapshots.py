"""Snapshots in our recovery groups: typed SDK calls for writes, GET for one, Resource Graph for many. Built by wiring.

Everything created is incremental and private. A PUT is sent once: repeated, it would reset the tags of what is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from shared.cloud.arm import Arm, Hook
from shared.cloud.graph import Graph, literal
from shared.cloud.inventory import ABSENT, DISK_VERSION
from shared.cloud.pace import Lane
from shared.cloud.rows import STAMP
from shared.errors import Missing
from shared.model.draining import CallKind
from shared.model.identity import DiskUid, ResourceId, Shard
from shared.model.snapshot import SnapshotOrder, SnapshotSeen

SNAPSHOT = "microsoft.compute/snapshots"
GROUP_VERSION = "2024-11-01"
TAGS_VERSION = "2021-04-01"
SLOTS = 100  # per query
COLUMNS = "id, tags, properties"


@dataclass(frozen=True, slots=True)
class Recovery:
    """Where our snapshots go: the group's name with `{region}` in it, and the installation that owns the groups."""

    pattern: str
    owner: str

    def group(self, region: str) -> str:
        return self.pattern.replace("{region}", region)


class AzureSnapshots:
    """The snapshots of one installation."""

    def __init__(self, arm: Arm, graph: Graph, recovery: Recovery) -> None:
        self._arm = arm
        self._graph = graph
        self._recovery = recovery

    def create(self, order: SnapshotOrder) -> None:
        # A plain body: the SDK's models fill class-wide tables when they are first built, which threads may not share.
        body = {
            "location": order.shard.region,
            "tags": dict(order.tags),
            "properties": {
                "incremental": True,
                "creationData": {"createOption": "Copy", "sourceResourceId": str(order.source)},
                "networkAccessPolicy": "DenyAll",
                "publicNetworkAccess": "Disabled",
            },
        }
        snapshots = self._arm.compute(order.id.subscription).snapshots

        def send(hook: Hook) -> None:
            stream = BytesIO(json.dumps(body).encode())
            snapshots.begin_create_or_update(
                order.id.group, order.id.name, stream, polling=False, raw_response_hook=hook
            )

        self._arm.write(Lane.of(order.shard, CallKind.SNAPSHOT), send)

    def find(self, snapshot: ResourceId) -> SnapshotSeen | None:
        lane = Lane(snapshot.subscription, "", CallKind.READ)
        try:
            return seen(self._arm.get(lane, str(snapshot), DISK_VERSION))
        except Missing as error:
            if error.code.lower() in ABSENT:
                return None
            raise

    def taken(self, shard: Shard, slots: Sequence[datetime]) -> Iterator[SnapshotSeen]:
        stamps = sorted({slot.astimezone(UTC).strftime(STAMP) for slot in slots})
        for start in range(0, len(stamps), SLOTS):
            named = ", ".join(literal(stamp) for stamp in stamps[start : start + SLOTS])
            query = (
                f"resources | where type =~ '{SNAPSHOT}'"
                f" and resourceGroup =~ {literal(self._recovery.group(shard.region))}"
                f" and tostring(tags['tagback-slot']) in~ ({named})"
                f" | project {COLUMNS} | order by id asc"
            )
            for row in self._graph.rows(query, [shard.subscription]):
                yield seen(row)

    def prepare(self, shard: Shard) -> None:
        path = f"/subscriptions/{shard.subscription}/resourcegroups/{self._recovery.group(shard.region)}"
        # Looked for first: a PUT over a group that is there would replace its tags.
        try:
            self._arm.get(Lane.of(shard, CallKind.READ), path, GROUP_VERSION)
        except Missing as error:
            if error.code.lower() != "resourcegroupnotfound":
                raise
            body = {"location": shard.region, "tags": {"tagback-owner": self._recovery.owner}}
            self._arm.put(Lane.of(shard, CallKind.WRITE), path, GROUP_VERSION, body)

    def merge(self, snapshot: ResourceId, tags: Mapping[str, str]) -> None:
        # By the Tags API: a PATCH of the snapshot itself would replace what others tagged it with.
        lane = Lane(snapshot.subscription, "", CallKind.WRITE)
        path = f"{snapshot}/providers/Microsoft.Resources/tags/default"
        self._arm.patch(lane, path, TAGS_VERSION, {"operation": "Merge", "properties": {"tags": dict(tags)}})

    def place(self, shard: Shard, name: str) -> ResourceId:
        return ResourceId(shard.subscription, self._recovery.group(shard.region).lower(), SNAPSHOT, name.lower())


def seen(body: Mapping[str, Any]) -> SnapshotSeen:
    """A snapshot's body as ARM and Resource Graph show it."""
    properties = body.get("properties") or {}
    completion = properties.get("completionPercent")
    creation = properties.get("creationData") or {}
    return SnapshotSeen(
        id=ResourceId.parse(str(body["id"])),
        source_uid=DiskUid(str(creation.get("sourceUniqueId") or "").lower()),
        provisioning=str(properties.get("provisioningState") or ""),
        completion=None if completion is None else float(completion),
        access=str(properties.get("snapshotAccessState") or ""),
        disk_state=str(properties.get("diskState") or ""),
        tags={str(name): str(value) for name, value in (body.get("tags") or {}).items()},
        source=source_of(str(creation.get("sourceResourceId") or "")),
        created=moment(str(properties.get("timeCreated") or "")),
    )


def source_of(text: str) -> ResourceId | None:
    with suppress(ValueError):
        return ResourceId.parse(text)
    return None


def moment(text: str) -> datetime | None:
    """Azure writes seven digits of a second, of which Python reads six."""
    with suppress(ValueError):
        return datetime.fromisoformat(text).astimezone(UTC)
    return None
