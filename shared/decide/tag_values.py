"""Reads the values of single opt-in tags: start times, holds, the names of recovery groups, `off` on a disk.

Used by tags.py, plan.py, deletions and the inventory adapter. A value of another form is answered with None or, where
that would end protection, with the answer that protects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import available_timezones

OFF = "off"
CLAIM = "tagback-swapping"
"""The tag of a machine whose disks are being swapped, with the request's id: nobody captures it meanwhile."""
FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
START_FORM = "02:00 or 02:00 Europe/Berlin"
HOLD_FORM = "a date such as 2027-01-31, or forever"
GROUP_FORM = "a name of at most 64 letters, digits, - _ ."

_START = re.compile(r"(\d{1,2}):(\d{2})(?:\s+(\S+))?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_GROUP = re.compile(r"[\w.-]{1,64}")


def relevant(tags: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The opt-in tag and its modifiers: names folded, values stripped. Of names that fold to one, the first counts."""
    found: dict[str, str] = {}
    for name in sorted(tags):
        folded = name.strip().lower()
        if folded == prefix or folded.startswith(f"{prefix}-"):
            found.setdefault(folded, tags[name].strip())
    return dict(sorted(found.items())) if len(found) > 1 else found


def remembered(tags: Mapping[str, str], prefix: str) -> dict[str, str]:
    """What a machine's row keeps of its tags: what it asks for, and whether a restore is changing its disks.

    A list that lags behind does not show the latter; the row that knows of it by a GET does.
    """
    claims = [value for name, value in tags.items() if name.strip().lower() == CLAIM]
    return relevant(tags, prefix) | ({CLAIM: claims[0]} if claims else {})


def parse_start(text: str) -> tuple[time, str | None] | None:
    """`02:00` or `02:00 Europe/Berlin` as a local time and a zone; None when the text has another form."""
    match = _START.fullmatch(text.strip())
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        return None
    zone = zone_named(match[3]) if match[3] else None
    if match[3] and zone is None:
        return None
    return time(int(match[1]), int(match[2])), zone


def zone_named(text: str) -> str | None:
    """A time zone by its IANA name, whatever its case."""
    return _zones().get(text.strip().lower())


@cache
def _zones() -> Mapping[str, str]:
    """Every time zone's name by its lower-case name; read once, because it walks a directory tree."""
    return {name.lower(): name for name in available_timezones()}


def parse_hold(text: str) -> datetime | None:
    """Until when a hold lasts: through the given day (UTC), or for ever. None when the text has another form."""
    folded = text.strip().lower()
    if folded == "forever":
        return FOREVER
    try:
        day = date.fromisoformat(folded) if _DATE.fullmatch(folded) else None
    except ValueError:
        return None
    if day is None:
        return None
    return FOREVER if day.year == FOREVER.year else datetime.combine(day + timedelta(days=1), time(), UTC)


def held_until(tags: Mapping[str, str], prefix: str) -> datetime | None:
    """Until when the tags of a VM or a snapshot hold it; None without a hold, for ever when it cannot be read."""
    hold = relevant(tags, prefix).get(f"{prefix}-hold")
    return None if hold is None else parse_hold(hold) or FOREVER


def parse_group(text: str) -> str | None:
    """The name of a recovery group, folded; None when the text has another form."""
    folded = text.strip().lower()
    return folded if _GROUP.fullmatch(folded) else None


def is_left_out(disk_tags: Mapping[str, str], prefix: str) -> bool:
    """Whether a disk's own tag leaves it out."""
    return relevant(disk_tags, prefix).get(prefix, "").lower() == OFF
