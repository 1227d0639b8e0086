"""When points are due. A slot is the scheduled UTC instant; its start is spread over the plan's window by hash.

A local time falls due at the first minute at which the wall clock has reached it: one that a clock change skips runs at
the next valid minute, one that comes twice runs once, the first time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import count, islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from shared.decide import cron
from shared.model.identity import VmUid
from shared.model.plan import Schedule

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
LONGEST_PATIENCE = timedelta(hours=12)
# What a cron does in so many of its days, or in these years, it does again.
ENOUGH_DAYS = 500
SOME_YEARS = (date(2000, 1, 1), date(2008, 1, 1))


@dataclass(frozen=True, slots=True)
class Owed:
    """The newest slot that has come, and the older ones that it supersedes (None when it is the only one)."""

    slot: datetime
    oldest_missed: datetime | None
    newest_missed: datetime | None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often slots come by the calendar: the shortest and longest time between two, and how many come a day."""

    shortest: timedelta
    longest: timedelta
    per_day: float
    most_per_day: int


def instant_of(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a local wall-clock time: the first of two, the end of the gap when there is none."""
    local = datetime.combine(day, wall, tzinfo=zone)
    instant = local.astimezone(UTC)
    # Only of a time that is skipped is the second reading the earlier one (PEP 495).
    second = local.replace(fold=1).astimezone(UTC)
    return instant if second >= instant else _end_of_gap(second, instant, zone)


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


@lru_cache(maxsize=1024)
def wall_times(schedule: Schedule) -> tuple[time, ...]:
    """The local times of day at which slots lie, earliest first."""
    if schedule.cron:
        return cron.times(schedule.cron)
    if schedule.every is None:
        return schedule.at
    midnight = datetime(2000, 1, 1, tzinfo=UTC)
    return tuple((midnight + schedule.every * turn).time() for turn in range(-(-DAY // schedule.every)))


def slots_after(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """The slots after an instant, oldest first, each once, without end."""
    zone = ZoneInfo(schedule.zone)
    first = after.astimezone(zone).date()
    days = cron.days_from(schedule.cron, first) if schedule.cron else (first + DAY * turn for turn in count())
    latest = after
    for slot in _instants(days, wall_times(schedule), zone):
        if slot > latest:
            yield slot
            latest = slot


def slots_back_from(schedule: Schedule, until: datetime) -> Iterator[datetime]:
    """The slots up to and with an instant, newest first, each once, without end."""
    zone = ZoneInfo(schedule.zone)
    # Where the clock was set back over midnight, a slot that has come may lie on the local day after.
    last = until.astimezone(zone).date() + DAY
    days = cron.days_back_from(schedule.cron, last) if schedule.cron else (last - DAY * turn for turn in count())
    earliest = until + MINUTE
    for slot in _instants(days, wall_times(schedule)[::-1], zone):
        if slot <= until and slot < earliest:
            yield slot
            earliest = slot


def _instants(days: Iterable[date], walls: Iterable[time], zone: ZoneInfo) -> Iterator[datetime]:
    return (instant_of(day, wall, zone) for day in days for wall in walls)


def slots(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    """The slots in (after, until], oldest first, each once."""
    return takewhile(lambda slot: slot <= until, slots_after(schedule, after))


def next_slot(schedule: Schedule, after: datetime) -> datetime:
    """The first slot after an instant."""
    return next(slots_after(schedule, after))


def owed(schedule: Schedule, settled: datetime, now: datetime) -> Owed | None:
    """What is owed of the slots in (settled, now]: the newest one, which supersedes the older ones.

    It costs the same however many they are.
    """
    newest, previous = islice(slots_back_from(schedule, now), 2)
    if newest <= settled:
        return None
    if previous <= settled:
        return Owed(newest, None, None)
    return Owed(newest, next_slot(schedule, settled), previous)


def start_of(slot: datetime, schedule: Schedule, uid: VmUid) -> datetime:
    """When a machine's work for a slot starts: always the same place in the window, whole seconds."""
    seconds = int(schedule.window.total_seconds())
    if seconds <= 0:
        return slot
    place = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:8], "big") % seconds
    return slot + timedelta(seconds=place)


@dataclass(frozen=True, slots=True)
class Lateness:
    """The slot that a newest complete point lets expect, and from when on its absence is a fault."""

    missing: datetime
    since: datetime


def lateness(schedule: Schedule, newest: datetime) -> Lateness:
    """When a machine whose newest complete point is of `newest` falls behind its schedule.

    The slot after it has its window and half the time to the slot that follows, at most half a day: on a Friday's point
    of a plan for working days nobody waits before Monday, and on a Monday's nobody waits until Thursday.
    """
    missing, following = islice(slots_after(schedule, newest), 2)
    return Lateness(missing, missing + schedule.window + min((following - missing) / 2, LONGEST_PATIENCE))


@lru_cache(maxsize=1024)
def rhythm(schedule: Schedule) -> Rhythm:
    """How often slots come. What clock changes do to single days is left out."""
    walls = [wall.hour * 60 + wall.minute for wall in wall_times(schedule)]
    days = _some_days(schedule)
    overnight = [(later - earlier) + MINUTE * (walls[0] - walls[-1]) for earlier, later in pairwise(days)]
    gaps = [*overnight, *(MINUTE * (later - earlier) for earlier, later in pairwise(walls))]
    share = (len(days) - 1) / (days[-1] - days[0]).days
    return Rhythm(min(gaps), max(gaps), share * len(walls), len(walls))


def _some_days(schedule: Schedule) -> list[date]:
    since, until = SOME_YEARS
    if not schedule.cron:
        return [since, since + DAY]
    days = cron.days_from(schedule.cron, since)
    found = [next(days), next(days)]
    while len(found) < ENOUGH_DAYS and found[-1] < until:
        found.append(next(days))
    return found


def interval(schedule: Schedule) -> timedelta:
    """The longest time between two slots of an ordinary year."""
    return rhythm(schedule).longest
