"""Whether a machine keeps what its plan promises: how old its newest point may be and is, and what stands of the rest.

Called by flows/show.py for `tagback report`. It judges by the ledger's rows; only a restore proves a point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.decide.proofs import overdue
from shared.decide.protection import plan_of
from shared.decide.schedule import interval
from shared.model.machine import Machine
from shared.model.plan import Plan
from shared.model.point import Point
from shared.model.rules import Rules
from shared.model.span import told


class Verdict(StrEnum):
    """How a machine stands to its promise."""

    KEPT = "kept"
    BREACHED = "breached"
    NOT_YET = "not yet"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Compliance:
    """`promised` is the most that may be lost at any time, None without a plan; `lost` what would be lost now, None
    without a complete point. `retained` counts complete points, `oldest` is the first of them.
    `verified` is when a restore of it was last proven.
    """

    machine: Machine
    verdict: Verdict
    because: str
    promised: timedelta | None
    lost: timedelta | None
    retained: int
    oldest: datetime | None
    verified: datetime | None = None


def compliance(machine: Machine, points: Sequence[Point], rules: Rules, now: datetime) -> Compliance:
    """The machine measured by its plan of now."""
    complete = sorted(point.slot for point in points if point.complete)
    lost = max(now - complete[-1], timedelta(0)) if complete else None
    plan = plan_of(machine, rules, now)
    promised = allowed(plan) if plan else None
    verdict, because = _verdict(machine, promised, lost, now)
    unproven = overdue(machine, plan.drill, now) if plan and plan.drill else ""
    if verdict is Verdict.KEPT and unproven:
        verdict, because = Verdict.BREACHED, unproven
    oldest, verified = complete[0] if complete else None, machine.last_verified
    return Compliance(machine, verdict, because, promised, lost, len(complete), oldest, verified)


def allowed(plan: Plan) -> timedelta:
    """The most that may be lost: the longest time between two slots, and the window in which the work is started."""
    return interval(plan.schedule) + plan.schedule.window


def _verdict(
    machine: Machine, promised: timedelta | None, lost: timedelta | None, now: datetime
) -> tuple[Verdict, str]:
    if promised is None:
        return Verdict.NONE, machine.because
    if lost is None:
        waited = now - machine.enrolled_at if machine.enrolled_at else timedelta(0)
        if waited <= promised:
            return Verdict.NOT_YET, f"enrolled {told(waited)} ago, and its plan allows {told(promised)}"
        return Verdict.BREACHED, f"no complete point {told(waited)} after it was enrolled"
    if lost > promised:
        return Verdict.BREACHED, f"{told(lost)} would be lost, and its plan allows {told(promised)}"
    return Verdict.KEPT, f"{told(lost)} would be lost, and its plan allows {told(promised)}"
