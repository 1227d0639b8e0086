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
SECOND = timedelta(seconds=1)


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
    moments = CronSim(f"{minute} {hour} * * *", SOME_MIDNIGHT - SECOND)
    return tuple(moment.time() for moment in takewhile(lambda one: one.date() == SOME_MIDNIGHT.date(), moments))


def days_from(cron: str, first: date) -> Iterator[date]:
    """The local days from `first` on."""
    yield from _days(CronSim(_midnights(cron), datetime.combine(first, time()) - SECOND))


def days_back_from(cron: str, last: date) -> Iterator[date]:
    """The local days up to `last`, newest first."""
    yield from _days(CronSim(_midnights(cron), datetime.combine(last, time()) + SECOND, reverse=True))


def moved(cron: str, start: time) -> str:
    """The same days at another time of day."""
    return " ".join((str(start.minute), str(start.hour), *cron.split()[2:]))


def _midnights(cron: str) -> str:
    return " ".join(("0", "0", *cron.split()[2:]))


def _days(moments: Iterator[datetime]) -> Iterator[date]:
    for moment in moments:
        yield moment.date()
