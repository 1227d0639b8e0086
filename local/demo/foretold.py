"""Foretells from a scenario and the plans alone how many points a demo can have, and how many can be gone by its end.

Pure; told at the start of the demo, and held against its floors by a test. The calendar is the judges' own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.demo.scenario import MachineStory, Scenario
from local.judges.calendars import kept_at_least_until, slots
from local.judges.plans import Plan, Plans, folded

DELETED_WITHIN = timedelta(hours=2)  # of the end of its age: the next round of expiry, and the sweep


@dataclass(frozen=True, slots=True)
class Foretold:
    """The points that are due, and those whose age ends in time."""

    points: int
    ending: int


def foretold(scenario: Scenario, plans: Plans, end: datetime) -> Foretold:
    """The sum over all machines. The newest point of each machine stays whatever its age."""
    points = ending = 0
    for machine in scenario.machines:
        if machine.subscription in scenario.observed:
            continue
        taken: list[datetime] = []
        ends: list[datetime] = []
        for plan, since, until in asked(machine, scenario.start, plans, end):
            for slot in slots(plan, since, until):
                # The newest of the earlier points opened every period that any of them opened and that goes on.
                ends.append(kept_at_least_until(slot, True, plan, taken[-1:]))
                taken.append(slot)
        points += len(taken)
        ending += sum(1 for age in ends[:-1] if age + DELETED_WITHIN <= end)
    return Foretold(points, ending)


def asked(
    machine: MachineStory, start: datetime, plans: Plans, end: datetime
) -> Iterator[tuple[Plan, datetime, datetime]]:
    """The stretches in which a machine asked for a plan that there is."""
    tags: Mapping[str, str] = machine.tags
    since = start + machine.created
    good: Plan | None = None
    for turn in (*machine.turns, None):
        until = min(start + turn.at, end) if turn else end
        plan = None if machine.ephemeral else named(tags, plans, machine.subscription, good)
        if plan and since < until:
            yield plan, since, until
        good = plan or good
        if turn is None:
            return
        since = start + turn.at
        after: Mapping[str, Mapping[str, str]] = {
            "tag": {**tags, **turn.tags},
            "create": machine.tags,
            "untag": {},
            "delete": {},
        }
        tags = after.get(turn.do, tags)


def named(tags: Mapping[str, str], plans: Plans, subscription: str, good: Plan | None) -> Plan | None:
    """The plan that the tags ask for; a slip of the pen leaves the last good one."""
    wish = folded(tags).get("backup", "").lower()
    if wish in ("", "off"):
        return None
    return plans.named(wish, subscription) or good
