"""A span of time as people say it, in one way everywhere. What a plans file writes is decide/durations.py's."""

from __future__ import annotations

from datetime import timedelta


def told(span: timedelta) -> str:
    """The two largest units that say something, to the minute: `3 d 4 h`, `4 h 30 min`, `6 h`, `0 min`."""
    minutes = int(span.total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = ((days, "d"), (hours, "h")) if days else ((hours, "h"), (rest, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"
