"""Decides when to jump to, and who is moved first. Pure; called by the conductor.

A follower whose clock has moved may act at once, and whatever it acts upon must already stand at the new instant:
passive ones (storage) go first, then those with nothing due there, last the one that has something due. When several
have, only the last of them is put on the instant; the others stand just before it and real time carries them over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SHY = timedelta(milliseconds=20)
HORIZON = "horizon"


@dataclass(frozen=True, slots=True)
class Look:
    """What a follower answers: nothing runs in it, how much it has done so far, when it next has something to do."""

    idle: bool
    activity: int
    next: datetime | None


@dataclass(frozen=True, slots=True)
class Jump:
    """The next instant at which something happens, and to whom."""

    to: datetime
    due: frozenset[str]


@dataclass(frozen=True, slots=True)
class Move:
    """One follower, put on one instant."""

    name: str
    to: datetime


def next_jump(looks: Mapping[str, Look], horizon: datetime) -> Jump:
    """Choose the earliest instant anybody named, at most the horizon."""
    wanted = {name: look.next for name, look in looks.items() if look.next is not None}
    to = min([horizon, *wanted.values()])
    due = {name for name, instant in wanted.items() if instant <= to}
    return Jump(to, frozenset(due or {HORIZON}))


def moves(jump: Jump, followers: Sequence[str]) -> list[Move]:
    """Order the followers, given from the most passive to the most active, so that nobody acts too early."""
    waiting = [name for name in followers if name not in jump.due]
    acting = [name for name in followers if name in jump.due]
    return [
        *(Move(name, jump.to) for name in waiting),
        *(Move(name, jump.to - SHY) for name in acting[:-1]),
        *(Move(name, jump.to) for name in acting[-1:]),
    ]
