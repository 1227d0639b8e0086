"""How it stands with drills: when a restore of each machine was last proven, what it took, and which is tried next.

Called by the command line and the API. It reads the ledger and the open requests, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.decide.drilling import Choice, choose, due_at
from shared.decide.proofs import problems_of
from shared.decide.protection import plan_of
from shared.flows.show import Json, drill, instant
from shared.flows.standing import Standing
from shared.model.identity import VmUid
from shared.model.machine import Machine
from shared.model.plan import Plan
from shared.model.request import Asked, Request
from shared.model.rules import Rules
from shared.ports import World


def drills(world: World, rules: Rules, standing: Standing) -> Json:
    """Every machine whose plan has drills, or that was ever drilled."""
    unsettled = world.requests.unsettled()
    chosen = choose(standing.machines, unsettled, rules, standing.as_of)
    under_way = {one.uid: one for one in unsettled if one.asked is Asked.DRILL}
    found = []
    for machine in standing.machines:
        plan = plan_of(machine, rules, standing.as_of)
        if (plan and plan.drill) or machine.drill or machine.uid in under_way:
            found.append(_machine(machine, plan, standing, _next(machine, plan, chosen, under_way)))
    held_up = any(_held_up(asked) for asked in under_way.values())
    well = not held_up and not any(one["problems"] for one in found)
    return {"as_of": instant(standing.as_of), "all_is_well": well, "machines": found}


def _machine(machine: Machine, plan: Plan | None, standing: Standing, told: str) -> Json:
    proof = machine.proof
    age = standing.as_of - proof.at if proof else None
    next_at = due_at(machine, plan.drill) if plan and plan.drill else None
    return {
        "vm": machine.name,
        "id": str(machine.id),
        "plan": machine.plan or None,
        "last_verified": instant(machine.last_verified),
        "age_seconds": int(age.total_seconds()) if age else None,
        "rto_seconds": proof.took_seconds if proof else None,
        "rpo_seconds": proof.lost_seconds if proof else None,
        "drill": drill(machine.drill),
        "next_drill": instant(next_at),
        "because": told,
        "problems": list(problems_of(machine, plan, standing.as_of)) if plan else [],
    }


def _next(machine: Machine, plan: Plan | None, chosen: Choice, under_way: Mapping[VmUid, Request]) -> str:
    """What comes next for a machine, in words."""
    if machine.uid in under_way:
        return f"it is being drilled: {under_way[machine.uid].id}{_held_up(under_way[machine.uid])}"
    if plan is None or plan.drill is None:
        return "no plan has it drilled"
    if machine.last_point is None:
        return "it has no complete point yet"
    said = _said(machine, chosen)
    return said[0] if said else "it is not due"


def _held_up(asked: Request) -> str:
    """What keeps a drill from going on; empty while nothing does."""
    failure = asked.restore.failure if asked.restore else None
    return f"; {failure.code}: {failure.message}" if failure else ""


def _said(machine: Machine, chosen: Choice) -> Sequence[str]:
    due = [f"it is next: {one.because}" for one in chosen.begin if one.machine.uid == machine.uid]
    return due + [f"it waits: {one.because}" for one in chosen.waiting if one.machine.uid == machine.uid]
