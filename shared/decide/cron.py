"""Cron expressions of five fields, as the local times of day and the days that they name. Used by schedule.py, plan.py.

`cronsim` reads them, as Debian's cron does: where neither day field begins with a star, either of them is enough. It is
fed naive local minutes only; what a change of the clocks makes of them is decided in schedule.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import takewhile

from cronsim import CronSim, CronSimError

CRON_FORM = 'minute, hour, day, month and weekday, such as "0 2 * * 1-5"'
LONGEST = 100
SOME_MIDNIGHT = datetime(2000, 1, 1)  # noqa: DTZ001 - a local time without a zone is what the library is to see
DAY = timedelta(days=1)
LAST_SECOND = time(23, 59, 59)


def problem(text: str) -> str:
    """What is wrong with an expression; empty when it can be read."""
    if len(text) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if len(text.split()) != 5:
        return "has not five fields"
    try:
        times(text)
        first = next(days_from(text, SOME_MIDNIGHT.date()), None)
    except CronSimError as error:
        return f"has a {str(error).lower()}"
    return "" if first else "names days that never come"


@lru_cache(maxsize=1024)
def times(cron: str) -> tuple[time, ...]:
    """The local times of day, earliest first."""
    minute, hour, *_ = cron.split()
    moments = CronSim(f"{minute} {hour} * * *", datetime.combine(SOME_MIDNIGHT - DAY, LAST_SECOND))
    return tuple(moment.time() for moment in takewhile(lambda one: one.date() == SOME_MIDNIGHT.date(), moments))


def days_from(cron: str, first: date) -> Iterator[date]:
    """The local days from `first` on."""
    start = datetime.combine(first - DAY, LAST_SECOND)
    # A simulation that runs on tries every hour of a day; one that is begun anew for each day finds the next at once.
    while found := next(CronSim(_at_time("0 0", cron), start), None):
        yield found.date()
        start = datetime.combine(found, LAST_SECOND)


def days_back_from(cron: str, last: date) -> Iterator[date]:
    """The local days up to `last`, newest first."""
    start = datetime.combine(last + DAY, time())
    while found := next(CronSim(_at_time("59 23", cron), start, reverse=True), None):
        yield found.date()
        start = datetime.combine(found, time())


def moved(cron: str, start: time) -> str:
    """The same days at another time of day."""
    return _at_time(f"{start.minute} {start.hour}", cron)


def _at_time(minute_and_hour: str, cron: str) -> str:
    return " ".join((minute_and_hour, *cron.split()[2:]))
