"""Ports and calls with somebody looking on: each does what the one beneath it does, and tells `Traces`.

Built by wiring where telemetry is asked for. What is told comes after what was done, and changes nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy

from shared.cloud.traces import Traces, marked
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.point import Point
from shared.model.telemetry import Call, Count, Level
from shared.model.transition import Held, Record, Transition, WithPoints
from shared.ports import Clock, Queue
from shared.ports.storage import Ledger
from shared.ports.telemetry import Telemetry

LEFT = "x-ms-ratelimit-remaining-subscription-"
POLICIES = "x-ms-ratelimit-remaining-resource"
_POLICY = re.compile(r"([A-Za-z.]{1,60}/[A-Za-z0-9]{1,60});(\d{1,9})")
_BEGAN = "tagback_began"


class WatchedLedger:
    """ports.Ledger"""

    def __init__(self, ledger: Ledger, traces: Traces) -> None:
        self._ledger = ledger
        self._traces = traces

    def record(self, shard: Shard, uid: VmUid) -> Record | None:
        found = self._ledger.record(shard, uid)
        if found:
            self._traces.seen([found.machine.row, *(held.row for held in found.operations)])
        return found

    def machines(self, shard: Shard) -> Iterator[Held[Machine]]:
        oldest = self._traces.oldest(str(shard))
        for held in self._ledger.machines(shard):
            oldest.saw(held.row)
            yield held
        oldest.told()

    def expiring(self, shard: Shard, now: datetime) -> Iterator[Held[Machine]]:
        return self._ledger.expiring(shard, now)

    def operations(self, shard: Shard, since: datetime | None = None) -> Iterator[Held[Operation]]:
        return self._ledger.operations(shard, since)

    def due(self, shard: Shard, now: datetime) -> Sequence[Record]:
        found = self._ledger.due(shard, now)
        for record in found:
            self._traces.seen([record.machine.row, *(held.row for held in record.operations)])
        return found

    def next_wanted(self, shard: Shard, until: datetime) -> datetime | None:
        return self._ledger.next_wanted(shard, until)

    def points(self, shard: Shard, uid: VmUid) -> tuple[Held[Point], ...]:
        found = self._ledger.points(shard, uid)
        self._traces.seen([held.row for held in found])
        return found

    def with_points(self, shard: Shard, machines: Sequence[Held[Machine]], most: int) -> Iterator[Sequence[WithPoints]]:
        for batch in self._ledger.with_points(shard, machines, most):
            for record, points in batch:
                operations = (held.row for held in record.operations)
                self._traces.seen([record.machine.row, *operations, *(held.row for held in points)])
            yield batch

    def snapshots(self, shard: Shard) -> int:
        return self._ledger.snapshots(shard)

    def commit(self, transition: Transition) -> tuple[str, ...]:
        etags = self._ledger.commit(transition)
        self._traces.written([(write.row, write.etag is None) for write in transition.writes])
        return etags

    def shards(self) -> Sequence[Shard]:
        return self._ledger.shards()


class WatchedQueue:
    """ports.Queue"""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def send(self, queue: str, text: str, delay: timedelta = timedelta(0)) -> None:
        self._queue.send(queue, marked(text), delay)


class WatchedCalls(SansIOHTTPPolicy[Any, Any]):
    """Every request to ARM with its answer. It never keeps a query, a header that is not a number, or a body."""

    def __init__(self, traces: Traces, telemetry: Telemetry, clock: Clock) -> None:
        self._traces = traces
        self._telemetry = telemetry
        self._clock = clock

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.context[_BEGAN] = self._clock.now()

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        answer = response.http_response
        self._told(request, int(answer.status_code))
        if answer.status_code == 429:
            self._telemetry.count(Count.THROTTLED, request.http_request.method)
        for about, left in _left(answer.headers):
            self._telemetry.level(Level.CALLS_LEFT, about, left)

    def on_exception(self, request: PipelineRequest[Any]) -> None:
        self._told(request, 0)

    def _told(self, request: PipelineRequest[Any], status: int) -> None:
        now = self._clock.now()
        path = unquote(urlsplit(request.http_request.url).path).lower()
        began = request.context.get(_BEGAN, now)
        self._traces.called(Call(request.http_request.method.upper(), path, status, began, now))


def _left(headers: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """What an answer says is left: of ARM's counts by kind, of a provider's by policy."""
    for name, value in headers.items():
        if name.lower().startswith(LEFT) and value.isdigit():
            yield name.lower().removeprefix(LEFT), int(value)
        elif name.lower() == POLICIES:
            yield from ((policy, int(left)) for policy, left in _POLICY.findall(value))
