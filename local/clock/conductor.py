"""Moves the stack through time: x1 while anything is left to do, and a jump when nothing is. Used by the demo and e2e.

Nothing is left to do when every follower is idle twice in a row with the same activity counters. All followers are
moved, and have said so, before the one that has something due can act on it (order.py). Time never goes backward.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from local.clock.followers import Follower, FollowerFailed
from local.clock.order import SHY, Jump, Look, moves, next_jump
from local.clock.stage import Stage

ABSENT = Look(idle=False, activity=0, next=None)
AWAY = Look(idle=True, activity=0, next=None)
PAUSE = 0.003
# A look costs the busy follower some of the time it needs to become idle.
BUSY_PAUSE = 0.02
STUCK_AFTER = 120.0
RESTLESS_AFTER = 1200.0


class Stuck(Exception):
    """The stack stayed busy for so long in real time that something must be wrong; the message says who."""


class Patience:
    """How long the conductor waits for rest: long while something is done, shorter while nothing changes."""

    def __init__(self, restless_after: float) -> None:
        self._restless_after = restless_after
        self._began = self._changed = time.monotonic()
        self._seen: dict[str, int] = {}

    def spend(self, activity: dict[str, int], where: str) -> None:
        """Raise when it is at an end."""
        now = time.monotonic()
        if activity != self._seen:
            self._seen, self._changed = activity, now
        if now - self._changed > STUCK_AFTER:
            raise Stuck(f"no rest and nothing done for {STUCK_AFTER:.0f} s {where}")
        if now - self._began > self._restless_after:
            raise Stuck(f"no rest for {self._restless_after:.0f} s {where}")


@dataclass(slots=True)
class Statistics:
    """How the time was spent."""

    jumps: int = 0
    skipped: timedelta = timedelta()
    looks: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    real_seconds: float = 0.0

    def count(self, jump: Jump, skipped: timedelta) -> None:
        self.jumps += 1
        self.skipped += skipped
        self.causes.update(jump.due)


class Conductor:
    """One clock for several followers, given from the most passive to the most active."""

    def __init__(self, followers: Sequence[Follower], start: datetime) -> None:
        self._ahead = timedelta()
        self._moving = threading.Lock()
        self._absent: set[str] = set()
        self._away: set[str] = set()
        self.statistics = Statistics()
        self.restless_after = RESTLESS_AFTER
        self.stage = Stage(self.now)
        self._followers: dict[str, Follower] = {follower.name: follower for follower in (*followers, self.stage)}
        self._ahead = max(start - self.now(), timedelta())
        for follower in followers:
            follower.move(start)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    @contextlib.contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Let a follower die and come back (by `replace`) inside the block, in any thread: nothing jumps meanwhile."""
        self._absent.add(name)
        try:
            yield
        finally:
            self._absent.discard(name)

    @contextlib.contextmanager
    def away(self, name: str) -> Iterator[None]:
        """Let a scene have a follower die and come back (by `replace`) inside the block; time goes on meanwhile."""
        self._away.add(name)
        try:
            yield
        finally:
            self._away.discard(name)

    def ahead(self) -> timedelta:
        """How far this clock is ahead of the machine's, never asked in the middle of a jump."""
        with self._moving:
            return self._ahead

    def replace(self, follower: Follower) -> None:
        """Take a follower that was started again in the place of the one of that name."""
        with self._moving:
            follower.move(self.now())
            self._followers[follower.name].close()
            self._followers[follower.name] = follower

    def close(self) -> None:
        """Let go of the followers; they stay where they are."""
        for follower in self._followers.values():
            follower.close()

    def run(self, until: datetime) -> None:
        """Live through the time up to an instant; returns when it is reached and nothing is left to do there."""
        began = time.monotonic()
        try:
            looks = self._settle()
            while self.now() < until:
                jump = next_jump(looks, until)
                distance = jump.to - self.now()
                if distance > SHY:
                    with self._moving:
                        self._leap(jump, distance)
                else:
                    time.sleep(max(PAUSE, distance.total_seconds()))
                looks = self._settle()
        finally:
            self.statistics.real_seconds += time.monotonic() - began

    def _leap(self, jump: Jump, distance: timedelta) -> None:
        active = [name for name in self._followers if name != self.stage.name and name not in self._away]
        for move in moves(jump, active):
            try:
                self._followers[move.name].move(move.to)
            except FollowerFailed:
                if move.name not in self._absent | self._away:
                    raise
        self._ahead += max(jump.to - self.now(), timedelta())
        self.stage.move(jump.to)
        self.statistics.count(jump, distance)

    def _settle(self) -> dict[str, Look]:
        """Wait in real time until nothing is left to do, seen twice with nothing done in between."""
        patience = Patience(self.restless_after)
        before: dict[str, int] | None = None
        while True:
            looks = self._looks()
            busy = [name for name, look in looks.items() if not look.idle]
            activity = {name: look.activity for name, look in looks.items()}
            if not busy and activity == before:
                return looks
            before = None if busy else activity
            patience.spend(activity, f"at {self.now():%Y-%m-%d %H:%M:%S}Z: {busy or activity}")
            if busy:
                time.sleep(BUSY_PAUSE)

    def _looks(self) -> dict[str, Look]:
        """Ask the most passive, which others go by, then from the most active on; stop at the first that is busy.

        The most active one holds a busy answer back: whoever works for it need not be asked meanwhile.
        """
        looks: dict[str, Look] = {}
        self.statistics.looks += 1
        others = [name for name in self._followers if name != self.stage.name]
        for name in (self.stage.name, *others[:1], *reversed(others[1:])):
            looks[name] = self._look(name)
            if not looks[name].idle:
                break
        return looks

    def _look(self, name: str) -> Look:
        if name in self._away:
            return AWAY
        try:
            return ABSENT if name in self._absent else self._followers[name].look()
        except FollowerFailed:
            if name in self._absent | self._away:
                return ABSENT
            raise
