"""The calendar as a wall shows it: when a local time of day comes, and when an age ends. Pure; zones by zoneinfo.

Used by slots.py and retention.py. Reckoned differently from the product: forwards over the minutes of a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from local.judges.plans import Plan

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)
LETTERS = {"h": timedelta(hours=1), "d": DAY, "w": 7 * DAY}
CLASSES = ("d", "w", "m", "y")


@cache
def first_minute(day: date, wall: time, zone: str) -> datetime:
    """The first UTC minute at which the wall clock has reached this day and time.

    A time that is skipped comes when the clocks have moved on; of one that comes twice it is the first.
    """
    place = ZoneInfo(zone)
    guesses = {datetime.combine(day, wall, place).replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
    moment = min(guesses) - timedelta(hours=3)
    while (moment.astimezone(place).date(), moment.astimezone(place).time()) < (day, wall):
        moment += MINUTE
    return moment


def slots(plan: Plan, after: datetime, until: datetime) -> Iterator[datetime]:
    """The plan's slots with after < slot <= until, oldest first, each once."""
    day = (after - 2 * DAY).date()
    seen = after
    while day <= (until + 2 * DAY).date():
        for slot in sorted({first_minute(day, wall, plan.zone) for wall in plan.times}):
            if seen < slot <= until:
                yield slot
                seen = slot
        day += DAY


def age_ends(slot: datetime, unit: str, count: int, zone: str) -> datetime:
    """Hours, days and weeks exactly; months and years by the calendar of the zone, clipped to the month's end."""
    if unit in LETTERS:
        return slot + LETTERS[unit] * count
    wall = slot.astimezone(ZoneInfo(zone))
    year, month = wall.year + (count if unit == "y" else 0), wall.month + (count if unit == "m" else 0)
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    if year >= FOR_EVER.year:
        return FOR_EVER
    for day in range(wall.day, 27, -1):
        try:
            return wall.replace(year=year, month=month, day=day).astimezone(UTC)
        except ValueError:
            continue
    return wall.replace(year=year, month=month).astimezone(UTC)


def period(slot: datetime, unit: str, zone: str) -> str:
    """The local day, ISO week, month or year as text."""
    wall = slot.astimezone(ZoneInfo(zone))
    return {"d": f"{wall:%Y-%m-%d}", "w": f"{wall:%G-%V}", "m": f"{wall:%Y-%m}", "y": f"{wall:%Y}"}[unit]


def kept_at_least_until(slot: datetime, of_plan: bool, plan: Plan, earlier: Iterable[datetime]) -> datetime:
    """The earliest end of a complete point: the shortest age, and each class whose period no earlier point opened.

    `earlier` are the slots of the machine's complete points of its plan; where plans changed, the product may well keep
    a point longer than this.
    """
    ends = [age_ends(slot, unit, count, plan.zone) for unit, count in plan.ages.items()]
    if not ends:
        return FOR_EVER
    wanted = min(ends)
    before = [one for one in earlier if one < slot]
    for unit, count in plan.ages.items() if of_plan else ():
        opened = unit in CLASSES and period(slot, unit, plan.zone) not in {
            period(one, unit, plan.zone) for one in before
        }
        if opened:
            wanted = max(wanted, age_ends(slot, unit, count, plan.zone))
    return wanted
