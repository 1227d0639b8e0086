"""Machines, disks, interfaces and what they refer to, as raw bodies: for restores. Built by wiring.

Bodies and not the SDK's models: a captured body goes back as it came, with what no model of ours knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from shared.cloud.arm import Arm, Ask
from shared.cloud.inventory import ABSENT, DISK_VERSION, INTERFACE_VERSION, VM_VERSION
from shared.cloud.pace import Lane
from shared.cloud.snapshots import GROUP_VERSION, TAGS_VERSION
from shared.errors import Missing, Refused
from shared.model.draining import CallKind
from shared.model.identity import VM_TYPE, Shard
from shared.model.restore import ArmPath, Power

# The api-version of each provider, or of one type of it.
VERSIONS: Mapping[str, str] = {
    "microsoft.compute": VM_VERSION,
    "microsoft.compute/disks": DISK_VERSION,
    "microsoft.compute/snapshots": DISK_VERSION,
    "microsoft.compute/restorepointcollections": DISK_VERSION,  # of what lies in them, only disks are restored from
    "microsoft.compute/diskencryptionsets": DISK_VERSION,
    "microsoft.network": INTERFACE_VERSION,
    "microsoft.managedidentity": "2023-01-31",
}
CHANGE_DISKS = "attachDetachDataDisks"  # only the disks that it names [facts 3.5]
MACHINE_LONG = 8  # segments of the id of a resource in a group
PARTS_GONE = frozenset({*ABSENT, "parentresourcenotfound"})


class AzureBuilder:
    """Everything goes to the configured ARM; a path that is none is refused."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    def find(self, shard: Shard, place: ArmPath) -> Mapping[str, Any] | None:
        lane = Lane.of(shard, CallKind.READ)
        query = {"$expand": "instanceView"} if _type_of(place) == VM_TYPE else {}
        try:
            return self._arm.get(lane, place, _version(place), **query)
        except Missing as error:
            if error.code.lower() in PARTS_GONE:
                return None
            raise

    def make(self, shard: Shard, place: ArmPath, body: Mapping[str, Any]) -> None:
        headers = {"If-None-Match": "*"} if _is_machine(place) else {}
        self._write(shard, Ask("PUT", place, _version(place), body, headers))

    def change(self, shard: Shard, place: ArmPath, body: Mapping[str, Any]) -> None:
        self._write(shard, Ask("PUT", place, _version(place), body))

    def power(self, shard: Shard, machine: ArmPath, wanted: Power) -> None:
        self._write(shard, Ask("POST", f"{machine}/{wanted}", VM_VERSION))

    def attach(self, shard: Shard, machine: ArmPath, disks: Mapping[ArmPath, int]) -> None:
        how = {"caching": "None", "deleteOption": "Detach"}
        wanted = [{"diskId": place, "lun": lun, **how} for place, lun in disks.items()]
        self._write(shard, Ask("POST", f"{machine}/{CHANGE_DISKS}", VM_VERSION, {"dataDisksToAttach": wanted}))

    def detach(self, shard: Shard, machine: ArmPath, disks: Sequence[ArmPath]) -> None:
        body = {"dataDisksToDetach": [{"diskId": place} for place in disks]}
        self._write(shard, Ask("POST", f"{machine}/{CHANGE_DISKS}", VM_VERSION, body))

    def room(self, shard: Shard, machine: ArmPath, size: str) -> int | None:
        listed = self._arm.get(Lane.of(shard, CallKind.READ), f"{machine}/vmSizes", VM_VERSION).get("value") or ()
        found = (one.get("maxDataDiskCount") for one in listed if str(one.get("name")).lower() == size.lower())
        return next((int(count) for count in found if count), None)

    def tag(self, shard: Shard, place: ArmPath, tags: Mapping[str, str], gone: Mapping[str, str]) -> None:
        path = f"{place}/providers/Microsoft.Resources/tags/default"
        for operation, named in (("Merge", tags), ("Delete", gone)):
            if named:
                body = {"operation": operation, "properties": {"tags": dict(named)}}
                self._write(shard, Ask("PATCH", path, TAGS_VERSION, body))

    def remove(self, shard: Shard, place: ArmPath) -> None:
        lane = Lane.of(shard, CallKind.DELETE)
        with suppress(Missing):
            self._arm.begin(lane, Ask("DELETE", place, _version(place)))

    def _write(self, shard: Shard, ask: Ask) -> None:
        self._arm.begin(Lane.of(shard, CallKind.WRITE), ask)


def _is_machine(place: str) -> bool:
    """Whether it is a machine itself, and no part of one."""
    return _type_of(place) == VM_TYPE and len(place.strip("/").split("/")) == MACHINE_LONG


def _type_of(place: str) -> str:
    """The type of the resource, or of the one that it is a part of; empty for a resource group."""
    _, _, tail = place.lower().partition("/providers/")
    return "/".join(tail.split("/")[:2])


def _version(place: str) -> str:
    type_ = _type_of(place)
    if not type_:
        return GROUP_VERSION
    version = VERSIONS.get(type_) or VERSIONS.get(type_.partition("/")[0])
    if version is None:
        raise Refused("UnknownType", f"restores know nothing of {type_}: {place}")
    return version
