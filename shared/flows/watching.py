"""Folds what a vault shows of one machine into its rows: how its operations stand, the vault's own jobs, its points.

Called by protecting.py, before anything is decided. It reads single jobs that failed and lists of recovery points
(vault_recording.py), and changes nothing at Azure.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from shared.decide.vault_jobs import (
    Broken,
    Called,
    Done,
    Running,
    Verdict,
    followed,
    going_on,
    named_error,
    succeeded,
    unclaimed,
)
from shared.decide.vault_wish import of_vaults
from shared.decide.vaulting import View
from shared.errors import CloudError, Conflict
from shared.flows.casework import Case, closing
from shared.flows.setbacks import setback
from shared.flows.slicing import Slice
from shared.flows.vault_desk import Desk
from shared.flows.vault_recording import TOGETHER, listed
from shared.model.machine import Machine
from shared.model.operation import Kind, Operation, State
from shared.model.point import Engine, Point
from shared.model.vault import JobError, Standing

log = logging.getLogger("tagback")

NOT_TAKEN = timedelta(minutes=15)  # a backup that was asked for is listed by then, or nobody heard of it
OTHER_JOB = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Watched:
    """What follows from a look: changed operations and points, points that leave, and operations that may act now.

    `model` is what the machine's newest points are rebuilt from.
    """

    operations: tuple[Operation, ...]
    points: tuple[Point, ...]
    gone: tuple[Point, ...]
    ready: tuple[Operation, ...]
    model: str

    def with_operations(self, operations: Sequence[Operation]) -> tuple[Operation, ...]:
        """All operations with the changed ones in their place."""
        fresh = {one.id: one for one in self.operations}
        return (*(fresh.pop(one.id, one) for one in operations), *fresh.values())


def watch(slice_: Slice, desk: Desk, case: Case, view: View, standing: Standing) -> Watched:
    """Look at everything of Azure Backup that the ledger holds of a machine. CloudError when a list cannot be read."""
    now, machine = slice_.now(), case.machine.row
    known = of_vaults(held.row for held in case.operations)
    fresh = unclaimed(machine, view.jobs, known, now)
    due = [one for one in (*known, *fresh) if one.state.open and one.next_look and one.next_look <= now]
    changed: list[Operation] = []
    ready: list[Operation] = []
    for operation in due:
        after = _looked(slice_, desk, case, operation, view, standing)
        changed += after
        ready += [one for one in after if one.state.open and one.next_look and one.next_look <= now]
    points = listed(slice_, desk, case, view)
    if any(one.kind is Kind.EMPTY and one.state is State.SUCCEEDED for one in changed):
        changed, gone = _emptied(case, changed, now)
        points = replace(points, gone=gone)
    return Watched(tuple(changed), points.fresh, points.gone, tuple(ready), points.model)


def _emptied(case: Case, changed: list[Operation], now: datetime) -> tuple[list[Operation], tuple[Point, ...]]:
    """The vault's points leave with what the vault had; it goes on at the next look while there are more."""
    own = [point for point in case.known_points if point.engine is Engine.VAULT]
    if len(own) <= TOGETHER:
        return changed, tuple(own)
    begun = {one.id: one for one in case.open if one.kind is Kind.EMPTY}
    going_on = [replace(begun[one.id], next_look=now) if one.id in begun else one for one in changed]
    return going_on, tuple(own[:TOGETHER])


def _looked(
    slice_: Slice, desk: Desk, case: Case, operation: Operation, view: View, standing: Standing
) -> list[Operation]:
    """The operation after a look; still due when it is to be sent, now or again."""
    now, machine = slice_.now(), case.machine.row
    sent = operation.task is not None and (operation.task.sent_at or operation.task.job)
    if operation.state in (State.FAILED, State.NEEDS_PERSON) and _is_overcome(operation, machine, view):
        because = "a newer recovery point is complete"
        return [one for one in closing(case, operation, State.SUPERSEDED, because, now) if isinstance(one, Operation)]
    if not sent:
        return [_unless_busy(operation, view, now)]
    policy = view.item.policy if view.item else ""
    verdict = followed(operation, standing, policy, view.jobs, now)
    failed = operation.state in (State.FAILED, State.NEEDS_PERSON)
    if failed and not _goes_on(operation, verdict):
        return [_unless_busy(operation, view, now)]
    return _judged(slice_, desk, case, operation, verdict)


