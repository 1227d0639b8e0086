"""Managed images: captured from a machine, or put together from disks, snapshots and blobs."""

from typing import TYPE_CHECKING, Any

from local.simulator import machines
from local.simulator.answers import ArmError, Document
from local.simulator.ids import key_of, parse
from local.simulator.kinds import Kind, Making, as_asked
from local.simulator.lro import Family
from local.simulator.routing import Evidence, Versions
from local.simulator.store import Resource
from local.simulator.tracked import serve

if TYPE_CHECKING:
    from local.simulator.world import World

TYPE = "Microsoft.Compute/images"


def _document(making: Making) -> Document:
    """Write an image as accepted: its disks with their defaults; sizes appear when it is done (recorded)."""
    document = as_asked(making)
    properties = document["properties"]
    machine = (properties.get("sourceVirtualMachine") or {}).get("id")
    profile = _captured(making.world, machine) if machine else dict(properties.get("storageProfile") or {})
    os_disk = _disk(making.world, profile["osDisk"]) if profile.get("osDisk") else None
    data = [_disk(making.world, disk) for disk in profile.get("dataDisks") or []]
    head = {"osDisk": os_disk} if os_disk else {}
    rest = {name: value for name, value in profile.items() if name not in ("osDisk", "dataDisks")}
    properties["storageProfile"] = {**head, "dataDisks": data, **rest}
    properties.setdefault("hyperVGeneration", "V1")
    return document


def _captured(world: "World", machine_id: str) -> Document:
    held = world.store.get(key_of(machine_id))
    if held is None:
        raise ArmError(404, "NotFound", f"Resource {parse(machine_id).name} is not found.")
    storage = held.document()["properties"]["storageProfile"]
    system = storage["osDisk"]
    return {
        "osDisk": {"osType": system["osType"], "osState": "Generalized", **_kept(world, system)},
        "dataDisks": [{"lun": disk["lun"], **_kept(world, disk)} for disk in storage.get("dataDisks") or []],
    }


def _kept(world: "World", disk: Document) -> Document:
    managed = disk.get("managedDisk") or {}
    held = world.store.get(key_of(str(managed.get("id", ""))))
    kind = managed.get("storageAccountType") or (held.document().get("sku") or {}).get("name") if held else None
    return {
        "managedDisk": {"id": managed.get("id")},
        "caching": disk.get("caching", "None"),
        **({"storageAccountType": kind} if kind else {}),
    }


def _disk(world: "World", disk: Document) -> Document:
    for source in (disk.get("managedDisk"), disk.get("snapshot")):
        if source and world.store.get(key_of(str(source.get("id", "")))) is None:
            raise ArmError(404, "NotFound", f"Resource {parse(str(source.get('id'))).name} is not found.")
    return {"caching": "None", "storageAccountType": "Standard_LRS", **disk}


def disks_of(document: Document) -> list[Document]:
    """Return the disks an image consists of, the system's first."""
    profile = document.get("properties", {}).get("storageProfile") or {}
    found: list[Document] = [disk for disk in [profile.get("osDisk"), *(profile.get("dataDisks") or [])] if disk]
    return found


def blocks_of(held: Resource) -> dict[str, str]:
    """Return what a disk or snapshot holds, as notes keep it."""
    return {str(block): digest for block, digest in held.content.items()}


def source_of(world: "World", disk: Document) -> Resource | None:
    """Return what a disk of an image was made from."""
    source: Any = disk.get("managedDisk") or disk.get("snapshot") or {}
    return world.store.get(key_of(str(source.get("id", "")))) if source.get("id") else None


def _finished(world: "World", document: Document, at: float) -> Document:
    contents: dict[str, dict[str, str]] = {}
    for disk in disks_of(document):
        source = source_of(world, disk)
        if source is not None:
            size = source.document()["properties"].get("diskSizeGB")
            disk.setdefault("diskSizeGB", size)
            contents[str(disk.get("lun", "os"))] = blocks_of(source)
        elif disk.get("blobUri"):
            disk.setdefault("diskSizeGB", machines.BLOB_GIB)
    held = world.store.get(key_of(document["id"]))
    if held is not None:
        held.notes = {**(held.notes or {}), "contents": contents}
    return document


KIND = Kind(
    TYPE,
    Evidence.RECORDED,
    "azure-cli-2025-02/vm/test_vm_managed_disk, azure-cli-extensions-2024-09/image-copy/test_image_copy",
    Versions("2016-04-30"),
    family=Family.COMPUTE,
    pace="image",
    accept=_document,
    finish=_finished,
    policies={
        "PUT": ("Microsoft.Compute/CreateImagesSubscriptionMaximum",),
        "GET": ("Microsoft.Compute/GetImagesSubscriptionMaximum",),
    },
)
ROUTES = serve(KIND)
