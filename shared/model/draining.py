"""What drainers share: who has a shard, and the kinds of calls that are paced apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model.identity import Shard


@dataclass(frozen=True, slots=True)
class Lease:
    """A shard held by one drainer until `until`. Politeness only: safety never rests on it."""

    shard: Shard
    holder: str
    until: datetime
    etag: str


class CallKind(StrEnum):
    """The kinds of calls that Azure counts apart."""

    READ = "reads"
    WRITE = "writes"
    DELETE = "deletes"
    SNAPSHOT = "snapshot-creates"
    RESTORE_POINT = "restore-point-creates"
