"""What a machine's row becomes after a GET: registered, missed once, or gone.

Called by flows/registering.py, by enrolment.py for a look in thought, and by questions.py. Status and dates follow from
the row (`protection.settled_row`); what was captured of a machine stays whatever becomes of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from shared.decide.protection import plan_of, tagged_wish
from shared.decide.schedule import owed
from shared.decide.tag_values import relevant
from shared.decide.tags import Misnamed, OptedIn, OptedOut, seen_group
from shared.model.machine import Disk, GroupSeen, Machine, Sighting, Status
from shared.model.rules import Rules

ABSENT_TWICE = timedelta(minutes=10)


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
        group=_group(before, sighting, rules),
        scale_set=sighting.scale_set,
        disks=_with_known_identity(sighting.disks, before.disks if before else ()),
        unsupported=sighting.unsupported,
        as_of=sighting.as_of,
        absent_since=None,
        status=Status.PENDING,
    )
    return _enrolled(before, seen, rules, now)


def _group(before: Machine | None, sighting: Sighting, rules: Rules) -> GroupSeen | None:
    """The resource group as it was last seen: one that cannot be seen for once takes no machine its plan."""
    if not rules.inherit_group_tags:
        return None
    return seen_group(sighting.group, rules.prefix) or (before.group if before else None)


def _with_known_identity(disks: tuple[Disk, ...], known: tuple[Disk, ...]) -> tuple[Disk, ...]:
    """The attached disks, with what an earlier examination of the same ids found."""
    by_id = {disk.id: disk for disk in known}
    return tuple(disk if disk.uid else replace(by_id.get(disk.id, disk), lun=disk.lun) for disk in disks)


def _enrolled(before: Machine | None, seen: Machine, rules: Rules, now: datetime) -> Machine:
    """Enrolment begins when a wish appears and ends when it goes; a slot that is already owed stays owed."""
    wish = tagged_wish(seen, rules)
    match wish:
        case OptedOut():
            left = now if before and _asks(before, rules) else seen.left_at
            return replace(seen, plan="", enrolled_at=None, settled=None, grace_from=None, left_at=left)
        case Misnamed():
            seen = replace(seen, grace_from=seen.grace_from or now)
        case OptedIn():
            seen = replace(seen, plan=wish.plan.name, grace_from=None)
        case _:  # pragma: no cover - mypy shows that nothing is left
            assert_never(wish)
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
    wish = tagged_wish(machine, rules)
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
