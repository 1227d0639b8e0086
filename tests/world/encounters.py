"""Which fault met which flow: counted at every port call, by the flow whose code made it.

A fault meets a flow when a call of the flow raises it, when it spoils an answer that the flow is given, when the
invocation came from it (a doubled event, a forged message), or when it lasts while the flow works (a wrong clock, lost
events, another process). Only matrix.py counts; other runs are not slowed down.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType, GeneratorType
from typing import Any

from greenlet import getcurrent

from shared.errors import (
    Blocked,
    CloudError,
    Conflict,
    Denied,
    LostRace,
    Missing,
    OutcomeUnknown,
    Throttled,
    Unavailable,
)
from shared.model.machine import Absent, Sighting
from shared.model.operation import Operation
from shared.model.snapshot import SnapshotSeen
from shared.model.transition import Transition
from shared.ports import World
from tests.world.scheduler import Invocation, Killed, Worker

FLOWS_FOLDER = str(Path("shared", "flows"))
# The flow that a module belongs to. What is not named here serves several flows: its caller counts.
FLOW_OF = {
    "registering": "register",
    "sweeping": "sweep",
    "receiving": "receive",
    "draining": "drain",
    "capturing": "capture",
    "sending": "capture",
    "confirming": "confirm",
    "publishing": "publish",
    "pruning": "prune",
    "expiring": "expire",
    "reaping": "reap",
    "removing": "reap",
    "surveying": "reap",
    "requesting": "request",
    "rebuilding": "rebuild",
    "vault_remains": "rebuild",
    "retrying": "retry",
    "holding": "hold",
    "pausing": "pause",
    "poisoned": "bury",
}
FLOWS = tuple(dict.fromkeys(FLOW_OF.values()))
NOT_CALLS = frozenset({"clock.now", "chance.token", "snapshots.place", "restore_points.place"})
BUSY = frozenset({"AnotherOperation", "AnotherOperationInProgress"})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STUCK = timedelta(minutes=30)  # a snapshot that is not ready after so long met a bad fate


def flow_here() -> str:
    """The flow whose code runs now; that of the parent where a pool runs a bare call. Empty outside of flows."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        folder, _, name = frame.f_code.co_filename.rpartition("/")
        flow = FLOW_OF.get(name.removesuffix(".py")) if folder.endswith(FLOWS_FOLDER) else None
        if flow:
            return flow
        frame = frame.f_back
    worker = getcurrent()
    return worker.flow if isinstance(worker, Worker) else ""


@dataclass
class Encounters:
    """The counts. `lasting` says which faults last for whoever works in an invocation now."""

    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    called: Counter[tuple[str, str]] = field(default_factory=Counter)
    lasting: Callable[[Invocation], Iterator[str]] = lambda invocation: iter(())
    down: Callable[[], bool] = lambda: False
    blinded: Callable[[], bool] = lambda: False
    now: Callable[[], datetime] = lambda: EPOCH

    def meet(self, fault: str) -> None:
        """A fault takes effect on what runs now."""
        flow = flow_here()
        if flow:
            self.met[fault, flow] += 1

    def call(self, name: str) -> None:
        """A port call begins."""
        worker, flow = getcurrent(), flow_here()
        if flow and isinstance(worker, Worker):
            self.called[name, flow] += 1
            if name == "inventory.fleet" and self.blinded():  # it shows what may be read, and says nothing of the rest
                self.met["F21", flow] += 1
            for fault in {*worker.invocation.marks, *self.lasting(worker.invocation)}:
                self.met[fault, flow] += 1

    def failed(self, name: str, error: BaseException) -> None:
        fault = "F24" if isinstance(error, Killed) and self.down() else _fault_of(name, error)
        if fault:
            self.meet(fault)

    def answered(self, answer: object) -> None:
        """What an answer, or one row of it, shows of a fault."""
        match answer:
            case Absent():
                self.meet("F19")
            case Sighting() if any(name != name.lower() and name.lower() == "backup" for name in answer.tags):
                self.meet("F23")
            case SnapshotSeen() if answer.provisioning == "Failed" or self._is_stuck(answer):
                self.meet("F4")
            case Mapping():
                for row in answer.values():
                    self.answered(row)
            case list():
                for row in answer:
                    self.answered(row)

    def _is_stuck(self, seen: SnapshotSeen) -> bool:
        unfinished = seen.provisioning == "Creating" or seen.access == "Pending"
        return unfinished and seen.created is not None and self.now() - seen.created > STUCK


def _fault_of(name: str, error: BaseException) -> str:
    """The fault that an error of a port call is; empty for what is none."""
    match error:
        case Killed():
            return "F16"
        case LostRace():
            return "F14"
        case Throttled():
            return "F1"
        case OutcomeUnknown():
            return "F3"
        case Unavailable():
            return {"ServerBusy": "F22", "timeout": "F3"}.get(error.code, "F2")
        case Denied():
            return "F21"
        case Blocked():
            return "F18"
        case Missing():
            return "F19"
        case Conflict():
            return "F17" if error.code in BUSY else "F19" if error.code == "BeingMade" else "F2"
        case CloudError():
            return "F17" if name == "snapshots.create" else ""
    return ""


def recorded(world: World, encounters: Encounters) -> World:
    """The same ports, each of whose calls is counted."""
    ports = {one.name: getattr(world, one.name) for one in fields(world)}
    return replace(world, **{name: Recorded(name, port, encounters) for name, port in ports.items()})


class Recorded:
    """A port between a flow and its twin."""

    def __init__(self, name: str, port: object, encounters: Encounters) -> None:
        self._name, self._port, self._encounters = name, port, encounters

    def __getattr__(self, verb: str) -> Any:
        called = getattr(self._port, verb)
        name = f"{self._name}.{verb}"
        if not callable(called) or name in NOT_CALLS:
            return called

        def call(*given: Any, **named: Any) -> Any:
            self._encounters.call(name)
            if name == "ledger.commit" and _tells_of_no_room(given[0]):
                self._encounters.meet("F20")
            try:
                answer = called(*given, **named)
            except BaseException as error:
                self._encounters.failed(name, error)
                raise
            if isinstance(answer, GeneratorType):
                return self._listed(name, answer)
            self._encounters.answered(answer)
            return answer

        return call

    def _listed(self, name: str, answer: Iterator[Any]) -> Iterator[Any]:
        try:
            for row in answer:
                self._encounters.answered(row)
                yield row
        except BaseException as error:
            if not isinstance(error, GeneratorExit):
                self._encounters.failed(name, error)
            raise


def _tells_of_no_room(transition: Transition) -> bool:
    failures = [write.row.failure for write in transition.writes if isinstance(write.row, Operation)]
    return any(one.code == "NoRoom" for one in failures if one)
