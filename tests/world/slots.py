"""When slots are due, worked out anew from the calendar: an enumerator that shares nothing with `shared/decide`.

A local time of day falls due at the first UTC minute at which the wall clock has reached that day and time: a time
that a clock change skips falls due when the clocks have moved on, and one that comes twice falls due once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
EAST = timedelta(hours=15)  # no zone is further ahead of UTC
COARSE = timedelta(minutes=15)
CLOCK_CHANGE = timedelta(hours=2)  # a wall clock is never set back by more


@dataclass(frozen=True, slots=True)
class Wish:
    """When a machine wants its points: at local times of day, or every so often on the wall clock from midnight on."""

    at: tuple[time, ...] = ()
    every: timedelta | None = None
    zone: str = "UTC"


@cache
def first_minute(day: date, at: time, zone: str) -> datetime:
    """The first UTC minute of a local day at which the wall clock shows `at` or later."""
    place = ZoneInfo(zone)
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - EAST
    while not _reached(moment, day, at, place):
        moment += COARSE
    moment -= CLOCK_CHANGE + COARSE
    while not _reached(moment, day, at, place):
        moment += MINUTE
    return moment


def _reached(moment: datetime, day: date, at: time, place: ZoneInfo) -> bool:
    wall = moment.astimezone(place)
    return (wall.date(), wall.time()) >= (day, at)


@cache
def slots_of_day(wish: Wish, day: date) -> tuple[datetime, ...]:
    return tuple(sorted({first_minute(day, at, wish.zone) for at in wall_times(wish)}))


def wall_times(wish: Wish) -> tuple[time, ...]:
    """The times that the clock on the wall shows: every so often counts from midnight on."""
    if wish.every is None:
        return wish.at
    minutes = range(0, 24 * 60, int(wish.every / MINUTE))
    return tuple(time(minute // 60, minute % 60) for minute in minutes)


def slots_between(wish: Wish, after: datetime, until: datetime) -> Iterator[datetime]:
    """The slots with after < slot <= until, oldest first."""
    day = (after - 2 * DAY).date()
    while day <= (until + 2 * DAY).date():
        yield from (slot for slot in slots_of_day(wish, day) if after < slot <= until)
        day += DAY
