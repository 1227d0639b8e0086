"""Which points retention will let go, and when at the earliest: a forecast for people. Nothing is deleted by it.

Called by flows/explaining.py. What really may be deleted is decided again, from fresh facts, when the time has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.model.plan import Keep
from shared.model.point import Point, PointState


@dataclass(frozen=True, slots=True)
class Departure:
    """A point that goes, not before `at`."""

    point: Point
    at: datetime
    because: str


def departures(points: Sequence[Point], keep: Keep, kept_for_good: int = 1) -> tuple[Departure, ...]:
    """The points with a date, first to go first.

    Missing are points still being taken, and the newest complete ones: `last=N` of the plan, and never fewer than
    `kept_for_good`, which is 1 for a machine that exists and is opted in (promise S4).
    """
    newest = max(keep.last, kept_for_good)
    complete = sorted((point for point in points if point.complete), key=lambda point: point.slot, reverse=True)
    staying = {id(point) for point in complete[:newest]}
    going = [point for point in points if id(point) not in staying and point.state is not PointState.TAKING]
    found = [_departure(point) for point in going]
    return tuple(sorted(found, key=lambda departure: (departure.at, departure.point.slot)))


def _departure(point: Point) -> Departure:
    if point.held_until is not None and point.held_until > point.keep_until:
        return Departure(point, point.held_until, "held beyond its date")
    if not point.complete:
        return Departure(point, point.keep_until, f"incomplete, and no way to restore from: {point.because}")
    return Departure(point, point.keep_until, point.because)
