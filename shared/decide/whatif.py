"""What would become of one machine if its tags, its plans or their mode were others: the same decisions, not acted on.

Called by flows/whatif.py for every machine of the fleet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from shared.decide.departure import forecast
from shared.decide.enrolment import carried_on, rejudged
from shared.decide.protection import hold_of, plan_of, settled_row
from shared.decide.removal import owner_of
from shared.decide.schedule import slots
from shared.decide.standing import NEEDS_ATTENTION
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.plan import Plan, Schedule
from shared.model.point import Point
from shared.model.rules import Rules

COUNTED = timedelta(days=28)  # long enough for whole weeks, so that a day is an ordinary one


class Effect(StrEnum):
    """What a change means for a machine."""

    GAINS = "gains"
    LOSES = "loses"
    CHANGES = "changes"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Side:
    """A machine on one side of the change, under its rules; `plan` takes its points now, None where none does."""

    machine: Machine
    operations: tuple[Operation, ...]
    plan: Plan | None
    rules: Rules


@dataclass(frozen=True, slots=True)
class Prospect:
    """A machine before and after."""

    before: Side
    after: Side
    effect: Effect
    because: tuple[str, ...]

    @property
    def harms(self) -> bool:
        """Whether the machine loses protection, or stands in need of attention where it did not."""
        worse = self.after.machine.status in NEEDS_ATTENTION and self.before.machine.status not in NEEDS_ATTENTION
        return self.effect is Effect.LOSES or worse

    def keeps_otherwise(self, now: datetime) -> bool:
        """Whether points may go at other times than before, even where nothing else changes."""
        owners = [owner_of(side.machine, side.rules, now) for side in (self.before, self.after)]
        holds = [hold_of(side.machine, side.rules) for side in (self.before, self.after)]
        return owners[0] != owners[1] or holds[0] != holds[1]


@dataclass(frozen=True, slots=True)
class Death:
    """A point that goes earlier than it would have: at `at`, not at `otherwise` (None: not at all)."""

    point: Point
    at: datetime
    otherwise: datetime | None
    because: str


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls to Azure on an ordinary day: one write for each part of each point, and one delete when it has aged."""

    writes: float
    deletes: float

    def __add__(self, other: Calls) -> Calls:
        return Calls(self.writes + other.writes, self.deletes + other.deletes)


def prospect(before: Side, tags: Mapping[str, str], rules: Rules, now: datetime) -> Prospect:
    """The machine under other tags and rules, as the next look at it would write it."""
    judged = rejudged(before.machine, tags, rules, now)
    operations = carried_on(judged, before.operations, rules, now)
    after = side(judged, operations, rules, now)
    effect = _effect(before, after)
    return Prospect(before, after, effect, _reasons(before, after, effect))


def side(machine: Machine, operations: Iterable[Operation], rules: Rules, now: datetime) -> Side:
    """A machine as its row would say if it were written now: what time alone does to it is no effect of a change.

    One that is not enrolled is not captured, whatever its tags ask for meanwhile.
    """
    known = tuple(operations)
    row = settled_row(machine, known, rules, now)
    return Side(row, known, plan_of(row, rules, now) if row.enrolled_at else None, rules)


def _effect(before: Side, after: Side) -> Effect:
    if before.plan is None and after.plan is not None:
        return Effect.GAINS
    if before.plan is not None and after.plan is None:
        return Effect.LOSES
    return Effect.SAME if _said(before) == _said(after) else Effect.CHANGES


def _said(of: Side) -> tuple[object, ...]:
    return (of.plan, of.machine.status, of.machine.because, of.machine.problems)


def _reasons(before: Side, after: Side, effect: Effect) -> tuple[str, ...]:
    if effect is Effect.SAME:
        return ()
    reasons = [after.machine.because]
    if before.plan and after.plan:
        reasons = [*_differences(before.plan, after.plan), *reasons]
    elif after.plan:
        reasons.append(f"plan {after.plan.name} takes a point {after.plan.schedule} and keeps {after.plan.keep}")
    if len(after.operations) > len(before.operations):
        reasons.append("its first point is taken at once")
    return tuple(dict.fromkeys(reasons))


def _differences(before: Plan, after: Plan) -> list[str]:
    """What of a plan changes, in the plans file's own words."""
    parts = (
        ("plan", before.name, after.name),
        ("points", str(before.schedule), str(after.schedule)),
        ("window", f"{before.schedule.window}", f"{after.schedule.window}"),
        ("keep", str(before.keep), str(after.keep)),
        ("keep_floor", f"{before.keep_floor}", f"{after.keep_floor}"),
        ("engines", _engines(before), _engines(after)),
    )
    told = [f"{name}: {old} becomes {new}" for name, old, new in parts if old != new]
    both = before.vault and after.vault and before.vault != after.vault
    return [*told, "vault: its policy becomes another one"] if both else told


def _engines(plan: Plan) -> str:
    return " and ".join(["snapshots"] * plan.takes_snapshots + ["vault"] * (plan.vault is not None))


def deaths(found: Prospect, points: Sequence[Point], now: datetime) -> tuple[Death, ...]:
    """The points that the change lets go earlier, first to go first."""
    before, after = (forecast(side.machine, points, side.rules, now) for side in (found.before, found.after))
    otherwise = {_key(one.point): one.at for one in before.going}
    dying = []
    for going in after.going:
        until = otherwise.get(_key(going.point))
        if until is None or going.at < until:
            dying.append(Death(going.point, going.at, until, going.because))
    return tuple(dying)


def _key(point: Point) -> tuple[datetime, str]:
    return (point.slot, point.engine)


def calls(of: Side, now: datetime) -> Calls:
    """What a machine costs in calls on an ordinary day. Of a vault nothing is asked then: it backs up by itself."""
    parts = sum(not disk.left_out for disk in of.machine.disks)
    made = parts * per_day(of.plan.schedule, now) if of.plan and of.plan.takes_snapshots else 0.0
    return Calls(made, made)


@lru_cache(maxsize=256)
def per_day(schedule: Schedule, now: datetime) -> float:
    """How many slots an ordinary day has."""
    return sum(1 for _ in slots(schedule, now, now + COUNTED)) / COUNTED.days
