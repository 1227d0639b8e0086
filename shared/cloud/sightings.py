"""Reads a VM's body, as ARM and Resource Graph show it, into a Sighting. Pure; used by the inventory adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.model.identity import DiskUid, ResourceId, Shard, VmUid, vm_id
from shared.model.machine import Disk, Lens, Sighting

Body = Mapping[str, Any]
# What Resource Graph adds to properties, or what changes while the resource stays the same.
NOT_OF_THE_MODEL = frozenset({"resources", "extended", "instanceView", "diskState", "LastOwnershipUpdateTime"})
NOT_ANYWHERE = frozenset({"etag", "provisioningState"})
MODEL_FIELDS = (
    "id",
    "name",
    "type",
    "location",
    "tags",
    "zones",
    "identity",
    "plan",
    "extendedLocation",
    "sku",
    "kind",
)


class Incomplete(Exception):
    """The body does not say (yet) what a sighting needs: a VM or disk that is being made."""


@dataclass(frozen=True, slots=True)
class Look:
    """Which lens showed it, and when."""

    lens: Lens
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Attachments:
    """What belongs to a VM, by lower-case id: disks, network interfaces, and its extensions."""

    disks: Mapping[str, Body]
    interfaces: Mapping[str, Body]
    extensions: Sequence[Body]


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


def complete(vm: Body, parts: Attachments, look: Look, prefix: str) -> Sighting:
    """The VM with its disks and model. Incomplete when a disk's body is missing."""
    seen = brief(vm, look)
    disks = tuple(_known(disk, parts.disks.get(str(disk.id)), prefix) for disk in seen.disks)
    wanted = interface_ids(vm)
    model = {
        "vm": _model(vm),
        "disks": [_model(parts.disks[str(disk.id)]) for disk in disks],
        "interfaces": [_model(parts.interfaces[each]) for each in wanted if each in parts.interfaces],
        "interfaces_not_seen": [each for each in wanted if each not in parts.interfaces],
        "extensions": [_model(body) for body in sorted(parts.extensions, key=lambda body: str(body.get("id")).lower())],
    }
    return Sighting(
        **{name: getattr(seen, name) for name in ("uid", "id", "name", "shard", "tags", "unsupported", "scale_set")},
        disks=disks,
        model=model,
        lens=look.lens,
        as_of=look.as_of,
    )


def interface_ids(vm: Body) -> Sequence[str]:
    """The ids of the VM's network interfaces, lower case."""
    profile = (vm.get("properties") or {}).get("networkProfile") or {}
    return [str(each["id"]).lower() for each in profile.get("networkInterfaces") or () if each.get("id")]


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


def _known(disk: Disk, body: Body | None, prefix: str) -> Disk:
    """The disk with what only its own body says."""
    uid = str(((body or {}).get("properties") or {}).get("uniqueId") or "").lower()
    if body is None or not uid:
        raise Incomplete(f"{disk.place} ({disk.id}) is not seen yet")
    off = any(name.lower() == prefix and value.strip().lower() == "off" for name, value in _tags(body).items())
    return Disk(disk.id, DiskUid(uid), disk.lun, f"tagged {prefix} = off" if off else "")


def _tags(body: Body) -> dict[str, str]:
    return {str(name): str(value) for name, value in (body.get("tags") or {}).items()}


def _model(body: Body) -> Body:
    """The body as a rebuild needs it: the same by either lens, and while the resource stays the same."""
    kept = {name: body[name] for name in MODEL_FIELDS if body.get(name)}
    properties = {name: value for name, value in (body.get("properties") or {}).items() if name not in NOT_OF_THE_MODEL}
    return {**kept, "type": str(body.get("type") or "").lower(), "properties": _lasting(properties)}


def _lasting(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _lasting(inner) for name, inner in value.items() if name not in NOT_ANYWHERE}
    return [_lasting(inner) for inner in value] if isinstance(value, list) else value
