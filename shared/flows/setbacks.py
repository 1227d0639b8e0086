"""What an operation becomes when Azure refused an act: put off, put before a person, or given up, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from shared.decide.capture import Capture, put_off
from shared.decide.failure import AskPerson, GiveUp, Retry, follow_up
from shared.errors import (
    Blocked,
    CloudError,
    Conflict,
    Denied,
    Missing,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unavailable,
)
from shared.flows.casework import Case, closing
from shared.model.operation import Failure, Operation, State, Trouble
from shared.model.point import Point

TROUBLES = {  # the gravest first
    Refused: Trouble.REFUSED,
    Denied: Trouble.DENIED,
    Blocked: Trouble.BLOCKED,
    Missing: Trouble.MISSING,
    OutcomeUnknown: Trouble.OUTCOME_UNKNOWN,
    Conflict: Trouble.CONFLICT,
    Unavailable: Trouble.UNAVAILABLE,
    Throttled: Trouble.THROTTLED,
}


def gravest(errors: Sequence[CloudError]) -> CloudError:
    """The error that decides how the operation goes on."""
    order = list(TROUBLES)
    return min(errors, key=lambda error: order.index(type(error)))


def setback(case: Case, operation: Operation, error: CloudError, now: datetime) -> list[Operation | Point]:
    """The operation's rows after an act failed with this error."""
    trouble = TROUBLES[type(error)]
    said = f"{error.code}: {error.message}"
    match follow_up(trouble, max(operation.attempts, 1), operation.uid):
        case Retry(after, because):
            until = now + max(after, error.after if isinstance(error, Throttled) else timedelta(0))
            return [put_off(operation, State.FAILED, Failure(error.code, error.message, because), until)]
        case AskPerson(after, remedy):
            failure = Failure(error.code, error.message, remedy)
            return [put_off(operation, State.NEEDS_PERSON, failure, now + after)]
        case GiveUp(because):
            return closing(case, operation, State.GAVE_UP, f"{because}: {said}", now)
        case other:
            assert_never(other)


def set_back(case: Case, capture: Capture, error: CloudError, now: datetime) -> list[Operation | Point]:
    """The same for a capture whose point changed as well: what is known of its parts is kept in any case."""
    rows = setback(case.with_point(capture.point), capture.operation, error, now)
    return rows if any(isinstance(row, Point) for row in rows) else [*rows, capture.point]
