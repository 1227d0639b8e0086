"""What a machine's row becomes when it is judged anew: by a look, by changed plans, or as if its tags were others.

Called by flows/registering.py, by the sweep through questions.py, and by whatif.py, so that all of them say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from shared.decide.capture import closed, opened
from shared.decide.protection import is_wanted_otherwise, next_due, plan_of, wish_of
from shared.decide.registration import Enrolment, enrolment, group_of, registered
from shared.decide.schedule import lateness, owed, rhythm
from shared.decide.tag_values import remembered
from shared.decide.tags import OptedIn
from shared.model.machine import Lens, Machine, Sighting, Status
from shared.model.operation import Kind, Operation, State
from shared.model.plan import Plan
from shared.model.point import Origin
from shared.model.rules import Rules

UNPROTECTED = "the machine is no longer protected"


def rejudged(machine: Machine, tags: Mapping[str, str], rules: Rules, now: datetime) -> Machine:
    """The row as a look would write it now if it found these tags and everything else as it was.

    A machine that is gone, or may be, is not looked at in thought: its row stays.
    """
    if machine.status is Status.GONE or machine.absent_since:
        return machine
    seen = Sighting(
        uid=machine.uid,
        id=machine.id,
        name=machine.name,
        shard=machine.shard,
        tags=tags,
        disks=machine.disks,
        unsupported=machine.unsupported,
        scale_set=machine.scale_set,
        model={},
        lens=Lens.GET,
        as_of=machine.as_of,
        group=machine.group,
    )
    return registered(machine, seen, rules, now)


def outdated(machine: Machine, rules: Rules, now: datetime) -> str:
    """Why a row no longer says how its machine stands: the plans or the mode changed since, or time has passed over it.

    Empty when it does. Asked of every row at every sweep, so it compares what a judgement sets and builds no row.
    """
    due = machine.next_due == next_due(machine, rules, now) and not is_wanted_otherwise(machine, rules, now)
    if not (due and _follows(machine, rules, now)):
        return "its plans or their mode changed"
    return "a point of it is overdue by now" if _fell_behind(machine, rules, now) else ""


def _fell_behind(machine: Machine, rules: Rules, now: datetime) -> bool:
    """Whether a machine that its row calls protected has become late since: nothing else would wake it to tell."""
    newest, plan = machine.last_point, rules.plans.by_name.get(machine.plan)
    if machine.status is not Status.PROTECTED or not newest or not plan:
        return False
    if now - newest <= rhythm(plan.schedule).shortest:
        return False
    wish = wish_of(machine, rules, now)
    return isinstance(wish, OptedIn) and now > lateness(wish.plan.schedule, newest).since


def _follows(machine: Machine, rules: Rules, now: datetime) -> bool:
    """Whether `rejudged` by its own tags would leave the row as it is."""
    if machine.status is Status.GONE or machine.absent_since:
        return True
    same_tags = machine.tags == remembered(machine.tags, rules.prefix)
    same_group = machine.group == group_of(machine, machine.group, rules)
    return same_tags and same_group and Enrolment.of(machine) == enrolment(machine, machine, rules, now)


def first_capture(machine: Machine, operations: Iterable[Operation], plan: Plan, now: datetime) -> Operation | None:
    """The first point of a machine that was enrolled just now, unless it has one that no slot has passed since."""
    if machine.enrolled_at != now or not plan.takes_snapshots:
        return None
    if machine.last_point and owed(plan.schedule, machine.last_point, now) is None:
        return None
    slot = now - timedelta(seconds=now.second, microseconds=now.microsecond)
    wanted = opened(machine, slot, Origin.ENROLMENT, "the first point of a machine just enrolled", now, plan.engine)
    return None if wanted.id in {operation.id for operation in operations} else wanted


def ends_unprotected(operation: Operation) -> bool:
    """Whether a capture ends when its machine loses protection; what Azure has accepted whole comes to its end."""
    return operation.kind is Kind.CAPTURE and operation.state.open and operation.state is not State.STARTED


def carried_on(machine: Machine, operations: Iterable[Operation], rules: Rules, now: datetime) -> tuple[Operation, ...]:
    """The operations of a machine just judged anew: ended where no plan takes it, with the first capture otherwise."""
    known = tuple(operations)
    plan = plan_of(machine, rules, now)
    if plan is None:
        return tuple(closed(one, State.SKIPPED, UNPROTECTED, now) if ends_unprotected(one) else one for one in known)
    first = first_capture(machine, known, plan, now)
    return (*known, first) if first else known
