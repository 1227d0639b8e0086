"""Whether and how a machine is protected, and why: from what a look showed and what the ledger remembers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from shared.decide.proofs import problems_of as proof_problems
from shared.decide.schedule import lateness, next_slot, start_of
from shared.decide.tag_values import held_until
from shared.decide.tags import Asked, Misnamed, Modifiers, OptedIn, OptedOut, Wish, asked, judge
from shared.decide.vault_wish import VAULT_KINDS, awaited, is_made_up_for, want_of
from shared.decide.vault_wish import problems_of as vault_problems
from shared.model.machine import Machine, Status
from shared.model.operation import Kind, Operation, State
from shared.model.plan import Plan
from shared.model.point import Point
from shared.model.rules import Mode, Rules

GRACE = timedelta(days=7)
SETTLING = timedelta(minutes=30)  # a first point may take this long after its window before its absence is a fault


@dataclass(frozen=True, slots=True)
class Standing:
    """A machine's status with its reason and everything that keeps it from being better."""

    status: Status
    because: str
    problems: tuple[str, ...]


def wish_of(machine: Machine, rules: Rules, now: datetime) -> Wish:
    """What the machine's tags ask for; while the grace after a typo runs, the last good plan."""
    return in_grace(tagged_wish(machine, rules), machine, rules, now)


def in_grace(wish: Wish, machine: Machine, rules: Rules, now: datetime) -> Wish:
    """A wish that names no plan, as the wish for the last good one while the grace after a typo runs."""
    if not isinstance(wish, Misnamed):
        return wish
    last_good = rules.plans.by_name.get(machine.plan)
    ends = (machine.grace_from or now) + GRACE
    if last_good and now < ends:
        kept = Modifiers(asked_of(machine, rules), rules.prefix).applied(
            last_good, f"its last good plan {last_good.name} is kept until {_at(ends)}"
        )
        return replace(kept, problems=(wish.because, *kept.problems))
    return wish


def asked_of(machine: Machine, rules: Rules) -> Asked:
    """The opt-in tags that count for a machine, its resource group's included where they are inherited."""
    return asked(machine.tags, machine.group, machine.scale_set, rules)


def hold_of(machine: Machine, rules: Rules) -> datetime | None:
    """Until when the machine's tags hold everything of it; None without a hold, for ever when it cannot be read."""
    return held_until(asked_of(machine, rules).tags, rules.prefix)


def tagged_wish(machine: Machine, rules: Rules) -> Wish:
    """What the tags ask for as they stand, without any grace."""
    return judge(asked_of(machine, rules), rules, machine.shard.subscription)


def plan_of(machine: Machine, rules: Rules, now: datetime) -> Plan | None:
    """The plan by which captures of this machine are taken now; None when none are."""
    return plan_by(wish_of(machine, rules, now), machine, rules)


def plan_by(wish: Wish, machine: Machine, rules: Rules) -> Plan | None:
    """The plan of a wish where it may be acted upon.

    A machine all of whose disks are left out keeps its slots: each is skipped with that reason, and is the occasion to
    notice that a disk is no longer left out.
    """
    acting = rules.subscriptions.get(machine.shard.subscription) is Mode.ENFORCE
    alive = machine.status is not Status.GONE and machine.absent_since is None
    return wish.plan if isinstance(wish, OptedIn) and acting and machine.disks and alive else None


def standing(machine: Machine, operations: Iterable[Operation], rules: Rules, now: datetime) -> Standing:
    """The machine's status at `now`, from its row and its operations."""
    return _standing(machine, wish_of(machine, rules, now), operations, rules, now)


def _standing(machine: Machine, wish: Wish, operations: Iterable[Operation], rules: Rules, now: datetime) -> Standing:
    if machine.status is Status.GONE:
        return Standing(Status.GONE, f"no VM of this vmId exists since {_at(machine.absent_since)}", ())
    match wish:
        case OptedOut():
            return Standing(Status.EXCLUDED, wish.because, wish.problems)
        case Misnamed():
            return Standing(Status.UNPROTECTED, wish.because, wish.problems)
        case OptedIn():
            return _opted_in(machine, wish, [*operations], rules, now)
        case _:  # pragma: no cover - mypy shows that nothing is left
            assert_never(wish)


def _opted_in(machine: Machine, wish: OptedIn, operations: list[Operation], rules: Rules, now: datetime) -> Standing:
    obstacle = _obstacle(machine, rules)
    if obstacle:
        return Standing(Status.UNPROTECTED, obstacle, (obstacle, *wish.problems))
    troubles = [_trouble(one) for one in operations if _troubles(one, machine)]
    wrong = (*vault_problems(machine, wish.plan, now), *proof_problems(machine, wish.plan, now))
    problems = (*wish.problems, *machine.unsupported, *troubles, *wrong)
    if machine.last_point is None:
        return _without_point(machine, wish.plan, problems, troubles, now)
    behind = lateness(wish.plan.schedule, machine.last_point)
    if now > behind.since:
        newest = f"its newest complete point is of {_at(machine.last_point)}"
        late = f"{newest}, and that of {_at(behind.missing)} is overdue"
        return Standing(Status.DEGRADED, late, (late, *problems))
    if problems:
        return Standing(Status.DEGRADED, problems[0], problems)
    return Standing(Status.PROTECTED, f"{wish.because}; newest complete point of {_at(machine.last_point)}", ())


