"""Judges a finished demo from its evidence alone: what Azure holds, what the tables say, what was called.

Pure; nothing of the product is used. Called by the demo; each function gives one promise's count and violations.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from local.demo.due import due_slots, lives
from local.demo.evidence import Record
from local.demo.story import (
    DISK,
    PRODUCT,
    SLOT,
    SNAPSHOT,
    Finding,
    Story,
    captured,
    disks_to_capture,
    incarnation_at,
    instant,
    slot_of,
    tag,
    usable,
)

ONE_INSTANT = timedelta(minutes=15)
MAY_WRITE = {
    "microsoft.compute/snapshots/write",
    "microsoft.resources/subscriptions/resourcegroups/write",
    "microsoft.resourcegraph/resources/read",
}


def due_slots_are_complete(story: Story) -> Finding:
    """S2, as the snapshots in Azure show it: each due slot has every disk's snapshot, and the ledger says complete."""
    finding = Finding()
    complete = {(row["RowKey"].split("|")[1].lower(), slot_of(row)) for row in story.points() if row["complete"]}
    for machine in story.scenario.machines:
        for life in lives(machine, story.scenario.start, story.end):
            for slot in due_slots(life, dict(story.plans)) if machine.status != "unprotected" else ():
                vm = incarnation_at(story, machine, slot)
                where, at = machine.name, slot.strftime(SLOT)
                if vm is None:
                    finding.expect(False, "the machine did not exist at its slot", where, at)
                    continue
                uid = str(vm["properties"]["vmId"]).lower()
                wanted = set(disks_to_capture(story, machine, vm).values())
                found = captured(story, uid, at)
                finding.expect(bool(wanted), "a due slot without a disk to capture", where, at)
                finding.expect(found == wanted, f"captured {len(found)} disks of {len(wanted)}", where, at)
                finding.expect((uid, at) in complete, "the ledger has no complete point", where, at)
    return finding


def nothing_is_doubled(story: Story) -> Finding:
    """S1: one complete point per VM, engine and slot, one snapshot per disk, slot and attempt, begun by one PUT."""
    finding = Finding()
    points = Counter(tuple(str(row["RowKey"]).split("|")[1:]) for row in story.points() if row["complete"])
    parts = Counter(
        tuple(tag(snapshot, f"tagback-{name}") for name in ("vm", "slot", "disk", "attempt"))
        for snapshot in story.of_type(SNAPSHOT)
        if usable(snapshot) and tag(snapshot, "tagback-owner")
    )
    for key, count in [*points.items(), *parts.items()]:
        finding.expect(count == 1, f"{count} of one", key[0], key[1])
    for path, count in accepted_puts(story).items():
        finding.expect(count == 1, f"{count} PUTs over one snapshot: the second resets its tags", path)
    return finding


def accepted_puts(story: Story) -> Counter[str]:
    """How often the product had a PUT accepted, by snapshot."""
    return Counter(
        str(call["path"]).lower().partition("?")[0]
        for call in story.evidence.calls
        if call["principal"] == PRODUCT
        and (call["method"], str(call["operation"]).lower()) == ("PUT", f"{SNAPSHOT}/write")
        and call["status"] < 300
    )


def complete_means_complete(story: Story) -> Finding:
    """S6: every part of a point that the ledger calls complete is a finished, private, incremental snapshot of ours."""
    finding = Finding()
    snapshots = {snapshot["id"].lower(): snapshot for snapshot in story.of_type(SNAPSHOT)}
    for row in story.points():
        if not row["complete"]:
            continue
        parts: list[dict[str, Any]] = json.loads(row["parts"])
        finding.expect(bool(parts), "a complete point without parts", row["RowKey"])
        begun = [instant(snapshots[key]["born"]) for part in parts if (key := str(part["id"]).lower()) in snapshots]
        close = not begun or max(begun) - min(begun) <= ONE_INSTANT
        finding.expect(close, "the parts were begun too far apart", row["RowKey"])
        for part in parts:
            snapshot = snapshots.get(str(part["id"]).lower())
            finding.expect(snapshot is not None and usable(snapshot), "a part is not there", row["RowKey"])
            if snapshot is not None:
                expect_private(finding, snapshot, row)
    return finding


