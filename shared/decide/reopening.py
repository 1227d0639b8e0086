"""Whether an operation that failed may be tried again because a person asks, and what it becomes then.

Called by flows/retrying.py. Its parts are looked for before any is sent: what was accepted meanwhile is adopted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from shared.decide.capture import has_been_overtaken
from shared.model.machine import Machine
from shared.model.operation import Kind, Operation, State
from shared.model.point import PartState, Point, PointState

_WHY_NOT = {
    State.SUCCEEDED: "it succeeded",
    State.STARTED: "it is running",
    State.SKIPPED: "it was skipped",
    State.SUPERSEDED: "a newer slot took its place",
}
NEW_POINT = "`tagback backup` takes a new point"


@dataclass(frozen=True, slots=True)
class Reopened:
    """The operation as it is tried again, and its point, when one was planned."""

    operation: Operation
    point: Point | None
    because: str


@dataclass(frozen=True, slots=True)
class NotSensible:
    """Trying it again would do nothing, or something else than what was asked."""

    because: str


Verdict: TypeAlias = Reopened | NotSensible


def reopened(operation: Operation, point: Point | None, machine: Machine, now: datetime) -> Verdict:
    """What becomes of an operation that a person asks to be tried again."""
    if operation.kind is Kind.EMPTY:
        return NotSensible("two people have to agree to it: `tagback delete-data` asks anew, `tagback approve` agrees")
    if operation.state in _WHY_NOT:
        return NotSensible(f"{_WHY_NOT[operation.state]}; {NEW_POINT}")
    if operation.state is not State.GAVE_UP:
        return Reopened(_afresh(operation, operation.state, now), None, "it is tried at once instead of later")
    if operation.kind is Kind.CAPTURE and has_been_overtaken(operation, machine):
        return NotSensible(f"a newer slot has begun since it was given up; {NEW_POINT}")
    if point is None:
        return Reopened(_afresh(operation, State.INTENDED, now), None, "it begins anew")
    if point.origin is not operation.origin or point.state is not PointState.INCOMPLETE:
        return NotSensible(f"its point is {point.state}, taken at {point.origin}; {NEW_POINT}")
    if point.removal and point.removal.claimed_at:
        return NotSensible(f"what is left of it is being deleted; {NEW_POINT}")
    because = "it begins anew: its parts are looked for, then sent again"
    return Reopened(_afresh(operation, State.INTENDED, now), _unsettled(point), because)


def _afresh(operation: Operation, state: State, now: datetime) -> Operation:
    """With delays that start from the shortest; what failed before is still shown until it succeeds."""
    failure = replace(operation.failure, times=0) if operation.failure else None
    task = operation.task.anew(None) if operation.task else None
    return replace(operation, state=state, attempts=0, failure=failure, next_look=now, ended_at=None, task=task)


def _unsettled(point: Point) -> Point:
    """The point with the fate of its last parts unknown: some may have been accepted before it was given up."""
    for part in point.live_parts:
        if part.state is PartState.ABANDONED:
            point = point.with_part(replace(part, state=PartState.UNKNOWN))
    return replace(point, state=PointState.TAKING, because="asked for again", ended_at=None, removal=None)
