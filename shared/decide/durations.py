"""Durations and keeps as people write them: `90s 5min 24h 7d`, and `7d4w12m3y last=3` (where `m` is month)."""

from __future__ import annotations

import re
from datetime import timedelta

from shared.model.plan import Age, Keep, Unit

DURATION_FORM = "a number and a unit of s, min, h or d, such as 90s, 5min, 24h or 7d"
KEEP_FORM = "ages such as 7d4w12m3y or 48h, at most 99 years each, and/or last=3"

_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,6})(s|min|h|d)", re.ASCII)
_AGES = re.compile(r"(?:\d{1,4}[hdwmy])+", re.ASCII)
_AGE = re.compile(r"(\d{1,4})([hdwmy])", re.ASCII)
_LAST = re.compile(r"last=(\d{1,4})", re.ASCII)
_DAYS = {Unit.HOUR: 1 / 24, Unit.DAY: 1.0, Unit.WEEK: 7.0, Unit.MONTH: 30.4, Unit.YEAR: 365.25}
_UNEVEN = 3
_LONGEST_DAYS = 99 * 365.25 + 1  # the calendar ends in the year 9999, and no date of ours may come near


def parse_duration(text: str) -> timedelta | None:
    """The duration, or None when the text has another form (`DURATION_FORM`)."""
    match = _DURATION.fullmatch(text.strip().lower())
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]]) if match else None


def duration_text(duration: timedelta) -> str:
    """A duration as `parse_duration` reads it, in the largest unit that fits; a day is 24h."""
    seconds = int(duration.total_seconds())
    units = [unit for unit, size in _SECONDS.items() if seconds % size == 0 and (unit != "d" or seconds > size)]
    return f"{seconds // _SECONDS[units[-1]]}{units[-1]}"


def days_of(age: Age) -> float:
    """About how many days an age has."""
    return age.count * _DAYS[age.unit]


def parse_keep(text: str) -> Keep | None:
    """The keep, or None when the text has another form (`KEEP_FORM`). Every unit at most once, no zero."""
    ages: list[Age] = []
    last = 0
    for word in text.lower().replace(",", " ").split():
        if newest := _LAST.fullmatch(word):
            last = max(last, int(newest[1]))
        elif _AGES.fullmatch(word):
            ages += [Age(int(count), Unit(unit)) for count, unit in _AGE.findall(word)]
        else:
            return None
    doubled = len({age.unit for age in ages}) < len(ages)
    empty = not ages and not last
    if doubled or empty or any(age.count == 0 or days_of(age) > _LONGEST_DAYS for age in ages):
        return None
    return Keep(_in_order(ages), last)


def lengthened(keep: Keep, asked: Keep) -> Keep:
    """The longer of both, class by class: what is asked never shortens what the plan keeps.

    A plan's shortest age is what every point is kept for that earns no class: an age of a class that the plan does not
    have counts where it cannot become the shortest, and beside no age at all, which is for ever, none does.
    """
    if not keep.ages:
        return Keep((), max(keep.last, asked.last))
    counts = {age.unit: age.count for age in keep.ages}
    shortest = min(days_of(age) + _uneven(age) for age in keep.ages)
    for age in asked.ages:
        if age.unit in counts or days_of(age) - _uneven(age) >= shortest:
            counts[age.unit] = max(age.count, counts.get(age.unit, 0))
    return Keep(_in_order([Age(count, unit) for unit, count in counts.items()]), max(keep.last, asked.last))


def _uneven(age: Age) -> int:
    """By how many days at the most an age by the calendar is longer or shorter than `days_of` says."""
    return _UNEVEN if age.unit in (Unit.MONTH, Unit.YEAR) else 0


def _in_order(ages: list[Age]) -> tuple[Age, ...]:
    units = list(Unit)
    return tuple(sorted(ages, key=lambda age: units.index(age.unit)))