def _goes_on(operation: Operation, verdict: Verdict) -> bool:
    """Whether what failed once came true after all, or is being done: else it is sent again."""
    match verdict:
        case Done():
            return True
        case Running(job=job):
            return operation.kind is Kind.BACK_UP and job != ""
        case _:
            return False


def _judged(slice_: Slice, desk: Desk, case: Case, operation: Operation, verdict: Verdict) -> list[Operation]:
    now = slice_.now()
    match verdict:
        case Done():
            return [_told(case, succeeded(operation, verdict, now))]
        case Called(because):
            return [replace(operation, state=State.SKIPPED, because=because, ended_at=now, next_look=None)]
        case Running(job="") if operation.kind is Kind.BACK_UP and _is_lost(operation, now):
            return [
                replace(operation, state=State.FAILED, because="nobody heard of it: asked for again", next_look=now)
            ]
        case Running(job="") if (error := _refused(desk, operation)) is not None:
            told = Conflict(error.code, error.message)
            return [row for row in setback(case, operation, told, now) if isinstance(row, Operation)]
        case Running():
            state = State.STARTED if operation.state is State.INTENDED and verdict.job else operation.state
            if operation.state is State.INTENDED and not verdict.job:
                return [operation]
            return [going_on(replace(operation, state=state), verdict)]
        case Broken(job, because):
            return _broken(desk, case, operation, job, because, now)
        case _:  # pragma: no cover - mypy shows that nothing is left
            assert_never(verdict)


def _broken(desk: Desk, case: Case, operation: Operation, job: str, because: str, now: datetime) -> list[Operation]:
    vault = operation.task.vault if operation.task else None
    seen = desk.job(vault, job) if vault else None
    error = named_error(seen.errors if seen else (), because)
    advice = f"; {error.recommendation}" if error.recommendation else ""
    told = Conflict(error.code, f"{error.message}{advice}")
    rows = setback(case, _with_job(operation, job), told, now)
    return [row for row in rows if isinstance(row, Operation)]


def _refused(desk: Desk, operation: Operation) -> JobError | None:
    """What Azure's own operation came to, asked where nothing else tells."""
    task = operation.task
    if operation.state is State.INTENDED or task is None or task.vault is None or not task.tracking:
        return None
    return desk.tracked(task.vault, task.tracking).error


def _with_job(operation: Operation, job: str) -> Operation:
    assert operation.task is not None
    return replace(operation, attempts=max(operation.attempts, 1), task=replace(operation.task, job=job))


def _told(case: Case, operation: Operation) -> Operation:
    name, job = case.machine.row.name, operation.task.job if operation.task else ""
    what = (operation.kind, name, operation.id, job, operation.because)
    log.info("%s.succeeded vm=%s operation=%s job=%s because=%r", *what)
    return operation


def _is_lost(operation: Operation, now: datetime) -> bool:
    """Whether a backup that was asked for left no trace: the answer was lost, and so was the request."""
    task = operation.task
    return task is not None and task.sent_at is not None and not task.tracking and now - task.sent_at > NOT_TAKEN


def _is_overcome(operation: Operation, machine: Machine, view: View) -> bool:
    newest = view.item.last_point if view.item else None
    return operation.kind is Kind.BACK_UP and newest is not None and newest > operation.slot


def _unless_busy(operation: Operation, view: View, now: datetime) -> Operation:
    """Left to act now, unless another job of the VM runs: then it waits for that one."""
    other = next((job for job in view.jobs if job.status.open and job.operation.lower() != "configurebackup"), None)
    if other is None:
        return operation
    return replace(
        operation, because=f"waits until job {other.name} ({other.operation}) has ended", next_look=now + OTHER_JOB
    )


def unreadable(case: Case, asked: str, error: CloudError, now: datetime) -> list[Machine | Operation]:
    """The rows of a machine whose vaults cannot be read now: looked at again in a while, nothing concluded."""
    machine, later = case.machine.row, now + timedelta(minutes=15)
    due = [one for one in of_vaults(case.open) if one.next_look and one.next_look <= now]
    rows: list[Machine | Operation] = [replace(one, next_look=later) for one in due]
    if machine.protection:
        because = f"its vaults cannot be read: {error}"
        rows.append(
            replace(machine, protection=replace(machine.protection, asked=asked, because=because, next_look=later))
        )
    return rows
