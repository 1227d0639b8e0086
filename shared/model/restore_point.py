"""Restore points as Azure knows them: what we order, and what a look shows. Their collection carries the tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.point import Inside


class Mode(StrEnum):
    """How a restore point is taken, and what it came to, by Azure's names; the middle one cannot be asked for."""

    APPLICATION = "ApplicationConsistent"
    FILE_SYSTEM = "FileSystemConsistent"
    CRASH = "CrashConsistent"


@dataclass(frozen=True, slots=True)
class RestorePointOrder:
    """A restore point of one machine without the disks `excluded`; `tags` are for its collection, should it be made."""

    id: ResourceId
    machine: ResourceId
    shard: Shard
    mode: Mode
    excluded: tuple[ResourceId, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RestorePointSeen:
    """A restore point as a GET or its collection shows it. `tags` are those of its collection, `machine` its source.

    `completion` is of the disk that is least far, in percent; None where Azure gives none. `mode` is empty, and
    `inside` without ids, while Azure does not say.
    """

    id: ResourceId
    machine: ResourceId | None
    machine_uid: VmUid
    provisioning: str
    completion: float | None
    mode: str
    tags: Mapping[str, str]
    inside: tuple[Inside, ...]
    created: datetime | None
