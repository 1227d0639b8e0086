"""Whether and how a machine is protected, and why: from what a look showed and what the ledger remembers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from shared.decide.schedule import interval, next_slot, owed, start_of
from shared.decide.tags import Misnamed, OptedIn, OptedOut, Wish, judge, modified, relevant
from shared.model.machine import Disk, Machine, Sighting, Status
from shared.model.operation import Operation, State
from shared.model.plan import Plan
from shared.model.rules import Mode, Rules

GRACE = timedelta(days=7)
ABSENT_TWICE = timedelta(minutes=10)
SETTLING = timedelta(minutes=30)  # a first point may take this long after its window before its absence is a fault


@dataclass(frozen=True, slots=True)
class Standing:
    """A machine's status with its reason and everything that keeps it from being better."""

    status: Status
    because: str
    problems: tuple[str, ...]


def wish_of(machine: Machine, rules: Rules, now: datetime) -> Wish:
    """What the machine's tags ask for; while the grace after a typo runs, the last good plan."""
    wish = judge(machine.tags, rules.prefix, rules.plans, machine.shard.subscription)
    last_good = rules.plans.by_name.get(machine.plan)
    in_grace = machine.grace_from is not None and now < machine.grace_from + GRACE
    if isinstance(wish, Misnamed) and last_good and in_grace:
        kept = modified(last_good, machine.tags, rules.prefix, f"plan {last_good.name} is kept for {GRACE.days} days")
        return replace(kept, problems=(wish.because, *kept.problems))
    return wish


def plan_of(machine: Machine, rules: Rules, now: datetime) -> Plan | None:
    """The plan by which captures of this machine are taken now; None when none are.

    A machine all of whose disks are left out keeps its slots: each is skipped with that reason, and is the occasion to
    notice that a disk is no longer left out.
    """
    wish = wish_of(machine, rules, now)
    acting = rules.subscriptions.get(machine.shard.subscription) is Mode.ENFORCE
    alive = machine.status is not Status.GONE and machine.absent_since is None
    return wish.plan if isinstance(wish, OptedIn) and acting and machine.disks and alive else None


def registered(before: Machine | None, sighting: Sighting, rules: Rules, now: datetime) -> Machine:
    """The machine's row after a GET showed it. Status and next_due follow from it (`settled_row`)."""
    blank = Machine(
        uid=sighting.uid,
        id=sighting.id,
        name=sighting.name,
        shard=sighting.shard,
        tags={},
        disks=(),
        unsupported=(),
        plan="",
        status=Status.EXCLUDED,
        because="",
        problems=(),
        as_of=sighting.as_of,
    )
    seen = replace(
        before or blank,
        id=sighting.id,
        name=sighting.name,
        tags=relevant(sighting.tags, rules.prefix),
        disks=_with_known_identity(sighting.disks, before.disks if before else ()),
        unsupported=sighting.unsupported,
        as_of=sighting.as_of,
        absent_since=None,
        status=Status.PENDING,
    )
    return _enrolled(before, seen, rules, now)


def _with_known_identity(disks: tuple[Disk, ...], known: tuple[Disk, ...]) -> tuple[Disk, ...]:
    """The attached disks, with what an earlier examination of the same ids found."""
    by_id = {disk.id: disk for disk in known}
    return tuple(disk if disk.uid else replace(by_id.get(disk.id, disk), lun=disk.lun) for disk in disks)


def _enrolled(before: Machine | None, seen: Machine, rules: Rules, now: datetime) -> Machine:
    """Enrolment begins when a wish appears and ends when it goes; a slot that is already owed stays owed."""
    named = judge(seen.tags, rules.prefix, rules.plans, seen.shard.subscription)
    match named:
        case OptedOut():
            left = now if before and _asks(before, rules) else seen.left_at
            return replace(seen, plan="", enrolled_at=None, settled=None, grace_from=None, left_at=left)
        case Misnamed():
            seen = replace(seen, grace_from=seen.grace_from or now)
        case OptedIn():
            seen = replace(seen, plan=named.plan.name, grace_from=None)
        case _:
            assert_never(named)
    seen = replace(seen, left_at=None)
    plan = plan_of(seen, rules, now)
    if plan is None:
        return replace(seen, enrolled_at=None, settled=None)
    if seen.enrolled_at is None or seen.settled is None:
        return replace(seen, enrolled_at=now, settled=now)
    former = plan_of(before, rules, now) if before else None
    moved = former is not None and former.schedule != plan.schedule
    if moved and former is not None and owed(former.schedule, seen.settled, now) is None:
        return replace(seen, settled=max(seen.settled, now))
    return seen


