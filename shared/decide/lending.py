"""Single files: disks of a point are lent to a machine that somebody names, and reads them. Called by flows/lending.py.

They lie beside the machine that reads them, in its zone, and are tagged so that no point is ever taken of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.decide.drawing import DRILL, Drawing, Piece, disk_place
from shared.decide.restored_disks import FAST, disk_body
from shared.decide.restoring import tag_of
from shared.decide.subtraction import Body, at
from shared.model.identity import Shard, subscription_of
from shared.model.restore import ArmPath, Lent, Source

VM_ID = re.compile(
    r"/subscriptions/[\w-]+/resourcegroups/[\w().-]+/providers/microsoft\.compute/virtualmachines/[\w.-]+",
    re.ASCII | re.IGNORECASE,
)
OS = "os"
LUNS = 64  # the most that Azure gives any machine (documented: sizes of virtual machines)
# What makes a disk dearer, or shared, and helps nobody who reads a few files.
NOT_LENT = ("tier", "burstingEnabled", "maxShares")
ULTRA = "ultrassd_lrs"


def misnamed(reader: str, shard: Shard) -> str:
    """Why a machine cannot be the one that reads, by its id alone; empty when it can."""
    if not VM_ID.fullmatch(reader):
        return f"{reader!r} is not the id of a VM"
    if subscription_of(reader) != shard.subscription:
        return f"{reader} is in another subscription: name a VM of {shard.subscription} with --to"
    return ""


def chosen(sources: Sequence[Source], disk: str) -> tuple[Source, ...]:
    """The disks that are meant: all of them, the one at a LUN, the OS disk, or the one of a name."""
    wanted = disk.strip().lower()
    return tuple(source for source in sources if wanted in ("", _lun(source), source.disk.name))


def _lun(source: Source) -> str:
    return OS if source.lun is None else str(source.lun)


def known(sources: Iterable[Source]) -> str:
    """The disks of a point, as they can be named."""
    return ", ".join(f"{_lun(source)} ({source.disk.own_name})" for source in sources)


def unfit(reader: Body, drawing: Drawing) -> str:
    """Why a machine cannot read the disks, as far as it can be known before any is made; empty when nothing is."""
    region = str(reader.get("location")).replace(" ", "").lower()
    name, here = reader.get("name"), drawing.request.shard.region
    if region != here:
        return f"{name} is in {region}, and the point in {here}: a disk is made where its snapshot is"
    if tag_of(reader, DRILL):
        return f"{name} is the machine of a drill, and will be removed: name another with --to"
    if str(at(reader, "properties.provisioningState")).lower() == "deleting":
        return f"{name} is being deleted: name another with --to"
    return next((because for source in drawing.restore.sources if (because := _too_fast(source, reader, drawing))), "")


def _too_fast(source: Source, reader: Body, drawing: Drawing) -> str:
    """Why a fast disk cannot be attached: it needs a zone where it had one [facts 3.2], Ultra the machine's consent."""
    disk = drawing.captured.disk(source.disk) or {}
    sku = str(at(disk, "sku.name"))
    if sku.lower() not in FAST:
        return ""
    if disk.get("zones") and not reader.get("zones"):
        return (
            f"disk {source.disk.own_name} is {sku}: only a VM in a zone can read it, and {reader.get('name')} has none"
        )
    if sku.lower() == ULTRA and not at(reader, "properties.additionalCapabilities.ultraSSDEnabled"):
        return f"disk {source.disk.own_name} is {sku}: only a VM with ultraSSDEnabled can read it"
    return ""


def out_of_zone(source: Source, part: Body, reader: Body, drawing: Drawing) -> str:
    """Why a snapshot cannot become a disk in the reader's zone: only a zone-redundant one can in any [facts 3.5]."""
    was = list((drawing.captured.disk(source.disk) or {}).get("zones") or ())
    zones, sku = list(reader.get("zones") or ()), str(at(part, "sku.name"))
    if not was or not zones or was == zones or not sku.lower().endswith("_lrs"):
        return ""
    where = f"zone {zones[0]}, and disk {source.disk.own_name} was in zone {was[0]}"
    return f"{reader.get('name')} is in {where}: its snapshot is {sku}, name a VM there"


def disks(drawing: Drawing, reader: Body) -> tuple[Piece, ...]:
    """The disks to be lent, in the order of the sources. Tagged `off` as a disk is that is left out of every point."""
    return tuple(_disk(drawing, source, reader) for source in drawing.restore.sources)


def _disk(drawing: Drawing, source: Source, reader: Body) -> Piece:
    captured = drawing.captured.disk(source.disk)
    body = disk_body(source, captured, drawing.request.shard.region)
    body["properties"] = {name: value for name, value in body["properties"].items() if name not in NOT_LENT}
    body.pop("zones", None)
    zones, sku = list(reader.get("zones") or ()), str(at(body, "sku.name"))
    if zones and not sku.lower().endswith("_zrs"):
        body["zones"] = zones
    tags = {**drawing.tags(captured), drawing.rules.prefix: "off"}
    return Piece(disk_place(drawing.id, drawing.restore.machine, source), {**body, "tags": tags})


def attached(reader: Body, places: Iterable[ArmPath]) -> dict[ArmPath, int]:
    """At which LUN each of these disks is attached, as far as it is."""
    luns = {str(at(disk, "managedDisk.id")).lower(): int(disk["lun"]) for disk in _data(reader)}
    return {place: luns[place.lower()] for place in places if place.lower() in luns}


def free_luns(reader: Body, wanted: int, room: int | None) -> list[int]:
    """So many free LUNs, the lowest first; fewer where the machine takes no more. `room` is None where unknown."""
    used = used_luns(reader)
    left = max(0, min(room or LUNS, LUNS) - len(used))
    return [lun for lun in range(LUNS) if lun not in used][: min(wanted, left)]


def used_luns(reader: Body) -> frozenset[int]:
    """The LUNs that have a disk."""
    return frozenset(int(disk["lun"]) for disk in _data(reader))


def _data(reader: Body) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = at(reader, "properties.storageProfile.dataDisks") or ()
    return found


def linux_path(lun: int) -> str:
    """Where Linux shows the disk of a LUN, by the rules that Azure's images have [documented: troubleshoot devices]."""
    return f"/dev/disk/azure/scsi1/lun{lun}"


def lent(drawing: Drawing, reader: Body) -> tuple[Lent, ...]:
    """Which disk is at which LUN of the machine that reads."""
    places = {source: disk_place(drawing.id, drawing.restore.machine, source) for source in drawing.restore.sources}
    luns = attached(reader, places.values())
    return tuple(Lent(place, source.disk, source.lun, luns[place]) for source, place in places.items() if place in luns)
