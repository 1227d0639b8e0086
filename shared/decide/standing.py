"""How a machine stands when somebody looks, which may be long after its row was last written.

A row says how things stood when a drainer last worked on the machine. If nothing has worked since, only the reader can
notice: silence is never shown as protection. Called by flows/standing.py, explaining.py, asking.py and show.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.decide.protection import standing
from shared.decide.pruning import is_made_up_for
from shared.decide.registration import ABSENT_TWICE
from shared.model.machine import Machine, Status
from shared.model.operation import Operation, State
from shared.model.rules import Rules

BADNESS = {Status.PROTECTED: 1, Status.PENDING: 2, Status.DEGRADED: 3, Status.UNPROTECTED: 4}
"""Excluded and gone machines stand outside: time makes nothing of them worse."""

NEEDS_ATTENTION = frozenset({Status.UNPROTECTED, Status.DEGRADED})
FAILED_FOR_GOOD = frozenset({State.NEEDS_PERSON, State.GAVE_UP})
JOBS_SHOWN = timedelta(hours=24)
NOT_WORK = frozenset({State.SKIPPED, State.SUPERSEDED})


def at_read_time(machine: Machine, operations: Sequence[Operation], rules: Rules, now: datetime) -> Machine:
    """The machine as it stands at `now`: what its row says, or worse when time has passed over it.

    Never better than the row: what a look or an operation would improve is for the drainer to find out.
    """
    verdict = standing(machine, operations, rules, now)
    if machine.status not in BADNESS or BADNESS.get(verdict.status, 0) <= BADNESS[machine.status]:
        return machine
    return replace(machine, status=verdict.status, because=verdict.because, problems=verdict.problems)


def absence(machine: Machine) -> str:
    """What a machine that one look did not find is waiting for; empty when it was found, or is known to be gone."""
    if machine.absent_since is None or machine.status is Status.GONE:
        return ""
    minutes = int(ABSENT_TWICE.total_seconds() // 60)
    return (
        f"a look at {machine.absent_since:%Y-%m-%d %H:%M}Z found nothing under its id; "
        f"it is gone when a second look, at least {minutes} minutes later, finds nothing either"
    )


def refusal(machine: Machine, rules: Rules, now: datetime) -> str:
    """Why no plan takes a machine."""
    return absence(machine) or standing(machine, (), rules, now).because


def all_is_well(machines: Iterable[Machine], operations: Iterable[Operation]) -> bool:
    """Whether nobody has to act: no machine lacks protection, nothing waits for a person, nothing was given up."""
    known = {machine.uid: machine for machine in machines}
    unwell = any(machine.status in NEEDS_ATTENTION for machine in known.values())
    return not unwell and not any(wants_a_person(one, known.get(one.uid)) for one in operations)


def wants_a_person(operation: Operation, machine: Machine | None) -> bool:
    """Whether an operation failed for good, and nothing has made up for it: a newer complete point does."""
    made_up = operation.state is State.GAVE_UP and machine is not None and is_made_up_for(operation, machine)
    return operation.state in FAILED_FOR_GOOD and not made_up


def is_job(operation: Operation) -> bool:
    """Whether an operation is work; skipped and superseded slots are answers without any."""
    return operation.state not in NOT_WORK


def is_of_today(operation: Operation, machine: Machine | None, now: datetime) -> bool:
    """Whether a job is still worth showing: it goes on, it ended within a day, or somebody has to act because of it."""
    recent = operation.state.open or (operation.ended_at or operation.intended_at) > now - JOBS_SHOWN
    return recent or wants_a_person(operation, machine)
