"""A finished demo as its checks see it: what was meant to happen, what was observed, and what was found wrong.

Values and the questions asked of them; pure. Used by checks.py, answers.py and report.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from local.demo.due import Plan
from local.demo.evidence import Evidence, Record
from local.demo.scenario import MachineStory, Scenario

VIRTUAL_MACHINE = "microsoft.compute/virtualmachines"
DISK = "microsoft.compute/disks"
SNAPSHOT = "microsoft.compute/snapshots"
SLOT = "%Y%m%dT%H%MZ"
PRODUCT = "tagback"


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that is not as promised."""

    what: str
    where: str
    at: str


@dataclass(slots=True)
class Finding:
    """How much was looked at, and what was wrong."""

    checked: int = 0
    violations: list[Violation] = field(default_factory=list)

    def expect(self, holds: bool, what: str, where: str, at: str = "") -> None:
        self.checked += 1
        if not holds:
            self.violations.append(Violation(what, where, at))


@dataclass(frozen=True, slots=True)
class Story:
    """A finished demo: what was meant to happen, until when, and what was observed."""

    scenario: Scenario
    end: datetime
    plans: Mapping[str, Plan]
    evidence: Evidence

    def of_type(self, kind: str) -> list[Record]:
        return [entry for entry in self.evidence.resources if str(entry.get("type", "")).lower() == kind]

    def incarnations(self, machine: MachineStory) -> list[Record]:
        """Every VM that ever had the machine's id, oldest first."""
        found = [vm for vm in self.of_type(VIRTUAL_MACHINE) if vm["id"].lower() == machine.id.lower()]
        return sorted(found, key=lambda vm: instant(vm["born"]))

    def points(self) -> list[Record]:
        return [row for row in self.evidence.rows if str(row["RowKey"]).startswith("p|")]

    def operations(self) -> list[Record]:
        return [row for row in self.evidence.rows if str(row["RowKey"]).startswith("o|")]

    def expired(self) -> int:
        """How many of the product's snapshots are gone."""
        return sum(1 for snapshot in self.of_type(SNAPSHOT) if snapshot["gone"] and tag(snapshot, "tagback-owner"))

    def retried(self) -> int:
        """How many operations were taken up more than once."""
        return sum(1 for operation in self.operations() if int(str(operation.get("attempts", 0))) > 1)

    def adopted(self) -> int:
        """How many snapshots are parts of complete points though a fault took the answer to their PUT."""
        complete = " ".join(str(point["parts"]).lower() for point in self.points() if point["complete"])
        lost = {
            call["path"].partition("?")[0].lower()
            for call in self.evidence.calls
            if call["fault"] and call["method"] == "PUT" and SNAPSHOT in call["path"].lower()
        }
        return sum(1 for path in lost if path.rpartition("/")[2] in complete)


def slot_of(point: Record) -> str:
    """The slot as a point's row key has it."""
    return str(point["RowKey"]).split("|")[2]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def tag(resource: Record, name: str) -> str:
    return str((resource.get("tags") or {}).get(name, ""))


def alive_at(resource: Record, at: datetime) -> bool:
    return instant(resource["born"]) <= at and (not resource["gone"] or at < instant(resource["gone"]))


def usable(snapshot: Record) -> bool:
    return not snapshot["gone"] and snapshot["properties"].get("provisioningState") == "Succeeded"


def disks_to_capture(story: Story, machine: MachineStory, vm: Record) -> dict[str, str]:
    """The unique ids of the disks a point of this incarnation must hold, by disk name."""
    names = set(attached_names(vm))
    left_out = {f"{machine.name}-data-{number}" for number in machine.left_out}
    born, gone = instant(vm["born"]), vm["gone"]
    return {
        disk["name"]: str(disk["properties"]["uniqueId"]).lower()
        for disk in story.of_type(DISK)
        if disk["name"] in names - left_out
        and disk["id"].lower().startswith(vm["id"].lower().partition("/providers/")[0])
        and instant(disk["born"]) >= born
        and (not gone or instant(disk["born"]) < instant(gone))
    }


def attached_names(vm: Record) -> Iterator[str]:
    storage = vm["properties"]["storageProfile"]
    if not storage["osDisk"].get("diffDiskSettings"):
        yield storage["osDisk"]["name"]
    yield from (disk["name"] for disk in storage.get("dataDisks", ()))


def incarnation_at(story: Story, machine: MachineStory, slot: datetime) -> Record | None:
    return next((vm for vm in story.incarnations(machine) if alive_at(vm, slot)), None)


def captured(story: Story, uid: str, slot: str) -> set[str]:
    return {
        tag(snapshot, "tagback-disk").lower()
        for snapshot in story.of_type(SNAPSHOT)
        if tag(snapshot, "tagback-vm").lower() == uid and tag(snapshot, "tagback-slot") == slot and usable(snapshot)
    }
