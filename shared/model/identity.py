"""What things are called: ARM resource ids, VMs, disks, shards.

Parsed once at the edge and canonical after: ARM ids are compared in lower case (azure-facts 1.2, realdata 3.2).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import NewType

VmUid = NewType("VmUid", str)
"""The VM's `vmId`: stays through moves, new when the VM is made again. Lower case."""

DiskUid = NewType("DiskUid", str)
"""The disk's `uniqueId`: new when a disk is made again under the same name. Lower case."""

VM_TYPE = "microsoft.compute/virtualmachines"
COLLECTION_TYPE = "microsoft.compute/restorepointcollections"
WITHIN_COLLECTION = ("restorepoints", "diskrestorepoints")


@dataclass(frozen=True, slots=True, order=True)
class ResourceId:
    """The ARM id of a resource in a resource group, lower case.

    `parse` raises ValueError for anything that is not `/subscriptions/S/resourceGroups/G/providers/N/T/NAME`. What lies
    in a collection of restore points is named with its collection: `C/restorepoints/R/diskrestorepoints/D`. A sweep
    holds three ids for each machine: they share the texts that repeat.
    """

    subscription: str
    group: str
    type: str
    name: str

    @classmethod
    def parse(cls, text: str) -> ResourceId:
        trimmed = text.strip().strip("/ ")
        segments = trimmed.lower().split("/")
        shape_fits = len(segments) >= 8 and all(segments) and trimmed.isprintable()
        if not shape_fits or (segments[0], segments[2], segments[4]) != (
            "subscriptions",
            "resourcegroups",
            "providers",
        ):
            raise ValueError(f"not the id of a resource in a resource group: {text!r}")
        type_ = sys.intern(f"{segments[5]}/{segments[6]}")
        known = WITHIN_COLLECTION if type_ == COLLECTION_TYPE else ()
        if len(segments) % 2 or tuple(segments[8::2]) != known[: len(segments) // 2 - 4]:
            raise ValueError(f"not the id of a resource in a resource group: {text!r}")
        return cls(sys.intern(segments[1]), sys.intern(segments[3]), type_, "/".join(segments[7:]))

    @property
    def top(self) -> ResourceId:
        """What it lies in: the collection of a restore point; itself where it lies in nothing."""
        return ResourceId(self.subscription, self.group, self.type, self.name.partition("/")[0])

    @property
    def own_name(self) -> str:
        """Its name without what it lies in."""
        return self.name.rpartition("/")[2]

    def __str__(self) -> str:
        return f"/subscriptions/{self.subscription}/resourcegroups/{self.group}/providers/{self.type}/{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """One subscription in one region: the domain that Azure throttles as one, so one drainer works on it at a time."""

    subscription: str
    region: str

    @classmethod
    def parse(cls, key: str) -> Shard:
        subscription, separator, region = key.strip().lower().partition("|")
        if not (subscription and separator and region) or "|" in region:
            raise ValueError(f"not a shard, which is written subscription|region: {key!r}")
        return cls(sys.intern(subscription), sys.intern(region))

    def __str__(self) -> str:
        return f"{self.subscription}|{self.region}"


EVERYWHERE = Shard("all", "all")
"""No shard: stands for every one of them where a request or an audit line is about the whole installation."""


def vm_id(text: str) -> ResourceId:
    """The id of a virtual machine; ValueError for every other kind of resource."""
    parsed = ResourceId.parse(text)
    if parsed.type != VM_TYPE:
        raise ValueError(f"not the id of a virtual machine: {text!r}")
    return parsed


def subscription_of(place: str) -> str:
    """The subscription that the path of anything is in, in lower case; empty where it names none."""
    return place.strip("/").lower().partition("/")[2].partition("/")[0]
