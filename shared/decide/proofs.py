"""What is wrong with the proof that a machine can be restored: a drill that failed, or none for too long. Pure.

Called by protection.py: whatever is found makes a machine degraded, and so is told as an event.
"""

from __future__ import annotations

from datetime import datetime

from shared.decide.durations import duration_text
from shared.model.machine import Machine
from shared.model.plan import Plan


def problems_of(machine: Machine, plan: Plan, now: datetime) -> tuple[str, ...]:
    """Nothing for a plan without drills."""
    if plan.drill is None:
        return ()
    failed = machine.drill.because if machine.drill and not machine.drill.proven else ""
    limit, since = plan.drill.limit, machine.last_verified or machine.enrolled_at
    late = ""
    if since is not None and now > since + limit:
        proven = f"its last verified restore is of {since:%Y-%m-%d %H:%M}Z"
        never = f"no restore of it was ever proven since it was enrolled on {since:%Y-%m-%d %H:%M}Z"
        late = f"{proven if machine.proof else never}; its plan wants one that is no older than {duration_text(limit)}"
    return tuple(problem for problem in (failed, late) if problem)
