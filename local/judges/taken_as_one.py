"""Restore points of machines, told as though each were a snapshot: they bear no tags, their names and collections do.

Used by world.py. A restore point's name says its slot, until when it is kept, and its attempt; its collection, one for
each machine, is tagged; which disks it holds is in what Azure keeps of the machine with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from local.judges.evidence import Record, instant, maybe_instant, tag
from local.judges.lives import DISK

COLLECTION = "microsoft.compute/restorepointcollections"
POINT = f"{COLLECTION}/restorepoints"
PUT_POINT, DELETE_POINT = f"{POINT}/write", f"{POINT}/delete"
NAME = re.compile(r"tb-(\d{8}t\d{4}z)-(\d{8}t\d{4}z)-(\d+)-[0-9a-f]{8}")
KEPT = ("owner", "vm", "plan")


def told_as_snapshots(resources: Iterable[Record]) -> Iterator[Record]:
    """Each restore point of a collection that bears the product's tags."""
    known = [*resources]
    collections = {str(one["id"]).lower(): one for one in known if str(one.get("type", "")).lower() == COLLECTION}
    disks = [one for one in known if str(one.get("type", "")).lower() == DISK]
    for one in known:
        place, name = str(one["id"]).lower(), str(one["id"]).lower().rpartition("/")[2]
        home, found = collections.get(place.rpartition("/restorepoints/")[0]), NAME.fullmatch(name)
        if "/restorepoints/" in place and home is not None and found is not None and tag(home, "tagback-vm"):
            slot, until, attempt = (text.upper() for text in found.groups())
            said = {"slot": slot, "keep-until": until, "attempt": attempt, "disk": tag(home, "tagback-vm")}
            said |= {word: tag(home, f"tagback-{word}") for word in KEPT}
            tags = {f"tagback-{word}": value for word, value in said.items()}
            if hold := tag(home, f"tagback-hold-{slot.lower()}"):
                tags["backup-hold"] = hold
            yield {**one, "name": name, "type": POINT, "tags": tags, "holds": _held(one, disks)}


def _held(point: Record, disks: Iterable[Record]) -> list[str]:
    """The unique ids of the disks in a restore point: those of these ids that there were when it was taken."""
    profile: Mapping[str, object] = point["properties"]["sourceMetadata"]["storageProfile"]
    entries = [*([profile["osDisk"]] if profile.get("osDisk") else []), *_listed(profile.get("dataDisks"))]
    places = {str(entry["managedDisk"]["id"]).lower() for entry in entries if isinstance(entry, Mapping)}
    born = instant(point["born"])
    return sorted(
        str(disk["properties"]["uniqueId"]).lower()
        for disk in disks
        if str(disk["id"]).lower() in places and _there(disk, born)
    )


def _listed(found: object) -> list[object]:
    return found if isinstance(found, list) else []


def _there(disk: Record, at: datetime) -> bool:
    gone = maybe_instant(disk["gone"])
    return instant(disk["born"]) <= at and (gone is None or at < gone)
