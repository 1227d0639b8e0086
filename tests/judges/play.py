"""Plays the ten days of papers.py as a product that keeps every promise would have done. Used by the judges' tests."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from tests.judges.as_one import named, operation, parts_of, play_collection
from tests.judges.papers import (
    BAD_SLOT,
    DAY,
    DB,
    END,
    GROUPS,
    HELD_SLOT,
    HELD_UNTIL,
    HOUR,
    MACHINES,
    MINUTE,
    PLANS,
    SHARD,
    STAMP,
    START,
    SUBSCRIPTION,
    WEB,
    Machine,
    Paper,
    Papers,
    keep_until,
    point_row,
    text,
)
from tests.judges.proofs import play_drills, play_vault, shown
from tests.judges.swapped import play_swaps

PUT, DELETE = "Microsoft.Compute/snapshots/write", "Microsoft.Compute/snapshots/delete"
ETAG = "W/\"datetime'2027-03-10T00%3A00%3A12.5Z'\""
FOR_EVER_SLOT = START + timedelta(days=1, hours=1)


def played() -> Papers:
    """The whole play."""
    papers = Papers()
    _script(papers)
    papers.call(START + MINUTE, "PUT", f"{GROUPS}/tagback-westeurope", GROUP_WRITE, status=201)
    papers.call(START + MINUTE, "POST", "/providers/Microsoft.ResourceGraph/resources", QUERY, status=200)
    rows: list[tuple[datetime, datetime, Paper]] = []
    for machine in MACHINES:
        add_machine(papers, machine)
        for slot in machine.slots():
            if slot == BAD_SLOT and machine is DB:
                _gave_up(papers, rows, machine, slot)
            else:
                _point(papers, rows, machine, slot)
    _throttled(papers)
    _untouched(papers)
    _visits(papers)
    play_drills(papers)
    play_swaps(papers)
    play_collection(papers)
    rows += play_vault(papers)
    _dumps(papers, rows)
    return papers.in_order()


GROUP_WRITE = "Microsoft.Resources/subscriptions/resourceGroups/write"
QUERY = "Microsoft.ResourceGraph/resources/read"


def _script(papers: Papers) -> None:
    settings = {"TAGBACK_SWEEP": "0 */15 * * * *"}
    papers.script.append(
        {"do": "begin", "at": text(START), "until": text(END), "subscriptions": [SUBSCRIPTION], "settings": settings}
    )
    papers.script.append({"do": "plans", "at": text(START), "text": PLANS})
    for machine in MACHINES:
        act = {"at": text(START), "until": text(START + MINUTE), "machine": machine.id}
        papers.script.append({"do": "create", **act, "tags": {"Backup": machine.plan.upper()}})
        if machine.leaves:
            papers.script.append({"do": "delete", "at": text(machine.leaves), "machine": machine.id})
    asked = text(START + timedelta(days=2))
    holds = [(DB, HELD_SLOT, "2027-03-16"), (WEB, FOR_EVER_SLOT, "forever")]
    for machine, slot, hold in holds:
        said = {"machine": machine.id, "slot": f"{slot:{STAMP}}", "hold": hold}
        papers.script.append({"do": "hold", "at": asked, "until": asked, **said})
    trouble = {"at": text(BAD_SLOT), "until": text(BAD_SLOT + HOUR), "kind": "F20"}
    papers.script.append({"do": "trouble", **trouble, "says": "a limit is reached"})
    papers.script.append({"do": "expect", "at": text(END), "machine": WEB.id, "status": "protected"})


def _visits(papers: Papers) -> None:
    """Two people come to the app's door, of whom one may; and events, of which one has the key."""
    at, ours = text(START + DAY), [SUBSCRIPTION]
    visit = {"do": "knock", "at": at, "until": at, "route": "status", "within": ours}
    papers.script.append({**visit, "who": "a stranger", "may": False, "status": 403, "shown": []})
    papers.script.append({**visit, "who": "viewer", "may": True, "status": 200, "shown": ours})
    for with_key, status in ((True, 202), (False, 401)):
        event = {"subject": WEB.id, "key": with_key, "status": status}
        papers.script.append({"do": "forged-event", "at": at, "until": at, **event})


def add_machine(papers: Papers, machine: Machine) -> None:
    born, gone = text(START + MINUTE / 2), machine.leaves and text(machine.leaves)
    disks = [{"name": f"{machine.name}-{n}", "managedDisk": {"id": machine.disk(n)}} for n in range(machine.disks)]
    storage = {"osDisk": disks[0], "dataDisks": disks[1:]}
    common = {"location": "westeurope", "born": born, "gone": gone}
    vm = {"id": machine.id, "name": machine.name, "type": "Microsoft.Compute/virtualMachines"}
    papers.state.append({**vm, "properties": {"vmId": machine.uid, "storageProfile": storage}, **common})
    for number in range(machine.disks):
        disk = {"id": machine.disk(number), "name": f"{machine.name}-{number}", "type": "Microsoft.Compute/disks"}
        papers.state.append({**disk, "properties": {"uniqueId": machine.disk_uid(number)}, **common})


