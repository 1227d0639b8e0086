"""Until when each point had to be kept at the least, reckoned from the script's plans and the calendar alone.

Used by deletions.py and stamps.py. The product may keep longer, never shorter.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from local.judges.calendars import kept_at_least_until
from local.judges.evidence import instant
from local.judges.lives import Stretch
from local.judges.plans import Plan
from local.judges.snapshots import Snapshot
from local.judges.world import Whole, World

MINUTE = timedelta(minutes=1)
INTENDED = "capture.intended"


def plan_of(world: World, snapshot: Snapshot) -> Plan | None:
    """The plan by which a snapshot was taken: what its machine asked for then, if it bears that name."""
    machine = world.by_uid.get(snapshot.key[0])
    asked: Stretch | None = machine.at(snapshot.born) if machine else None
    if asked and asked.plan and asked.plan.name == snapshot.tag("plan"):
        return asked.plan
    return world.script.plans_at(snapshot.born).by_name.get(snapshot.tag("plan"))


def of_plan_slot(world: World, whole: Whole) -> bool:
    first = next((one for name in whole.parts if (one := world.by_name.get(name))), None)
    if first is not None and first.as_one:  # it bears no tags: the operation is of a slot by its name
        return any(str(line["operation"]).startswith("slot-") for line in world.audited[INTENDED].get(first.name, ()))
    return first is not None and first.tag("origin") == "slot"


def earlier_slots(world: World, whole: Whole) -> list[datetime]:
    """The slots of the machine's earlier complete points that were taken by a plan's slot."""
    return [one.slot for one in world.wholes_of[whole.uid] if one.slot < whole.slot and of_plan_slot(world, one)]


def owed(world: World, whole: Whole, snapshot: Snapshot) -> datetime:
    """The earliest instant at which a part of a complete point may go: its plan's floor after Azure began it."""
    return _kept(world, whole, snapshot, snapshot.born)


def promised(world: World, whole: Whole, snapshot: Snapshot) -> datetime:
    """The date that the ledger must have: what waited to be sent keeps the stamp that it was first intended with."""
    intended = [instant(line["at"]) for line in world.audited[INTENDED].get(snapshot.name, ())]
    return _kept(world, whole, snapshot, min([*intended, snapshot.born]))


def _kept(world: World, whole: Whole, snapshot: Snapshot, since: datetime) -> datetime:
    plan = plan_of(world, snapshot)
    if plan is None:
        return stamped(world, snapshot)
    age = kept_at_least_until(whole.slot, of_plan_slot(world, whole), plan, earlier_slots(world, whole))
    return max(age, since + plan.floor - MINUTE, stamped(world, snapshot))


def stamped(world: World, snapshot: Snapshot) -> datetime:
    """The date that the audit log has of its birth: the tag can be changed by whoever may write tags."""
    dates = [instant(line["keep_until"]) for line in world.audited[INTENDED].get(snapshot.name, ())]
    return max(dates, default=snapshot.born)
