"""Why a machine stands as it does: the chain of reasons from its tags to its points, for `tagback explain`.

Called by the command line and the API. It reads the ledger and asks the same decisions that the capture asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.decide.brakes import said
from shared.decide.consistency import of_snapshots
from shared.decide.departure import Departure, Forecast, forecast
from shared.decide.durations import parse_keep
from shared.decide.proofs import reasons_of
from shared.decide.protection import asked_of, hold_of, plan_of, wish_of
from shared.decide.recovery import NEWEST, Chosen, choose
from shared.decide.schedule import next_slot
from shared.decide.standing import absence, at_read_time
from shared.decide.tag_values import FOREVER
from shared.decide.tags import OptedIn, Wish
from shared.decide.vault_reasons import backup_reasons
from shared.flows import pausing
from shared.flows.show import Json, instant
from shared.flows.standing import operations_of
from shared.model.machine import Machine
from shared.model.plan import Plan
from shared.model.point import Engine, Point
from shared.model.rules import Rules
from shared.model.span import told
from shared.ports import World


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that `explain` says about one machine."""

    machine: Machine
    reasons: tuple[str, ...]
    next_slot: datetime | None
    forecast: Forecast
    problems: tuple[str, ...]


def explanation(world: World, rules: Rules, machine: Machine) -> Explanation:
    """Explain one machine of the ledger as it stands now."""
    now = world.clock.now()
    machine = at_read_time(machine, operations_of(world, machine), rules, now)
    points = tuple(held.row for held in world.ledger.points(machine.shard, machine.uid))
    wish, plan = wish_of(machine, rules, now), plan_of(machine, rules, now)
    slot = next_slot(plan.schedule, now) if plan else None
    foreseen = forecast(machine, points, rules, now)
    chain = [
        *_tags_and_plan(wish),
        *_idle_keep(machine, wish, rules),
        *_hold(machine, rules, now),
        f"{machine.status}: {machine.because}",
        *_brakes(world, machine),
        *_disks(machine, plan, points),
        *_schedule(machine, plan, slot),
        *backup_reasons(machine, plan),
        *reasons_of(machine, plan),
        *_retention(machine, points, now),
        *([machine.frozen] if machine.frozen else []),
        *_deletion(foreseen),
        f"Azure last showed it at {_at(machine.as_of)}",
    ]
    return Explanation(
        machine=machine,
        reasons=tuple(dict.fromkeys(chain)),
        next_slot=slot,
        forecast=foreseen,
        problems=tuple(dict.fromkeys((*machine.problems, *wish.problems))),
    )


def _tags_and_plan(wish: Wish) -> list[str]:
    if not isinstance(wish, OptedIn):
        return [wish.because]
    together = [f"it belongs together with the machines of group {wish.group}"] if wish.group else []
    takes = f"plan {wish.plan.name} takes a point {wish.plan.schedule} and keeps {wish.plan.keep}"
    if not wish.plan.takes_snapshots:
        takes = f"plan {wish.plan.name} has Azure Backup take its points, and no snapshots"
    return [wish.because, takes, *together]


def _idle_keep(machine: Machine, wish: Wish, rules: Rules) -> list[str]:
    """That a tag which was to change the keep changes nothing: it can only lengthen."""
    given = asked_of(machine, rules).tags.get(f"{rules.prefix}-keep")
    if given is None or parse_keep(given) is None or not isinstance(wish, OptedIn):
        return []
    plan = rules.plans.by_name[wish.plan.name]
    longer = wish.plan.keep != plan.keep or not plan.takes_snapshots
    return (
        [] if longer else [f"its tag {rules.prefix}-keep = {given!r} keeps nothing longer than the plan, nor shorter"]
    )


def _hold(machine: Machine, rules: Rules, now: datetime) -> list[str]:
    until = hold_of(machine, rules)
    if until is None or until <= now:
        return []
    return ["its tags hold everything of it " + ("for ever" if until == FOREVER else f"until {_at(until)}")]


def _brakes(world: World, machine: Machine) -> list[str]:
    """What people, or the mass brake, have stopped of what concerns it."""
    return [said(brake) for brake in pausing.standing(world) if brake.scope in ("", machine.shard.subscription)]


def _disks(machine: Machine, plan: Plan | None, points: Sequence[Point]) -> list[str]:
    """What is and is not in a point, and what a point promises about it."""
    out = [f"{disk.place} is left out: it is {disk.left_out}" for disk in machine.disks if disk.left_out]
    missing = [absence(machine)] if absence(machine) else []
    if machine.enrolled_at is None or len(out) == len(machine.disks):
        return [*missing, *machine.unsupported, *out]
    if plan and plan.engine is Engine.RESTORE_POINT:
        return [*missing, *machine.unsupported, *out, _together(points)]
    promise, because = of_snapshots(machine)
    return [*missing, *machine.unsupported, *out, f"its points are {promise}: {because}"]


def _together(points: Sequence[Point]) -> str:
    """What became of the wish to take all disks at one instant, as the newest complete point of it says."""
    taken = [point for point in points if point.complete and point.engine is Engine.RESTORE_POINT]
    if not taken:
        return "its disks are to be taken at one instant, as far as Azure takes them so"
    newest = max(taken, key=lambda point: point.slot)
    whole = any(part.is_restore_point for part in newest.live_parts)
    how = "by a restore point" if whole else "by snapshots, as no restore point of it could be taken then"
    return f"its newest point is {newest.consistency}, {how}"


def _schedule(machine: Machine, plan: Plan | None, slot: datetime | None) -> list[str]:
    told_now = []
    if plan and slot and plan.schedule.window > timedelta(0):
        told_now.append(f"its next slot is {_at(slot)}; starts are spread over {told(plan.schedule.window)} after it")
    if machine.work_at is not None:
        told_now.append(f"work on it is next due at {_at(machine.work_at)}")
    return told_now


def _retention(machine: Machine, points: Sequence[Point], now: datetime) -> list[str]:
    complete = [point for point in points if point.complete]
    if not complete:
        return ["no complete point yet"] if machine.enrolled_at is not None else []
    newest = complete[-1]
    reasons = [
        f"complete points: {len(complete)}, the newest of {_at(newest.slot)}",
        f"the newest is kept until {_at(newest.keep_until)}: {newest.because}",
    ]
    match choose(points, NEWEST, now):
        case Chosen(point=point, lost=lost):
            reasons.append(f"a restore now would use the point of {_at(point.slot)} and lose {told(lost)}")
    return reasons


def _deletion(foreseen: Forecast) -> list[str]:
    if foreseen.going:
        first = foreseen.going[0]
        return [f"the next to go is the point of {_at(first.point.slot)}, not before {_at(first.at)}: {first.because}"]
    return [f"the point of {_at(one.point.slot)} stays: {one.because}" for one in foreseen.staying[:1]]


def explain(world: World, rules: Rules, machine: Machine) -> Json:
    """The explanation of one machine as the contract pins it."""
    found = explanation(world, rules, machine)
    return {
        "vm": found.machine.name,
        "id": str(found.machine.id),
        "tags": dict(asked_of(found.machine, rules).tags),
        "plan": found.machine.plan or None,
        "decision": found.machine.status.value,
        "because": list(found.reasons),
        "next_slot": instant(found.next_slot),
        "deletes_next": [_going(departure) for departure in found.forecast.going],
        "problems": list(found.problems),
    }


def _going(departure: Departure) -> Json:
    return {"slot": instant(departure.point.slot), "at": instant(departure.at), "because": departure.because}


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"
