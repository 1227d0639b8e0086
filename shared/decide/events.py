"""Which events a change of a machine's rows is worth: one per change, named by a hash of what changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.decide.naming import stamp
from shared.decide.protection import GRACE
from shared.model.event import Event, Happening
from shared.model.machine import Machine, Status
from shared.model.operation import Operation, State
from shared.model.point import Point, PointState

MOST_UNTOLD = 60  # per machine, while the topic cannot be reached: then the oldest go, and the log says so

DAILY = timedelta(days=1)
ALARMING = frozenset({Status.PROTECTED, Status.PENDING, Status.DEGRADED, Status.UNPROTECTED})

OF_STATUS: Mapping[Status, Happening] = {
    Status.PROTECTED: Happening.PROTECTED,
    Status.DEGRADED: Happening.DEGRADED,
    Status.UNPROTECTED: Happening.UNPROTECTED,
    Status.EXCLUDED: Happening.EXCLUDED,
    Status.GONE: Happening.GONE,
}
OF_STATE: Mapping[State, Happening] = {
    State.NEEDS_PERSON: Happening.NEEDS_PERSON,
    State.GAVE_UP: Happening.GAVE_UP,
}


@dataclass(frozen=True, slots=True)
class Change:
    """A machine's rows before (None: not stored yet) and after one transition; only the rows that it touches."""

    before: Machine | None
    after: Machine
    operations: Sequence[tuple[Operation | None, Operation]]
    points: Sequence[tuple[Point | None, Point]]


def with_events(change: Change, now: datetime) -> Machine:
    """The machine's row with what its change is worth telling in its outbox, to be published from `now` on."""
    news = [*_of_machine(change, now), *_of_operations(change, now), *_of_points(change, now), *_of_drill(change, now)]
    machine, alarm = change.after, next_alarm(change.after)
    if alarm is not None and alarm <= now:
        news.append(_of_grace(machine, now))
        machine = replace(machine, alarmed_at=now)
    waiting = machine.next_publish if machine.outbox else None
    outbox = (*machine.outbox, *news)[-MOST_UNTOLD:]
    return replace(machine, outbox=outbox, next_publish=(waiting or now) if outbox else next_alarm(machine))


def untold(machine: Machine) -> Machine:
    """The row of an installation that has no topic: nothing waits to be published."""
    return replace(machine, outbox=(), next_publish=None)


def told(machine: Machine, published: Iterable[Event]) -> Machine:
    """The row after these events were published."""
    gone = {event.id for event in published}
    left = tuple(event for event in machine.outbox if event.id not in gone)
    return replace(machine, outbox=left, next_publish=machine.next_publish if left else next_alarm(machine))


def next_alarm(machine: Machine) -> datetime | None:
    """When people are next to be told that its tag names no plan: daily while its last good plan is kept."""
    since = machine.grace_from
    if since is None or not machine.plan or machine.status not in ALARMING:
        return None
    told_of = machine.alarmed_at
    at = since if told_of is None or told_of < since else since + DAILY * ((told_of - since) // DAILY + 1)
    return at if at < since + GRACE else None


def _of_grace(machine: Machine, now: datetime) -> Event:
    assert machine.grace_from is not None
    ends = stamp(machine.grace_from + GRACE)
    return _event(Happening.MISNAMED, machine, now.isoformat(), now, {"ends": ends})


def _of_machine(change: Change, now: datetime) -> Iterable[Event]:
    before, after = change.before, change.after
    if after.enrolled_at is not None and (before is None or before.enrolled_at is None):
        yield _event(Happening.REGISTERED, after, now.isoformat(), now, {})
    was = before.status if before else Status.EXCLUDED  # a machine that asks for nothing is not news
    if after.status is not was and after.status in OF_STATUS:
        yield _event(OF_STATUS[after.status], after, now.isoformat(), now, {"before": before.status if before else ""})


def _of_operations(change: Change, now: datetime) -> Iterable[Event]:
    for before, after in change.operations:
        happening = OF_STATE.get(after.state)
        if happening is None or (before and before.state is after.state):
            continue
        failure = after.failure
        details = {
            "operation": after.id,
            "kind": after.kind.value,
            "slot": stamp(after.slot),
            "because": after.because,
            "code": failure.code if failure else "",
            "remedy": failure.remedy if failure else "",
        }
        yield _event(happening, change.after, f"{after.id}|{after.attempts}", now, details)


def _of_points(change: Change, now: datetime) -> Iterable[Event]:
    for before, after in change.points:
        known = before is not None and before.state in (PointState.COMPLETE, PointState.DELETING)
        if not after.complete or after.rebuilt_at or known:
            continue
        details = {
            "slot": stamp(after.slot),
            "engine": after.engine.value,
            "consistency": after.consistency.value,
            "keep_until": stamp(after.keep_until),
            "parts": str(len(after.live_parts)),
            "because": after.because,
        }
        yield _event(Happening.POINT_COMPLETED, change.after, f"{stamp(after.slot)}|{after.engine}", now, details)


def _of_drill(change: Change, now: datetime) -> Iterable[Event]:
    before, given = change.before, change.after.drill
    if given is None or (before and before.drill and before.drill.request == given.request):
        return
    details = {
        "drill": given.request,
        "slot": stamp(given.slot) if given.slot else "",
        "because": given.because,
        "rto_seconds": str(given.took_seconds),
        "rpo_seconds": str(given.lost_seconds),
    }
    happening = Happening.DRILL_PROVEN if given.proven else Happening.DRILL_FAILED
    yield _event(happening, change.after, given.request, now, details)


def _event(happening: Happening, machine: Machine, what: str, at: datetime, details: Mapping[str, str]) -> Event:
    """`what` tells this event from the others of its type and machine."""
    shared = {
        "vm": machine.name,
        "uid": machine.uid,
        "subscription": machine.shard.subscription,
        "region": machine.shard.region,
        "plan": machine.plan,
        "status": machine.status.value,
        "because": machine.because,
    }
    key = "|".join((happening.value, str(machine.shard), machine.uid, what))
    id_ = hashlib.sha256(key.encode()).hexdigest()[:32]
    return Event(id_, happening, str(machine.id), at, {**shared, **details})
