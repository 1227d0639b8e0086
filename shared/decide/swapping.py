"""A machine in place: its body with its disks swapped, step by step. Called by flows/swapping.py.

Two writes, because Azure does not let a LUN change its disk in one: what leaves is detached first, then the OS disk is
swapped and the data disks are attached (the OS disk by a PUT of the whole body: recorded, test_vm_os_disk_swap).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.decide.drawing import Drawing, disk_place
from shared.decide.naming import MAX_TAGS
from shared.decide.restored_disks import ATTACHED, attachment, captured_at
from shared.decide.restoring import tag_of
from shared.decide.subtraction import NO_VALUES, Body, at, without
from shared.decide.tag_values import CLAIM
from shared.model.restore import ArmPath, Restore, Swap

NOT_WRITTEN = ("id", "name", "type", "etag", "resources")
NOT_WRITTEN_INSIDE = ("vmId", "timeCreated", "provisioningState", "instanceView")
Wanted = Mapping[int | None, Mapping[str, Any]]


def unmarkable(machine: Body) -> str:
    """Why a machine's disks cannot be changed safely: it has no room for the tag that says so; empty when it has."""
    tags = at(machine, "tags") or {}
    if len(tags) < MAX_TAGS or tag_of(machine, CLAIM):
        return ""
    return f"{machine.get('name')} has {len(tags)} tags, as many as it may: take one away, for {CLAIM} needs its place"


def restored(drawing: Drawing) -> Wanted:
    """How each restored disk is to be attached, by its LUN; None is the OS disk."""
    captured, machine = drawing.captured.machine, drawing.restore.machine
    return {
        source.lun: attachment(captured_at(captured, source.lun), disk_place(drawing.id, machine, source), source.lun)
        for source in drawing.restore.sources
    }


def former(restore: Restore) -> Wanted:
    """The same for the disks that were there before."""
    return {swap.lun: attachment(_attached(swap), swap.old, swap.lun) for swap in restore.swaps}


def _attached(swap: Swap) -> dict[str, Any]:
    kept: dict[str, Any] = {"caching": swap.caching, "deleteOption": swap.delete_option}
    return {**kept, "writeAcceleratorEnabled": True} if swap.write_accelerated else kept


def swaps(machine: Body, restore: Restore) -> tuple[Swap, ...]:
    """The disks that will leave the machine, as they are attached now."""
    found = []
    for source in restore.sources:
        now = captured_at(machine, source.lun)
        place = at(now, "managedDisk.id")
        if place:
            accelerated = bool(now.get("writeAcceleratorEnabled"))
            caching, option = str(now.get("caching") or ""), str(now.get("deleteOption") or "")
            found.append(Swap(ArmPath(str(place)), source.lun, caching, option, accelerated))
    return tuple(found)


def detached(machine: Body, wanted: Wanted, leaving: frozenset[str]) -> dict[str, Any] | None:
    """The body without data disks that stand in the way or leave; None when there are none.

    `leaving` are lower-case ids of disks that are to go without another taking their place.
    """
    data = at(machine, "properties.storageProfile.dataDisks") or []
    staying = [each for each in data if not _in_the_way(each, wanted, leaving)]
    return _with_storage(machine, {"dataDisks": staying}) if len(staying) < len(data) else None


def _in_the_way(disk: Body, wanted: Wanted, leaving: frozenset[str]) -> bool:
    place, lun = _id_of(disk), disk.get("lun")
    return place in leaving or (lun in wanted and place != _id_of(wanted[lun]))


def swapped(machine: Body, wanted: Wanted) -> dict[str, Any] | None:
    """The body with every wanted disk in its place; None when all of them are."""
    profile = at(machine, "properties.storageProfile") or {}
    data = list(profile.get("dataDisks") or ())
    there = {each.get("lun"): _id_of(each) for each in data}
    missing = [entry for lun, entry in wanted.items() if lun is not None and there.get(lun) != _id_of(entry)]
    system = wanted.get(None)
    changes: dict[str, Any] = {"dataDisks": [*data, *missing]} if missing else {}
    if system and _id_of(profile.get("osDisk") or {}) != _id_of(system):
        # What it was created from stays as it was; a size would be taken for a wish to grow the new disk.
        kept = {name: value for name, value in profile["osDisk"].items() if name not in ("diskSizeGB", "vhd")}
        how = {name: system[name] for name in ATTACHED if system.get(name) not in NO_VALUES}
        changes["osDisk"] = {**kept, **how, "name": system["name"], "managedDisk": {"id": system["managedDisk"]["id"]}}
    return _with_storage(machine, changes) if changes else None


def _with_storage(machine: Body, changes: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {name: value for name, value in machine.items() if name not in NOT_WRITTEN}
    for name in NOT_WRITTEN_INSIDE:
        body = without(body, f"properties.{name}")
    properties = body["properties"]
    return {**body, "properties": {**properties, "storageProfile": {**properties["storageProfile"], **changes}}}


def _id_of(disk: Mapping[str, Any]) -> str:
    return str(at(disk, "managedDisk.id") or "").lower()


def power(machine: Body) -> str:
    """`running`, `stopped`, `deallocated` and the states between, as the instance view says it; empty without one."""
    codes = list(_codes(machine))
    return next((code.split("/", 1)[1].lower() for code in codes if code.lower().startswith("powerstate/")), "")


def _codes(machine: Body) -> Iterator[str]:
    for status in at(machine, "properties.instanceView.statuses") or ():
        yield str(status.get("code") or "")
