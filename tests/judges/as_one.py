"""Restore points in the ten days of papers.py: all disks of unit-1 are taken at one instant. Used by play.py."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from tests.judges.papers import GROUPS, MINUTE, STAMP, START, UNIT, Machine, Paper, Papers, keep_until, part, text

TYPE = "Microsoft.Compute/restorePointCollections"
COLLECTION = f"{GROUPS}/tagback-westeurope-rp03/providers/{TYPE}/tb-{'5' * 32}"


def play_collection(papers: Papers) -> None:
    tags = {"tagback-owner": "devstoreaccount1", "tagback-vm": UNIT.uid, "tagback-plan": UNIT.plan}
    named = {"id": COLLECTION, "name": COLLECTION.rpartition("/")[2], "type": TYPE, "tags": tags}
    properties = {"source": {"id": UNIT.id}}
    papers.state.append({**named, "properties": properties, "born": text(START), "gone": None})


def parts_of(machine: Machine, slot: datetime) -> list[Paper]:
    """What Azure shows of a machine's point: a snapshot of each disk, or one restore point."""
    if machine is not UNIT:
        return [part(machine, slot, number) for number in range(machine.disks)]
    digest = sha256(f"{slot}".encode()).hexdigest()[:8]
    name = f"tb-{slot:{STAMP}}-{keep_until(machine, slot):{STAMP}}-1-{digest}"
    disks = [{"managedDisk": {"id": machine.disk(number)}} for number in range(machine.disks)]
    profile = {"osDisk": disks[0], "dataDisks": disks[1:]}
    properties = {
        "provisioningState": "Succeeded",
        "sourceMetadata": {"vmId": machine.uid, "storageProfile": profile},
    }
    place = f"{COLLECTION}/restorePoints/{name}"
    kind = {"id": place, "name": name, "type": f"{TYPE}/restorePoints"}
    return [{**kind, "properties": properties, "born": text(slot + MINUTE), "gone": None}]


def named(one: Paper) -> str:
    """A part as the audit log names it: of a restore point with its collection."""
    return "/".join(str(one["id"]).lower().split("/snapshots/" if "tags" in one else "/restorepointcollections/")[1:])


def operation(one: Paper, verb: str) -> str:
    return f"Microsoft.Compute/snapshots/{verb}" if "tags" in one else f"{TYPE}/restorePoints/{verb}"
