"""Two people's word on deletions: nobody approves what they asked for alone, and a mass untag waits for it. Part of S3.

Used by deletions.py. Acts of `approve` in the script say who came (`by`), and what the app said was asked for and
approved by that, each as the name of a machine and a slot.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from local.judges.finding import Finding
from local.judges.lives import Machine
from local.judges.script import Act
from local.judges.world import Whole, World

AT_ONCE = timedelta(hours=1)
LEAST, SHARE = 5, 0.2  # of a scope, that lose their protection within an hour
STAMP = "%Y-%m-%dT%H:%M"


def two_people_agreed(world: World, finding: Finding) -> None:
    """Whatever was approved had been asked for by somebody else, and what was one's own was not."""
    acts = world.script.of("approve")
    for act in acts:
        for one in act.said["approved"]:
            before = {str(other.said["by"]) for other in acts if other.at < act.at and one in other.said["asked"]}
            right = bool(before - {str(act.said["by"])})
            finding.expect(right, f"approved by {act.said['by']}, and nobody else had asked", str(one), act.at)


def left_together(world: World, machine: Machine) -> int:
    """With how many others of its region a machine lost its protection within an hour; 0 where that is no mass."""
    when = {one.uid: left for one in world.machines if one.shard == machine.shard and (left := _left(one))}
    at = when.get(machine.uid)
    if at is None:
        return 0
    together = sum(abs(other - at) <= AT_ONCE for other in when.values())
    known = sum(one.shard == machine.shard and bool(one.asked_at(at - AT_ONCE)) for one in world.machines)
    return together if together >= LEAST and together > SHARE * known else 0


def _left(machine: Machine) -> datetime | None:
    """When a machine that is there ceased to ask for protection."""
    asked = [one.since for one in machine.stretches if one.plan is not None]
    since = [one.since for one in machine.stretches if one.plan is None]
    return since[-1] if asked and since and since[-1] > asked[-1] else None


def approved(world: World, machine: Machine, whole: Whole, at: datetime) -> bool:
    """Whether two people had agreed to a deletion before an instant."""
    acts: Iterable[Act] = (act for act in world.script.of("approve") if act.at <= at)
    named = f"{machine.name} {whole.slot:{STAMP}}"
    return any(str(one).startswith(named) for act in acts for one in act.said["approved"])
