"""Knows what is worked on, so that calls to Azure can be told as parts of the operation that they are for.

Fed by the watched ports of watched.py. What a call is for is known by the id it goes to: rows that were read or written
before name it. So flows know nothing of traces, and what belongs to no one operation is not told.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from shared.decide import traces as decide
from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.point import Point
from shared.model.telemetry import Call, Level, Span, Waking
from shared.model.transition import Row
from shared.ports import Clock
from shared.ports.telemetry import Telemetry

MOST = 50_000  # ids remembered, oldest forgotten first
MOST_CALLS = 20
HEARD = "heard"  # in a message: when the event behind it was received

Key = tuple[str, str]  # uid and operation id


@dataclass(slots=True)
class Running:
    """A function that runs: what woke it, and the calls that it made before it was known what they are for."""

    waking: Waking
    calls: list[Call] = field(default_factory=list)


_running: ContextVar[Running | None] = ContextVar("tagback-running", default=None)


@contextmanager
def woken(queue: str, text: str, queued: datetime | None, now: datetime) -> Iterator[None]:
    """While the block runs, it is this message, or an event where `queue` is empty, that made us do things."""
    dated = queued if queued and queued.tzinfo else None
    waking = Waking(queue, now, dated, _heard(text) if queue else now)
    token = _running.set(Running(waking))
    try:
        yield
    finally:
        _running.reset(token)


def marked(text: str) -> str:
    """A message with the time at which the event behind it was received, where an event is what we run for.

    Whoever reads messages passes over what they do not know, so that older code understands it as it is.
    """
    running = _running.get()
    if running is None or running.waking.queue or running.waking.heard is None:
        return text
    return json.dumps({**json.loads(text), HEARD: running.waking.heard.isoformat()})


def _heard(text: str) -> datetime | None:
    """When the event behind a message was received. Anybody may have written it: it is a time, or it is nothing."""
    try:
        said = json.loads(text).get(HEARD)
        heard = datetime.fromisoformat(said) if isinstance(said, str) else None
        return heard.astimezone(UTC) if heard and heard.tzinfo else None
    except (ValueError, OverflowError, AttributeError, RecursionError):
        return None


class Traces:
    """What this process knows of the operations under way. Safe to use from several threads."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry = telemetry
        self._clock = clock
        self._lock = threading.Lock()
        self._operations: OrderedDict[Key, Operation] = OrderedDict()
        self._owners: OrderedDict[str, Key] = OrderedDict()
        self._reads: dict[Key, list[Call]] = {}

    def seen(self, rows: Sequence[Row]) -> None:
        """Rows of one machine as they are stored."""
        with self._lock:
            self._remember(rows)

    def written(self, rows: Sequence[tuple[Row, bool]]) -> None:
        """Rows of one machine as they were written together, each with whether it is new."""
        spans: list[Span] = []
        with self._lock:
            for row, fresh in rows:
                if isinstance(row, Operation):
                    spans += self._changed(row, fresh)
            self._remember([row for row, _ in rows])
        self._tell(spans)

    def called(self, call: Call) -> None:
        """A request to Azure was answered, or failed."""
        with self._lock:
            key = self._owner(call.path)
            if key and decide.is_plain_read(call):
                self._reads.setdefault(key, []).append(call)
                return
            spans = [*self._looked(key), decide.called(decide.trace_of(*key), call)] if key else []
        running = _running.get()
        if key is None and running and len(running.calls) < MOST_CALLS:
            running.calls.append(call)
        self._tell(spans)

    def oldest(self, about: str) -> Oldest:
        """For a walk over every machine of a shard."""
        return Oldest(self._telemetry, about, self._clock.now())

    def _tell(self, spans: Sequence[Span]) -> None:
        if spans:
            self._telemetry.spans(spans)

    def _changed(self, row: Operation, fresh: bool) -> list[Span]:
        key = (row.uid, row.id)
        before = None if fresh else self._operations.get(key)
        for count in decide.counts(before, row) if fresh or before else []:
            self._telemetry.count(count, row.kind)
        spans = self._looked(key)
        if fresh and row.state.open:
            spans += _beginning(decide.trace_of(*key))
        closed_before = before is not None and not before.state.open
        whole = None if closed_before else decide.whole(row)
        return [*spans, whole] if whole else spans

    def _looked(self, key: Key) -> list[Span]:
        calls = self._reads.pop(key, [])
        return [decide.looked(decide.trace_of(*key), calls)] if calls else []

    def _remember(self, rows: Sequence[Row]) -> None:
        machine = next((row for row in rows if isinstance(row, Machine)), None)
        for row in rows:
            if isinstance(row, Operation):
                self._put(row, machine)
        for point in (row for row in rows if isinstance(row, Point)):
            for part in point.parts:
                self._own(str(part.id), decide.capture_of(point))

    def _put(self, operation: Operation, machine: Machine | None) -> None:
        key = (operation.uid, operation.id)
        self._operations[key] = operation
        self._operations.move_to_end(key)
        if len(self._operations) > MOST:
            self._operations.popitem(last=False)
        if machine:
            for place in (machine.id, *(disk.id for disk in machine.disks)):
                self._own(str(place), key if operation.state.open else self._owners.get(str(place)))

    def _own(self, place: str, key: Key | None) -> None:
        """Calls to a place are for this operation from now on, or for none where it is over."""
        operation = self._operations.get(key) if key else None
        if key is None or operation is None or not operation.state.open:
            self._owners.pop(place, None)
            return
        self._owners[place] = key
        self._owners.move_to_end(place)
        if len(self._owners) > MOST:
            self._owners.popitem(last=False)

    def _owner(self, path: str) -> Key | None:
        """Whose a path is: its own, or that of something it lies within."""
        places = accumulate(path.strip("/").split("/"), "{}/{}".format)
        found = [key for place in places if (key := self._owners.get(f"/{place}"))]
        return found[-1] if found else self._owners.get(_machine_in(path))


class Oldest:
    """The greatest age of a newest point among machines that are seen one after another."""

    def __init__(self, telemetry: Telemetry, about: str, now: datetime) -> None:
        self._telemetry = telemetry
        self._about = about
        self._now = now
        self._age = timedelta(0)

    def saw(self, machine: Machine) -> None:
        self._age = max(self._age, decide.point_age(machine, self._now) or timedelta(0))

    def told(self) -> None:
        """All of them were seen."""
        self._telemetry.level(Level.POINT_AGE, self._about, self._age.total_seconds())


def _beginning(trace: str) -> list[Span]:
    """How the wish for an operation came that is recorded now, with what was looked at before."""
    running = _running.get()
    if running is None:
        return []
    calls, running.calls = running.calls, []
    spans = decide.begun_by(trace, running.waking)
    return [*spans, *(decide.called(trace, call) for call in calls)]


def _machine_in(path: str) -> str:
    """The machine that a path of Azure Backup is about; empty where it is about none [azure-facts 5.1]."""
    segments = path.strip("/").split("/")
    item = next(
        (one for one in reversed(segments) if one.startswith(("vm;iaasvmcontainerv2;", "iaasvmcontainer;"))), ""
    )
    group, _, name = item.partition("iaasvmcontainerv2;")[2].partition(";")
    return str(ResourceId(segments[1], group, "microsoft.compute/virtualmachines", name)) if name else ""
