"""What a restore leaves: disks with the data of the point, a machine made of them, or the old machine on them.

Called by backup_restores.py at a restore's end. Names of restored disks are of the form that public configurations
show: letters and digits of the machine's name, the kind of disk, one stamp for all. That a data disk's number is its
LUN is assumed.
"""

from typing import TYPE_CHECKING

from local.simulator import disks, machine_disks, volumes
from local.simulator.answers import ArmError, Document
from local.simulator.clock import EPOCH
from local.simulator.ids import key_of, parse
from local.simulator.store import Resource
from local.simulator.templates import Wanted
from local.simulator.within import Caller

if TYPE_CHECKING:
    from local.simulator.world import World

MACHINES, NETWORK = "2024-07-01", "2024-05-01"


def restore(world: "World", caller: Caller, point: Resource, asked: Document, at: float) -> None:
    """Make what was asked for; disks without a target group are blobs in the staging account and not shown."""
    kind = str(asked["recoveryType"]).lower()
    source = str(asked.get("sourceResourceId") or (point.notes or {})["vm"]["id"])
    group = str(asked.get("targetResourceGroupId") or "")
    if kind != "restoredisks" and not group:
        group = "/".join(str(asked.get("targetVirtualMachineId") or source).split("/")[:5])
    if not group:
        return
    if world.store.get(key_of(group)) is None:
        raise ArmError(404, "UserErrorGenericResourceNotFound", "Azure resource does not exist.")
    made = _disks(world, point, group, asked, at)
    if kind == "alternatelocation":
        _new_machine(world, caller, point, asked, made, at)
    elif kind == "originallocation":
        _replace(world, caller, source, made, at)


def _wanted(asked: Document, lun: int | None) -> bool:
    chosen = asked.get("restoreDiskLunList")
    return lun is None or chosen is None or lun in chosen


def _disks(world: "World", point: Resource, group: str, asked: Document, at: float) -> list[tuple[int | None, str]]:
    """Make the disks; return each with its lun, the system's first."""
    stamp = f"{EPOCH.fromtimestamp(at, EPOCH.tzinfo):%Y%m%d-%H%M%S}"
    machine = "".join(each for each in str((point.notes or {})["vm"]["name"]).lower() if each.isalnum())
    found = []
    for part in (point.notes or {})["disks"]:
        lun = part["lun"]
        if not _wanted(asked, lun):
            continue
        name = f"{machine}-osdisk-{stamp}" if lun is None else f"{machine}-datadisk-{int(lun):03}-{stamp}"
        resource_id = f"{group}/providers/{disks.TYPE}/{name}"
        _disk(world, resource_id, part, asked, at)
        found.append((lun, resource_id))
    return found


def _disk(world: "World", resource_id: str, part: Document, asked: Document, at: float) -> None:
    old = part["disk"]
    creation = {"createOption": "Empty"}
    kept = ("osType", "diskSizeGB", "hyperVGeneration", "diskIOPSReadWrite", "diskMBpsReadWrite", "securityProfile")
    inner = {name: old["properties"][name] for name in kept if name in old["properties"]}
    document: Document = {
        "name": resource_id.rsplit("/", 1)[-1],
        "id": resource_id,
        "type": disks.TYPE,
        "location": _region(asked, old),
        **({"tags": dict(old["tags"])} if old.get("tags") else {}),
        **_zones(asked, old),
        "sku": {"name": old.get("sku", {}).get("name", "Premium_LRS")},
        "properties": {"creationData": creation, **inner},
    }
    properties = volumes.completed(document, {}, None, at)
    properties["uniqueId"] = world.chance.guid()
    content = {int(block): digest for block, digest in part["content"].items()}
    world.store.create(resource_id, disks.complete(document, properties, None), at, content=content)


def _region(asked: Document, old: Document) -> str:
    """Return where a restore makes something: in the paired region only what is asked for there."""
    return str(asked.get("region") or old["location"]).replace(" ", "").lower()


def _zones(asked: Document, old: Document) -> Document:
    """Return the zones of a disk: its old self's, unless others are asked for or the region is another (assumed)."""
    kept = old.get("zones") if _region(asked, old) == old["location"] else None
    zones = asked.get("zones") or kept
    return {"zones": zones} if zones else {}


def _attached(made: list[tuple[int | None, str]], old: Document) -> Document:
    """Write the storage of a machine on restored disks."""
    caching = {disk.get("lun"): disk.get("caching") for disk in machine_disks.all_disks(old)}
    system = next((disk for disk in made if disk[0] is None), None)
    profile: Document = {"dataDisks": []}
    if system is not None:
        kind = old["properties"]["storageProfile"]["osDisk"].get("osType", "Linux")
        profile["osDisk"] = {"createOption": "Attach", "osType": kind, "managedDisk": {"id": system[1]}}
    for lun, disk_id in made:
        if lun is not None:
            data: Document = {"lun": lun, "createOption": "Attach", "managedDisk": {"id": disk_id}}
            if caching.get(lun):
                data["caching"] = caching[lun]
            profile["dataDisks"].append(data)
    return profile


def _new_machine(
    world: "World", caller: Caller, point: Resource, asked: Document, made: list[tuple[int | None, str]], at: float
) -> None:
    """Make a network card and a machine; its extensions and identity are not restored (documented), its tags are."""
    old: Document = (point.notes or {})["vm"]
    target = str(asked["targetVirtualMachineId"])
    card = (
        f"{target.rsplit('/providers/', 1)[0]}/providers/Microsoft.Network/networkInterfaces/{parse(target).name}-nic"
    )
    address = {"name": "ipconfig1", "properties": {"subnet": {"id": asked["subnetId"]}}}
    place = {"location": _region(asked, old)}
    body: Document = {**place, "properties": {"ipConfigurations": [address]}}
    world.within(caller, Wanted(card, NETWORK, body, ()), at)
    properties: Document = {
        "hardwareProfile": dict(old["properties"].get("hardwareProfile") or {}),
        "storageProfile": _attached(made, old),
        "networkProfile": {"networkInterfaces": [{"id": card}]},
    }
    if old["properties"].get("securityProfile"):
        properties["securityProfile"] = old["properties"]["securityProfile"]
    tags = {"tags": dict(old["tags"])} if old.get("tags") else {}
    zones = {"zones": asked["zones"]} if asked.get("zones") else {}
    world.within(caller, Wanted(target, MACHINES, {**place, **tags, **zones, "properties": properties}, ()), at)


def _replace(world: "World", caller: Caller, source: str, made: list[tuple[int | None, str]], at: float) -> None:
    """Put the old machine on the restored disks; the old disks stay in the group (documented)."""
    found = world.store.get(key_of(source))
    if found is None:
        raise ArmError(404, "UserErrorVmNotFoundV2", "Virtual machine doesn't exist.")
    found.notes = {**(found.notes or {}), "power": "deallocated"}
    old = found.document()
    body = {"location": old["location"], "properties": {**old["properties"], "storageProfile": _attached(made, old)}}
    if old.get("tags"):
        body["tags"] = old["tags"]
    for name in ("provisioningState", "instanceView", "vmId", "timeCreated"):
        body["properties"].pop(name, None)
    world.within(caller, Wanted(found.id, MACHINES, body, ()), at)
