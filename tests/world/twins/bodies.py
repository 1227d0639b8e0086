"""Machines and disks of the truth as ARM's bodies: what a capture keeps of them, and what a restore finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.model.identity import ResourceId
from shared.model.machine import Disk, Sighting

SUBNET = "/subscriptions/{}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/net/subnets/default"


def model_of(seen: Sighting) -> dict[str, object]:
    """The model that is kept with a point of the machine."""
    return {
        "vm": {**machine_body(seen.id, seen.name, seen.uid, seen.tags, seen.disks), "location": seen.shard.region},
        "disks": [disk_body(disk.id) for disk in seen.disks],
        "interfaces": [interface_body(seen.id)],
        "interfaces_not_seen": [],
        "extensions": [],
    }


def machine_body(
    place: ResourceId, name: str, uid: str, tags: Mapping[str, str], disks: Sequence[Disk]
) -> dict[str, Any]:
    entries: list[dict[str, Any]] = [
        {"name": disk.id.name, "createOption": "Attach", "caching": "ReadOnly", "managedDisk": {"id": str(disk.id)}}
        for disk in disks
    ]
    system = next((entry for entry, disk in zip(entries, disks, strict=True) if disk.lun is None), None)
    data = [{"lun": disk.lun, **entry} for entry, disk in zip(entries, disks, strict=True) if disk.lun is not None]
    storage: dict[str, Any] = {"dataDisks": data}
    if system:
        storage["osDisk"] = {"osType": "Linux", **system}
    cards = [{"id": interface_place(place), "properties": {"primary": True}}]
    properties = {
        "vmId": uid,
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "storageProfile": storage,
        "networkProfile": {"networkInterfaces": cards},
    }
    return {"id": str(place), "name": name, "tags": dict(tags), "properties": properties}


def disk_body(place: ResourceId) -> dict[str, Any]:
    return {
        "id": str(place),
        "name": place.name,
        "sku": {"name": "Premium_LRS"},
        "properties": {"provisioningState": "Succeeded"},
    }


def interface_place(machine: ResourceId) -> str:
    group = f"/subscriptions/{machine.subscription}/resourceGroups/{machine.group}"
    return f"{group}/providers/Microsoft.Network/networkInterfaces/{machine.name}-nic"


def interface_body(machine: ResourceId) -> dict[str, Any]:
    address = {"subnet": {"id": SUBNET.format(machine.subscription)}, "privateIPAllocationMethod": "Dynamic"}
    place = interface_place(machine)
    properties = {"provisioningState": "Succeeded", "ipConfigurations": [{"name": "one", "properties": address}]}
    return {"id": place, "name": place.rsplit("/", 1)[-1], "properties": properties}
