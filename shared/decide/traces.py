"""What is told of an operation: one trace, whose ids follow from the operation's own, so that no message carries any.

Used by cloud/traces.py. Every process that works on an operation derives the same trace and the same first span.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.decide.capture import operation_id
from shared.model.machine import Machine, Status
from shared.model.operation import Operation, State
from shared.model.point import Point
from shared.model.telemetry import Call, Count, Fact, Span, Waking

BELIEVED = timedelta(days=7)  # a message lives no longer, so nothing that it says of a time lies further back
TICK = timedelta(seconds=2)  # storage says when a message came by the second of its own clock
REFUSED = 400
READS = frozenset({"GET", "HEAD"})
FAILED = frozenset({State.FAILED, State.GAVE_UP, State.NEEDS_PERSON})


def trace_of(uid: str, operation_id: str) -> str:
    """The trace of an operation."""
    return hashlib.sha256(f"trace|{uid}|{operation_id}".encode()).hexdigest()[:32]


def capture_of(point: Point) -> tuple[str, str]:
    """The machine and the id of the operation that makes a point."""
    return point.uid, operation_id(point.origin, point.slot, point.engine)


def is_told(span: Span, share: float) -> bool:
    """Whether a span is among the share that is told. Of a trace all or none, but failures always."""
    return bool(span.failed) or int(span.trace[:8], 16) < share * 16**8


def whole(operation: Operation) -> Span | None:
    """The span of the operation itself, once it has ended; None before, and where nothing was ever tried."""
    if operation.state.open or operation.ended_at is None or not operation.attempts:
        return None
    trace = trace_of(operation.uid, operation.id)
    facts: dict[str, Fact] = {
        "vm": operation.uid,
        "operation": operation.id,
        "state": operation.state,
        "attempts": operation.attempts,
    }
    failed = operation.failure.code if operation.failure and operation.state is State.GAVE_UP else ""
    return Span(trace, _first(trace), "", operation.kind, operation.intended_at, operation.ended_at, facts, failed)


def begun_by(trace: str, waking: Waking) -> list[Span]:
    """How the wish for an operation came: by an event, by a message. What says an impossible time is not told."""
    began, queued, heard = waking.began, waking.queued, waking.heard
    if queued is None or not -TICK < began - queued <= BELIEVED:
        return []
    spans = [_under(trace, f"queue {waking.queue}", (queued, max(began, queued)), {})]
    if heard and -TICK < queued - heard <= BELIEVED:
        spans.insert(0, _under(trace, "event", (heard, max(heard, queued)), {}))
    return spans


def called(trace: str, call: Call) -> Span:
    """One call to Azure for an operation."""
    kind, name = _target(call.path)
    failed = str(call.status or "NoAnswer") if not 0 < call.status < REFUSED else ""
    facts: dict[str, Fact] = {"resource": name, "status": call.status}
    return _under(trace, f"{call.method} {kind}", (call.began, call.ended), facts, failed)


def looked(trace: str, calls: Sequence[Call]) -> Span:
    """Reads for an operation that went well, as one span: what they were about is said by the calls that follow."""
    began, ended = min(call.began for call in calls), max(call.ended for call in calls)
    return _under(trace, "GET", (began, ended), {"calls": len(calls)})


def is_plain_read(call: Call) -> bool:
    """Whether a call only looked, and was answered as it hoped."""
    return call.method in READS and 0 < call.status < REFUSED


def counts(before: Operation | None, after: Operation) -> list[Count]:
    """What is added up when an operation's row changes; `before` is None for a new row."""
    told = []
    if before is None and after.state.open:
        told.append(Count.DUE)
    if before and after.attempts > max(before.attempts, 1):
        told.append(Count.RETRIED)
    if after.state is State.SUCCEEDED and not (before and before.state is State.SUCCEEDED):
        told.append(Count.DONE)
    if after.state in FAILED and after.failure != (before.failure if before else None):
        told.append(Count.FAILED)
    return told


def point_age(machine: Machine, now: datetime) -> timedelta | None:
    """How old a machine's newest point is, or how long it has waited for its first; None while it asks for none."""
    if not machine.plan or machine.status in (Status.EXCLUDED, Status.GONE):
        return None
    since = machine.last_point or machine.enrolled_at
    return max(now - since, timedelta(0)) if since else None


def _under(trace: str, name: str, times: tuple[datetime, datetime], facts: dict[str, Fact], failed: str = "") -> Span:
    began, ended = times
    identity = f"{trace}|{name}|{began.isoformat()}|{sorted(facts.items())}"
    return Span(trace, _short(identity), _first(trace), name, began, ended, facts, failed)


def _first(trace: str) -> str:
    """The id of the operation's own span, under which all others stand."""
    return _short(f"first|{trace}")


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _target(path: str) -> tuple[str, str]:
    """The last type and name of a path, as `snapshots` and `tb-1`."""
    segments = path.strip("/").split("/")
    return (segments[-2], segments[-1]) if len(segments) > 1 else ("", path)
