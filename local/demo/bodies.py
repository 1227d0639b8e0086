"""The bodies of what owners make in Azure: networks, disks, machines. Pure; used by fleet.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.demo.scenario import SKU, MachineStory

IMAGE = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}


def data_disk_name(machine: str, number: int) -> str:
    return f"{machine}-data-{number}"


def virtual_network(region: str) -> dict[str, object]:
    """The network of a group, with the one subnet that its machines are in."""
    subnet = {"name": "default", "properties": {"addressPrefix": "10.0.0.0/24"}}
    return {
        "location": region,
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]},
    }


def ip_configuration(group: str) -> dict[str, object]:
    subnet = f"{group}/providers/Microsoft.Network/virtualNetworks/net/subnets/default"
    return {"name": "ipconfig1", "properties": {"subnet": {"id": subnet}, "privateIPAllocationMethod": "Dynamic"}}


def scratch_disk(machine: MachineStory, number: int) -> Any:
    """A data disk made by hand, tagged so that backups leave it out."""
    return {
        "location": machine.region,
        "tags": {"backup": "off"},
        "sku": {"name": machine.sku},
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": machine.disks[number]},
    }


def os_disk(machine: MachineStory) -> dict[str, object]:
    disk: dict[str, object] = {
        "name": f"{machine.name}-os",
        "createOption": "FromImage",
        "caching": "ReadWrite",
        "diskSizeGB": 30,
        "managedDisk": {"storageAccountType": SKU},
    }
    if machine.ephemeral:
        disk |= {"diffDiskSettings": {"option": "Local"}, "caching": "ReadOnly"}
        disk["managedDisk"] = {"storageAccountType": "Standard_LRS"}
    return disk


def data_disk(machine: MachineStory, number: int, prepared: Mapping[int, str]) -> dict[str, object]:
    disk: dict[str, object] = {"lun": number, "name": data_disk_name(machine.name, number)}
    if number in prepared:
        return disk | {"createOption": "Attach", "managedDisk": {"id": prepared[number]}}
    size = machine.disks[number]
    return disk | {"createOption": "Empty", "diskSizeGB": size, "managedDisk": {"storageAccountType": machine.sku}}


def virtual_machine(machine: MachineStory, interface: str, prepared: Mapping[int, str]) -> dict[str, object]:
    """The body of the machine's PUT; `prepared` are the ids of data disks that exist already."""
    properties = {
        "hardwareProfile": {"vmSize": "Standard_D4ds_v5"},
        "storageProfile": {
            "imageReference": IMAGE,
            "osDisk": os_disk(machine),
            "dataDisks": [data_disk(machine, number, prepared) for number in range(len(machine.disks))],
        },
        "osProfile": {
            "computerName": machine.name,
            "adminUsername": "owner",
            "adminPassword": "Not-a-secret-1",
            "linuxConfiguration": {"disablePasswordAuthentication": False},
        },
        "networkProfile": {"networkInterfaces": [{"id": interface, "properties": {"primary": True}}]},
    }
    zones = {} if machine.zone is None else {"zones": [machine.zone]}
    return {"location": machine.region, "tags": machine.tags, "properties": properties, **zones}
