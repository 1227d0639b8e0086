"""One table of the plans file with its place: values are read from it, and problems with them collected.

Used by plan.py and plan_vault.py. It bears with everything: what has not the shape is passed over, the schema says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any

from shared.decide.durations import DURATION_FORM, duration_text, parse_duration
from shared.decide.tag_values import parse_start


def table(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = fields.get(name)
    return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Part:
    """A table of the document with its place; problems with its values are collected as they are read."""

    where: str
    fields: Mapping[str, Any]
    problems: list[str] = field(default_factory=list)

    def wrong(self, name: str, what: str, allowed: str) -> None:
        """Note a problem with one field, or with the whole table for the empty name."""
        place = f"{self.where}.{name}" if name else self.where
        self.problems.append(f"{place}: {what}; allowed: {allowed}")

    def text(self, name: str, otherwise: str) -> str:
        found = self.fields.get(name)
        return found if isinstance(found, str) else otherwise

    def texts(self, name: str, otherwise: Iterable[str]) -> tuple[str, ...]:
        found = self.fields.get(name)
        return tuple(text for text in (found if isinstance(found, list) else otherwise) if isinstance(text, str))

    def duration(self, name: str, default: timedelta, least: timedelta, most: timedelta) -> timedelta:
        """A duration; the default stands in for one that is none, too short or too long."""
        text = self.text(name, duration_text(default))
        found = parse_duration(text)
        if found is None:
            self.wrong(name, f"{text!r} is not a duration", DURATION_FORM)
            return default
        if not least <= found <= most:
            self.wrong(name, f"{text!r} is out of range", f"{duration_text(least)} to {duration_text(most)}")
            return default
        return found


def wall(part: Part, text: str) -> time:
    start = parse_start(text)
    if start is None or start[1] is not None:
        part.wrong("at", f"{text!r} is not a time of day", "00:00 to 23:59")
        return time(0)
    return start[0]
