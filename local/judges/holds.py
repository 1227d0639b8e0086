"""S14: what is held stays: nothing that a person or a tag holds is deleted before its day, and the hold outlives.

Nor is anything held for which nobody asked: a hold that spreads by itself keeps for ever what was to go.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from local.judges.calendars import FOR_EVER
from local.judges.evidence import instant, maybe_instant, path_of, tag
from local.judges.finding import Finding
from local.judges.script import Act
from local.judges.snapshots import Key
from local.judges.world import World

LOOKED_BEFORE = timedelta(minutes=20)  # a deletion may rest on a look so old, at a machine's own tag


def until_of(text: str) -> datetime:
    """Until when a hold lasts: through the day it names; for ever where it names none."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return FOR_EVER
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def holds_are_kept(world: World) -> Finding:
    """S14."""
    finding = Finding()
    gone = _deletions(world)
    for act in world.script.of("hold"):
        for key in _held(world, act):
            _kept(world, finding, gone, key, (act.until, _ends(world, act)))
            _remembered(world, finding, key, act)
    for machine in world.machines:
        for stretch in machine.stretches:
            hold = stretch.tags.get("backup-hold")
            for whole in world.wholes_of.get(machine.uid, ()) if hold else ():
                ends = min(stretch.until, until_of(hold or ""))
                key = machine.uid, f"{whole.slot:%Y%m%dT%H%MZ}"
                _kept(world, finding, gone, key, (stretch.since + world.script.sweep + LOOKED_BEFORE, ends))
    _sealed(world, finding, gone)
    _nothing_else(world, finding)
    return finding


def _sealed(world: World, finding: Finding, gone: dict[str, datetime]) -> None:
    """Acts of `seal`: a person put the tag on snapshots themselves, and told nobody."""
    for act in world.script.of("seal"):
        for name in act.said["snapshots"]:
            stays = name not in gone or gone[name] < act.until + LOOKED_BEFORE
            finding.expect(stays, "deleted while a tag of its own holds it", name, gone.get(name, ""))


def _nothing_else(world: World, finding: Finding) -> None:
    """Every part that bears a hold bears it by a person's word."""
    held = {world.wholes[key].parts for act in world.script.of("hold") for key in _held(world, act)}
    asked = {name for parts in held for name in parts}
    asked.update(name for act in world.script.of("seal") for name in act.said["snapshots"])
    for snapshot in world.made:
        right = not tag(snapshot.said, "backup-hold") or snapshot.name in asked
        finding.expect(right, "held, and nobody asked for that", snapshot.name, snapshot.born)


def _deletions(world: World) -> dict[str, datetime]:
    return {path_of(call).rpartition("/")[2]: instant(call["t"]) for call in world.deletions}


def _held(world: World, act: Act) -> Iterator[Key]:
    """The points that a person's word was about: complete, and not being deleted already."""
    uids = {machine.uid for machine in world.machines if machine.id == act.machine}
    slot = act.said.get("slot")
    for key, whole in world.wholes.items():
        wanted = whole.uid in uids and whole.at <= act.at and slot in (None, "", key[1])
        deleting = any(
            instant(line["at"]) <= act.until
            for name in whole.parts
            for line in world.audited["point.deleting"].get(name, ())
        )
        if wanted and not deleting:
            yield key


def _ends(world: World, act: Act) -> datetime:
    """When a hold ends: its day, or a later word about the same points."""
    later = [one.at for one in world.script.of("hold") if one.at > act.at and one.machine == act.machine]
    return min([until_of(str(act.said["hold"])), *later])


def _kept(world: World, finding: Finding, gone: dict[str, datetime], key: Key, span: tuple[datetime, datetime]) -> None:
    since, until = span
    for name in world.wholes[key].parts:
        at = gone.get(name)
        finding.expect(at is None or not since <= at < until, f"deleted while held until {until}", name, at or "")


def _remembered(world: World, finding: Finding, key: Key, act: Act) -> None:
    """The rows of later evenings, also those after a rebuild, and the tags on the parts still tell of the hold."""
    until = _ends(world, act)
    rows = [(dumped, row) for dumped, row in world.rows_of.get(key, ()) if act.until < dumped < until]
    for dumped, row in rows:
        held = maybe_instant(row.get("held_until"))
        finding.expect(held is not None and held >= until, f"the row says held until {held}", key[0], dumped)
    for name in world.wholes[key].parts if until > world.script.end else ():
        part = world.by_name.get(name)
        tagged = part is None or part.gone is not None or bool((part.said.get("tags") or {}).get("backup-hold"))
        finding.expect(tagged, "the hold is not on the part in Azure", name, act.at)
