"""S1 and S6: one complete point per machine, engine and slot; and complete means every part of it is there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta

from local.judges.evidence import listed, maybe_instant, path_of
from local.judges.finding import Finding
from local.judges.hanging import disks_of
from local.judges.snapshots import Key, Snapshot
from local.judges.world import Whole, World, is_of_now, key_of

ONE_INSTANT = timedelta(minutes=15)
CLOCKS = timedelta(seconds=5)


def one_per_slot(world: World) -> Finding:
    """S1: no row, attempt, snapshot or PUT is there twice."""
    finding = Finding()
    for dump in world.dumps:
        rows = Counter((*key_of(row), str(row["RowKey"]).split("|")[3]) for row in dump.of("p") if row["complete"])
        for (uid, slot, _), count in rows.items():
            finding.expect(count == 1, f"{count} complete rows of one slot", uid, slot)
    for (uid, slot), attempts in completed_attempts(world).items():
        finding.expect(len(attempts) == 1, f"attempts {sorted(attempts)} are all complete", uid, slot)
    parts = Counter((*one.key, one.tag("disk"), one.tag("attempt")) for one in world.made if one.tag("vm"))
    for (uid, slot, disk, attempt), count in parts.items():
        finding.expect(count == 1, f"{count} snapshots of disk {disk} in attempt {attempt}", uid, slot)
    for path, count in Counter(map(path_of, world.puts)).items():
        finding.expect(count == 1, f"{count} PUTs over one snapshot: the second resets its tags", path)
    doubles(world, finding)
    return finding


def completed_attempts(world: World) -> dict[Key, set[int]]:
    found: defaultdict[Key, set[int]] = defaultdict(set)
    for line in world.evidence.audit:
        if line["event"] == "point.complete":
            found[str(line["vm"]).lower(), str(line["slot"])].add(int(line["attempt"]))
    return found


def doubles(world: World, finding: Finding) -> None:
    """Nothing of a slot is made once a point of it is complete."""
    for snapshot in world.made:
        whole = world.wholes.get(snapshot.key)
        if whole is not None:
            late = snapshot.born > whole.at + CLOCKS
            finding.expect(not late, "made after its slot was complete", snapshot.name, snapshot.born)


def complete_means_every_part(world: World) -> Finding:
    """S6: whatever was called complete holds every disk of its machine, ready, private, of one instant."""
    finding = Finding()
    for whole in world.wholes.values():
        where, at = f"{whole.uid} {whole.slot:%Y%m%dT%H%MZ}", whole.at
        parts = [world.by_name.get(name) for name in whole.parts]
        there = [part for part in parts if part is not None]
        finding.expect(bool(parts) and len(there) == len(parts), "a part was never there", where, at)
        for part in there:
            _part(world, finding, whole, part)
        born = [part.born for part in there]
        close = not born or max(born) - min(born) <= ONE_INSTANT
        finding.expect(close, "the parts were begun too far apart", where, at)
        machine = world.by_uid.get(whole.uid)
        finding.expect(machine is not None, "a point of a machine that never was", where, at)
        if machine is not None and not _disks_changed(world, machine.id):
            lacking = disks_of(world, machine, min(born, default=at)) - {one for part in there for one in part.sources}
            finding.expect(not lacking, f"complete without disks {sorted(lacking)}", where, at)
    for row, ids in rows_and_parts(world):
        known = set(ids) == set(world.wholes[key_of(row)].parts) or key_of(row) in world.tampered
        finding.expect(known, "a row names other parts than were called complete", str(row["RowKey"]))
    return finding


def _part(world: World, finding: Finding, whole: Whole, part: Snapshot) -> None:
    properties = part.said["properties"]
    stood = part.born <= whole.at + CLOCKS and (part.gone is None or part.gone >= whole.at)
    finding.expect(stood, "called complete when a part was not there", part.name, whole.at)
    finding.expect(part.gone is not None or part.ready, "a part never became ready", part.name, whole.at)
    copied = maybe_instant(part.said.get("copied")) or part.born
    finding.expect(copied <= whole.at + CLOCKS, "called complete while a part was being copied", part.name, whole.at)
    if not part.as_one:
        finding.expect(properties.get("networkAccessPolicy") == "DenyAll", "a part is not private", part.name)
        finding.expect(properties.get("incremental") is True, "a part is not incremental", part.name)
    machine = world.by_uid.get(whole.uid)
    strange = part.sources - disks_of(world, machine, part.born) if machine else None
    own = machine is None or not strange or _disks_changed(world, machine.id)
    finding.expect(own, f"a part is of disk {strange}, which is no disk of its machine", part.name)


def _disks_changed(world: World, machine: str) -> bool:
    """Whether the script attached or detached disks: then the state at the end does not tell what there was."""
    return any("disk" in act.do and act.machine == machine for act in world.script.acts)


def rows_and_parts(world: World) -> Iterator[tuple[dict[str, object], list[str]]]:
    """Each complete row of the last dump with the names of its parts."""
    for row in world.final.of("p"):
        if row["complete"]:
            parts = [part for part in listed(row, "parts") if is_of_now(part, row)]
            yield dict(row), [str(part["id"]).rpartition("/")[2] for part in parts]
