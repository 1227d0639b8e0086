"""How long a point is kept, and why.

A class is earned by slot order among the complete points of plan slots: the first of its local day, ISO week, month,
year. A point is kept for the longest class that it earned, for the plan's shortest age when it earned none. Dates are
only ever stamped or lengthened here; what may go once a date has passed is said by deletion_dates.py.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.model.plan import Age, Keep, Unit
from shared.model.point import Origin

CLASS_NAMES = {Unit.DAY: "daily", Unit.WEEK: "weekly", Unit.MONTH: "monthly", Unit.YEAR: "yearly"}
FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)
_EXACT = {Unit.HOUR: timedelta(hours=1), Unit.DAY: timedelta(days=1), Unit.WEEK: timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Kept:
    """Until when a point is kept, the class that says so (empty when it earned none), and the reason."""

    until: datetime
    earned: str
    because: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A complete point of a plan slot, and until when it is kept."""

    slot: datetime
    keep_until: datetime


def period(slot: datetime, unit: Unit, zone: ZoneInfo) -> tuple[int, ...]:
    """The local day, ISO week, month or year of a slot."""
    local = slot.astimezone(zone)
    match unit:
        case Unit.DAY:
            return (local.year, local.month, local.day)
        case Unit.WEEK:
            return local.isocalendar()[:2]
        case Unit.MONTH:
            return (local.year, local.month)
        case Unit.YEAR:
            return (local.year,)
        case _:
            raise ValueError("hours are ages, not classes")


def earned(slot: datetime, keep: Keep, complete: Iterable[Neighbour], zone: ZoneInfo) -> tuple[Age, ...]:
    """The ages of the classes a plan slot earns: no earlier point of the same period stands for the class already.

    An earlier point stands for a class when it is kept at least as long as the class asks now: one that was taken by a
    shorter plan leaves the class to be earned.
    """
    earlier = [point for point in complete if point.slot < slot]
    return tuple(age for age in keep.ages if age.unit in CLASS_NAMES and not _stands(slot, age, earlier, zone))


def _stands(slot: datetime, age: Age, earlier: Iterable[Neighbour], zone: ZoneInfo) -> bool:
    wanted = period(slot, age.unit, zone)
    return any(
        period(point.slot, age.unit, zone) == wanted and point.keep_until >= age_end(point.slot, age, zone)
        for point in earlier
    )


def age_end(slot: datetime, age: Age, zone: ZoneInfo) -> datetime:
    """When an age ends: hours, days, weeks exactly; months and years by the calendar, clipped to the month's end."""
    if age.unit in _EXACT:
        return slot + _EXACT[age.unit] * age.count
    local = slot.astimezone(zone)
    months = local.year * 12 + local.month - 1 + age.count * (12 if age.unit is Unit.YEAR else 1)
    year, month = divmod(months, 12)
    if year >= FOR_EVER.year:
        return FOR_EVER
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(UTC)


def kept(slot: datetime, origin: Origin, keep: Keep, complete: Iterable[Neighbour], zone_name: str) -> Kept:
    """The date and the reason for a point, given the complete plan points known.

    Before it is complete this is its birth stamp: pass only the complete points, so that it errs long.
    """
    if not keep.ages:
        return Kept(FOR_EVER, "", "its plan names no age, so it is never due")
    zone = ZoneInfo(zone_name)
    ages = earned(slot, keep, complete, zone) if origin is Origin.SLOT else ()
    chosen = [(age_end(slot, age, zone), age) for age in ages]
    if chosen:
        until, age = max(chosen, key=lambda pair: pair[0])
        name = CLASS_NAMES[age.unit]
        return Kept(until, name, f"first complete point of its {_noun(age.unit)} ({name}), kept {age}")
    until, age = min(((age_end(slot, age, zone), age) for age in keep.ages), key=lambda pair: pair[0])
    why = "earned no class of its own" if origin is Origin.SLOT else f"taken at {origin}, outside the classes"
    return Kept(until, "", f"{why}, kept for the plan's shortest age {age}")


def lengthened(until: datetime, slot: datetime, earned_class: str, keep: Keep, zone_name: str) -> datetime:
    """The date of a complete point under the keep of now: later when its class is kept longer, never earlier.

    It depends on the point alone, so no other point that comes or goes can move it.
    """
    zone = ZoneInfo(zone_name)
    ends = {CLASS_NAMES.get(age.unit, ""): age_end(slot, age, zone) for age in keep.ages}
    wanted = ends.get(earned_class, until) if earned_class else min(ends.values(), default=until)
    return max(until, wanted)


def _noun(unit: Unit) -> str:
    return {Unit.DAY: "day", Unit.WEEK: "week", Unit.MONTH: "month", Unit.YEAR: "year"}[unit]
