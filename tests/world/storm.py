"""Faults drawn from the seed: what a step raises, what the bulk lens hides, what the host loses.

Faults come in spells, each of one kind of the fault list: F1 429, F2 5xx, F3 lost answers, F4 endless or failed
operations, F5 stale lists, F6 empty lists, F7 odd events, F8 lost events, F11 odd timers, F13 work longer than its
message, F14 rows that somebody else has just written, F16 kills, F17 refused disks, F18 locks, F21 lost permissions,
F22 storage outages, F24 the app down for hours. When their time is over nothing of them is left.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import Conflict, Denied, LostRace, OutcomeUnknown, Refused, Throttled, Unavailable
from shared.model.identity import ResourceId
from shared.model.machine import Sighting
from tests.world.host import Host
from tests.world.scheduler import Invocation, Killed
from tests.world.stage import Stage
from tests.world.steps import Call, Effect, Phase
from tests.world.twins.azure import Fate, Lock
from tests.world.twins.throttle import counted_as

ARM = ("arm", "graph", "topic")
STORAGE = ("table", "queue", "blob")
UNCOUNTED = ("graph", "topic")  # they refuse by a count of their own, which no adapter keeps
RETRY_AFTER = (1, 1, 17, 300, 3600)
RACED = ("ledger.commit", "budgets.spend", "requests.settle", "brakes.change")
MISHAPS = ("BackUpOperationFailed", "UserErrorGuestAgentStatusUnavailable", "ExtensionOperationFailed")
LATE_EVENTS = (1, 20, 300, 7200, 86000)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: how long its spells last and how often it strikes while one lasts."""

    name: str
    hours: float
    chance: float


KINDS = (
    Kind("F1", 6, 0.50),
    Kind("F2", 4, 0.30),
    Kind("F3", 6, 0.15),
    Kind("F4", 24, 0.25),
    Kind("F5", 24, 0.30),
    Kind("F6", 6, 0.70),
    Kind("F7", 24, 0.50),
    Kind("F8", 24, 1.00),
    Kind("F11", 3, 0.80),
    Kind("F13", 6, 0.02),
    Kind("F14", 6, 0.10),
    Kind("F16", 24, 0.008),
    Kind("F17", 12, 0.30),
    Kind("F18", 12, 1.00),
    Kind("F21", 3, 1.00),
    Kind("F22", 0.3, 1.00),
    Kind("F24", 12, 1.00),
)


