"""S7: what is absent from a list triggers nothing. And what nobody asked for is left alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from local.judges.evidence import Record
from local.judges.finding import Finding
from local.judges.lives import DISK, Machine
from local.judges.world import Dump, World

UNSEEN = timedelta(hours=3)  # a row may still tell of what was so before the last look
TO_NOTICE = timedelta(minutes=20)


def absence_triggers_nothing(world: World) -> Finding:
    """S7: nobody who is there is called gone, nobody who asks is let go, and no machine loses its row."""
    finding = Finding()
    for dump in world.dumps:
        rows = {str(row["RowKey"]).split("|")[1].lower(): row for row in _standing(dump)}
        for machine in world.machines:
            if not _lost(world, dump.at):
                _judge(world, finding, machine, rows.get(machine.uid), dump.at)
    return finding


def _standing(dump: Dump) -> list[Record]:
    """The machines' rows; of one that moved to another shard, that which is not gone counts."""
    return sorted(dump.of("m"), key=lambda row: row["status"] != "gone")


def _lost(world: World, at: datetime) -> bool:
    """Whether the state was just being lost and rebuilt."""
    return any(act.at <= at <= act.until + TO_NOTICE for act in world.script.of("rebuild"))


def _judge(world: World, finding: Finding, machine: Machine, row: Record | None, at: datetime) -> None:
    there = machine.born + UNSEEN <= at and (machine.gone is None or at < machine.gone)
    moved = any(act.do == "move" and act.at <= at <= act.until + UNSEEN for act in world.script.acts)
    if not there or moved:
        return
    if row is not None:
        finding.expect(row["status"] != "gone", "called gone while it is there", machine.name, at)
    if not machine.asked(at - UNSEEN, at):
        return
    known = row is not None or world.script.disturbed(at - UNSEEN, at)
    finding.expect(bool(known), "asks for protection and has no row", machine.name, at)
    if row is not None and not world.script.disturbed(at - UNSEEN, at):
        let_go = bool(row.get("left_at")) or row["status"] == "excluded"
        finding.expect(not let_go, f"let go while it asks ({row.get('because')})", machine.name, at)


def the_unasked_are_left_alone(world: World) -> Finding:
    """Machines that never asked have no snapshot and on no evening a point; disks that a tag leaves out have none."""
    finding, never = Finding(), set[str]()
    of_vm = {snapshot.key[0] for snapshot in world.made}
    of_disk = {source for snapshot in world.made for source in snapshot.sources}
    for machine in world.machines:
        if all(stretch.plan is None for stretch in machine.stretches):
            finding.expect(machine.uid not in of_vm, "captured although it never asked", machine.name)
            never.add(machine.uid)
    for dump in world.dumps:
        for row in dump.of("m"):
            if str(row["uid"]).lower() in never:
                finding.expect(not row.get("last_point"), "has a point by its row although it never asked", row["uid"])
    for disk in world.evidence.resources:
        if str(disk.get("type", "")).lower() == DISK and (disk.get("tags") or {}).get("backup") == "off":
            uid = str(disk["properties"]["uniqueId"]).lower()
            finding.expect(uid not in of_disk, "a disk was captured that is left out", str(disk["name"]))
    return finding
