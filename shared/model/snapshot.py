"""Snapshots as Azure knows them: what we order, and what a look shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.model.identity import DiskUid, ResourceId, Shard
from shared.model.point import Inside


@dataclass(frozen=True, slots=True)
class SnapshotOrder:
    """An incremental, private snapshot of one disk, to be made under a name that is ours by derivation."""

    id: ResourceId
    source: ResourceId
    shard: Shard
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SnapshotSeen:
    """A snapshot as a GET or a list page shows it. `completion` is in percent, None where Azure gives none.

    `disk_state` tells whether somebody reads it by a SAS. `source` is the id that the disk had, `created` when Azure
    began it; None where Azure does not say. A restore point is seen as the snapshot of a machine, with the disks
    `inside`: `decide/restore_points.py` reads it so.
    """

    id: ResourceId
    source_uid: DiskUid
    provisioning: str
    completion: float | None
    access: str
    tags: Mapping[str, str]
    disk_state: str = ""
    source: ResourceId | None = None
    created: datetime | None = None
    inside: tuple[Inside, ...] = ()