def _asks(machine: Machine, rules: Rules) -> bool:
    wish = judge(machine.tags, rules.prefix, rules.plans, machine.shard.subscription)
    return machine.status is not Status.GONE and not isinstance(wish, OptedOut)


def missed(machine: Machine, now: datetime) -> Machine:
    """The row after a GET found nothing of this machine. That alone changes no status."""
    return replace(machine, absent_since=machine.absent_since or now)


def may_be_gone(machine: Machine, now: datetime) -> bool:
    """Whether a second 404, long enough after the first, would say that the machine is gone."""
    return machine.absent_since is not None and now - machine.absent_since >= ABSENT_TWICE


def gone(machine: Machine) -> Machine:
    """The row of a machine that no longer exists. What was captured of it stays."""
    left = machine.left_at or machine.absent_since
    return replace(machine, status=Status.GONE, enrolled_at=None, settled=None, left_at=left)


def standing(machine: Machine, operations: Iterable[Operation], rules: Rules, now: datetime) -> Standing:
    """The machine's status at `now`, from its row and its operations."""
    if machine.status is Status.GONE:
        return Standing(Status.GONE, f"no machine of this id exists since {_at(machine.absent_since)}", ())
    wish = wish_of(machine, rules, now)
    match wish:
        case OptedOut():
            return Standing(Status.EXCLUDED, wish.because, ())
        case Misnamed():
            return Standing(Status.UNPROTECTED, wish.because, (wish.because,))
        case OptedIn():
            return _opted_in(machine, wish, [*operations], rules, now)
        case _:
            assert_never(wish)


def _opted_in(machine: Machine, wish: OptedIn, operations: list[Operation], rules: Rules, now: datetime) -> Standing:
    obstacle = _obstacle(machine, rules)
    if obstacle:
        return Standing(Status.UNPROTECTED, obstacle, (obstacle, *wish.problems))
    troubles = [_trouble(one) for one in operations if _troubles(one, machine)]
    problems = (*wish.problems, *machine.unsupported, *troubles)
    if machine.last_point is None:
        return _without_point(machine, wish.plan, problems, troubles, now)
    stale_after = interval(wish.plan.schedule) * 1.5 + wish.plan.schedule.window
    if now - machine.last_point > stale_after:
        late = f"its newest complete point is of {_at(machine.last_point)}, older than one and a half intervals"
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
    return ended_badly and (machine.last_point is None or operation.slot > machine.last_point)


def _trouble(operation: Operation) -> str:
    failure = operation.failure
    said = f"{failure.code}: {failure.message}; {failure.remedy}".strip("; ") if failure else operation.because
    return f"the point of {_at(operation.slot)} is {operation.state}: {said}"


def settled_row(machine: Machine, operations: Iterable[Operation], rules: Rules, now: datetime) -> Machine:
    """The row with everything that follows from it: status, reason, problems, and when a drainer is next wanted."""
    at_hand = [*operations]
    verdict = standing(machine, at_hand, rules, now)
    plan = plan_of(machine, rules, now)
    due = None
    if plan and machine.settled:
        due = start_of(next_slot(plan.schedule, machine.settled), plan.schedule, machine.uid)
    looks = [one.next_look for one in at_hand if one.state.open and one.next_look]
    return replace(
        machine,
        status=verdict.status,
        because=verdict.because,
        problems=verdict.problems,
        next_due=due,
        next_look=min(looks, default=None),
    )


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z" if moment else "an unknown time"