def _obstacle(machine: Machine, rules: Rules) -> str:
    """What keeps a machine that asks for protection from having any."""
    mode = rules.subscriptions.get(machine.shard.subscription)
    if mode is None:
        return "its subscription is not among TAGBACK_SUBSCRIPTIONS"
    if mode is Mode.OBSERVE:
        return f"its subscription is only observed; plan {machine.plan} would be enforced"
    if any(not disk.left_out for disk in machine.disks):
        return ""
    reasons = [*machine.unsupported, *(f"{disk.place} {disk.left_out}" for disk in machine.disks)]
    return "none of its disks can be captured: " + ("; ".join(reasons) or "it has none")


def _without_point(
    machine: Machine, plan: Plan, problems: tuple[str, ...], troubles: list[str], now: datetime
) -> Standing:
    if troubles:
        return Standing(Status.UNPROTECTED, troubles[0], problems)
    enrolled = machine.enrolled_at or now
    deadline = next_slot(plan.schedule, enrolled) + plan.schedule.window + SETTLING
    if now <= deadline:
        return Standing(Status.PENDING, f"its first point is due by {_at(deadline)}", problems)
    late = f"no point was completed by {_at(deadline)}"
    return Standing(Status.UNPROTECTED, late, (late, *problems))


def _troubles(operation: Operation, machine: Machine) -> bool:
    ended_badly = operation.state in (State.GAVE_UP, State.NEEDS_PERSON)
    puzzling = operation.state.open and operation.failure is not None and not operation.failure.known
    if operation.kind is Kind.EMPTY:
        return False
    return (ended_badly or puzzling) and not _is_overcome(operation, machine)


def _is_overcome(operation: Operation, machine: Machine) -> bool:
    if operation.kind in VAULT_KINDS:
        return is_made_up_for(operation, machine.protection)
    return machine.last_point is not None and machine.last_point >= operation.slot


def _trouble(operation: Operation) -> str:
    failure = operation.failure
    said = f"{failure.code}: {failure.message}; {failure.remedy}".strip("; ") if failure else operation.because
    what = "the point" if operation.kind is Kind.CAPTURE else f"Azure Backup: {operation.kind}"
    return f"{what} of {_at(operation.slot)} is {operation.state}: {said}"


def settled_row(machine: Machine, operations: Iterable[Operation], rules: Rules, now: datetime) -> Machine:
    """The row with everything that follows from it: status, reason, problems, and when a drainer is next wanted."""
    at_hand = [*operations]
    wish = wish_of(machine, rules, now)
    protection = awaited(machine, want_of(machine, wish, rules), now)
    if protection is not machine.protection:
        machine = replace(machine, protection=protection)
    verdict = _standing(machine, wish, at_hand, rules, now)
    looks = [one.next_look for one in at_hand if one.state.open and one.next_look]
    looks += [protection.next_look] if protection and protection.next_look else []
    return replace(
        machine,
        status=verdict.status,
        because=verdict.because,
        problems=verdict.problems,
        next_due=_next_due(machine, plan_by(wish, machine, rules)),
        next_look=min(looks, default=None),
    )


def newest_point(machine: Machine, points: Iterable[Point], rules: Rules, now: datetime) -> datetime | None:
    """The slot of the newest complete point by which a machine is measured: a vault's where its plan takes no other."""
    plan = plan_of(machine, rules, now)
    by_vault = plan is not None and not plan.takes_snapshots
    slots = [one.slot for one in points if one.complete and (by_vault or one.is_ours)]
    return max([*slots, *([machine.last_point] if machine.last_point else [])], default=None)


def is_wanted_otherwise(machine: Machine, rules: Rules, now: datetime) -> bool:
    """Whether something else is asked of Azure Backup than when its vault was last taken up."""
    wish = wish_of(machine, rules, now)
    if machine.protection is None and not (isinstance(wish, OptedIn) and wish.plan.vault):
        return False
    return awaited(machine, want_of(machine, wish, rules), now) != machine.protection


def next_due(machine: Machine, rules: Rules, now: datetime) -> datetime | None:
    """When the machine's next slot starts; None when no plan takes it."""
    return _next_due(machine, plan_of(machine, rules, now))


def _next_due(machine: Machine, plan: Plan | None) -> datetime | None:
    if plan is None or machine.settled is None or not plan.takes_snapshots:
        return None
    return start_of(next_slot(plan.schedule, machine.settled), plan.schedule, machine.uid)


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z" if moment else "an unknown time"
