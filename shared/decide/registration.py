"""What a machine's row becomes after a GET: registered, missed once, or gone.

Called by flows/registering.py, by enrolment.py for a look in thought, and by questions.py. Status and dates follow from
the row (`protection.settled_row`); what was captured of a machine stays whatever becomes of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from shared.decide.protection import in_grace, plan_by, plan_of, tagged_wish
from shared.decide.schedule import owed
from shared.decide.tag_values import remembered
from shared.decide.tags import Misnamed, OptedIn, OptedOut, seen_group
from shared.model.machine import Disk, GroupSeen, Machine, Remembered, Sighting, Status
from shared.model.rules import Rules

ABSENT_TWICE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The fields of a machine's row that its judgement sets: its plan, since when it is owed slots, when it left."""

    plan: str
    enrolled_at: datetime | None
    settled: datetime | None
    grace_from: datetime | None
    left_at: datetime | None

    @classmethod
    def of(cls, machine: Machine) -> Enrolment:
        return cls(machine.plan, machine.enrolled_at, machine.settled, machine.grace_from, machine.left_at)


def registered(before: Machine | None, sighting: Sighting, rules: Rules, now: datetime) -> Machine:
    """The machine's row after a GET showed it. Status and next_due follow from it (`settled_row`)."""
    seen = replace(
        before or _blank(sighting),
        id=sighting.id,
        name=sighting.name,
        tags=remembered(sighting.tags, rules.prefix),
        group=group_of(before, sighting.group, rules),
        scale_set=sighting.scale_set,
        disks=_with_known_identity(sighting.disks, before.disks if before else ()),
        unsupported=sighting.unsupported,
        as_of=sighting.as_of,
        absent_since=None,
        status=Status.PENDING,
    )
    judged = enrolment(before, seen, rules, now)
    return replace(
        seen,
        plan=judged.plan,
        enrolled_at=judged.enrolled_at,
        settled=judged.settled,
        grace_from=judged.grace_from,
        left_at=judged.left_at,
    )


def _blank(sighting: Sighting) -> Machine:
    return Machine(
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


def group_of(before: Machine | None, seen: GroupSeen | None, rules: Rules) -> GroupSeen | None:
    """The resource group as it was last seen: one that cannot be seen for once takes no machine its plan."""
    if not rules.inherit_group_tags:
        return None
    return seen_group(seen, rules.prefix) or (before.group if before else None)


def _with_known_identity(disks: tuple[Disk, ...], known: tuple[Disk, ...]) -> tuple[Disk, ...]:
    """The attached disks, with what an earlier examination of the same ids found."""
    by_id = {disk.id: disk for disk in known}
    return tuple(disk if disk.uid else replace(by_id.get(disk.id, disk), lun=disk.lun) for disk in disks)


def enrolment(before: Machine | None, seen: Machine, rules: Rules, now: datetime) -> Enrolment:
    """Enrolment begins when a wish appears and ends when it goes; a slot that is already owed stays owed."""
    wish, name, grace_from = tagged_wish(seen, rules), seen.plan, None
    match wish:
        case OptedOut():
            left = now if before and _asks(before, rules) else seen.left_at
            return Enrolment("", None, None, None, left)
        case Misnamed():
            grace_from = seen.grace_from or now
        case OptedIn():
            name = wish.plan.name
        case _:  # pragma: no cover - mypy shows that nothing is left
            assert_never(wish)
    plan = plan_by(in_grace(wish, seen, rules, now), seen, rules)
    if plan is None:
        return Enrolment(name, None, None, grace_from, None)
    if seen.enrolled_at is None or seen.settled is None:
        return Enrolment(name, now, now, grace_from, None)
    former = plan_of(before, rules, now) if before else None
    moved = former is not None and former.schedule != plan.schedule
    nothing_owed = moved and former is not None and owed(former.schedule, seen.settled, now) is None
    settled = max(seen.settled, now) if nothing_owed else seen.settled
    return Enrolment(name, seen.enrolled_at, settled, grace_from, None)


def _asks(machine: Machine, rules: Rules) -> bool:
    wish = tagged_wish(machine, rules)
    return machine.status is not Status.GONE and not isinstance(wish, OptedOut)


def missed(machine: Machine, now: datetime) -> Machine:
    """The row after a GET found nothing of this machine. That alone changes no status."""
    return replace(machine, absent_since=machine.absent_since or now)


def may_be_gone(machine: Machine | Remembered, now: datetime) -> bool:
    """Whether a second 404, long enough after the first, would say that the machine is gone."""
    return machine.absent_since is not None and now - machine.absent_since >= ABSENT_TWICE


def gone(machine: Machine) -> Machine:
    """The row of a machine that no longer exists. What was captured of it stays."""
    left = machine.left_at or machine.absent_since
    return replace(machine, status=Status.GONE, enrolled_at=None, settled=None, left_at=left)
