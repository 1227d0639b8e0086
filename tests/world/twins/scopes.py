"""What each process learnt of scopes that are denied to it: the product's own gates around the twins' calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from weakref import WeakKeyDictionary

from shared.cloud.gates import CODE, Gates, target
from shared.errors import Blocked, Conflict, Denied, Missing, Refused
from shared.model.identity import ResourceId
from tests.world.scheduler import Process, Scheduler

ANSWERED = (Missing, Conflict, Blocked, Refused)


class _Truth:
    """The clock of the gates: intervals are measured right, whatever a process takes the time of day for."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def now(self) -> datetime:
        return self._scheduler.now

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class Scopes:
    """The gates of every process. `denied` counts the calls that Azure itself denied, by verb."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._gates: WeakKeyDictionary[Process, Gates] = WeakKeyDictionary()
        self.denied: Counter[str] = Counter()

    @contextmanager
    def call(self, method: str, resource: ResourceId) -> Iterator[None]:
        """Around one call, as the adapters' pipeline is."""
        about, gates = target(method, str(resource)), self._here()
        if about is None or gates is None:
            yield
            return
        gates.admit(about)
        try:
            yield
        except Denied as error:
            if error.code == CODE:
                self.denied[about.verb] += 1
                gates.denied(about, error.message)
            raise
        except ANSWERED:
            gates.passed(about)
            raise
        gates.passed(about)

    def _here(self) -> Gates | None:
        worker = self._scheduler.current
        if worker is None:
            return None
        return self._gates.setdefault(worker.invocation.process, Gates(_Truth(self._scheduler)))
