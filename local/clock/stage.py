"""Runs the scenes of a scenario at their virtual instants, each in a thread of its own. Used by the conductor.

To the conductor the stage is one more follower: busy while a scene runs, idle while all scenes sleep, due when the
next one begins or wakes. A scene sleeps in virtual time by `Stage.sleep`; it never moves a clock itself.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local.clock.order import Look


class SceneFailed(Exception):
    """A scene raised; its own exception is the cause."""


@dataclass(order=True, slots=True)
class Entry:
    """Something to be set going at an instant: a scene's beginning, or a sleeper's waking."""

    at: datetime
    number: int
    begin: Callable[[], None] = field(compare=False)


class Stage:
    """All scenes, waiting, running and asleep."""

    name = "stage"

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._waiting: list[Entry] = []
        self._running = 0
        self._activity = 0
        self._failure: SceneFailed | None = None

    def at(self, instant: datetime, title: str, act: Callable[[], None]) -> None:
        """Have `act` run when the clock reaches the instant."""
        self._wait(instant, lambda: threading.Thread(target=self._play, args=(title, act), daemon=True).start())

    def sleep(self, seconds: float) -> None:
        """Sleep in virtual time; to be called inside a scene."""
        woken = threading.Event()
        self._wait(self.now() + timedelta(seconds=seconds), woken.set)
        self._count(-1)
        woken.wait()

    def _wait(self, instant: datetime, begin: Callable[[], None]) -> None:
        with self._lock:
            heapq.heappush(self._waiting, Entry(instant, next(self._numbers), begin))

    def _play(self, title: str, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as problem:
            self.fail(title, problem)
        finally:
            self._count(-1)

    def fail(self, title: str, problem: Exception) -> None:
        """Have the play end with what went wrong in a scene, or beside the stage."""
        failure = SceneFailed(f"scene '{title}' failed: {type(problem).__name__}: {problem}")
        failure.__cause__ = problem
        self._failure = self._failure or failure

    def _count(self, change: int) -> None:
        with self._lock:
            self._running += change
            self._activity += 1

    def look(self) -> Look:
        """Set going what is due, then say whether anything runs; a failed scene is raised here."""
        self._begin_due()
        if self._failure is not None:
            raise self._failure
        with self._lock:
            return Look(self._running == 0, self._activity, self._waiting[0].at if self._waiting else None)

    def _begin_due(self) -> None:
        while True:
            with self._lock:
                if not self._waiting or self._waiting[0].at > self.now():
                    return
                entry = heapq.heappop(self._waiting)
                self._running += 1
                self._activity += 1
            entry.begin()

    def move(self, to: datetime) -> None:
        self._begin_due()

    def close(self) -> None:
        """Nothing is held open."""
