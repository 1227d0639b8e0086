"""Restores in place: a machine gets the disks of a point, later its own ones back, and nothing is taken in between.

Used by restores.py. Acts of `swap` say what hung on a machine before and after (unique ids of disks, and what the first
block of the OS disk held), of which time it was to be (`as_of`), or that it was `undone`. While its disks are being
changed a machine bears a tag that says so, in Azure: that is when the product writes its tags first and last.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from local.judges.evidence import Record, instant, maybe_instant
from local.judges.finding import Finding
from local.judges.hanging import marked
from local.judges.lives import DISK
from local.judges.script import Act
from local.judges.world import World

TO_GO = timedelta(hours=1)  # until the disks of a restore that was undone are removed


def swaps_are_whole(world: World, finding: Finding) -> None:
    """Every restore in place, and every undoing of one."""
    last: dict[str, Act] = {}
    for act in world.script.of("swap"):
        said, where = act.said, act.machine.rpartition("/")[2]
        finding.expect(bool(said["running"]), "does not run after its disks were changed", where, act.until)
        earlier = last.get(act.machine)
        if said.get("undone") and earlier is not None:
            _as_before(world, finding, act, earlier)
        else:
            _as_of(world, finding, act)
        _nothing_between(world, finding, act)
        last[act.machine] = act


def _as_of(world: World, finding: Finding, act: Act) -> None:
    """As many disks as before, none of them an old one, with what was written before the time that was asked for."""
    said, where = act.said, act.machine.rpartition("/")[2]
    before, after = said["before"], said["after"]
    finding.expect(len(after) == len(before), f"has {len(after)} disks of {len(before)}", where, act.until)
    finding.expect(not set(after) & set(before), "still has a disk that was to be swapped", where, act.until)
    wanted = [
        one for one in world.script.of("write") if one.machine == act.machine and one.until < instant(said["as_of"])
    ]
    digest = sha256(str(wanted[-1].said["content"]).encode()).hexdigest() if wanted else said["held"]
    finding.expect(said["holds"] == digest, "was put back, and holds something else than then", where, act.until)


def _as_before(world: World, finding: Finding, act: Act, earlier: Act) -> None:
    """The very disks that it had, with what they held; those of the restore are gone."""
    said, was, where = act.said, earlier.said, act.machine.rpartition("/")[2]
    finding.expect(said["after"] == was["before"], "has other disks than before its restore", where, act.until)
    finding.expect(said["holds"] == was["held"], "its own disks hold something else than before", where, act.until)
    for disk in _disks(world, was["after"]):
        gone = maybe_instant(disk["gone"])
        over = gone <= act.until + TO_GO if gone else world.script.end < act.until + TO_GO
        finding.expect(over, "a disk of a restore that was undone stayed", str(disk["name"]), act.until)


def _disks(world: World, uids: list[str]) -> list[Record]:
    found = [one for one in world.evidence.resources if str(one.get("type", "")).lower() == DISK]
    return [one for one in found if str(one["properties"]["uniqueId"]).lower() in uids]


def _nothing_between(world: World, finding: Finding, act: Act) -> None:
    where, marks = act.machine.rpartition("/")[2], marked(world, act)
    finding.expect(len(marks) > 1, "its disks were changed, and it did not say so", where, act.at)
    uids = {machine.uid for machine in world.machines if machine.id == act.machine}
    for snapshot in world.made if marks else ():
        if snapshot.key[0] in uids:
            between = min(marks) < snapshot.born < max(marks)
            finding.expect(not between, "taken while its machine's disks were being changed", where, snapshot.born)
