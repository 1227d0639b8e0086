"""Judges a timer's schedule as the Functions host will: NCRONTAB of six fields, seconds first.

Sources [local-host 1]: names by prefix, `a/n` runs from a to the field's end, days of the week are 0-6, and there is no
`? L W #`. Five fields are refused, although the host takes them: they are mostly a cron line that means minutes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

FORM = "six fields: second minute hour day month day-of-week, such as 0 */15 * * * *"

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_FIELDS: Sequence[tuple[str, int, int, Sequence[str]]] = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day-of-week", 0, 6, _DAYS),
)
_ITEM = re.compile(r"(\*|[A-Za-z]+|\d{1,4})(?:-([A-Za-z]+|\d{1,4}))?(?:/(\d{1,4}))?")


def problems(text: str) -> list[str]:
    """What is wrong with a schedule, field by field; empty when the host takes it."""
    parts = text.split()
    if len(parts) != len(_FIELDS):
        return [f"it has {len(parts)} fields"]
    return [
        f"{part!r} is no {name} ({low}-{high})"
        for part, (name, low, high, names) in zip(parts, _FIELDS, strict=True)
        if not all(_is_item(item, low, high, names) for item in part.split(","))
    ]


def _is_item(item: str, low: int, high: int, names: Sequence[str]) -> bool:
    match = _ITEM.fullmatch(item)
    if match is None or (match[1] == "*" and match[2] is not None):
        return False
    first = low if match[1] == "*" else _number(match[1], names, low)
    last = high if match[2] is None else _number(match[2], names, low)
    step = 1 if match[3] is None else int(match[3])
    return first is not None and last is not None and low <= first <= high and first <= last <= high and step > 0


def _number(text: str, names: Sequence[str], low: int) -> int | None:
    if text.isdigit():
        return int(text)
    found = [index for index, name in enumerate(names) if len(text) >= 3 and name.startswith(text.lower())]
    return found[0] + low if found else None
