"""The gate that every port call of a twin passes before and after it takes effect.

At the gate another worker may run, a fault may be raised, and a process may die. What passes is written to the event
log, whose digest tells whether two runs were the same.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from greenlet import getcurrent

from shared.model.draining import CallKind
from shared.model.identity import Shard
from tests.world.scheduler import STEPS_OF_ONE_INVOCATION, Invocation, Killed, Scheduler, Worker

TAIL = 100_000

Bucket = tuple[Shard, CallKind]


class Effect(StrEnum):
    """What a call can change, which decides the faults that can meet it."""

    READ = "read"
    WRITE = "write"
    LOCAL = "local"


class Phase(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class Call(NamedTuple):
    """One port call: the service, `snapshots.create`, what it is about, and the bucket that Azure counts it in."""

    service: str
    verb: str
    effect: Effect
    scope: str = ""
    subject: str = ""
    bucket: Bucket | None = None


class Interference(Protocol):
    """What happens at a step besides a change of worker: raises a CloudError, sleeps, or kills."""

    def step(self, invocation: Invocation, call: Call, phase: Phase) -> None: ...


class Calm:
    """Nothing goes wrong."""

    def step(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        return


class EventLog:
    """Everything that happened, as a running digest with a readable tail."""

    def __init__(self, start: datetime, tail: int = TAIL) -> None:
        self._start = start
        self._now, self._time = start, "0.000"
        self._hash = hashlib.sha256()
        self.tail: deque[str] = deque(maxlen=tail)

    def add(self, now: datetime, line: str) -> None:
        if now != self._now:
            self._now = now
            self._time = f"{(now - self._start).total_seconds():.3f}"
        text = f"{self._time} {line}\n"
        self._hash.update(text.encode())
        self.tail.append(text)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


class Steps:
    """Counts the steps, lets others run, and asks the interference what goes wrong."""

    def __init__(self, scheduler: Scheduler, log: EventLog) -> None:
        self.scheduler = scheduler
        self.log = log
        self.interference: Interference = Calm()
        self.calls: Counter[str] = Counter()
        self.endless: str | None = None

    def before(self, call: Call) -> None:
        worker = getcurrent()
        self.calls[call.verb] += 1
        if isinstance(worker, Worker):
            self.log.add(self.scheduler.now, f"{worker.invocation.name} {call.verb} {call.subject}")
            self._step(worker.invocation, call, Phase.BEFORE)

    def after(self, call: Call) -> None:
        worker = getcurrent()
        if isinstance(worker, Worker):
            self._step(worker.invocation, call, Phase.AFTER)

    def _step(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        if invocation.killed or not invocation.process.alive:
            raise Killed
        self.scheduler.steps += 1
        invocation.steps += 1
        if invocation.steps > STEPS_OF_ONE_INVOCATION:
            self._stop(invocation)
        self.scheduler.pause()
        if invocation.killed or not invocation.process.alive:
            raise Killed
        try:
            self.interference.step(invocation, call, phase)
        except BaseException as fault:
            self.log.add(self.scheduler.now, f"{invocation.name} {phase} {call.verb}: {fault!r}")
            raise

    def _stop(self, invocation: Invocation) -> None:
        self.endless = invocation.name
        self.scheduler.halted = True
        invocation.killed = True
        raise Killed
