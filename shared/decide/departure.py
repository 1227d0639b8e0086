"""Which points will go, and when at the earliest: a forecast for people. Nothing is deleted by it.

Called by flows/explaining.py and whatif.py. It asks what the timers ask (removal.py) and adds the holds; what really
may be deleted is decided again, from fresh facts, when the time has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.decide.deletion import COOLING_OFF
from shared.decide.deletion_dates import Going, Staying
from shared.decide.protection import hold_of
from shared.decide.removal import judged, owner_of
from shared.decide.tag_values import FOREVER
from shared.model.machine import Machine
from shared.model.point import Point
from shared.model.rules import Rules


@dataclass(frozen=True, slots=True)
class Departure:
    """A point that goes, not before `at`. `remains`: only what is left of attempts that did not become a point."""

    point: Point
    at: datetime
    because: str
    remains: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """Every point of a machine: those that go, first to go first, and those that stay, each with its reason."""

    going: tuple[Departure, ...]
    staying: tuple[Staying, ...]


def forecast(machine: Machine, points: Sequence[Point], rules: Rules, now: datetime) -> Forecast:
    """What would become of the points if everything stayed as it is now."""
    going: list[Departure] = []
    staying: list[Staying] = []
    hold = hold_of(machine, rules)
    for standing in judged(points, owner_of(machine, rules, now), rules):
        until = max((moment for moment in (hold, standing.point.held_until) if moment), default=None)
        if isinstance(standing, Staying):
            staying.append(standing)
        elif until is not None and until >= FOREVER:
            staying.append(Staying(standing.point, "held for ever"))
        else:
            going.append(_departure(standing, until, rules, now))
    return Forecast(tuple(sorted(going, key=lambda one: (one.at, one.point.slot))), tuple(staying))


def _departure(standing: Going, held_until: datetime | None, rules: Rules, now: datetime) -> Departure:
    """Marked ahead of its date, and after the mark the wait that its kind of deletion needs."""
    removal = standing.point.removal
    marked = removal.marked_at if removal else max(now, standing.at - rules.delete_wait)
    at = max(standing.at, marked + (rules.delete_wait if standing.planned else COOLING_OFF), now)
    if held_until is not None and held_until > at:
        return Departure(standing.point, held_until, "held beyond its date", standing.remains)
    return Departure(standing.point, at, standing.because, standing.remains)
