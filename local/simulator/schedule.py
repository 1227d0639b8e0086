"""Happenings in virtual time: what is due, in time order.

Providers enter them, the server lets them fire; no timers.
"""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from local.simulator.journal import Journal


@dataclass(frozen=True, slots=True, order=True)
class Happening:
    """Something that takes place at a time: a kind that names the code and a target that names the thing."""

    due: float
    number: int
    kind: str
    target: str


Fire = Callable[[Happening], None]


class Schedule:
    """A queue of happenings; `fire` is called once for each, in time order."""

    def __init__(self, journal: Journal) -> None:
        self._queue: list[Happening] = []
        self._numbers = itertools.count()
        self._journal = journal
        self.fire: dict[str, Fire] = {}
        for _, (due, kind, target) in journal.recall("happening"):
            self.enter(due, kind, target)

    def enter(self, due: float, kind: str, target: str) -> None:
        """Enter a happening."""
        happening = Happening(due, next(self._numbers), kind, target)
        heapq.heappush(self._queue, happening)
        self._journal.put("happening", f"{kind} {target}", [due, kind, target])

    def next_due(self) -> float | None:
        """Return when the earliest happening is due."""
        return self._queue[0].due if self._queue else None

    def run(self, now: float) -> None:
        """Let everything due by now happen, each at its own time."""
        while self._queue and self._queue[0].due <= now:
            happening = heapq.heappop(self._queue)
            self._journal.put("happening", f"{happening.kind} {happening.target}", None)
            self.fire[happening.kind](happening)
