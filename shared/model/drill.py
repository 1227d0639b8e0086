"""Drills: what a restored machine has to do to count as proven (`Trial`), how far it came, the verdict (`Drill`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked of the restored machine: to run with its agent ready within `boot_seconds` of being made.

    `command` is run inside it where one is given, and `expects` has to stand in what it writes.
    """

    boot_seconds: int
    command: str = ""
    expects: str = ""


@dataclass(frozen=True, slots=True)
class Probing:
    """How far the trial of a machine came: since when it is there, what was seen, and when it had done everything."""

    since: datetime
    seen: tuple[str, ...] = ()
    proven_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Drill:
    """The verdict on one machine: whether the point of `slot` could be restored and ran, and why not where it did not.

    `took_seconds` is the time from the beginning to the verdict (what a restore takes: RTO), `lost_seconds` how old
    the newest point was at the beginning (what would have been lost: RPO). `request` is the drill's.
    """

    request: str
    slot: datetime | None
    started_at: datetime
    at: datetime
    proven: bool
    because: str
    seen: tuple[str, ...] = ()
    took_seconds: int = 0
    lost_seconds: int = 0