def _untouched(papers: Papers) -> None:
    """A machine that never asked, and a disk that a tag leaves out."""
    idle = Machine("idle-1", "off", 1)
    add_machine(papers, idle)
    papers.script.append(
        {
            "do": "create",
            "at": text(START),
            "until": text(START + MINUTE),
            "machine": idle.id,
            "tags": {"backup": "off"},
        }
    )
    left_out = {"id": WEB.disk(7), "name": "web-1-7", "type": "Microsoft.Compute/disks", "tags": {"backup": "off"}}
    common = {"properties": {"uniqueId": WEB.disk_uid(7)}, "born": text(START), "gone": None}
    papers.state.append({**left_out, **common})


Rows = list[tuple[datetime, datetime, Paper]]


def _point(papers: Papers, rows: Rows, machine: Machine, slot: datetime) -> None:
    """Told of, taken, complete; and, when its day has come and nobody holds it, told of again and deleted."""
    parts = parts_of(machine, slot)
    names, until = [named(one) for one in parts], keep_until(machine, slot)
    told = {"vm": machine.uid, "slot": f"{slot:{STAMP}}", "attempt": 1, "parts": names}
    told["operation"] = f"slot-{slot:{STAMP}}"
    papers.audit.append({"at": text(slot), "event": "capture.intended", "keep_until": f"{until:{STAMP}}", **told})
    for one in parts:
        papers.call(slot + MINUTE, "PUT", one["id"], operation(one, "write"))
        papers.state.append(one)
    done = {"at": text(slot + 3 * MINUTE), "event": "point.complete", "keep_until": f"{until:{STAMP}}"}
    papers.audit.append({**done, "because": "it earned it", **told})
    _request(papers, slot + 3 * MINUTE, machine)
    row = point_row(machine, slot, parts)
    held = HELD_UNTIL if (machine, slot) == (DB, HELD_SLOT) else None
    forever = (machine, slot) == (WEB, FOR_EVER_SLOT)
    if held or forever:
        row["held_until"] = text(held) if held else "9999-12-31T00:00:00+00:00"
        for one in parts:
            one["tags"]["backup-hold"] = "2027-03-16" if held else "forever"
    goes = max(until, held or until) + HOUR
    stays = goes >= END or machine.leaves is not None or forever
    marked = {**row, "removal": json.dumps({"marked_at": text(until - DAY)})}
    rows.extend([(slot + 3 * MINUTE, until - DAY, row), (until - DAY, END + DAY if stays else goes, marked)])
    if stays:
        return
    papers.audit.append({"at": text(goes), "event": "point.deleting", "because": "its date has come", **told})
    for one in parts:
        papers.call(goes + MINUTE, "DELETE", one["id"], operation(one, "delete"))
        one["gone"] = text(goes + MINUTE)
        one["properties"]["provisioningState"] = "Deleting"


def _gave_up(papers: Papers, rows: Rows, machine: Machine, slot: datetime) -> None:
    row = {
        "table": "ledger",
        "RowKey": f"o|{machine.uid}|slot-{slot:{STAMP}}-disk",
        "uid": machine.uid,
        "slot": text(slot),
        "state": "gave-up",
        "because": "no more snapshots may be made here",
    }
    rows.append((slot + HOUR, END + DAY, row))
    event = {"eventType": "Tagback.Operation.GaveUp", "data": {"uid": machine.uid, "slot": f"{slot:{STAMP}}"}}
    papers.events.append({"kind": "published", "at": text(slot + HOUR), "event": event})


def _throttled(papers: Papers) -> None:
    """One refusal, and the call again when it was over."""
    last = next(call for call in reversed(papers.calls) if call["operation"] == PUT)
    refused = datetime.fromisoformat(last["t"]) - 2 * MINUTE
    path = last["path"].partition("?")[0]
    papers.call(refused, "PUT", path, PUT, status=429, retry_after="60")


def _request(papers: Papers, at: datetime, machine: Machine) -> None:
    row = f"/devstoreaccount1/ledger(PartitionKey='{SHARD}|00',RowKey='m|{machine.uid}')"
    operations = [
        {"method": "PUT", "path": row, "if-match": ETAG},
        {"method": "POST", "path": "/devstoreaccount1/ledger"},
    ]
    batch = {"service": "table", "t": text(at), "method": "POST", "path": "/devstoreaccount1/$batch"}
    papers.requests.append({**batch, "status": 202, "operations": operations})
    append = f"/devstoreaccount1/audit/{SUBSCRIPTION}/westeurope/{at:%Y-%m-%d}/000.jsonl?comp=appendblock"
    papers.requests.append({"service": "blob", "t": text(at), "method": "PUT", "path": append, "status": 201})


def _dumps(papers: Papers, rows: Rows) -> None:
    """All rows at the last second of each day, and at the end."""
    evenings = [(START + (number + 1) * DAY - timedelta(seconds=1)) for number in range(10)]
    named = [(f"{evening:%Y-%m-%d}", evening) for evening in evenings] + [("end", END)]
    for day, evening in named:
        for machine in MACHINES:
            papers.rows.append({"day": day, **_machine_row(machine, evening)})
        papers.rows.extend({"day": day, **row} for since, until, row in rows if since <= evening < until)


def _machine_row(machine: Machine, at: datetime) -> Paper:
    gone = machine.leaves is not None and at > machine.leaves
    return {
        "table": "ledger",
        "RowKey": f"m|{machine.uid}",
        "uid": machine.uid,
        "id": machine.id.lower(),
        "plan": machine.plan,
        "status": "gone" if gone else "protected",
        "because": "so it is",
        "left_at": text(machine.leaves) if machine.leaves and gone else None,
        **shown(machine, at),
    }
