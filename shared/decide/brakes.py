"""A person's brake: what pausing and resuming make of the brakes, and what a brake says to whoever wants to act.

Called by flows/pausing.py, and by the drainer and the reaper before they act. Nothing here makes anything go that
another rule stops.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.model.brake import Brake, Braking, Stops
from shared.model.event import Event, Happening

WHAT: Mapping[str, tuple[Stops, ...]] = {
    "captures": (Stops.CAPTURES,),
    "deletes": (Stops.DELETES,),
    "all": (Stops.CAPTURES, Stops.DELETES),
}
"""What a person may name."""

SAID: Mapping[Stops, str] = {
    Stops.CAPTURES: "captures are paused",
    Stops.DELETES: "deletions are paused",
    Stops.UNPLANNED: "unplanned deletions are frozen",
}
HAPPENINGS: Mapping[tuple[bool, bool], Happening] = {  # by a person, on
    (True, True): Happening.PAUSED,
    (True, False): Happening.RESUMED,
    (False, True): Happening.FROZEN,
    (False, False): Happening.UNFROZEN,
}


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said about some brakes: who, when and why."""

    by: str
    at: datetime
    because: str


def paused(braking: Braking, stops: Iterable[Stops], word: Word) -> Braking:
    """The brakes with these on as well. What is stopped already stays as it was: the first word counts."""
    there = {brake.stops for brake in standing(braking)}
    new = [Brake(one, word.by, word.at, word.because) for one in stops if one not in there]
    return replace(braking, brakes=(*braking.brakes, *new))


def resumed(braking: Braking, stops: Iterable[Stops], word: Word) -> Braking:
    """The brakes with these released; they stay in sight until people were told."""
    wanted = {*stops}

    def released(brake: Brake) -> Brake:
        if brake.on and brake.by and brake.stops in wanted:
            return replace(brake, released_by=word.by, released_at=word.at, told=False)
        return brake

    return replace(braking, brakes=tuple(released(brake) for brake in braking.brakes))


def standing(braking: Braking) -> tuple[Brake, ...]:
    """The brakes that are on, in the order in which they were put on."""
    return tuple(sorted((brake for brake in braking.brakes if brake.on), key=lambda brake: brake.since))


def stopped(braking: Braking, stops: Stops) -> str:
    """Who stopped it, since when and why; empty when nobody did."""
    return next((said(brake) for brake in standing(braking) if brake.stops is stops and brake.by), "")


def said(brake: Brake) -> str:
    """A brake in a sentence."""
    by = f" by {brake.by}" if brake.by else ""
    of = f" in subscription {brake.scope}" if brake.scope else ""
    return f"{SAID[brake.stops]}{of}{by} since {brake.since:%Y-%m-%d %H:%M}Z: {brake.because}"


def untold(braking: Braking, owner: str) -> tuple[Event, ...]:
    """What people are to be told, each event always under the same id."""
    return tuple(_event(brake, owner) for brake in braking.brakes if not brake.told)


def told(braking: Braking) -> Braking:
    """The brakes after people were told of them as they stand; what was released is forgotten with that."""
    return replace(braking, brakes=tuple(replace(brake, told=True) for brake in braking.brakes if brake.on))


def _event(brake: Brake, owner: str) -> Event:
    happening = HAPPENINGS[bool(brake.by), brake.on]
    subject = f"/subscriptions/{brake.scope}" if brake.scope else f"/tagback/{owner}"
    key = "|".join((happening, brake.stops, subject, brake.since.isoformat()))
    details = {
        "stops": brake.stops.value,
        "subscription": brake.scope,
        "by": brake.released_by or brake.by,
        "since": brake.since.isoformat(timespec="seconds"),
        "because": brake.because,
    }
    at = brake.released_at or brake.since
    return Event(hashlib.sha256(key.encode()).hexdigest()[:32], happening, subject, at, details)
