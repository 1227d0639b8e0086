"""Which machines are drilled next, and which have gone without a proven restore for too long. Pure.

Called by flows/drilling.py, and by protection.py for a machine's problems.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.decide.protection import plan_of
from shared.model.drill import Drill
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from shared.model.plan import DrillPart, Plan
from shared.model.request import Asked, Progress, Request
from shared.model.rules import Rules

AGAIN = timedelta(days=1)  # after a drill that failed, unless the plan wants drills more often
A_DAY = timedelta(days=1)
EARLY = timedelta(
    hours=1
)  # the timer comes at the same time each day, drills begin and end after it: else all slip a day
NEVER = datetime.min.replace(tzinfo=UTC)
UNDER_WAY = (Asked.RESTORE, Asked.UNDO, Asked.DRILL, Asked.TIDY)
"""What is asked for about a machine and stands in the way of a drill of it."""


@dataclass(frozen=True, slots=True)
class Due:
    """A machine to be drilled now, and why it is the one."""

    machine: Machine
    plan: Plan
    part: DrillPart
    because: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A machine that is due and is not drilled now."""

    machine: Machine
    because: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The drills to begin now, at most one in each shard, and the machines that wait."""

    begin: tuple[Due, ...]
    waiting: tuple[Waiting, ...]


def choose(machines: Iterable[Machine], open_requests: Sequence[Request], rules: Rules, now: datetime) -> Choice:
    """Least recently tried first; never while a drill is open in the shard, never a machine that is being restored."""
    known = [*machines]
    due = sorted(_due(known, rules, now), key=lambda one: (_tried_at(one.machine), one.machine.uid))
    under_way = [one for one in open_requests if one.progress is Progress.ASKED and one.asked in UNDER_WAY]
    busy = {one.uid for one in under_way}
    taken = {one.shard for one in under_way if one.asked is Asked.DRILL}
    spent = _spent(known, under_way, rules, now)
    begin, waiting = list[Due](), list[Waiting]()
    for one in due:
        obstacle = _obstacle(one, busy, taken, spent)
        if obstacle:
            waiting.append(Waiting(one.machine, obstacle))
        else:
            begin.append(one)
            taken.add(one.machine.shard)
            spent.add(one.plan, one.part, one.machine.drill)
    return Choice(tuple(begin), tuple(waiting))


def _due(machines: Iterable[Machine], rules: Rules, now: datetime) -> Iterable[Due]:
    for machine in machines:
        plan = plan_of(machine, rules, now)
        if plan is None or plan.drill is None or machine.last_point is None:
            continue
        at = due_at(machine, plan.drill)
        if at is None or at - EARLY <= now:
            yield Due(machine, plan, plan.drill, _because(machine))


def due_at(machine: Machine, part: DrillPart) -> datetime | None:
    """When a machine is to be drilled next; None for one that never was, which is due with its first point."""
    if machine.drill is None:
        return None
    return machine.drill.at + (part.every if machine.drill.proven else min(AGAIN, part.every))


def _because(machine: Machine) -> str:
    if machine.drill is None:
        return "no restore of it was ever tried"
    if not machine.drill.proven:
        return f"its drill of {_day(machine.drill.at)} failed"
    return f"its last verified restore is of {_day(machine.drill.at)}"


def _tried_at(machine: Machine) -> datetime:
    """One that failed counts as tried: it is not to keep all others from their turn."""
    return machine.drill.at if machine.drill else NEVER


@dataclass(slots=True)
class _Spent:
    """What drills of each plan were begun within a day, and what they are reckoned to have cost."""

    drills: Counter[str]
    money: dict[str, float]

    def add(self, plan: Plan, part: DrillPart, drill: Drill | None) -> None:
        self.drills[plan.name] += 1
        self.money[plan.name] = self.money.get(plan.name, 0.0) + reckoned(part, drill)


def _spent(machines: Sequence[Machine], under_way: Sequence[Request], rules: Rules, now: datetime) -> _Spent:
    spent, drilled = _Spent(Counter(), {}), {one.uid: one.id for one in under_way if one.asked is Asked.DRILL}
    for machine in machines:
        recent = machine.drill is not None and machine.drill.started_at > now - A_DAY + EARLY
        plan = plan_of(machine, rules, now) if recent or machine.uid in drilled else None
        if plan is None or plan.drill is None:
            continue
        open_now, judged = drilled.get(machine.uid), machine.drill.request if machine.drill else None
        for begun in (recent, open_now is not None and open_now != judged):
            if begun:
                spent.add(plan, plan.drill, machine.drill)
    return spent


def reckoned(part: DrillPart, drill: Drill | None) -> float:
    """What a drill of a machine costs by its plan: every hour begun of its last one; one hour where there was none."""
    hours = math.ceil(drill.took_seconds / 3600) if drill else 1
    return part.hourly_cost * max(1, hours)


def request_id(machine: Machine, turn: int) -> str:
    """The id of a machine's next drill: timers that fire twice ask for the same one. Others follow where it is over."""
    last = machine.drill.request if machine.drill else ""
    return "drill-" + hashlib.sha256(f"{machine.uid}|{last}|{turn}".encode()).hexdigest()[:32]


def _obstacle(due: Due, busy: set[VmUid], taken: set[Shard], spent: _Spent) -> str:
    plan, part = due.plan.name, due.part
    if due.machine.uid in busy:
        return "it is being restored, or drilled"
    if spent.drills[plan] >= part.per_day:
        return f"{spent.drills[plan]} of plan {plan} were drilled within a day, which is all it allows"
    cost, money = reckoned(part, due.machine.drill), spent.money.get(plan, 0.0)
    if part.cost_per_day and money + cost > part.cost_per_day:
        return f"a drill is reckoned at {cost:g}, and {part.cost_per_day - money:g} of plan {plan} are left for the day"
    return "another machine of its region is being drilled" if due.machine.shard in taken else ""


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"