def expect_private(finding: Finding, snapshot: Record, row: Record) -> None:
    properties = snapshot["properties"]
    finding.expect(properties.get("networkAccessPolicy") == "DenyAll", "a part is not private", snapshot["id"])
    finding.expect(properties.get("incremental") is True, "a part is not incremental", snapshot["id"])
    finding.expect(tag(snapshot, "tagback-slot") == slot_of(row), "a part carries another slot", snapshot["id"])
    named = re.fullmatch(r"tb-[0-9a-f]{32}", snapshot["name"]) is not None
    finding.expect(named, "a part has a name of another form", snapshot["id"])


def the_unasked_are_left_alone(story: Story) -> Finding:
    """Machines that are opted out, untagged or impossible to capture have no snapshot; left-out disks have none."""
    finding = Finding()
    of_vm = {tag(snapshot, "tagback-vm").lower() for snapshot in story.of_type(SNAPSHOT)}
    of_disk = {str(s["properties"]["creationData"]["sourceUniqueId"]).lower() for s in story.of_type(SNAPSHOT)}
    disks = {(disk["id"].lower(), disk["name"]): disk for disk in story.of_type(DISK)}
    for machine in story.scenario.machines:
        asked = any(life.plan in story.plans for life in lives(machine, story.scenario.start, story.end))
        for vm in story.incarnations(machine) if not asked or machine.status == "unprotected" else ():
            uid = str(vm["properties"]["vmId"]).lower()
            finding.expect(uid not in of_vm, "captured although nobody asked or nothing could be", machine.name)
        for number in machine.left_out:
            found = [disk for (_, name), disk in disks.items() if name == f"{machine.name}-data-{number}"]
            finding.expect(bool(found), "the disk to be left out is not there", machine.name)
            for disk in found:
                taken = str(disk["properties"]["uniqueId"]).lower() in of_disk
                finding.expect(not taken, "a left-out disk was captured", disk["id"])
    return finding


def writes_stay_inside(story: Story) -> Finding:
    """S10: the product writes snapshots and its recovery groups, and only in its subscriptions."""
    finding = Finding()
    allowed = tuple(f"/subscriptions/{name}/resourcegroups/tagback-" for name in story.scenario.subscriptions)
    for call in story.evidence.calls:
        operation = str(call["operation"] or "").lower()
        if call["principal"] != PRODUCT or call["method"] in ("GET", "HEAD") or not operation:
            continue
        inside = operation.endswith("/read") or call["path"].lower().startswith(allowed)
        finding.expect(inside and operation in MAY_WRITE, f"{call['method']} {operation}", call["path"], call["t"])
    return finding


def ledger_writes_are_conditional(story: Story) -> Finding:
    """S11: every write to the ledger creates, or names the version it replaces."""
    finding = Finding()
    for request in story.evidence.requests:
        if request["service"] != "table":
            continue
        for operation in request.get("operations") or [request]:
            path = str(operation["path"]).partition("?")[0]
            if operation["method"] == "GET" or not re.search(r"/ledger(\(|$)", path):
                continue
            creates = operation["method"] == "POST" and path.endswith("/ledger")
            finding.expect(creates or operation.get("if-match", "*") != "*", "not conditional", path, request["t"])
    return finding


PROMISES: Mapping[str, Callable[[Story], Finding]] = {
    "S1": nothing_is_doubled,
    "S2": due_slots_are_complete,
    "S6": complete_means_complete,
    "S10": writes_stay_inside,
    "S11": ledger_writes_are_conditional,
    "left-alone": the_unasked_are_left_alone,
}
