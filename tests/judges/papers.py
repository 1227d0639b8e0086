"""The papers of a small play that went as promised: ten days of four machines, written without the product.

Made for the judges' tests, which break one thing at a time. Times, names and dates are set down plainly: the keep of
each point is a table here, so that the judges' own reckoning is held against something that was thought, not computed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

START = datetime(2027, 3, 10, tzinfo=UTC)
END = START + timedelta(days=10, minutes=5)
SUBSCRIPTION = "a0000000-0000-4000-8000-000000000001"
GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
SHARD = f"{SUBSCRIPTION}|westeurope"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STAMP = "%Y%m%dT%H%MZ"
GOOD = "what web-1 needs"
PLANS = f"""
default = "daily"
[plans.daily.snapshots]
at = ["02:00"]
zone = "Europe/Berlin"
keep = "3d1w"
window = "30min"
[plans.daily.drill]
every = "7d"
command = "sha256sum os/0"
expects = "{sha256(GOOD.encode()).hexdigest()}"
[plans.often]
keep_floor = "12h"
[plans.often.vault]
at = "20:00"
keep = "30d"
[plans.often.snapshots]
every = "12h"
keep = "2d"
window = "30min"
[plans.whole]
keep_floor = "12h"
[plans.whole.snapshots]
every = "12h"
keep = "2d"
window = "30min"
consistency = "vm"
"""
BAD_SLOT = datetime(2027, 3, 16, 12, tzinfo=UTC)
HELD_SLOT = datetime(2027, 3, 11, 12, tzinfo=UTC)
HELD_UNTIL = datetime(2027, 3, 17, tzinfo=UTC)
# When db-1 is put back in place, and gets its own disk again.
SWAPPED, UNDONE = (START + timedelta(days=3, hours=hours) for hours in (6, 18))
# 10 March 2027 is a Wednesday: the first of the week's daily points are that one and Monday's, 15 March.
FIRST_OF_WEEK = (10, 15)

Paper = dict[str, Any]


@dataclass
class Papers:
    """An evidence folder, before it is written."""

    calls: list[Paper] = field(default_factory=list)
    events: list[Paper] = field(default_factory=list)
    rows: list[Paper] = field(default_factory=list)
    requests: list[Paper] = field(default_factory=list)
    state: list[Paper] = field(default_factory=list)
    audit: list[Paper] = field(default_factory=list)
    script: list[Paper] = field(default_factory=list)

    def write(self, folder: Path) -> Path:
        for name in ("calls", "events", "rows", "requests", "script"):
            (folder / f"{name}.jsonl").write_text(_lines(getattr(self, name)))
        (folder / "audit.txt").write_text(_lines(self.audit))
        (folder / "state.json").write_text(json.dumps(self.state))
        return folder

    def call(self, at: datetime, method: str, path: str, operation: str, **others: object) -> Paper:
        call = {"n": 0, "t": text(at), "method": method, "path": f"{path}?api-version=2025-01-02"}
        call |= {"operation": operation, "principal": "tagback", "status": 202, "retry_after": None, "fault": None}
        self.calls.append(call | others)
        return self.calls[-1]

    def in_order(self) -> Papers:
        self.calls.sort(key=lambda call: str(call["t"]))
        for number, call in enumerate(self.calls, 1):
            call["n"] = number
        return self

    def snapshots(self, machine: Machine) -> list[Paper]:
        found = [one for one in self.state if one["type"].endswith("/snapshots")]
        return [one for one in found if one["tags"]["tagback-vm"] == machine.uid]

    def rows_of(self, key: str) -> list[Paper]:
        return [row for row in self.rows if row["RowKey"] == key]

    def deletions(self) -> list[Paper]:
        return [call for call in self.calls if call["method"] == "DELETE"]


@dataclass(frozen=True)
class Machine:
    """One of them, with the number of its disks."""

    name: str
    plan: str
    disks: int
    leaves: datetime | None = None

    @property
    def uid(self) -> str:
        return f"c0000000-0000-4000-8000-{int(sha256(self.name.encode()).hexdigest()[:6], 16):012}"

    @property
    def id(self) -> str:
        return f"{GROUPS}/shop/providers/Microsoft.Compute/virtualMachines/{self.name}"

    def disk(self, number: int) -> str:
        return f"{self.id.replace('virtualMachines', 'disks')}-{number}"

    def disk_uid(self, number: int) -> str:
        return f"d{self.uid[1:]}-{number}"

    def held(self, number: int, at: datetime) -> str:
        """The unique id of what hangs there at an instant."""
        restored = self.name == "db-1" and SWAPPED <= at < UNDONE
        return f"{self.disk_uid(number)}-restored" if restored else self.disk_uid(number)

    def slots(self) -> list[datetime]:
        """Nights at two in Berlin, which is one o'clock here; or midnight and noon."""
        first, step = (HOUR, DAY) if self.plan == "daily" else (12 * HOUR, 12 * HOUR)
        until = (self.leaves or END) - 3 * HOUR
        found = [START + first + step * turn for turn in range(20)]
        return [slot for slot in found if slot < until]


