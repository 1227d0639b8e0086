"""What was deleted of a shard lately: the row by which its budget is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.model.identity import Shard


@dataclass(frozen=True, slots=True)
class Hour:
    """Points that were claimed for deletion within one hour of the clock."""

    start: datetime
    planned: int = 0
    unplanned: int = 0


@dataclass(frozen=True, slots=True)
class Spending:
    """The hours of the last day in which anything was claimed, oldest first. `etag` is empty for a row not yet made."""

    shard: Shard
    hours: tuple[Hour, ...] = ()
    etag: str = ""
