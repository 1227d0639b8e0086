"""What is restored and what is in vaults in the ten days of papers.py: drills of one machine, a vault of another.

Used by play.py. The drilled machine's disk holds something wrong from the fifth day to the eighth.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from hashlib import sha256

from tests.judges.papers import (
    DAY,
    DB,
    END,
    GOOD,
    GROUPS,
    HOUR,
    MINUTE,
    SHARD,
    STAMP,
    START,
    WEB,
    Machine,
    Paper,
    Papers,
    text,
)

BAD = "something else"
WRITTEN = ((START + MINUTE, GOOD), (START + 5 * DAY, BAD), (START + 8 * DAY + 9 * HOUR, GOOD))
# The day of each drill, four hours after midnight, and whether it proved anything.
DRILLS = ((0, True), (7, False), (8, False), (9, True))
TOOK = timedelta(minutes=20)
IN_VAULT = 20 * HOUR
VAULT = f"{GROUPS}/tagback-westeurope/providers/Microsoft.RecoveryServices/vaults/v/backupFabrics/Azure"


def drilled(day: int) -> datetime:
    return START + day * DAY + 4 * HOUR


def made_by(day: int) -> Machine:
    """The machine that a drill makes, gone again before its verdict is an hour old."""
    return Machine(f"{WEB.name}-drill-{day:08x}", "off", WEB.disks)


def verdict(at: datetime) -> Paper:
    """The newest verdict on the drilled machine at an instant; empty before the first."""
    given = [(day, proven) for day, proven in DRILLS if drilled(day) + TOOK <= at]
    if not given:
        return {}
    day, proven = given[-1]
    times = {"slot": START + day * DAY + HOUR, "started_at": drilled(day), "at": drilled(day) + TOOK}
    return {"request": f"drill-{day}", "proven": proven, **{name: text(moment) for name, moment in times.items()}}


def shown(machine: Machine, at: datetime) -> Paper:
    """What the machine's row has of its drills."""
    said = verdict(at) if machine is WEB else {}
    return {"drill": json.dumps(said), **({} if said.get("proven", True) else {"status": "degraded"})} if said else {}


def play_drills(papers: Papers) -> None:
    papers.script.append({"do": "drills", "at": text(START), "until": text(END - HOUR)})
    for at, content in WRITTEN:
        papers.script.append(
            {"do": "write", "at": text(at), "until": text(at), "machine": WEB.id, "block": 0, "content": content}
        )
    for day, proven in DRILLS:
        _restored(papers, day, GOOD if proven else BAD)
        if not proven:
            event = {"eventType": "Tagback.Drill.Failed", "data": {"uid": WEB.uid, "drill": f"drill-{day}"}}
            papers.events.append({"kind": "published", "at": text(drilled(day) + TOOK), "event": event})


def _restored(papers: Papers, day: int, content: str) -> None:
    machine, born, gone = made_by(day), drilled(day) + MINUTE, drilled(day) + HOUR
    common = {"location": "westeurope", "born": text(born), "gone": text(gone)}
    disks = [{"managedDisk": {"id": machine.disk(number)}} for number in range(machine.disks)]
    storage = {"osDisk": disks[0], "dataDisks": disks[1:]}
    vm = {"id": machine.id, "name": machine.name, "type": "Microsoft.Compute/virtualMachines"}
    shut = _shut_in(papers, machine, common)
    properties = {"vmId": machine.uid, "storageProfile": storage, "networkProfile": {"networkInterfaces": [shut]}}
    papers.state.append({**vm, "properties": properties, **common, "agent": text(born + MINUTE)})
    for number in range(machine.disks):
        disk = {"id": machine.disk(number), "name": f"{machine.name}-{number}", "type": "Microsoft.Compute/disks"}
        held = {"0": sha256(content.encode()).hexdigest()} if number == 0 else {}
        unique = {"uniqueId": machine.disk_uid(number)}
        papers.state.append({**disk, "properties": unique, "content": held, **common})


def _shut_in(papers: Papers, machine: Machine, common: Paper) -> Paper:
    """The interface of a drill's machine, in a network whose rules deny everything both ways."""
    network = machine.id.replace("Microsoft.Compute/virtualMachines", "Microsoft.Network/virtualNetworks")
    rules, card = (network.replace("virtualNetworks", kind) for kind in ("networkSecurityGroups", "networkInterfaces"))
    whole = dict.fromkeys(("protocol", "sourcePortRange", "destinationPortRange"), "*")
    whole |= {"sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "access": "Deny"}
    denied = [{"properties": {**whole, "direction": way, "priority": 100}} for way in ("Inbound", "Outbound")]
    subnet = {"name": "isolated", "properties": {"networkSecurityGroup": {"id": rules}}}
    address = {"properties": {"subnet": {"id": f"{network}/subnets/isolated"}}}
    for place, properties in (
        (rules, {"securityRules": denied}),
        (network, {"subnets": [subnet]}),
        (card, {"networkSecurityGroup": {"id": rules}, "ipConfigurations": [address]}),
    ):
        kind, name = place.split("/")[-2:]
        papers.state.append(
            {"id": place, "name": name, "type": f"Microsoft.Network/{kind}", "properties": properties, **common}
        )
    return {"id": card}


def play_vault(papers: Papers) -> list[tuple[datetime, datetime, Paper]]:
    """A recovery point every evening, and the rows that tell of them an hour later."""
    rows: list[tuple[datetime, datetime, Paper]] = []
    item = f"{VAULT}/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;shop;{DB.name}"
    for day in range(10):
        at = START + day * DAY + IN_VAULT
        place = f"{item}/protectedItems/vm;iaasvmcontainerv2;shop;{DB.name}/recoveryPoints/{day}"
        point = {"id": place, "name": str(day), "type": "Microsoft.RecoveryServices/recoveryPoints"}
        properties = {"recoveryPointTime": text(at)}
        papers.state.append({**point, "properties": properties, "born": text(at), "gone": None})
        row = {"table": "ledger", "PartitionKey": f"{SHARD}|00", "RowKey": f"p|{DB.uid}|{at:{STAMP}}|vault"}
        rows.append(
            (at + HOUR, END + DAY, {**row, "uid": DB.uid, "slot": text(at), "engine": "vault", "complete": True})
        )
    return rows
