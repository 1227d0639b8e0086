"""How many points of a shard may be deleted within a day. Called by flows/reaping.py, before anything is claimed.

Planned deletions are tied to what was gained: nothing gained, nothing deleted. Unplanned ones have a small fixed share.
What was claimed counts as spent whatever became of it, so a crash can only make the budget smaller.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from shared.model.spending import Hour, Spending

WINDOW = timedelta(hours=24)
HOUR = timedelta(hours=1)
PER_GAIN = 1.5  # more than one, so that days on which a daily, a weekly and a monthly end together are caught up
LEAST_UNPLANNED = 10
SHARE_UNPLANNED = 0.05


@dataclass(frozen=True, slots=True)
class Room:
    """How many more points may be claimed now."""

    planned: int
    unplanned: int


def room(spending: Spending, gains: Iterable[datetime], machines: int, now: datetime) -> Room:
    """What is left. `gains` are the instants at which points became complete, `machines` those that have any."""
    gained = sum(now - WINDOW < moment <= now for moment in gains)
    recent = [hour for hour in spending.hours if _counts(hour, now)]
    planned = ceil(PER_GAIN * gained) - sum(hour.planned for hour in recent)
    unplanned = max(LEAST_UNPLANNED, int(SHARE_UNPLANNED * machines)) - sum(hour.unplanned for hour in recent)
    return Room(max(planned, 0), max(unplanned, 0))


def spent(spending: Spending, planned: int, unplanned: int, now: datetime) -> Spending:
    """The spending with so many points more, without the hours that no longer count."""
    start = now.replace(minute=0, second=0, microsecond=0)
    kept = {hour.start: hour for hour in spending.hours if _counts(hour, now)}
    before = kept.get(start, Hour(start))
    kept[start] = replace(before, planned=before.planned + planned, unplanned=before.unplanned + unplanned)
    return replace(spending, hours=tuple(kept[key] for key in sorted(kept)))


def _counts(hour: Hour, now: datetime) -> bool:
    """Whether something of the hour may lie within the window; what lies ahead was noted by a clock that is fast."""
    return hour.start + HOUR > now - WINDOW
