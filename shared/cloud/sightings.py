"""Reads a VM's body, as ARM and Resource Graph show it, into a Sighting. Pure; used by the inventory adapter."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.cloud.packed import Body, PackedModel, packed
from shared.decide.tag_values import is_left_out
from shared.model.identity import DiskUid, ResourceId, Shard, VmUid, vm_id
from shared.model.machine import Disk, Lens, Sighting


class Incomplete(Exception):
    """The body does not say (yet) what a sighting needs: a VM or disk that is being made."""


@dataclass(frozen=True, slots=True)
class Look:
    """Which lens showed it, and when."""

    lens: Lens
    as_of: datetime


@dataclass(frozen=True, slots=True)
class SeenVm:
    """A VM alone, with its packed body and the lower-case ids of its network interfaces."""

    brief: Sighting
    body: bytes
    interfaces: Sequence[str]


@dataclass(frozen=True, slots=True)
class SeenDisk:
    """What only a disk's own body says, and the body."""

    uid: DiskUid
    left_out: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Attachments:
    """What belongs to VMs: disks and packed interfaces by their own lower-case id, packed extensions by their VM's."""

    disks: Mapping[str, SeenDisk]
    interfaces: Mapping[str, bytes]
    extensions: Mapping[str, Sequence[bytes]]


def brief(vm: Body, look: Look) -> Sighting:
    """The VM alone: disks without `uid` and `left_out`, an empty model. Incomplete while the VM is being made."""
    properties = vm.get("properties") or {}
    region = str(vm.get("location") or "").replace(" ", "").lower()
    uid = str(properties.get("vmId") or "").lower()
    if not region or not uid:
        raise Incomplete(f"{vm.get('id')} has no vmId or location yet")
    place = vm_id(str(vm.get("id") or ""))
    disks, unsupported = _disks(properties.get("storageProfile") or {})
    return Sighting(
        uid=VmUid(uid),
        id=place,
        name=str(vm.get("name") or place.name),
        shard=Shard(place.subscription, region),
        tags=_tags(vm),
        disks=disks,
        unsupported=unsupported,
        scale_set=bool(properties.get("virtualMachineScaleSet")),
        model={},
        lens=look.lens,
        as_of=look.as_of,
    )


def seen_vm(vm: Body, look: Look) -> SeenVm:
    """A VM's body, read. Incomplete while the VM is being made."""
    profile = (vm.get("properties") or {}).get("networkProfile") or {}
    interfaces = [str(each["id"]).lower() for each in profile.get("networkInterfaces") or () if each.get("id")]
    return SeenVm(brief(vm, look), packed(vm), interfaces)


def complete(vm: SeenVm, parts: Attachments) -> Sighting:
    """The VM with its disks and model. Incomplete when a disk is not seen."""
    missing = [disk for disk in vm.brief.disks if str(disk.id) not in parts.disks]
    if missing:
        raise Incomplete(f"{missing[0].place} ({missing[0].id}) is not seen yet")
    bodies = [parts.disks[str(disk.id)] for disk in vm.brief.disks]
    model: dict[str, bytes | Sequence[bytes]] = {
        "vm": vm.body,
        "disks": [body.body for body in bodies],
        "interfaces": [parts.interfaces[each] for each in vm.interfaces if each in parts.interfaces],
        "interfaces_not_seen": json.dumps([each for each in vm.interfaces if each not in parts.interfaces]).encode(),
        "extensions": sorted(set(parts.extensions.get(str(vm.brief.id), ()))),
    }
    known = zip(vm.brief.disks, bodies, strict=True)
    disks = tuple(replace(disk, uid=body.uid, left_out=body.left_out) for disk, body in known)
    return replace(vm.brief, disks=disks, model=PackedModel(model))


def seen_disk(body: Body, prefix: str) -> SeenDisk:
    """A disk's body, read. `prefix` is the opt-in tag's name. Incomplete while the disk is being made."""
    uid = str((body.get("properties") or {}).get("uniqueId") or "").lower()
    if not uid:
        raise Incomplete(f"{body.get('id')} has no uniqueId yet")
    left_out = f"tagged {prefix} = off" if is_left_out(_tags(body), prefix) else ""
    return SeenDisk(DiskUid(uid), left_out, packed(body))


def _disks(profile: Body) -> tuple[tuple[Disk, ...], tuple[str, ...]]:
    """The managed disks, and the reason for each that no snapshot can take."""
    disks: list[Disk] = []
    unsupported: list[str] = []
    system = profile.get("osDisk") or {}
    for disk, lun in [(system, None), *((disk, int(disk["lun"])) for disk in profile.get("dataDisks") or ())]:
        place = "OS disk" if lun is None else f"data disk LUN {lun}"
        managed = str((disk.get("managedDisk") or {}).get("id") or "")
        if str((disk.get("diffDiskSettings") or {}).get("option") or "").lower() == "local":
            unsupported.append(f"{place} is ephemeral (lives on the host only)")
        elif managed:
            disks.append(Disk(ResourceId.parse(managed), DiskUid(""), lun))
        elif disk.get("vhd"):
            unsupported.append(f"{place} is unmanaged (a VHD in a storage account)")
        else:
            raise Incomplete(f"{place} is still being made")
    return tuple(disks), tuple(unsupported)


def _tags(body: Body) -> dict[str, str]:
    return {str(name): str(value) for name, value in (body.get("tags") or {}).items()}
