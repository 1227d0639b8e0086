"""S13: a restored machine is complete or says what is not, and is not enrolled again; that of a drill goes again.

Acts of `restore` in the script name the machine that was to come of them (`to`) and how many disks it must have. The
machines of drills are known by their names alone, as Azure's state has them.
"""

from __future__ import annotations

import re
from datetime import timedelta

from local.judges.evidence import instant, path_of
from local.judges.finding import Finding
from local.judges.isolation import open_doors
from local.judges.lives import Machine
from local.judges.script import Act
from local.judges.swaps import swaps_are_whole
from local.judges.world import World

NOTHING = "not checked: nobody restored anything in this script"
OF_DRILL = re.compile(r"(.+)-drill-[0-9a-f]{8}")
REFUSED = 300  # from this status on nothing was done
REMOVED_WITHIN = timedelta(hours=6)


def restores_are_whole(world: World) -> Finding:
    """S13."""
    finding = Finding()
    for act in world.script.of("restore"):
        made = [one for one in world.machines if one.id == str(act.said["to"]).lower() and one.born >= act.at]
        finding.expect(bool(made), "no machine came of the restore", str(act.said["to"]), act.until)
        for machine in made:
            whole = len(machine.disks) == int(act.said["disks"]) or bool(act.said.get("missing"))
            finding.expect(whole, f"has {len(machine.disks)} disks of {act.said['disks']}", machine.name, act.until)
            _not_enrolled(world, finding, machine)
    swaps_are_whole(world, finding)
    for act in world.script.of("race"):
        _nothing_over_another(world, finding, act)
    for machine in of_drills(world):
        _drilled(world, finding, machine)
    if not finding.checked:
        finding.note = NOTHING
    return finding


def _nothing_over_another(world: World, finding: Finding, act: Act) -> None:
    """Somebody else was faster to make a machine of the name: the product writes nothing to theirs, and it stays."""
    place, name = str(act.said["to"]).lower(), str(act.said["to"]).rpartition("/")[2]
    theirs = [one for one in world.machines if one.id == place and act.at <= one.born <= act.until]
    stayed = bool(theirs) and all(one.gone is None for one in theirs)
    finding.expect(stayed, "is gone: a restore wanted its name", name, act.until)
    for call in world.calls:
        at, changes = instant(call["t"]), call["method"] in ("PUT", "PATCH", "POST", "DELETE")
        if changes and path_of(call).startswith(place) and act.at <= at and int(call["status"]) < REFUSED:
            finding.expect(False, f"a restore did {call['method']} to what somebody else had made", name, at)


def of_drills(world: World) -> list[Machine]:
    """The machines that drills made."""
    return [machine for machine in world.machines if OF_DRILL.fullmatch(machine.name)]


def tried(world: World, machine: Machine) -> Machine | None:
    """The machine that a drill's machine was restored from: of its group and time, by its name."""
    found = OF_DRILL.fullmatch(machine.name)
    name, place = found[1] if found else "", machine.id.rpartition("/")[0]
    return next(
        (
            one
            for one in world.machines
            if one.id == f"{place}/{name.lower()}"
            and one.born < machine.born
            and (not one.gone or one.gone > machine.born)
        ),
        None,
    )


def _drilled(world: World, finding: Finding, machine: Machine) -> None:
    """All its disks are there, nothing was taken of it, nobody could reach it or be reached, and it is gone soon."""
    original = tried(world, machine)
    finding.expect(original is not None, "a drill of no machine", machine.name, machine.born)
    if original is not None:
        wanted = len(original.disks)
        finding.expect(len(machine.disks) == wanted, f"has {len(machine.disks)} disks of {wanted}", machine.name)
        swaps = (act for act in world.script.of("swap") if act.machine == original.id)
        beside = any(act.at <= machine.born <= act.until for act in swaps)
        finding.expect(not beside, "a drill of what is just being restored", machine.name, machine.born)
    others = (one for one in of_drills(world) if one.shard == machine.shard and one.born < machine.born)
    beside_it = (one for one in others if one.gone is None or one.gone > machine.born)
    alone = all(world.script.disturbed(one.born, machine.born) for one in beside_it)  # it may not have gone by trouble
    finding.expect(alone, "made for a drill while another drill's stands in its region", machine.name, machine.born)
    _not_enrolled(world, finding, machine)
    doors = sorted({*open_doors(world, machine)})
    finding.expect(not doors, f"not cut off: {', '.join(doors)}", machine.name, machine.born)
    latest = world.after_trouble(machine.born, REMOVED_WITHIN)
    over = machine.gone <= latest if machine.gone else world.script.end <= latest
    finding.expect(over, "was made for a drill and stayed", machine.name, machine.born)


def _not_enrolled(world: World, finding: Finding, machine: Machine) -> None:
    taken = [one for one in world.snapshots if one.key[0] == machine.uid]
    finding.expect(not taken, "was enrolled again", machine.name, machine.born)
