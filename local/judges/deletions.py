"""S3 and S4: nothing is deleted but by the deletion rule, and never the last complete point of a living machine.

Each deletion is judged at its instant from Azure's state, audit log, the rows of the evening before, script.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from local.judges.approvals import approved, left_together, two_people_agreed
from local.judges.evidence import Record, instant, maybe_instant, path_of, table
from local.judges.finding import Finding
from local.judges.lives import Machine
from local.judges.retention import owed
from local.judges.snapshots import Key, Snapshot
from local.judges.world import Whole, World

DAY = timedelta(days=1)
CLOCKS = timedelta(minutes=1)
LOOKED_BEFORE = timedelta(minutes=20)  # a deletion may rest on a look so old
COOLING_OFF = timedelta(hours=72)
UNNOTICED = timedelta(minutes=75)  # a sweep an hour, then two looks ten minutes apart: gone is what is gone twice
LEAST_UNPLANNED, SHARE_UNPLANNED = 10, 0.05
PER_GAIN = 1.5
COUNTED_BY_HOUR = timedelta(hours=2)  # the product counts whole hours, so a day of it may be so much longer or shorter


def deletion_rule(world: World) -> Finding:
    """S3, for every deletion that was carried out."""
    finding = Finding()
    made = {path_of(call) for call in world.puts}
    for call in world.deletions:
        at, path = instant(call["t"]), path_of(call)
        snapshot = world.by_name.get(path.rpartition("/")[2])
        if path in world.forged and world.forged[path].born <= at:
            snapshot = world.forged[path]
        known = snapshot is not None and snapshot.id == path and path in made
        finding.expect(known, "deleted, and never made by the product", path, at)
        if snapshot is not None:
            _is_ours(world, finding, snapshot, at)
            _may_go(world, finding, snapshot, at)
            _was_announced(world, finding, snapshot, at)
    _within_budget(world, finding)
    two_people_agreed(world, finding)
    return finding


def _is_ours(world: World, finding: Finding, snapshot: Snapshot, at: datetime) -> None:
    finding.expect(bool(snapshot.tag("owner")), "deleted without our owner tag", snapshot.name, at)
    claimed = [act for act in world.script.of("claim") if snapshot.name in act.said["snapshots"]]
    unclaimed = all(at < act.until + LOOKED_BEFORE for act in claimed)
    finding.expect(unclaimed, "deleted though another's by its owner tag", snapshot.name, at)
    right = snapshot.tag("disk") == snapshot.source or snapshot.holds_nothing
    finding.expect(right, "deleted, and of another disk", snapshot.name, at)


def _may_go(world: World, finding: Finding, snapshot: Snapshot, at: datetime) -> None:
    whole = world.wholes.get(snapshot.key)
    if whole is None or snapshot.name not in whole.parts:
        _remnant_may_go(world, finding, snapshot, at)
        return
    until = owed(world, whole, snapshot)
    finding.expect(at >= until - CLOCKS, f"deleted though kept until {until:%Y-%m-%d %H:%M}Z", snapshot.name, at)
    for row in _rows_before(world, snapshot, at)[-1:]:
        dated = max(instant(row["keep_until"]), instant(row["birth_keep_until"]))
        finding.expect(at >= dated - CLOCKS, f"deleted before the ledger's date {dated}", snapshot.name, at)
    machine = world.by_uid.get(whole.uid)
    unplanned = machine is None or not _was_planned(machine, at)
    left = away_since(machine, at)
    cooled = not unplanned or left is None or at >= left + COOLING_OFF - CLOCKS
    if machine is not None and unplanned and (together := left_together(world, machine)):
        agreed = approved(world, machine, whole, at)
        words = f"deleted though {together} machines lost their protection at once, and no two people agreed"
        finding.expect(agreed, words, snapshot.name, at)
    finding.expect(cooled, "deleted before its machine had been away for three days", snapshot.name, at)


def _remnant_may_go(world: World, finding: Finding, snapshot: Snapshot, at: datetime) -> None:
    """What belongs to no complete point goes a day later, when something better stands or the machine is long gone."""
    finding.expect(at >= snapshot.born + DAY - CLOCKS, "a remnant is deleted within a day", snapshot.name, at)
    slot = instant(snapshot.tag("slot"))
    better = any(one.slot >= slot and world.stands(one, at) for one in world.wholes_of[snapshot.key[0]])
    right = better or _left_long_ago(world, snapshot.key[0], at)
    finding.expect(right, "a remnant is deleted and nothing better stands", snapshot.name, at)


def _rows_before(world: World, snapshot: Snapshot, at: datetime) -> list[Record]:
    """The point's rows in the dumps before an instant, oldest first."""
    return [row for dumped, row in world.rows_of.get(snapshot.key, ()) if dumped <= at]


