"""What a virtual machine's document says at each stage, and its disks: made, attached, let go.

Used by compute_vms.py and seeds.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.simulator import disks, eras, images, machine_identity, volumes
from local.simulator.answers import ArmError, Document
from local.simulator.clock import compute_time
from local.simulator.ids import key_of, parse
from local.simulator.store import NO_CONTENT, Content, Resource
from local.simulator.tagging import checked

if TYPE_CHECKING:
    from local.simulator.world import World

TYPE = "Microsoft.Compute/virtualMachines"
KIND = "microsoft.compute/virtualmachines"
OPTIONS = {word.lower(): word for word in ("FromImage", "Empty", "Attach", "Copy", "Restore")}
# Sizes with an s take premium disks: DS1_v2, D2s_v3, B1ls (recorded), GS, LS, FS (documented).
PREMIUM_SIZE = re.compile(r"standard_(?:[dglfe]s\d|b\d|[a-z]+\d+[a-z]*s(?:_|$))", re.IGNORECASE)
BLOB_GIB = 127  # a system blob's size where nothing tells it (assumed)
TOP = ("plan", "zones", "extendedLocation", "sku")
# Machines made by older clients lack these defaults for ever (assumed; recorded machines of 2019 to 2025 lack them,
# those made with 2018-10-01 have them).
DEFAULTS_SINCE = "2018-04-01"


@dataclass(frozen=True, slots=True)
class Writing:
    """When a machine is written, and in which api-version."""

    now: float
    version: str


def accepted_document(
    world: "World", resource_id: str, body: Document, before: Document | None, writing: Writing
) -> Document:
    """Write the first answer to a PUT: the request, completed by defaults, `Creating` or `Updating` (recorded)."""
    properties = dict(body.get("properties") or {})
    old = (before or {}).get("properties", {})
    if before is None:
        _check_storage(properties)
    hardware = properties.get("hardwareProfile") or old.get("hardwareProfile") or {}
    size = str(hardware.get("vmSize", ""))
    storage = _storage(world, properties.get("storageProfile") or {}, old.get("storageProfile") or {}, size)
    place = str(body["location"]).lower().replace(" ", "")
    profile = properties.get("osProfile") or old.get("osProfile")
    if profile is not None:
        if "allowExtensionOperations" not in (old.get("osProfile") or profile) and old:
            writing = Writing(writing.now, "")  # a machine stays as it was made
        profile = _os_profile(profile, storage, writing, eras.agent_updates(writing.now, place))
    document: Document = {
        "name": resource_id.rsplit("/", 1)[-1],
        "id": resource_id,
        "type": TYPE,
        "location": place,
    }
    if body.get("tags") is not None:
        document["tags"] = checked(body["tags"])
    document.update({name: body[name] for name in TOP if body.get(name) is not None})
    identity = machine_identity.written(world, resource_id, body.get("identity"), (before or {}).get("identity"))
    if identity is not None:
        document["identity"] = identity
    document["properties"] = {
        **{
            name: value
            for name, value in properties.items()
            if name not in ("instanceView", "storageProfile", "osProfile")
        },
        "vmId": old.get("vmId") or world.chance.guid(),
        "storageProfile": storage,
        **({"osProfile": profile} if profile else {}),
        "provisioningState": "Updating" if before else "Creating",
        "timeCreated": old.get("timeCreated") or compute_time(writing.now),
    }
    document["etag"] = f'"{int(str((before or {}).get("etag", 0)).strip(chr(34))) + 1}"'
    return document


def _check_storage(properties: Document) -> None:
    """Refuse a new machine without a system disk (documented: azure-powershell#4001, JeffBow/AzurePowerShell#10)."""
    for name, owner in (("storageProfile", properties), ("osDisk", properties.get("storageProfile") or {})):
        if not owner.get(name):
            message = f"Required parameter '{name}' is missing (null)."
            raise ArmError(400, "InvalidParameter", message, target=name)


def _storage(world: "World", storage: Document, old: Document, size: str) -> Document:
    """Complete disks with the provider's defaults; a known data disk keeps its name and id by its lun."""
    os_disk = dict(storage.get("osDisk") or {})
    os_disk = _written({**(old.get("osDisk") or {}), **os_disk} if old else os_disk)
    image = storage.get("imageReference") or old.get("imageReference")
    known_image = images.image_of_machine({"storageProfile": {**storage, "imageReference": image}})
    os_disk.setdefault("osType", known_image.system)
    os_disk.setdefault("caching", "ReadWrite")
    if not os_disk.get("vhd"):
        before = (old.get("osDisk") or {}).get("managedDisk")
        os_disk["managedDisk"] = _managed(os_disk.get("managedDisk"), before, size)
    os_disk.setdefault("deleteOption", "Detach")
    if os_disk.get("createOption") == "FromImage":
        os_disk.setdefault("diskSizeGB", known_image.gib)
    known = {disk["lun"]: disk for disk in old.get("dataDisks", [])}
    asked = [_data_disk(world, disk, known.get(disk.get("lun")), size) for disk in storage.get("dataDisks") or []]
    data = _with_leaving(asked, old.get("dataDisks") or [])
    if isinstance(image, dict) and image.get("version"):
        exact = known_image.version if image["version"] == "latest" else image["version"]
        image = {**image, "exactVersion": image.get("exactVersion", exact)}
    if known_image.generation == "V2":
        storage = {"diskControllerType": "SCSI", **storage}
    head = {"imageReference": image} if image else {}
    rest = {name: value for name, value in storage.items() if name not in ("imageReference", "osDisk", "dataDisks")}
    return {**head, "osDisk": os_disk, "dataDisks": data, **rest}


def _written(disk: Document) -> Document:
    """Write a create option as the provider spells it: clients send `fromImage`, answers say `FromImage` (recorded)."""
    option = str(disk.get("createOption", ""))
    return {**disk, "createOption": OPTIONS.get(option.lower(), option)} if option else disk


def _managed(asked: Document | None, old: Document | None, size: str) -> Document:
    """Complete a managed disk: sizes that take premium disks get them unless told otherwise (recorded)."""
    found = {**(old or {}), **(asked or {})}
    if "id" not in found:
        found.setdefault("storageAccountType", "Premium_LRS" if PREMIUM_SIZE.match(size) else "Standard_LRS")
    return found


def _with_leaving(asked: list[Document], old: list[Document]) -> list[Document]:
    """Show disks no longer asked for as leaving, in their old places, until the work is done (recorded)."""
    by_id = {key_of(disk_id(disk)): disk for disk in asked if disk_id(disk)}
    places = [by_id.pop(key_of(disk_id(disk)), {**disk, "toBeDetached": True}) for disk in old if disk_id(disk)]
    return [*places, *(disk for disk in asked if disk not in places)]


def _data_disk(world: "World", disk: Document, old: Document | None, size: str) -> Document:
    if not isinstance(disk.get("lun"), int):
        raise ArmError(
            400, "InvalidParameter", "Required parameter 'dataDisk.lun' is missing (null).", target="dataDisk.lun"
        )
    same = old is not None and (not disk.get("name") or disk["name"] == old.get("name"))
    known = old or {} if same else {}
    full = _written({**known, **disk})
    full.setdefault("createOption", "Empty")
    full.setdefault("caching", "None")
    if not full.get("vhd"):
        full["managedDisk"] = _managed(disk.get("managedDisk"), known.get("managedDisk"), size)
    held = world.store.get(key_of(disk_id(full))) if disk_id(full) else None
    if held is not None:
        attached = held.document()
        full.setdefault("name", attached["name"])
        full.setdefault("diskSizeGB", attached["properties"].get("diskSizeGB"))
        full["managedDisk"].setdefault("storageAccountType", (attached.get("sku") or {}).get("name", "Standard_LRS"))
    full.setdefault("deleteOption", "Detach")
    full.setdefault("toBeDetached", False)
    return full


def _os_profile(profile: Document, storage: Document, writing: Writing, updates: bool | None) -> Document:
    """Complete what a machine says of its guest; what was completed once is not taken back."""
    kept = {name: value for name, value in profile.items() if name not in ("adminPassword", "customData")}
    kept.setdefault("secrets", [])
    known = {} if writing.version < DEFAULTS_SINCE else {"provisionVMAgent": True}
    if known:
        kept.setdefault("allowExtensionOperations", True)
        kept.setdefault("requireGuestProvisionSignal", True)
    windows = storage["osDisk"]["osType"] == "Windows"
    name = "windowsConfiguration" if windows else "linuxConfiguration"
    first = {"enableAutomaticUpdates": True} if windows else {"disablePasswordAuthentication": False}
    guest = {**first, **known, **(kept.get(name) or {})}
    patching = {"patchMode": "AutomaticByOS" if windows else "ImageDefault", "assessmentMode": "ImageDefault"}
    if updates is not None and known:
        guest.setdefault("enableVMAgentPlatformUpdates", updates)
    kept[name] = {**guest, "patchSettings": {**patching, **guest.get("patchSettings", {})}}
    return kept


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
