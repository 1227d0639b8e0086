"""When slots are due, enumerated over a zone's clock as stretches of even time; shares nothing with `shared/decide`.

Everything is counted in whole minutes since 1970: UTC on one side, what the wall clock shows on the other. A wall
minute falls due when the clock first shows it; one that is skipped when the clock has jumped over it. Zones are only
ever asked what their clocks show at a UTC instant, which has one answer. Cron lines are read here anew, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 24 * 60
LOOKS = 2 * DAY  # no clock has ever moved twice in so short a time


@dataclass(frozen=True, slots=True)
class Stretch:
    """UTC minutes [begin, end) during which the wall clock is `ahead` of UTC by as many minutes."""

    begin: int
    end: int
    ahead: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """Wall minutes: those of a day, on the days that a cron line's last three fields name."""

    minutes: tuple[int, ...]
    days: tuple[str, str, str] = ("*", "*", "*")

    def between(self, low: int, high: int) -> Iterator[int]:
        """The wanted wall minutes in [low, high)."""
        for day in range(low // DAY, (high - 1) // DAY + 1):
            if self._names(day):
                yield from (day * DAY + one for one in self.minutes if low <= day * DAY + one < high)

    def _names(self, day: int) -> bool:
        if self.days == ("*", "*", "*"):
            return True
        of_month, months, weekdays = self.days
        that = date.fromordinal(day + date(1970, 1, 1).toordinal())
        if that.month not in members(months, 1, 12):
            return False
        named = {weekday % 7 for weekday in members(weekdays, 0, 7)}
        by_date, by_weekday = that.day in members(of_month, 1, 31), that.isoweekday() % 7 in named
        if of_month.startswith("*") or weekdays.startswith("*"):
            return by_date and by_weekday
        return by_date or by_weekday


@cache
def members(field: str, least: int, most: int) -> frozenset[int]:
    """What one field of a cron line names."""
    found: set[int] = set()
    for entry in field.split(","):
        span, _, step = entry.partition("/")
        first, _, last = span.partition("-")
        begin, end = (least, most) if first == "*" else (int(first), int(last or (most if step else first)))
        found |= set(range(begin, end + 1, int(step or 1)))
    return frozenset(found)


def calendar_of(cron: str) -> Calendar:
    """A whole cron line."""
    minute, hour, *days = cron.split()
    walls = sorted(one * 60 + other for one in members(hour, 0, 23) for other in members(minute, 0, 59))
    return Calendar(tuple(walls), (days[0], days[1], days[2]))


def minute_of(moment: datetime) -> int:
    return (moment - EPOCH) // MINUTE


def stretches(zone: str, since: datetime, until: datetime) -> tuple[Stretch, ...]:
    """The clock of a zone over some years: looked at now and then, and closer wherever it moved between two looks."""
    place = ZoneInfo(zone)
    begin, end = minute_of(since), minute_of(until)
    found: list[Stretch] = []
    ahead = _ahead(place, begin)
    for look in range(begin, end, LOOKS):
        upper = min(look + LOOKS, end)
        if _ahead(place, upper) == ahead:
            continue
        lower = look
        while upper - lower > 1:
            middle = (lower + upper) // 2
            lower, upper = (middle, upper) if _ahead(place, middle) == ahead else (lower, middle)
        found.append(Stretch(begin, upper, ahead))
        begin, ahead = upper, _ahead(place, upper)
    return (*found, Stretch(begin, end, ahead))


def _ahead(place: ZoneInfo, minute: int) -> int:
    offset = datetime.fromtimestamp(minute * 60, place).utcoffset()
    assert offset is not None
    return offset // MINUTE


def due(clock: tuple[Stretch, ...], calendar: Calendar, after: int, until: int) -> list[int]:
    """The UTC minutes in (after, until] at which something is due, each once."""
    found: set[int] = set()
    shown = clock[0].begin + clock[0].ahead  # the clock has shown every wall minute before this one
    for stretch in clock:
        first, last = stretch.begin + stretch.ahead, stretch.end + stretch.ahead
        if last <= shown or stretch.end <= after or stretch.begin > until:
            shown = max(shown, last)
            continue
        if any(True for _ in calendar.between(shown, first)):
            found.add(stretch.begin)
        low = max(shown, first, after + stretch.ahead)
        high = min(last, until + 1 + stretch.ahead)
        found |= {wall - stretch.ahead for wall in calendar.between(low, high)}
        shown = max(shown, last)
    return sorted(minute for minute in found if after < minute <= until)
