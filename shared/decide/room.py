"""Whether the platform's limits leave room for the snapshots that a capture is about to send.

Counted from the ledger's own rows, so it costs no call; what others made of the same disks is left to Azure's refusal.
Called by flows/capturing.py before an intent is recorded. What may not be sent waits for room that the plan will make,
or for time, and is skipped with the reason where neither helps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from shared.model.point import Part, PartState, Point

# Incremental snapshots of one disk: at a time; within five minutes; not yet complete [azure-facts 3.2].
PER_DISK = 500
PER_WINDOW = 7
WINDOW = timedelta(minutes=5)
PENDING = 3  # of Premium SSD v2 and Ultra; three unfinished ones of any other disk are as good a reason to wait
PER_REGION = 75_000  # and subscription, for each redundancy [reliability, fact 3]; ours may be of either
LOOK_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Fits:
    """They may be sent."""

    because: str


@dataclass(frozen=True, slots=True)
class WaitForRoom:
    """Not yet: there will be room by itself, perhaps at `until`."""

    until: datetime
    because: str


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Nothing that is planned will make room."""

    because: str


Verdict: TypeAlias = Fits | WaitForRoom | NoRoom


def room(point: Point, points: Iterable[Point], in_region: int, now: datetime) -> Verdict:
    """Whether the planned parts of a point may be sent. `points` are all of its machine, perhaps itself as it was."""
    others = [one for one in points if (one.slot, one.engine) != (point.slot, point.engine)]
    wanted = [part for part in point.live_parts if part.state is PartState.PLANNED]
    verdicts = [_of_disk(part, [*others, point], now) for part in wanted]
    if wanted and in_region + len(wanted) > PER_REGION:
        full = f"the region holds {in_region} of our snapshots, of {PER_REGION} that a subscription may have"
        verdicts.append(_full(full, others, now))
    hopeless = next((one for one in verdicts if isinstance(one, NoRoom)), None)
    waits = [one for one in verdicts if isinstance(one, WaitForRoom)]
    return hopeless or max(waits, key=lambda one: one.until, default=Fits("every limit leaves room for it"))


def exists(part: Part) -> bool:
    """Whether Azure may hold a snapshot for this part, as far as the ledger knows."""
    sure = part.state in (PartState.STARTED, PartState.READY, PartState.UNKNOWN)
    return sure or (part.state is not PartState.PLANNED and part.sent_at is not None)


def snapshots_of(points: Iterable[Point]) -> int:
    """How many snapshots these points are made of."""
    return sum(exists(part) for point in points for part in point.parts)


def _of_disk(part: Part, points: Sequence[Point], now: datetime) -> Verdict:
    of_disk = [one for point in points for one in point.parts if one.disk_uid == part.disk_uid and exists(one)]
    disk = f"the {'machine' if part.is_restore_point else 'disk'} {part.disk.name}"
    if len(of_disk) >= PER_DISK:
        full = f"{disk} has {len(of_disk)} snapshots of {PER_DISK} that it may have"
        return _full(full, [one for one in points if _holds(one, part)], now)
    recent = sorted(one.sent_at for one in of_disk if one.sent_at and now - one.sent_at < WINDOW)
    if len(recent) >= PER_WINDOW:
        return WaitForRoom(recent[-PER_WINDOW] + WINDOW, f"{disk} had {len(recent)} snapshots within five minutes")
    pending = sum(one.state in (PartState.STARTED, PartState.UNKNOWN) for one in of_disk)
    if pending >= PENDING:
        return WaitForRoom(now + WINDOW, f"{pending} snapshots of {disk} are not complete yet, {PENDING} may be")
    return Fits("")


def _holds(point: Point, part: Part) -> bool:
    return any(one.disk_uid == part.disk_uid and exists(one) for one in point.parts)


def _full(because: str, points: Iterable[Point], now: datetime) -> Verdict:
    """Full: but what the plan no longer keeps is on its way out."""
    going = sum(one.removal is not None or one.keep_until <= now for one in points)
    if going:
        return WaitForRoom(now + LOOK_AGAIN, f"{because}; {going} points of it are about to go")
    return NoRoom(f"{because}, and none is about to go: shorten what the plan keeps")
