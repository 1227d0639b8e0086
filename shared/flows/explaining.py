"""Why a machine stands as it does: the chain of reasons from its tags to its points, for `tagback explain`.

Called by the command line and the API. It reads the ledger and asks the same decisions that the capture asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.decide.departure import Departure, departures
from shared.decide.protection import plan_of, wish_of
from shared.decide.schedule import next_slot
from shared.decide.standing import absence, at_read_time
from shared.decide.tags import OptedIn, Wish
from shared.flows.show import Json, instant
from shared.flows.standing import operations_of
from shared.model.machine import Machine
from shared.model.plan import Keep
from shared.model.point import Point
from shared.model.rules import Rules
from shared.ports import World


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that `explain` says about one machine."""

    machine: Machine
    reasons: tuple[str, ...]
    next_slot: datetime | None
    departures: tuple[Departure, ...]
    problems: tuple[str, ...]


def explanation(world: World, rules: Rules, machine: Machine) -> Explanation:
    """Explain one machine of the ledger as it stands now."""
    now = world.clock.now()
    machine = at_read_time(machine, operations_of(world, machine), rules, now)
    points = tuple(held.row for held in world.ledger.points(machine.shard, machine.uid))
    wish = wish_of(machine, rules, now)
    taken_by = plan_of(machine, rules, now)
    problems = wish.problems if isinstance(wish, OptedIn) else ()
    keep, for_good = (wish.plan.keep, 1) if isinstance(wish, OptedIn) else (Keep(()), 0)
    return Explanation(
        machine=machine,
        reasons=_reasons(wish, machine, points),
        next_slot=next_slot(taken_by.schedule, now) if taken_by else None,
        departures=departures(points, keep, for_good),
        problems=tuple(dict.fromkeys((*machine.problems, *problems))),
    )


def _reasons(wish: Wish, machine: Machine, points: Sequence[Point]) -> tuple[str, ...]:
    reasons = [wish.because]
    if isinstance(wish, OptedIn):
        reasons.append(f"plan {wish.plan.name} takes a point {wish.plan.schedule} and keeps {wish.plan.keep}")
    reasons.append(f"{machine.status}: {machine.because}")
    if missing := absence(machine):
        reasons.append(missing)
    reasons += machine.unsupported
    reasons += [f"{disk.place} is left out: it is {disk.left_out}" for disk in machine.disks if disk.left_out]
    complete = [point for point in points if point.complete]
    if complete:
        reasons.append(f"complete points: {len(complete)}, the newest of {_at(complete[-1].slot)}")
    elif machine.enrolled_at is not None:
        reasons.append("no complete point yet")
    if machine.work_at is not None:
        reasons.append(f"work on it is next due at {_at(machine.work_at)}")
    reasons.append(f"Azure last showed it at {_at(machine.as_of)}")
    return tuple(dict.fromkeys(reasons))


def explain(world: World, rules: Rules, machine: Machine) -> Json:
    """The explanation of one machine as the contract pins it."""
    found = explanation(world, rules, machine)
    return {
        "vm": found.machine.name,
        "id": str(found.machine.id),
        "tags": dict(found.machine.tags),
        "plan": found.machine.plan or None,
        "decision": found.machine.status.value,
        "because": list(found.reasons),
        "next_slot": instant(found.next_slot),
        "deletes_next": [_going(departure) for departure in found.departures],
        "problems": list(found.problems),
    }


def _going(departure: Departure) -> Json:
    return {"slot": instant(departure.point.slot), "at": instant(departure.at), "because": departure.because}


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"
