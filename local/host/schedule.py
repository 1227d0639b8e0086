"""Timer schedules as the timer extension reads them: NCRONTAB of five or six fields, or a constant time span.

Rules [specified, atifaziz/NCrontab]: day of month AND day of week both must fit (cron's OR is not used); days of the
week are 0-6; `a/n` runs from a to the maximum; `? L W #` do not exist; a reversed range is turned round.
Used by `timer_listener`. Works on local wall-clock times and never reads a clock.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Protocol

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
# February 29th on a given weekday comes back within 40 years, whatever century lies between.
HORIZON_YEARS = 41


class ScheduleError(ValueError):
    """The expression is neither NCRONTAB nor a time span."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        """Every value of one field of the expression."""
        if not text:
            raise ScheduleError(f"the {self.name} field is empty")
        if "," in text:
            return frozenset().union(*(self.parse(part) for part in text.split(",")))
        span, slash, step_text = text.partition("/")
        step = max(self._number(step_text), 1) if slash else 1
        if span == "*":
            return frozenset(range(self.low, self.high + 1, step))
        first, dash, last = span.partition("-")
        start = self._value(first)
        end = self._value(last) if dash else self.high if slash else start
        return frozenset(range(min(start, end), max(start, end) + 1, step))

    def _number(self, text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text):
            raise ScheduleError(f"{text!r} is not a number in the {self.name} field")
        return int(text)

    def _value(self, text: str) -> int:
        value = self._number(text) if text[:1].isdigit() or not self.names else self._named(text)
        if not self.low <= value <= self.high:
            raise ScheduleError(f"{text!r} is not between {self.low} and {self.high} in the {self.name} field")
        return value

    def _named(self, text: str) -> int:
        if text:
            for index, name in enumerate(self.names):
                if name.lower().startswith(text.lower()):
                    return index + self.low
        raise ScheduleError(f"{text!r} is not known in the {self.name} field")


FIELDS = (
    Field("second", 0, 59),
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of week", 0, 6, DAYS),
)


class Schedule(Protocol):
    """Answers when a timer fires next. `after` and the answer are aware times; None means never again."""

    def next_after(self, after: datetime, zone: tzinfo | None) -> datetime | None: ...

    @property
    def is_sub_minute(self) -> bool: ...

    @property
    def adjusts_for_dst(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Cron:
    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @property
    def adjusts_for_dst(self) -> bool:
        return True

    @property
    def is_sub_minute(self) -> bool:
        return len(self.seconds) > 1

    @property
    def is_interval(self) -> bool:
        """Fires in every hour, so the hours of a clock change are passed through and not repeated or left out."""
        return len(self.hours) == 24

    def next_after(self, after: datetime, zone: tzinfo | None) -> datetime | None:
        local = after.astimezone(zone)
        found = self.next_local(local.replace(tzinfo=None))
        if found is None:
            return None
        if self.is_interval:
            # The offset that holds now: an hour is an hour across a clock change.
            return found.replace(tzinfo=timezone(local.utcoffset() or timedelta(0)))
        return found.replace(tzinfo=zone) if zone else found.astimezone()

    def next_local(self, after: datetime) -> datetime | None:
        """The first fitting second later than `after`, on a clock that is never changed."""
        moment = after.replace(microsecond=0) + timedelta(seconds=1)
        while moment.year <= after.year + HORIZON_YEARS:
            if not self._day_fits(moment):
                moment = moment.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif moment.hour not in self.hours:
                moment = moment.replace(minute=0, second=0) + timedelta(hours=1)
            elif moment.minute not in self.minutes:
                moment = moment.replace(second=0) + timedelta(minutes=1)
            elif moment.second not in self.seconds:
                moment += timedelta(seconds=1)
            else:
                return moment
        return None

    def _day_fits(self, moment: datetime) -> bool:
        weekday = moment.isoweekday() % 7
        return moment.month in self.months and moment.day in self.days and weekday in self.weekdays


@dataclass(frozen=True, slots=True)
class Constant:
    interval: timedelta

    @property
    def adjusts_for_dst(self) -> bool:
        return False

    @property
    def is_sub_minute(self) -> bool:
        return self.interval < timedelta(minutes=1)

    def next_after(self, after: datetime, zone: tzinfo | None) -> datetime | None:
        return after.astimezone(zone) + self.interval


def _cron(text: str) -> Cron:
    parts = text.split()
    if len(parts) == 5:
        parts = ["0", *parts]
    if len(parts) != 6:
        raise ScheduleError(f"{text!r} has {len(parts)} fields; five or six are allowed")
    return Cron(*(field.parse(part) for field, part in zip(FIELDS, parts, strict=True)))


def _span(text: str) -> timedelta | None:
    """.NET's TimeSpan: `d`, `[d.]hh:mm[:ss[.f]]`; hours above 23 make it days:hours:minutes."""
    match = re.fullmatch(r"(?:(\d+)\.)?(\d+):(\d+)(?::(\d+)(?:\.(\d{1,7}))?)?", text.strip())
    if match is None:
        return timedelta(days=int(text)) if re.fullmatch(r"\s*\d+\s*", text) else None
    days, first, second, third, fraction = (int(part) if part else None for part in match.groups())
    if days is None and first is not None and first > 23 and third is not None and fraction is None:
        days, first, second, third = first, second, third, 0
    hours, minutes, seconds = first or 0, second or 0, third or 0
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    micro = int((match.group(5) or "0").ljust(7, "0")) // 10
    return timedelta(days or 0, seconds, micro, minutes=minutes, hours=hours)


def parse(text: str) -> Schedule:
    """The schedule an expression means."""
    try:
        return _cron(text)
    except ScheduleError as error:
        span = _span(text)
        if span is None or span <= timedelta(0):
            raise ScheduleError(
                f"The schedule expression '{text}' was not recognized as a valid cron expression "
                f"or timespan string: {error}"
            ) from error
        return Constant(span)
