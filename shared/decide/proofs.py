"""What is wrong with the proof that a machine can be restored: a drill that failed, or none for too long. Pure.

Called by protection.py: whatever is found makes a machine degraded, and so is told as an event.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.decide.durations import duration_text
from shared.model.machine import Machine
from shared.model.plan import DrillPart, Plan
from shared.model.span import told


def reasons_of(machine: Machine, plan: Plan | None) -> tuple[str, ...]:
    """What is known of drills of a machine, for `tagback explain`."""
    proven, last, reasons = machine.proof, machine.drill, list[str]()
    if plan and plan.drill:
        every, limit = duration_text(plan.drill.every), duration_text(plan.drill.limit)
        reasons.append(f"plan {plan.name} has a restore of it proven every {every}, and alarms after {limit}")
    if proven is not None:
        took, lost = told(timedelta(seconds=proven.took_seconds)), told(timedelta(seconds=proven.lost_seconds))
        reasons.append(f"a restore of it was last proven at {_at(proven.at)}: it took {took}, and {lost} were lost")
    if last is not None and not last.proven:
        reasons.append(f"its last drill, at {_at(last.at)}, failed: {last.because}")
    elif last is None and plan and plan.drill:
        reasons.append("no restore of it was tried yet")
    return tuple(reasons)


def problems_of(machine: Machine, plan: Plan, now: datetime) -> tuple[str, ...]:
    """Nothing for a plan without drills."""
    if plan.drill is None:
        return ()
    failed = machine.drill.because if machine.drill and not machine.drill.proven else ""
    return tuple(problem for problem in (failed, overdue(machine, plan.drill, now)) if problem)


def overdue(machine: Machine, part: DrillPart, now: datetime) -> str:
    """That its last verified restore is too old; a machine without any is given the same time from its enrolment."""
    since = machine.last_verified or machine.enrolled_at
    if since is None or now <= since + part.limit:
        return ""
    never = f"no restore of it was proven since it was enrolled at {_at(since)}"
    known = f"its last verified restore is of {_at(since)}" if machine.proof else never
    return f"{known}; its plan wants one that is no older than {duration_text(part.limit)}"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"