class Storm:
    """Interference, weather and habits of one run."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._random = random.Random(seed)
        self.host: Host | None = None
        self.active: dict[str, float] = {}
        self.fired: Counter[str] = Counter()
        self.oddness = ""
        self.met: Callable[[str], None] = lambda fault: None
        self._striking: list[Callable[[Invocation, Call, Phase], None]] = []
        self._lags: dict[str, tuple[datetime, timedelta]] = {}
        self._steps: tuple[tuple[str, Callable[[Invocation, Call, Phase], None]], ...] = (
            ("F16", self._kill),
            ("F22", self._outage),
            ("F1", self._throttle),
            ("F2", self._server_error),
            ("F3", self._lost_answer),
            ("F13", self._slow),
            ("F14", self._race),
            ("F21", self._deny),
        )

    def plan(self, kinds: tuple[Kind, ...], until: datetime, pause: timedelta) -> None:
        """Spells of the kinds, about one per `pause`, all over by `until`."""
        moment = self._stage.scheduler.now
        while True:
            moment += timedelta(seconds=int(self._random.expovariate(1 / pause.total_seconds())))
            kind = self._random.choice(kinds)
            end = min(until, moment + timedelta(hours=kind.hours * self._random.uniform(0.2, 1.5)))
            if moment >= until:
                return
            self._stage.scheduler.at(moment, self._begin(kind, end))

    def _begin(self, kind: Kind, end: datetime) -> Callable[[], None]:
        def begin() -> None:
            if kind.name in self.active or self._stage.scheduler.now >= end:
                return
            self.active[kind.name] = kind.chance * self._random.uniform(0.3, 1.0)
            self._stage.log.add(self._stage.scheduler.now, f"spell {kind.name} until {end:%d %H:%M}")
            undo = self._standing(kind.name)
            self._aim()
            self._stage.scheduler.at(end, lambda: self._end(kind.name, undo))

        return begin

    def _end(self, name: str, undo: Callable[[], None]) -> None:
        self.active.pop(name, None)
        self._aim()
        undo()

    def _aim(self) -> None:
        self._striking = [strike for name, strike in self._steps if name in self.active]

    def _standing(self, name: str) -> Callable[[], None]:
        """Faults that are a state of the world while their spell lasts; answers what ends them."""
        azure = self._stage.azure
        if name == "F21":
            subscription = self._random.choice(sorted(azure.subscriptions))
            azure.disabled.add(subscription)
            self.fired["F21"] += 1
            return lambda: azure.disabled.discard(subscription)
        if name == "F18" and azure.groups:
            shard = self._random.choice(sorted(azure.groups))
            azure.locks[shard] = Lock.CANNOT_WRITE
            self.fired["F18"] += 1
            return lambda: azure.locks.__setitem__(shard, Lock.NONE)
        if name == "F17":
            return self._refuse_disks()
        if name == "F24" and self.host is not None:
            self.fired["F24"] += 1
            self.host.stop()
            return self.host.come_back
        return lambda: None

    def _refuse_disks(self) -> Callable[[], None]:
        azure = self._stage.azure
        disks = sorted({disk.id for vm in azure.vms() for disk in vm.disks})
        chosen = [disk for disk in disks if self._random.random() < self.active["F17"]]
        error = self._random.choice((Refused("OperationNotAllowed", "no"), Conflict("AnotherOperation", "busy")))
        azure.refusals.update(dict.fromkeys(chosen, error))
        self.fired["F17"] += len(chosen)

        def undo() -> None:
            for disk in chosen:
                azure.refusals.pop(disk, None)

        return undo

    def step(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        for strike in self._striking:
            strike(invocation, call, phase)

    def _strikes(self, name: str) -> bool:
        struck = self._random.random() < self.active.get(name, 0.0)
        if struck:
            self.fired[name] += 1
            self.met(name)
        return struck

    def _kill(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        if self.host is not None and invocation.process in self.host.processes and self._strikes("F16"):
            self.host.kill(invocation.process)
            raise Killed

    def _outage(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        if call.service in STORAGE and phase is Phase.BEFORE and self._strikes("F22"):
            raise Unavailable("ServerBusy", call.verb)

    def _throttle(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        if call.bucket is not None and phase is Phase.BEFORE and self._strikes("F1"):
            closed = self._random.choice(counted_as(call.bucket))
            raise self._stage.throttle.close(closed, timedelta(seconds=self._random.choice(RETRY_AFTER)))
        if call.service in UNCOUNTED and phase is Phase.BEFORE and self._strikes("F1"):
            raise Throttled("RateLimiting", call.verb, timedelta(seconds=self._random.choice(RETRY_AFTER)))

    def _server_error(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        if call.service in ARM and phase is Phase.BEFORE and self._strikes("F2"):
            if call.effect is Effect.WRITE and self._random.random() < 0.3:
                raise Conflict("RetryableErrorDueToAnotherOperation", call.verb)
            raise Unavailable("InternalServerError", call.verb)

    def _lost_answer(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        """Before: it never arrived. After: it was done, and nobody knows."""
        if call.effect is Effect.WRITE and self._strikes("F3"):
            raise OutcomeUnknown("timeout", call.verb)
        if call.effect is Effect.READ and phase is Phase.AFTER and self._strikes("F3"):
            raise Unavailable("timeout", call.verb)

    def _slow(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        if self._strikes("F13"):
            self._stage.scheduler.sleep(timedelta(seconds=self._random.choice((5, 60, 400, 1500))))

    def _race(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        """Somebody was faster: a row that is about to be replaced has another ETag, and else is as it was."""
        if call.verb in RACED and phase is Phase.BEFORE and self._strikes("F14"):
            raise LostRace(f"somebody else wrote before this {call.verb}")

    def _deny(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        """Beside the subscription that cannot be read: the topic."""
        if call.service == "topic" and phase is Phase.BEFORE and self._strikes("F21"):
            raise Denied("AuthorizationFailed", call.verb, 403)

    def lag(self, subject: str) -> timedelta:
        """Usually seconds; in a spell now and then hours, the same for a while. An index never goes back in time."""
        if "F5" not in self.active:
            return timedelta(seconds=20)
        now = self._stage.scheduler.now
        since, lag = self._lags.get(subject, (now - timedelta(days=1), timedelta(0)))
        if now - since > timedelta(hours=1):
            lag = timedelta(seconds=self._random.choice((20, 60, 1800, 20000))) if self._strikes("F5") else lag * 0
            self._lags[subject] = (now, lag)
        return lag

    def pages(self, subject: str, rows: list[Sighting]) -> list[list[Sighting]]:
        if self._strikes("F6"):
            return [rows[: self._random.randrange(len(rows) // 2 + 1)]]
        half = len(rows) // 2
        if self._strikes("F5"):
            return [rows[:half], rows[max(half - 1, 0) :]]
        return [rows[:half], rows[half:]]

    def hides(self, subject: str) -> bool:
        if subject.startswith("taken") and self._strikes("F6"):
            return True
        return "F5" in self.active and self._random.random() < 0.2 and self._strikes("F5")

    def fate(self, snapshot: ResourceId) -> Fate:
        if self._strikes("F4"):
            return self._random.choice((Fate(None), Fate(timedelta(minutes=2), fails=True), Fate(timedelta(hours=5))))
        return Fate(timedelta(seconds=self._random.choice((2, 10, 40, 400))))

    def mishap(self) -> str:
        """What a backup of a vault fails with; empty when it succeeds."""
        return self._random.choice(MISHAPS) if "F4" in self.active and self._strikes("F4") else ""

    def deliveries(self) -> list[timedelta]:
        if self._strikes("F8"):
            return []
        self.oddness = "F7" if self._strikes("F7") else ""
        if self.oddness:
            count = self._random.choice((1, 2, 5))
            return [timedelta(seconds=self._random.choice(LATE_EVENTS)) for _ in range(count)]
        return [timedelta(seconds=self._random.choice((1, 2, 5)))]

    def ticks(self) -> list[timedelta]:
        self.oddness = "F11" if self._strikes("F11") else ""
        if self.oddness:
            return self._random.choice(([], [timedelta(0), timedelta(0)], [timedelta(minutes=10)]))
        return [timedelta(0)]

    def poll_delay(self) -> timedelta:
        return timedelta(milliseconds=self._random.choice((100, 700, 2000)))

    def renewal_lost(self) -> bool:
        return "F13" in self.active and self._random.random() < 0.2

    def deletion_lost(self) -> bool:
        return "F13" in self.active and self._random.random() < 0.1
