"""What a virtual machine's document says at each stage; its disks are in machine_disks.py.

Used by compute_vms.py and seeds.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.simulator import eras, images, machine_identity
from local.simulator.answers import ArmError, Document
from local.simulator.clock import compute_time
from local.simulator.ids import key_of
from local.simulator.machine_disks import disk_id
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
        **_in_set(properties.get("availabilitySet")),
        "vmId": old.get("vmId") or world.chance.guid(),
        "storageProfile": storage,
        **({"osProfile": profile} if profile else {}),
        "provisioningState": "Updating" if before else "Creating",
        "timeCreated": old.get("timeCreated") or compute_time(writing.now),
    }
    document["etag"] = f'"{int(str((before or {}).get("etag", 0)).strip(chr(34))) + 1}"'
    return document


def _in_set(asked: Any) -> Document:
    """Write the availability set with its name in capitals (recorded: Disk_CRUD_ImportDisk, lists of VMTest)."""
    if not isinstance(asked, dict) or not asked.get("id"):
        return {}
    above, _, name = str(asked["id"]).rpartition("/")
    return {"availabilitySet": {**asked, "id": f"{above}/{name.upper()}"}}


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
        os_disk["managedDisk"] = _managed(_same_kind(os_disk.get("managedDisk"), before), before, size)
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


def _same_kind(asked: Document | None, old: Document | None) -> Document | None:
    """Refuse another kind for a disk that is there: its own resource changes it (documented: terraform#921)."""
    kinds = [(each or {}).get("storageAccountType") for each in (asked, old)]
    same = key_of(str((asked or {}).get("id", ""))) in ("/", key_of(str((old or {}).get("id", ""))))
    if old and old.get("id") and same and None not in kinds and kinds[0] != kinds[1]:
        message = "Managed disk storage account type change through Virtual Machine is not allowed."
        raise ArmError(409, "OperationNotAllowed", f"{message} Please update disk resource at {old['id']}.")
    return asked


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
        before = known.get("managedDisk")
        full["managedDisk"] = _managed(_same_kind(disk.get("managedDisk"), before), before, size)
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