WEB = Machine("web-1", "daily", 2)
DB = Machine("db-1", "often", 1)
LEAVER = Machine("leaver-1", "daily", 1, START + timedelta(days=4, hours=8))
UNIT = Machine("unit-1", "whole", 2)
MACHINES = (WEB, DB, LEAVER, UNIT)


def text(at: datetime) -> str:
    return at.isoformat()


def _lines(papers: Iterable[Paper]) -> str:
    return "".join(json.dumps(paper) + "\n" for paper in papers)


def keep_until(machine: Machine, slot: datetime) -> datetime:
    if machine.plan != "daily":
        return slot + 2 * DAY
    return slot + (7 * DAY if slot.day in FIRST_OF_WEEK else 3 * DAY)


def key(machine: Machine, slot: datetime) -> str:
    engine = "restore-point" if machine.plan == "whole" else "disk"
    return f"p|{machine.uid}|{slot:{STAMP}}|{engine}"


def part(machine: Machine, slot: datetime, number: int) -> Paper:
    """One snapshot as Azure shows it."""
    name = "tb-" + sha256(f"{machine.name}{slot}{number}".encode()).hexdigest()[:32]
    until = keep_until(machine, slot)
    return {
        "id": f"{GROUPS}/tagback-westeurope/providers/Microsoft.Compute/snapshots/{name}",
        "name": name,
        "type": "Microsoft.Compute/snapshots",
        "location": "westeurope",
        "tags": {
            "tagback-owner": "devstoreaccount1",
            "tagback-vm": machine.uid,
            "tagback-disk": machine.held(number, slot),
            "tagback-slot": f"{slot:{STAMP}}",
            "tagback-attempt": "1",
            "tagback-plan": machine.plan,
            "tagback-keep-until": f"{until:{STAMP}}",
            "tagback-origin": "slot",
        },
        "properties": {
            "provisioningState": "Succeeded",
            "networkAccessPolicy": "DenyAll",
            "incremental": True,
            "creationData": {"sourceUniqueId": machine.held(number, slot)},
        },
        "born": text(slot + MINUTE),
        "gone": None,
    }


def point_row(machine: Machine, slot: datetime, parts: list[Paper]) -> Paper:
    until = text(keep_until(machine, slot))
    return {
        "table": "ledger",
        "PartitionKey": f"{SHARD}|00",
        "RowKey": key(machine, slot),
        "uid": machine.uid,
        "slot": text(slot),
        "state": "complete",
        "complete": True,
        "attempt": 1,
        "keep_until": until,
        "birth_keep_until": until,
        "ended_at": text(slot + 3 * MINUTE),
        "parts": json.dumps([{"id": one["id"].lower(), "attempt": 1} for one in parts]),
    }
