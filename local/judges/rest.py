"""S8: once nothing is in the way any more, everything has come to rest: rows tell the truth, nothing is left open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from datetime import timedelta
from itertools import pairwise

from local.judges.ageing import what_is_over_goes
from local.judges.evidence import Record, instant, listed, path_of
from local.judges.finding import Finding
from local.judges.lives import Machine
from local.judges.slots import STAMP, due_in
from local.judges.world import DELETIONS, Dump, World

TO_SETTLE = timedelta(hours=26)
TO_STAND = timedelta(hours=30)
TO_GO = timedelta(minutes=45)
CALM = timedelta(hours=6)
DONE = (200, 202, 204, 404)
WELL = frozenset({"protected", "degraded"})


def everything_converges(world: World) -> Finding:
    """S8, at the end of the play. What was still in the way then is not held against anybody."""
    finding, end = Finding(), world.script.end
    rows = {str(row["RowKey"]).split("|")[1].lower(): row for row in world.final.of("m") if row["status"] != "gone"}
    gone = {str(row["RowKey"]).split("|")[1].lower() for row in world.final.of("m") if row["status"] == "gone"}
    for machine in world.machines:
        if machine.gone is None or machine.gone > end:
            _living(world, finding, machine, rows.get(machine.uid))
        elif not world.script.disturbed(machine.gone, end) and machine.gone + world.script.sweep + TO_GO < end:
            forgotten = machine.uid not in rows or machine.uid in gone
            finding.expect(forgotten, "deleted long ago and not called gone", machine.name, machine.gone)
    _nothing_open(world, finding)
    _nothing_left_over(world, finding)
    _rows_stay_with_their_parts(world, finding)
    _what_was_refused_is_no_deletion(world, finding)
    what_is_over_goes(world, finding)
    _as_told(world, finding, rows)
    return finding


def _living(world: World, finding: Finding, machine: Machine, row: Record | None) -> None:
    now = machine.at(world.script.end)
    if now is None or now.since + TO_STAND > world.script.end or world.script.disturbed(now.since, now.since):
        return
    if now.plan is None:
        right = row is None or row["status"] in ("excluded", "unprotected")
        finding.expect(right, f"asks for nothing that there is, and is {row and row['status']}", machine.name)
        return
    finding.expect(row is not None, "asks for protection and was never registered", machine.name)
    if row is None:
        return
    finding.expect(str(row["id"]).lower() == machine.id, f"remembered at {row['id']}", machine.name)
    finding.expect(row["plan"] == now.plan.name, f"has plan {row['plan']}, asks for {now.plan.name}", machine.name)
    finding.expect(row["status"] in WELL, f"is {row['status']}: {row.get('because')}", machine.name)
    owed = [slot for slot in due_in(world, now) if not world.script.disturbed(slot - CALM, slot + CALM)]
    for slot in owed[-1:]:
        whole = world.wholes.get((machine.uid, f"{slot:{STAMP}}"))
        finding.expect(whole is not None, "its newest slot is not complete", machine.name, slot)


def _nothing_open(world: World, finding: Finding) -> None:
    living = {machine.uid for machine in world.machines if machine.gone is None}
    for row in world.final.of("o"):
        old = instant(row["slot"]) < world.script.end - TO_SETTLE
        waiting = row["state"] in ("intended", "started", "failed") and str(row["uid"]).lower() in living
        finding.expect(not (old and waiting), f"still {row['state']}: {row.get('because')}", str(row["RowKey"]))


def _nothing_left_over(world: World, finding: Finding) -> None:
    """Every snapshot that is there is in a row, so that somebody will take it away one day."""
    known = _named(world.final)
    for snapshot in world.made:
        told = snapshot.key not in world.tampered  # of those a row may name another
        if told and snapshot.gone is None and snapshot.born < world.script.end - TO_SETTLE:
            finding.expect(snapshot.name in known, "a snapshot that no row knows", snapshot.name, snapshot.born)


def _rows_stay_with_their_parts(world: World, finding: Finding) -> None:
    """What a row told of one evening and none does the next is gone from Azure by then."""
    made = {snapshot.name: snapshot for snapshot in world.made if snapshot.key not in world.tampered}
    for earlier, later in pairwise(world.dumps):
        if any(act.at <= later.at and act.until >= earlier.at for act in world.script.of("rebuild")):
            continue
        for name in sorted((_named(earlier) - _named(later)) & made.keys()):
            gone = made[name].gone
            finding.expect(bool(gone and gone <= later.at), "its row went, and it is still there", name, later.at)


def _what_was_refused_is_no_deletion(world: World, finding: Finding) -> None:
    """What a row calls being deleted was accepted by Azure, for a part of it at least, where it was asked for.

    The last rows are read when everything is over, which is minutes after the end of the play.
    """
    asked: defaultdict[str, list[Record]] = defaultdict(list)
    for call in world.calls:
        if call["method"] == "DELETE" and str(call["operation"]).lower() in DELETIONS:
            asked[path_of(call).rpartition("/")[2]].append(call)
    for dump in world.dumps:
        for row in (row for row in dump.of("p") if row["state"] == "deleting"):
            names = [str(part["id"]).rpartition("/")[2] for part in listed(row, "parts")]
            last = dump is world.final
            calls = [call for name in names for call in asked[name] if last or instant(call["t"]) <= dump.at]
            heard = not calls or any(call["fault"] or int(call["status"]) in DONE for call in calls)
            finding.expect(heard, "called deleting, and Azure refused it", str(row["RowKey"]), dump.at)


def _named(dump: Dump) -> Set[str]:
    """The parts that the rows of an evening name."""
    return {str(part["id"]).rpartition("/")[2] for row in dump.of("p") for part in listed(row, "parts")}


def _as_told(world: World, finding: Finding, rows: dict[str, Record]) -> None:
    """The statuses that the script expects, where it says so."""
    ends = {str(row["id"]).lower(): row for row in world.final.of("m")} | {
        str(r["id"]).lower(): r for r in rows.values()
    }
    for act in world.script.of("expect"):
        row, wanted = ends.get(act.machine), str(act.said["status"])
        status = str(row["status"]) if row else "not there"
        finding.expect(status == wanted, f"is {status}, expected {wanted}", act.machine, world.script.end)
