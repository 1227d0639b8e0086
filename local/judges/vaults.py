"""Vaults: what a plan puts into Azure Backup is backed up there every day, and the rows tell of exactly that.

Azure's state has the recovery points. Vaults make and expire them; that nothing of a vault is deleted is S10's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from datetime import datetime, timedelta

from local.judges.evidence import instant, maybe_instant
from local.judges.finding import Finding
from local.judges.lives import Machine
from local.judges.world import Dump, World

POINT = "/recoverypoints/"
A_MINUTE = "%Y%m%dT%H%M"
FIRST = timedelta(hours=30)  # from the day on which a vault was asked for
DAILY = timedelta(hours=25)  # before an evening: that evening's backup, and not the one before
TO_BE_TOLD = timedelta(hours=12)
NOTHING = "not checked: no plan of this script has a vault"

Points = Mapping[str, Mapping[str, tuple[datetime, datetime | None]]]


def vaults_hold_what_rows_tell(world: World) -> Finding:
    """Every evening of every machine whose plan has a vault."""
    finding, points = Finding(), _points(world)
    for dump in world.dumps:
        told = _told(dump)
        for machine in world.machines:
            if _wants(machine, dump.at):
                _judge(world, finding, machine, dump.at, points, told.get(machine.uid, set()))
        for uid, minutes in told.items():
            for minute in minutes:
                finding.expect(minute in points.get(uid, {}), "a row of a point that no vault has", uid, minute)
    if not finding.checked:
        finding.note = NOTHING
    return finding


def _points(world: World) -> Points:
    """The recovery points of each machine by their minute: since when they are there, and when they went."""
    found: defaultdict[str, dict[str, tuple[datetime, datetime | None]]] = defaultdict(dict)
    for one in world.evidence.resources:
        place = str(one["id"]).lower()
        if POINT in place:
            at, (group, name) = instant(one["properties"]["recoveryPointTime"]), place.split("/")[-3].split(";")[-2:]
            owners = [vm for vm in world.machines if vm.id.split("/")[4::4] == [group, name] and vm.born <= at]
            for machine in owners[-1:]:
                found[machine.uid][f"{at:{A_MINUTE}}"] = (instant(one["born"]), maybe_instant(one["gone"]))
    return found


def _told(dump: Dump) -> dict[str, Set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in dump.of_vaults():
        if row["complete"]:
            found[str(row["uid"]).lower()].add(f"{instant(row['slot']):{A_MINUTE}}")
    return dict(found)


def _wants(machine: Machine, at: datetime) -> bool:
    asked = machine.at(at)
    alive = machine.gone is None or machine.gone > at
    return bool(alive and asked and asked.plan and asked.plan.vault and asked.since + FIRST <= at)


def _judge(world: World, finding: Finding, machine: Machine, at: datetime, points: Points, told: Set[str]) -> None:
    there = {m: born for m, (born, gone) in points.get(machine.uid, {}).items() if not gone or gone > at}
    if not world.script.disturbed(at - DAILY, at):
        new = [born for born in there.values() if at - DAILY <= born <= at]
        finding.expect(bool(new), "nothing came into its vault for more than a day", machine.name, at)
    if not world.script.disturbed(at - TO_BE_TOLD, at):
        old = {minute for minute, born in there.items() if born <= at - TO_BE_TOLD}
        finding.expect(old <= told, f"recovery points that no row tells of: {sorted(old - told)}", machine.name, at)
