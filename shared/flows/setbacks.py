"""What an operation becomes when an act failed: put off, put before a person, or given up, with the reason.

Called by the flows that act. A failure is told once: whoever looks again and meets the same one says so quietly.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from shared.decide.capture import Capture, put_off
from shared.decide.failure import AskPerson, GiveUp, Gone, Next, Retry, Tries, follow_up, gravity, last_word, rule_for
from shared.decide.failure_rules import WaitFor
from shared.decide.room import NoRoom, WaitForRoom
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
from shared.model.fault import Area, Fault, Task, Trouble
from shared.model.operation import Failure, Kind, Operation, State
from shared.model.point import Point

log = logging.getLogger("tagback")

TROUBLES = {
    Refused: Trouble.REFUSED,
    Denied: Trouble.DENIED,
    Blocked: Trouble.BLOCKED,
    Missing: Trouble.MISSING,
    OutcomeUnknown: Trouble.OUTCOME_UNKNOWN,
    Conflict: Trouble.CONFLICT,
    Unavailable: Trouble.UNAVAILABLE,
    Throttled: Trouble.THROTTLED,
}

TASKS = {
    Kind.PROTECT: Task.REGISTER,
    Kind.BACK_UP: Task.BACK_UP,
    Kind.STOP: Task.ANY,
    Kind.UNDELETE: Task.ANY,
    Kind.EMPTY: Task.ANY,
}


NEEDS_APPROVAL = "needs approval"


def fault_of(error: CloudError) -> Fault:
    """The error as decisions know it."""
    after = error.after if isinstance(error, Throttled) else timedelta(0)
    return Fault(TROUBLES[type(error)], error.code, error.message, error.status, after)


def _at(operation: Operation, fault: Fault, task: Task | None) -> Fault:
    """The fault with whose codes are spoken, and about what."""
    if operation.kind not in TASKS:
        return fault
    return replace(fault, area=Area.VAULT, task=TASKS[operation.kind] if task is None else task)


def gravest(errors: Sequence[CloudError]) -> CloudError:
    """The error that decides how the operation goes on."""
    return max(errors, key=lambda error: gravity(fault_of(error)))


def setback(
    case: Case, operation: Operation, error: CloudError, now: datetime, task: Task | None = None
) -> list[Operation | Point]:
    """The operation's rows after an act failed with this error. `task` is the act, where it is not the kind's own."""
    fault = _at(operation, fault_of(error), task)
    failure = _failure(operation, fault, now)
    next_ = follow_up(fault, Tries(max(operation.attempts, 1), failure.times, operation.uid))
    _tell(case, operation, failure, next_)
    if operation.kind is Kind.EMPTY:
        return _not_deleted(case, operation, failure, next_, error, now)
    match next_:
        case Retry(after, because, wait_for):
            return [put_off(operation, State.FAILED, _with(failure, because, wait_for), now + after)]
        case AskPerson(after, remedy, _, wait_for):
            return [put_off(operation, State.NEEDS_PERSON, _with(failure, remedy, wait_for), now + after)]
        case GiveUp():
            return _given_up(case, operation, failure, next_, error, now)
        case Gone(because):
            return closing(case, _failed(operation, failure), State.GAVE_UP, f"{because}: {error}", now)
        case other:
            assert_never(other)


def given_up(case: Case, operation: Operation, error: CloudError, now: datetime) -> list[Operation | Point]:
    """The same where nothing follows, however many tries its course allows: people are told the remedy now or never."""
    fault = _at(operation, fault_of(error), None)
    failure, word = _failure(operation, fault, now), last_word(fault)
    _tell(case, operation, failure, word)
    return _given_up(case, operation, failure, word, error, now)


def _given_up(
    case: Case, operation: Operation, failure: Failure, word: GiveUp, error: CloudError, now: datetime
) -> list[Operation | Point]:
    words = "; ".join(part for part in (f"{word.because}: {error}", word.remedy) if part)
    return closing(case, _failed(operation, _with(failure, word.remedy)), State.GAVE_UP, words, now)


def _not_deleted(
    case: Case, operation: Operation, failure: Failure, next_: Next, error: CloudError, now: datetime
) -> list[Operation | Point]:
    """A vault that deletes nothing is not asked again by itself: whatever it said, people have to."""
    remedy = next_.remedy if isinstance(next_, (AskPerson, GiveUp)) else ""
    if not remedy.startswith(NEEDS_APPROVAL):
        remedy = "; ".join(part for part in (f"{NEEDS_APPROVAL}: ask for it and agree to it anew", remedy) if part)
    words = f"{next_.because}: {error}; {remedy}"
    return closing(case, _failed(operation, _with(failure, remedy)), State.GAVE_UP, words, now)


def set_back(case: Case, capture: Capture, error: CloudError, now: datetime) -> list[Operation | Point]:
    """The same for a capture whose point changed as well: what is known of its parts is kept in any case."""
    rows = setback(case.with_point(capture.point), capture.operation, error, now)
    return rows if any(isinstance(row, Point) for row in rows) else [*rows, capture.point]


def without_room(
    case: Case, operation: Operation, verdict: WaitForRoom | NoRoom, now: datetime
) -> list[Operation | Point]:
    """The rows of a capture for which a platform limit leaves no room: put off, or skipped, with the reason."""
    if isinstance(verdict, NoRoom):
        log.warning(
            "capture.skipped vm=%s operation=%s because=%r", case.machine.row.name, operation.id, verdict.because
        )
        return closing(case, operation, State.SKIPPED, verdict.because, now)
    failure = _failure(operation, Fault(Trouble.BLOCKED, "NoRoom", verdict.because), now)
    return [put_off(operation, State.FAILED, _with(failure, verdict.because, WaitFor.ROOM), verdict.until)]


def _failure(operation: Operation, fault: Fault, now: datetime) -> Failure:
    """What is remembered of a failure; the same code again is the same failure, since when it first was."""
    before = operation.failure
    known = rule_for(fault) is not None
    if before is None or before.code != fault.code:
        return Failure(fault.code, fault.message, "", now, 1, known=known)
    return Failure(fault.code, fault.message, "", before.since or now, before.times + 1, known=known)


def _with(failure: Failure, remedy: str, wait_for: str = "") -> Failure:
    return replace(failure, remedy=remedy, waits_for=wait_for)


def _failed(operation: Operation, failure: Failure) -> Operation:
    return replace(operation, failure=failure)


def _tell(case: Case, operation: Operation, failure: Failure, next_: Next) -> None:
    """One line per setback; a warning the first time, and when it comes to an end."""
    what = (case.machine.row.name, operation.id, type(next_).__name__, failure.code, failure.times, next_.because)
    loud = failure.times == 1 or isinstance(next_, (GiveUp, Gone))
    level = logging.WARNING if loud else logging.INFO
    log.log(level, "operation.setback vm=%s operation=%s next=%s code=%s times=%d because=%r", *what)
    if not failure.known and failure.times == 1:
        told = (failure.code, failure.message)
        log.warning("failure.unknown code=%s message=%r because='no rule names this code'", *told)
