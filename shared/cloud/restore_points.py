"""Restore points in collections of ours: typed SDK calls for writes, GETs for looks. Built by wiring.

A restore point cannot be changed, and a PUT is sent once. Collections are made where none is, and never written over:
that would replace their tags, which hold points.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

from shared.cloud.arm import Arm, Hook
from shared.cloud.inventory import ABSENT, VM_VERSION
from shared.cloud.pace import Lane
from shared.cloud.pages import listed
from shared.cloud.snapshots import GROUP_VERSION, TAGS_VERSION, Recovery, moment, source_of
from shared.errors import Missing
from shared.model.draining import CallKind
from shared.model.identity import COLLECTION_TYPE, DiskUid, ResourceId, Shard, VmUid
from shared.model.point import Inside
from shared.model.restore_point import RestorePointOrder, RestorePointSeen

NAMESPACE = "Microsoft.Compute/restorePointCollections"
PARENT_GONE = frozenset({*ABSENT, "parentresourcenotfound"})
_STAMP = re.compile(r"(\d{8})t(\d{4})z")


class AzureRestorePoints:
    """The restore points of one installation."""

    def __init__(self, arm: Arm, recovery: Recovery) -> None:
        self._arm = arm
        self._recovery = recovery

    def create(self, order: RestorePointOrder) -> None:
        collection = order.id.top
        body = {
            "properties": {
                "consistencyMode": order.mode.value,
                "excludeDisks": [{"id": str(disk)} for disk in order.excluded],
            }
        }
        points = self._arm.compute(order.id.subscription).restore_points

        def send(hook: Hook) -> None:
            stream, name = BytesIO(json.dumps(body).encode()), _spelt(order.id.own_name)
            points.begin_create(collection.group, collection.name, name, stream, polling=False, raw_response_hook=hook)

        self._arm.write(Lane.of(order.shard, CallKind.RESTORE_POINT), send)

    def prepare(self, order: RestorePointOrder) -> None:
        lane, collection = Lane.of(order.shard, CallKind.WRITE), order.id.top
        group = f"/subscriptions/{collection.subscription}/resourcegroups/{collection.group}"
        tags = {"tagback-owner": self._recovery.owner}
        if self._is_missing(order.shard, group, GROUP_VERSION):
            self._arm.put(lane, group, GROUP_VERSION, {"location": order.shard.region, "tags": tags})
        if self._is_missing(order.shard, str(collection), VM_VERSION):
            source = {"source": {"id": str(order.machine)}}
            body = {"location": order.shard.region, "tags": {**order.tags, **tags}, "properties": source}
            self._arm.put(lane, str(collection), VM_VERSION, body)

    def find(self, point: ResourceId) -> RestorePointSeen | None:
        lane = Lane(point.subscription, "", CallKind.READ)
        try:
            body = self._arm.get(lane, str(point), VM_VERSION, **{"$expand": "instanceView"})
            return seen(body, self._arm.get(lane, str(point.top), VM_VERSION))
        except Missing as error:
            if error.code.lower() in PARENT_GONE:
                return None
            raise

    def of(self, collection: ResourceId) -> Sequence[RestorePointSeen]:
        lane = Lane(collection.subscription, "", CallKind.READ)
        try:
            return _all(self._arm.get(lane, str(collection), VM_VERSION, **{"$expand": "restorePoints"}))
        except Missing as error:
            if error.code.lower() in PARENT_GONE:
                return ()
            raise

    def mark(self, point: ResourceId, tags: Mapping[str, str]) -> None:
        path = f"{point.top}/providers/Microsoft.Resources/tags/default"
        body = {"operation": "Merge", "properties": {"tags": dict(tags)}}
        self._arm.patch(Lane(point.subscription, "", CallKind.WRITE), path, TAGS_VERSION, body)

    def place(self, shard: Shard, number: int, collection: str) -> ResourceId:
        group = f"{self._recovery.group(shard.region)}-rp{number:02}".lower()
        return ResourceId(shard.subscription, group, COLLECTION_TYPE, collection.lower())

    def _is_missing(self, shard: Shard, path: str, version: str) -> bool:
        """Looked for first: a PUT over what is there would replace its tags."""
        try:
            self._arm.get(Lane.of(shard, CallKind.READ), path, version)
        except Missing as error:
            if error.code.lower() not in ABSENT:
                raise
            return True
        return False


def held_in(arm: Arm, shard: Shard, recovery: Recovery) -> Iterator[RestorePointSeen]:
    """Every restore point in the collections of a shard's recovery groups, collection by collection.

    Group by group: whoever may only look into the recovery groups may list no collections of the subscription.
    """
    lane, points = Lane.of(shard, CallKind.READ), AzureRestorePoints(arm, recovery)
    pattern = re.compile(rf"{re.escape(recovery.group(shard.region).lower())}-rp\d\d")
    everything = f"/subscriptions/{shard.subscription}/resourcegroups"
    groups = [str(group.get("name") or "").lower() for group in listed(arm, lane, everything, GROUP_VERSION)]
    for group in sorted(group for group in groups if pattern.fullmatch(group)):
        bodies = listed(arm, lane, f"{everything}/{group}/providers/{NAMESPACE}", VM_VERSION)
        for collection in [ResourceId.parse(str(body["id"])) for body in bodies]:
            yield from points.of(collection)


def _all(collection: Mapping[str, Any]) -> Sequence[RestorePointSeen]:
    points = (collection.get("properties") or {}).get("restorePoints") or ()
    return [seen(body, collection) for body in points]


def seen(body: Mapping[str, Any], collection: Mapping[str, Any]) -> RestorePointSeen:
    """A restore point's body with that of its collection, as ARM shows them."""
    properties = body.get("properties") or {}
    metadata = properties.get("sourceMetadata") or {}
    source = ((collection.get("properties") or {}).get("source") or {}).get("id")
    return RestorePointSeen(
        id=ResourceId.parse(str(body["id"])),
        machine=source_of(str(source or "")),
        machine_uid=VmUid(str(metadata.get("vmId") or "").lower()),
        provisioning=str(properties.get("provisioningState") or ""),
        completion=_completion(properties),
        mode=str(properties.get("consistencyMode") or ""),
        tags={str(name): str(value) for name, value in (collection.get("tags") or {}).items()},
        inside=tuple(_inside(metadata.get("storageProfile") or {})),
        created=_created(properties),
    )


def _created(properties: Mapping[str, Any]) -> datetime | None:
    return moment(str(properties.get("timeCreated") or ""))


def _completion(properties: Mapping[str, Any]) -> float | None:
    """Of the disk that is least far; None where the view of the instance was not asked for, or says nothing."""
    disks = (properties.get("instanceView") or {}).get("diskRestorePoints") or ()
    percents = [(disk.get("replicationStatus") or {}).get("completionPercent") for disk in disks]
    return min((float(percent) for percent in percents if percent is not None), default=None)


def _inside(profile: Mapping[str, Any]) -> Iterator[Inside]:
    system, data = profile.get("osDisk") or {}, profile.get("dataDisks") or ()
    for disk, lun in [(system, None), *((disk, int(disk["lun"])) for disk in data)]:
        place = source_of(str((disk.get("managedDisk") or {}).get("id") or ""))
        if place is not None:
            made = source_of(str((disk.get("diskRestorePoint") or {}).get("id") or ""))
            yield Inside(place, DiskUid(""), lun, made)


def _spelt(name: str) -> str:
    """The name with its instants as the contract spells them; ids know only lower case."""
    return _STAMP.sub(r"\1T\2Z", name)
