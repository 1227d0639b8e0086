"""When points are due. A slot is the scheduled UTC instant; its start is spread over the plan's window by hash.

Wall-clock times that a change to summer time skips run at the next valid minute; doubled ones run once, the first time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from shared.model.identity import VmUid
from shared.model.plan import Schedule

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Owed:
    """The newest slot that has come, and the older ones that it supersedes (None when it is the only one)."""

    slot: datetime
    oldest_missed: datetime | None
    newest_missed: datetime | None


def instant_of(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a local wall-clock time: the first of two, the end of the gap when there is none."""
    local = datetime.combine(day, wall, tzinfo=zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    return _end_of_gap(local.replace(fold=1).astimezone(UTC), instant, zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first minute that has the offset of `after`; `before` lies ahead of the clock change."""
    new_offset = after.astimezone(zone).utcoffset()
    while after - before > MINUTE:
        middle = before + MINUTE * ((after - before) // MINUTE // 2)
        if middle.astimezone(zone).utcoffset() == new_offset:
            after = middle
        else:
            before = middle
    return after


def wall_times(schedule: Schedule) -> tuple[time, ...]:
    """The local times of day at which slots lie."""
    if schedule.every is None:
        return schedule.at
    midnight = datetime(2000, 1, 1, tzinfo=UTC)
    count = -(-DAY // schedule.every)
    return tuple((midnight + schedule.every * turn).time() for turn in range(count))


def slots(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    """The slots in (after, until], oldest first, each once."""
    zone = ZoneInfo(schedule.zone)
    times = wall_times(schedule)
    day = after.astimezone(zone).date() - DAY
    last_day = until.astimezone(zone).date() + DAY
    latest = after
    while day <= last_day:
        for slot in sorted(instant_of(day, wall, zone) for wall in times):
            if latest < slot <= until:
                yield slot
                latest = slot
        day += DAY


def next_slot(schedule: Schedule, after: datetime) -> datetime:
    """The first slot after an instant."""
    return next(slots(schedule, after, after + 4 * DAY))


def owed(schedule: Schedule, settled: datetime, now: datetime) -> Owed | None:
    """What is owed of the slots in (settled, now]: the newest one, which supersedes the older ones."""
    newest: datetime | None = None
    previous: datetime | None = None
    oldest: datetime | None = None
    for slot in slots(schedule, settled, now):
        oldest = oldest or slot
        previous, newest = newest, slot
    if newest is None:
        return None
    return Owed(newest, oldest if previous else None, previous)


def start_of(slot: datetime, schedule: Schedule, uid: VmUid) -> datetime:
    """When a machine's work for a slot starts: always the same place in the window, whole seconds."""
    seconds = int(schedule.window.total_seconds())
    if seconds <= 0:
        return slot
    place = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:8], "big") % seconds
    return slot + timedelta(seconds=place)


def interval(schedule: Schedule) -> timedelta:
    """The longest time between two slots of an ordinary day."""
    times = wall_times(schedule)
    minutes = sorted(moment.hour * 60 + moment.minute for moment in times)
    gaps = [later - earlier for earlier, later in pairwise(minutes)]
    return MINUTE * max([*gaps, minutes[0] + 24 * 60 - minutes[-1]])
