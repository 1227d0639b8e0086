"""Which disks hang on a machine at an instant: those that it has at the end, unless a restore in place swapped them.

Used by points.py and swaps.py. Read from the acts of `swap` in the script, and from what the product asked of Azure.
"""

from __future__ import annotations

from datetime import datetime

from local.judges.evidence import instant, path_of
from local.judges.lives import Machine
from local.judges.script import Act
from local.judges.world import World


def disks_of(world: World, machine: Machine, at: datetime) -> frozenset[str]:
    """The unique ids of what a point of a machine must hold at an instant."""
    acts = [act for act in world.script.of("swap") if act.machine == machine.id]
    if not acts:
        return machine.disks
    held = next((act.said["before"] for act in acts if at < max(marked(world, act), default=act.until)), None)
    return frozenset(acts[-1].said["after"] if held is None else held)


def marked(world: World, act: Act) -> list[datetime]:
    """When, in an act of `swap`, tags of the machine were written: they say whether its disks are being changed."""
    place = f"{act.machine}/providers/microsoft.resources/tags/default"
    calls = (call for call in world.calls if call["method"] == "PATCH" and path_of(call) == place)
    return [at for at in (instant(call["t"]) for call in calls) if act.at <= at <= act.until]
