"""Machines of a seed file, with their disks, network cards and networks. Called by seed.py only."""

from local.simulator import compute_vms, machine_disks, machines, network_shapes
from local.simulator.answers import Document
from local.simulator.ids import key_of
from local.simulator.store import Resource
from local.simulator.world import World

LINUX = {
    "publisher": "Canonical",
    "offer": "0001-com-ubuntu-server-jammy",
    "sku": "22_04-lts-gen2",
    "version": "latest",
}


WINDOWS = {
    "publisher": "MicrosoftWindowsServer",
    "offer": "WindowsServer",
    "sku": "2022-datacenter",
    "version": "latest",
}


def plant_machine(world: World, group: Resource, item: Document, at: float) -> None:
    """Create a machine in a group, as finished as if it had long been there."""
    location = str(item.get("location") or group.document()["location"]).lower()
    resource_id = f"{group.id}/providers/{machines.TYPE}/{item['name']}"
    if world.store.get(key_of(resource_id)) is not None:
        return
    card = _card(world, group, str(item["name"]), location, at)
    body = _vm_body(item, location, card.id)
    writing = machines.Writing(at, "2026-04-01")
    document = machines.accepted_document(world, resource_id, body, None, writing)
    notes = {"power": str(item.get("power", "running")), "agent": str(item.get("agent", "ready"))}
    found = world.store.create(resource_id, document, at, notes=notes)
    compute_vms.settle(world, found, document, None, at)
    found.notes = notes
    _tag_disks(world, item, found, at)
    world.store.touch(found, at)


def _vm_body(item: Document, location: str, card: str) -> Document:
    wanted = item.get("disks") or [{"name": f"{item['name']}-os", "gib": 30, "os": "Linux"}]
    first = next((disk for disk in wanted if disk.get("os")), wanted[0])
    os_disk = _os_disk(item, first)
    data = [_data_disk(item, disk, lun) for lun, disk in enumerate(one for one in wanted if one is not first)]
    zone = item.get("zone") or item.get("zones")
    return {
        "location": location,
        "tags": item.get("tags"),
        **({"zones": [str(zone)] if not isinstance(zone, list) else [str(one) for one in zone]} if zone else {}),
        "properties": {
            "hardwareProfile": {"vmSize": item.get("size", "Standard_D2s_v5")},
            "storageProfile": {
                "imageReference": dict(WINDOWS if os_disk["osType"] == "Windows" else LINUX),
                "osDisk": os_disk,
                "dataDisks": data,
            },
            "osProfile": {"computerName": item["name"], "adminUsername": "azureuser"},
            "networkProfile": {"networkInterfaces": [{"id": card, "properties": {"primary": True}}]},
            **{name: item[name] for name in ("virtualMachineScaleSet", "priority", "licenseType") if name in item},
        },
    }


def _os_disk(item: Document, disk: Document) -> Document:
    kind = str(disk.get("os") or "Linux")
    return {
        "osType": "Windows" if kind.lower().startswith("win") else "Linux",
        "name": disk.get("name") or f"{item['name']}-os",
        "createOption": "FromImage",
        "caching": disk.get("caching", "ReadWrite"),
        **_backing(disk),
        "diskSizeGB": int(disk.get("gib", 30)),
        **({"diffDiskSettings": {"option": "Local"}} if disk.get("ephemeral") else {}),
    }


def _data_disk(item: Document, disk: Document, position: int) -> Document:
    lun = int(disk.get("lun", position))
    return {
        "lun": lun,
        "name": disk.get("name") or f"{item['name']}-data{lun}",
        "createOption": "Empty",
        "caching": disk.get("caching", "None"),
        **_backing(disk),
        "diskSizeGB": int(disk.get("gib", 32)),
    }


def _backing(disk: Document) -> Document:
    """Say where a disk lies: in a page blob of its owner, or managed."""
    if disk.get("vhd"):
        return {"vhd": {"uri": str(disk["vhd"])}}
    return {"managedDisk": {"storageAccountType": disk.get("sku", "Premium_LRS")}}


def _tag_disks(world: World, item: Document, machine: Resource, at: float) -> None:
    """Give seeded disks their tags; the machine's own document has no place for them."""
    tags = {
        str(disk["name"]).lower(): disk["tags"]
        for disk in item.get("disks") or []
        if disk.get("tags") and disk.get("name")
    }
    for disk in machine_disks.all_disks(machine.document()):
        wanted = tags.get(str(disk.get("name")).lower())
        held = world.store.get(key_of(machine_disks.disk_id(disk))) if machine_disks.disk_id(disk) else None
        if wanted and held is not None:
            world.store.write(held, {**held.document(), "tags": dict(wanted)}, at)


def _card(world: World, group: Resource, name: str, location: str, at: float) -> Resource:
    """Return a network card of the machine's name, in the group's network."""
    base = f"{group.id}/providers/Microsoft.Network"
    network_name = f"{group.id.rsplit('/', 1)[-1]}-vnet-{location}"
    network_id = f"{base}/virtualNetworks/{network_name}"
    if world.store.get(key_of(network_id)) is None:
        space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
        subnet = {"name": "default", "properties": {"addressPrefix": "10.0.0.0/24"}}
        body = {"location": location, "properties": {**space, "subnets": [subnet]}}
        kind = network_shapes.KINDS["virtualnetworks"]
        world.store.create(network_id, network_shapes.document_of(world, kind, network_id, body), at)
    card_id = f"{base}/networkInterfaces/{name}-nic"
    found = world.store.get(key_of(card_id))
    if found is not None:
        return found
    place = {"name": "ipconfig1", "properties": {"subnet": {"id": f"{network_id}/subnets/default"}}}
    body = {"location": location, "properties": {"ipConfigurations": [place]}}
    document = network_shapes.document_of(world, network_shapes.KINDS["networkinterfaces"], card_id, body)
    return world.store.create(card_id, document, at)
