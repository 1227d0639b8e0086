"""Virtual time of the simulator: real, manual or jumping.

It is read by everything and moved only by `POST /_sim/clock`.
"""

import time
from datetime import UTC, datetime, timedelta
from enum import StrEnum

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Mode(StrEnum):
    """How time passes."""

    REAL = "real"
    MANUAL = "manual"
    JUMP = "jump"


class ClockRefused(Exception):
    """The clock was asked for something its mode does not allow."""


class Clock:
    """Seconds since 1970 in virtual time; never goes backward."""

    def __init__(self, mode: Mode, start: float | None = None) -> None:
        self.mode = mode
        wall = time.time()
        self._base = wall if start is None or mode is Mode.REAL else start
        self._mark = time.monotonic()

    def now(self) -> float:
        """Return the virtual time."""
        if self.mode is Mode.MANUAL:
            return self._base
        return self._base + (time.monotonic() - self._mark)

    def move(self, target: float) -> None:
        """Move forward to the target; a target already passed changes nothing."""
        if self.mode is Mode.REAL:
            raise ClockRefused("this simulator runs on the wall clock; start it with --clock manual or --clock jump")
        if target > self.now():
            self._base = target
            self._mark = time.monotonic()


def iso(seconds: float) -> str:
    """Write a time as ARM does: UTC with seven digits and Z."""
    moment = EPOCH + timedelta(microseconds=round(seconds * 1_000_000))
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z"


def compute_time(seconds: float) -> str:
    """Write a time as the compute provider does: `+00:00`, trailing zeros of the fraction trimmed."""
    moment = EPOCH + timedelta(microseconds=round(seconds * 1_000_000))
    fraction = f".{moment.microsecond:06d}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}+00:00"


def whole_second(seconds: float) -> str:
    """Write a time as the guest's agent does: `+00:00`, no fraction."""
    return f"{EPOCH + timedelta(seconds=int(seconds)):%Y-%m-%dT%H:%M:%S}+00:00"


def http_date(seconds: float) -> str:
    """Write a time as the Date header does."""
    return f"{EPOCH + timedelta(seconds=int(seconds)):%a, %d %b %Y %H:%M:%S GMT}"


def parse_time(text: str) -> float:
    """Read an ISO time; one without an offset is UTC."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH).total_seconds()
