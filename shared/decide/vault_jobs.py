"""Jobs of a vault as operations of the ledger: which of them answers for which operation, and how each stands.

A job list names no VM, only `group;vm` (azure-facts 5.8). A backup that we asked for is the first one that began after
we asked; every other one is the vault's own and gets a row of its own. Called by flows/protecting.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from shared.decide.failure import known_codes
from shared.model.identity import ResourceId, VmUid
from shared.model.machine import Machine
from shared.model.operation import Kind, Operation, State
from shared.model.point import Engine, Origin
from shared.model.vault import JobError, JobSeen, JobStatus, Standing, VaultTask

BACKUP, CONFIGURE = "backup", "configurebackup"
SLACK = timedelta(minutes=2)  # clocks differ, and Azure dates a job before it answers
LONGEST = {Kind.BACK_UP: timedelta(hours=12)}  # longer is worth a look [azure-facts 5.9]; a first one copies everything
ENDLESS = timedelta(hours=2)  # for everything but a backup
_PATIENCE = ((timedelta(minutes=10), timedelta(minutes=2)), (timedelta(hours=1), timedelta(minutes=10)))
_MOST_PATIENT = timedelta(minutes=30)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]{5,}")


@dataclass(frozen=True, slots=True)
class Done:
    """What was wanted is so."""

    because: str
    job: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """It failed; details are in the job where one is named."""

    job: str
    because: str


@dataclass(frozen=True, slots=True)
class Called:
    """Somebody cancelled it."""

    because: str


@dataclass(frozen=True, slots=True)
class Running:
    """It goes on; `job` answers for it once known. `endless` says that it should have ended."""

    because: str
    until: datetime
    job: str = ""
    endless: bool = False


Verdict: TypeAlias = Done | Broken | Called | Running


def container_of(vm: ResourceId) -> str:
    """What a job list calls a VM."""
    return f"{vm.group};{vm.name}"


def followed(operation: Operation, standing: Standing, policy: str, jobs: Iterable[JobSeen], now: datetime) -> Verdict:
    """How an operation that was sent stands, by what the vault shows of its machine and of its jobs."""
    job = job_of(operation, jobs)
    if operation.kind is Kind.BACK_UP:
        return _backup(operation, job, now)
    if _is_so(operation, standing, policy):
        return Done(f"vault shows it {standing}", job.name if job else "")
    if job and job.status is JobStatus.FAILED:
        return Broken(job.name, f"job {job.operation} failed")
    return _running(operation, job.name if job else "", f"{operation.kind} is under way", now)


def _is_so(operation: Operation, standing: Standing, policy: str) -> bool:
    match operation.kind:
        case Kind.PROTECT:
            wanted = operation.task.policy if operation.task else ""
            return standing in (Standing.PENDING, Standing.PROTECTED) and policy == wanted
        case Kind.STOP:
            return standing not in (Standing.PENDING, Standing.PROTECTED)
        case Kind.EMPTY:
            return standing in (Standing.DELETED, Standing.NONE, Standing.WANTED)
        case _:
            return standing is not Standing.DELETED


def _backup(operation: Operation, job: JobSeen | None, now: datetime) -> Verdict:
    if job is None:
        return _running(operation, "", "its job is not listed yet", now)
    match job.status:
        case JobStatus.COMPLETED:
            return Done("its job is completed", job.name)
        case JobStatus.WARNED:
            return Done("its job is completed, with warnings", job.name)
        case JobStatus.FAILED:
            return Broken(job.name, "its job failed")
        case JobStatus.CANCELLED:
            return Called(f"job {job.name} was cancelled")
        case _:
            return _running(operation, job.name, f"job {job.name} is {job.status or 'going on'}", now)


def _running(operation: Operation, job: str, because: str, now: datetime) -> Running:
    since = (operation.task.sent_at if operation.task else None) or operation.started_at or operation.intended_at
    age = now - since
    pause = next((pause for until, pause in _PATIENCE if age < until), _MOST_PATIENT)
    return Running(because, now + pause, job, age > LONGEST.get(operation.kind, ENDLESS))


def job_of(operation: Operation, jobs: Iterable[JobSeen]) -> JobSeen | None:
    """The job that answers for an operation: the one it names, else the first of its kind since it was sent."""
    task = operation.task
    if task is None:
        return None
    alike = sorted((job for job in jobs if _is_alike(job, operation.kind)), key=lambda job: job.started)
    if task.job:
        return next((job for job in alike if job.name == task.job), None)
    if task.sent_at is None:
        return None
    since = task.sent_at - SLACK
    return next((job for job in alike if job.started >= since and job.name not in task.former), None)


def _is_alike(job: JobSeen, kind: Kind) -> bool:
    wanted = {Kind.BACK_UP: BACKUP, Kind.PROTECT: CONFIGURE}.get(kind, "")
    return job.operation.lower() == wanted


def unclaimed(
    machine: Machine, jobs: Iterable[JobSeen], operations: Sequence[Operation], now: datetime
) -> list[Operation]:
    """A row for every backup that nobody here asked for: the vault's own, and those of people."""
    listed = [*jobs]
    named = {one.task.job for one in operations if one.task and one.task.job}
    named |= {name for one in operations if one.task for name in one.task.former}
    named |= {job.name for one in operations if one.state.open and (job := job_of(one, listed))}
    known = {one.id for one in operations}
    fresh = [job for job in listed if job.operation.lower() == BACKUP and job.name not in named]
    return [row for job in fresh if (row := _row(machine.uid, job, now)).id not in known]


def _row(uid: VmUid, job: JobSeen, now: datetime) -> Operation:
    task = VaultTask(job.vault, job=job.name, sent_at=None)
    return Operation(
        uid=uid,
        id=f"job-{job.name}",
        kind=Kind.BACK_UP,
        origin=Origin.SLOT,
        engine=Engine.VAULT,
        slot=job.started.replace(second=0, microsecond=0),
        state=State.STARTED,
        because="begun by the vault, or by somebody in it",
        intended_at=job.started,
        started_at=job.started,
        attempts=1,
        next_look=now,
        task=task,
    )


def succeeded(operation: Operation, verdict: Done, now: datetime) -> Operation:
    """The operation at its end."""
    task = replace(operation.task or VaultTask(), job=verdict.job or (operation.task.job if operation.task else ""))
    ended = replace(
        operation, state=State.SUCCEEDED, because=verdict.because, ended_at=now, next_look=None, failure=None
    )
    return replace(ended, task=task)


def going_on(operation: Operation, verdict: Running) -> Operation:
    """The operation with its next look. One that should have ended waits for a person, and is watched all the same."""
    task = operation.task
    if task and verdict.job and not task.job:
        task = replace(task, job=verdict.job)
    state = State.NEEDS_PERSON if verdict.endless else operation.state
    because = (
        f"{verdict.because}, for longer than it should take: look at it in the vault"
        if verdict.endless
        else verdict.because
    )
    return replace(operation, state=state, because=because, next_look=verdict.until, task=task)


def named_error(errors: Sequence[JobError], otherwise: str) -> JobError:
    """The error that decides: the first whose code a rule knows, by its number or by a name in its words."""
    for error in errors:
        words = [error.code, *_WORD.findall(error.message)]
        if known := next((word for word in words if word.lower() in known_codes()), ""):
            return replace(error, code=known)
    return errors[0] if errors else JobError("JobFailed", otherwise)