def _was_announced(world: World, finding: Finding, snapshot: Snapshot, at: datetime) -> None:
    """Marked so long before that the rows of the evening before must show it."""
    wait = world.script.setting("TAGBACK_DELETE_WAIT", "24h")
    rows = _rows_before(world, snapshot, at)
    finding.expect(bool(rows) or at - snapshot.born < DAY, "deleted without a row of ours", snapshot.name, at)
    if wait < DAY or not rows:
        return
    marked = maybe_instant(table(rows[-1], "removal").get("marked_at"))
    waited = marked is not None and at >= marked + wait - CLOCKS
    finding.expect(waited, f"deleted, and marked at {marked or 'no time'}", snapshot.name, at)


def away_since(machine: Machine | None, at: datetime) -> datetime | None:
    """Since when a machine had not asked for protection at an instant; None while it did."""
    if machine is None:
        return None
    if machine.gone is not None and machine.gone <= at:
        last = machine.stretches[-1] if machine.stretches else None
        return machine.gone if last is None or last.plan is not None else last.since
    asked = machine.at(at)
    return None if asked is None or asked.plan is not None else asked.since


def _was_planned(machine: Machine, at: datetime) -> bool:
    """Whether the machine was there and asked for protection, for all that could be known: nobody is told at once."""
    unnoticed = machine.gone is not None and machine.gone <= at < machine.gone + UNNOTICED
    return away_since(machine, at - UNNOTICED if unnoticed else at) is None


def _left_long_ago(world: World, uid: str, at: datetime) -> bool:
    left = away_since(world.by_uid.get(uid), at)
    return left is not None and at >= left + world.script.setting("TAGBACK_ORPHAN_KEEP", "90d") - CLOCKS


def _within_budget(world: World, finding: Finding) -> None:
    """Per shard and sliding day: planned ones by what was gained, unplanned ones by their small share.

    What a rebuild found goes as unplanned too, and cannot be told apart here: from then on both shares add up.
    """
    gone: defaultdict[str, dict[Key, tuple[datetime, bool]]] = defaultdict(dict)
    for call in world.deletions:
        snapshot = world.by_name.get(path_of(call).rpartition("/")[2])
        whole = world.wholes.get(snapshot.key) if snapshot else None
        machine = world.by_uid.get(whole.uid) if whole else None
        if snapshot and whole and machine and snapshot.name in whole.parts:
            at = _claimed(world, snapshot, call)
            gone[machine.shard].setdefault(snapshot.key, (at, _was_planned(machine, at)))
    for shard, points in gone.items():
        for at, planned in points.values():
            alike = sum(at - DAY < moment <= at and one is planned for moment, one in points.values())
            allowed = _planned_room(world, shard, at) if planned else _unplanned_room(world, shard, at)
            kind = "as planned" if planned else "unplanned"
            finding.expect(alike <= allowed, f"{alike} points go {kind} within a day, {allowed} may", shard, at)


def _claimed(world: World, snapshot: Snapshot, call: Record) -> datetime:
    """When a deletion was announced first: what a lock held up for days was counted on that day."""
    lines = world.audited["point.deleting"].get(snapshot.name, ())
    return min([instant(line["at"]) for line in lines], default=instant(call["t"]))


def _planned_room(world: World, shard: str, at: datetime) -> int:
    since = at - DAY - COUNTED_BY_HOUR
    gained = [one for one in world.wholes.values() if since < one.at <= at and _shard(world, one) == shard]
    unremembered = any(act.until <= at for act in world.script.of("rebuild"))
    return -int(-len(gained) * PER_GAIN // 1) + (_unplanned_room(world, shard, at) if unremembered else 0)


def _unplanned_room(world: World, shard: str, at: datetime) -> int:
    known = sum(machine.shard == shard for machine in world.machines)
    approved = sum(int(act.said.get("count", 0)) for act in world.script.of("approve") if act.at <= at)
    return max(LEAST_UNPLANNED, int(SHARE_UNPLANNED * known)) + approved


def _shard(world: World, whole: Whole) -> str:
    machine = world.by_uid.get(whole.uid)
    return machine.shard if machine else ""


def last_point_stays(world: World) -> Finding:
    """S4: at each deletion of a complete point a newer one stands; and none is left without any while it lives."""
    finding = Finding()
    for call in world.deletions:
        at, name = instant(call["t"]), path_of(call).rpartition("/")[2]
        snapshot = world.by_name.get(name)
        whole = world.wholes.get(snapshot.key) if snapshot else None
        if whole is None or name not in whole.parts:
            continue
        newer = any(one.slot > whole.slot and world.stands(one, at) for one in world.wholes_of[whole.uid])
        right = newer or _left_long_ago(world, whole.uid, at)
        finding.expect(right, "the last complete point was deleted", f"{whole.uid} {name}", at)
    deleted = {path_of(call).rpartition("/")[2] for call in world.deletions}
    for uid, wholes in world.wholes_of.items():
        for evening in (dump.at for dump in world.dumps):
            known = [one for one in wholes if one.at <= evening]
            kept = any(not deleted & set(one.parts) or world.stands(one, evening) for one in known)
            if known and not _left_long_ago(world, uid, evening):
                finding.expect(kept, "no complete point is left", uid, evening)
    return finding
