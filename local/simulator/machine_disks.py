"""The disks of a virtual machine: made from what its document asks for, attached, let go.

Used by compute_vms.py, restore points, backups and seeds.
"""

from typing import TYPE_CHECKING, Any

from local.simulator import disks, images, volumes
from local.simulator.answers import ArmError, Document
from local.simulator.clock import compute_time
from local.simulator.ids import key_of, parse
from local.simulator.store import NO_CONTENT, Content, Resource

if TYPE_CHECKING:
    from local.simulator.world import World

KIND = "microsoft.compute/virtualmachines"


def all_disks(document: Document) -> list[Document]:
    """Return the OS disk and the data disks of a machine's document."""
    storage = document.get("properties", {}).get("storageProfile") or {}
    return [disk for disk in [storage.get("osDisk"), *(storage.get("dataDisks") or [])] if disk]


def disk_id(disk: Document) -> str:
    """Return the id of a disk's managed disk, empty where there is none."""
    return str((disk.get("managedDisk") or {}).get("id", ""))


def check_attachable(world: "World", resource_id: str, document: Document) -> list[str]:
    """Return the ids of existing disks a machine names, or refuse those it cannot have (rules documented)."""
    wanted = [disk_id(disk) for disk in all_disks(document) if disk_id(disk)]
    for wanted_id in wanted:
        found = world.store.get(key_of(wanted_id))
        if found is None:
            raise ArmError(404, "NotFound", f"Resource {parse(wanted_id).name} is not found.")
        owner = found.document().get("managedBy")
        if (
            owner
            and key_of(owner) != key_of(resource_id)
            and not found.document()["properties"].get("maxShares", 1) > 1
        ):
            raise ArmError(
                409,
                "ConflictingUserInput",
                f"Cannot attach data disk '{parse(wanted_id).name}' to VM '{parse(resource_id).name}' because the disk "
                f"is currently owned by VM '{owner}'.",
            )
    return wanted


def realise_disks(world: "World", document: Document, at: float) -> None:
    """Make the disks a machine asked for without naming them; no event tells of them (assumed, azure-facts 1.1)."""
    storage = document["properties"]["storageProfile"]
    for number, disk in enumerate(all_disks(document), start=1):
        if disk.get("vhd") or (disk.get("diffDiskSettings") or {}).get("option") == "Local":
            continue
        if not disk_id(disk):
            is_os = disk is storage["osDisk"]
            tail = world.chance.guid().replace("-", "")
            kind = "OsDisk" if is_os else "disk"
            disk.setdefault("name", f"{document['name']}_{kind}{'_' if is_os else ''}{number}_{tail}")
            disk["managedDisk"]["id"] = _make_disk(world, document, disk, at).id
        held = world.store.get(key_of(disk_id(disk)))
        if held is not None:
            disk.setdefault("name", parse(held.id).name)
            _own(world, held, document["id"], at)


def _make_disk(world: "World", machine: Document, disk: Document, at: float) -> Resource:
    base = machine["id"].split("/providers/", 1)[0]
    resource_id = f"{base}/providers/{disks.TYPE}/{disk['name']}"
    from_image = disk.get("createOption") == "FromImage"
    creation: Document = {"createOption": "FromImage" if from_image else "Empty"}
    if from_image:
        image = machine["properties"]["storageProfile"].get("imageReference") or {}
        creation["imageReference"] = {"id": _image_id(machine, image)}
    properties: Document = {"creationData": creation, "diskSizeGB": disk.get("diskSizeGB", 30)}
    if from_image:
        known = images.image_of_machine(machine["properties"])
        properties |= {"osType": disk["osType"], "hyperVGeneration": known.generation}
    content: Content = NO_CONTENT
    if from_image:
        content = _content_of_image(world, machine, str(disk.get("lun", "os")))
    kind = (disk["managedDisk"] or {}).get("storageAccountType", "Standard_LRS")
    document: Document = {
        "name": disk["name"], "id": resource_id, "type": disks.TYPE, "location": machine["location"],
        **({"zones": machine["zones"]} if machine.get("zones") else {}),
        "sku": {"name": kind}, "properties": properties,
    }  # fmt: skip
    finished = volumes.completed(document, {}, None, at)
    finished["uniqueId"] = world.chance.guid()
    return world.store.create(resource_id, disks.complete(document, finished, None), at, content=content)


def _content_of_image(world: "World", machine: Document, place: str) -> Content:
    """Return the blocks of one disk of the image a machine is made from: `os`, or a lun; platform images are empty."""
    image = machine["properties"]["storageProfile"].get("imageReference") or {}
    held = world.store.get(key_of(str(image["id"]))) if image.get("id") else None
    blocks = ((held.notes or {}).get("contents") or {}).get(place) if held else None
    return {int(block): str(digest) for block, digest in blocks.items()} if blocks else NO_CONTENT


def _image_id(machine: Document, image: Document) -> str:
    subscription = machine["id"].split("/")[2]
    parts = (image.get("publisher", "any"), image.get("offer", "any"), image.get("sku", "any"))
    names = "Publishers/{}/ArtifactTypes/VMImage/Offers/{}/Skus/{}".format(*parts)
    version = image.get("exactVersion") or image.get("version", "1.0.0")
    where = f"/Subscriptions/{subscription}/Providers/Microsoft.Compute/Locations/{machine['location']}"
    return f"{where}/{names}/Versions/{version}"


def _own(world: "World", disk: Resource, machine_id: str, at: float) -> None:
    document: dict[str, Any] = disk.document()
    if document.get("managedBy") != machine_id:
        document["managedBy"] = machine_id
        document["properties"].update(diskState="Attached", LastOwnershipUpdateTime=compute_time(at))
        world.store.write(disk, document, at)


def set_disk_states(world: "World", document: Document, state: str, at: float) -> None:
    """Mark a machine's disks Attached or, while it is deallocated, Reserved (documented)."""
    for disk in all_disks(document):
        held = world.store.get(key_of(disk_id(disk))) if disk_id(disk) else None
        if held is not None and held.document()["properties"]["diskState"] in ("Attached", "Reserved"):
            changed = held.document()
            changed["properties"]["diskState"] = state
            world.store.write(held, changed, at)


def let_go(world: "World", gone: list[Document], at: float) -> None:
    """Detach disks, or remove those whose delete option says so."""
    for disk in gone:
        held = world.store.get(key_of(disk_id(disk))) if disk_id(disk) else None
        if held is None:
            continue
        if disk.get("deleteOption") == "Delete":
            world.store.remove(held, at)
        else:
            document = held.document()
            document.pop("managedBy", None)
            document["properties"]["diskState"] = "Unattached"
            document["properties"].pop("LastOwnershipUpdateTime", None)
            world.store.write(held, document, at)
