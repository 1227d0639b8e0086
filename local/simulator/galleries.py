"""Compute galleries: image definitions with versions, applications with versions."""

from typing import TYPE_CHECKING, Any

from local.simulator import managed_images
from local.simulator.answers import ArmError, Document
from local.simulator.clock import compute_time
from local.simulator.ids import key_of
from local.simulator.kinds import Kind, Making, as_asked
from local.simulator.lro import Family
from local.simulator.routing import Evidence, Versions
from local.simulator.store import Resource
from local.simulator.tracked import serve

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

ROOT = "Microsoft.Compute/galleries"


def _gallery(making: Making) -> Document:
    document = as_asked(making)
    subscription, name = making.resource_id.split("/")[2], making.resource_id.rsplit("/", 1)[-1]
    document["properties"]["identifier"] = {"uniqueName": f"{subscription}-{name.upper()}"}
    return document


def _version(making: Making) -> Document:
    """Write a version: where it is published, with the recorded defaults."""
    document, before = as_asked(making), (making.before or {}).get("properties", {})
    properties = document["properties"]
    asked: Document = dict(properties.get("publishingProfile") or {})
    kept = before.get("publishingProfile", {})
    asked.setdefault("targetRegions", kept.get("targetRegions") or [_region(str(document["location"]))])
    properties["publishingProfile"] = {
        "replicaCount": 1,
        "excludeFromLatest": False,
        "storageAccountType": "Standard_LRS",
        **asked,
        "publishedDate": kept.get("publishedDate") or compute_time(making.call.now),
    }
    _keep_sizes(properties.get("storageProfile"), before.get("storageProfile"))
    return document


def _region(location: str) -> Document:
    return {"name": location, "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"}


def _keep_sizes(profile: Any, before: Any) -> None:
    old = (before or {}).get("osDiskImage") or {}
    if isinstance(profile, dict) and isinstance(profile.get("osDiskImage"), dict) and "sizeInGB" in old:
        profile["osDiskImage"]["sizeInGB"] = old["sizeInGB"]


def _version_finished(world: "World", document: Document, _at: float) -> Document:
    """Let sizes appear: they are those of what the version was made from (recorded)."""
    profile = document["properties"].setdefault("storageProfile", {})
    source = world.store.get(key_of(str((profile.get("source") or {}).get("id", ""))))
    if source is not None:
        profile.setdefault("osDiskImage", {"hostCaching": "ReadWrite"})
    contents: dict[str, dict[str, str]] = dict((source.notes or {}).get("contents") or {}) if source else {}
    for image in [profile.get("osDiskImage"), *(profile.get("dataDiskImages") or [])]:
        if isinstance(image, dict):
            size = _size(world, image, source)
            if size is not None:
                image["sizeInGB"] = size
            own = world.store.get(key_of(str((image.get("source") or {}).get("id", ""))))
            if own is not None:
                contents[str(image.get("lun", "os"))] = managed_images.blocks_of(own)
    held = world.store.get(key_of(document["id"]))
    if held is not None:
        held.notes = {**(held.notes or {}), "contents": contents}
    return document


def _size(world: "World", image: Document, source: Resource | None) -> int | None:
    own = world.store.get(key_of(str((image.get("source") or {}).get("id", ""))))
    document = (own or source).document() if (own or source) is not None else {}  # type: ignore[union-attr]
    properties = document.get("properties", {})
    if "diskSizeGB" in properties:
        return int(properties["diskSizeGB"])
    disks = managed_images.disks_of(document)
    return int(disks[0]["diskSizeGB"]) if disks and disks[0].get("diskSizeGB") else None


def _version_shown(_world: "World", held: Resource, call: "Call") -> Document:
    document = held.document()
    if call.query.get("$expand", "").lower() == "replicationstatus":
        regions = document["properties"]["publishingProfile"]["targetRegions"]
        summary = [{"region": one["name"], "state": "Completed", "details": "", "progress": 100} for one in regions]
        document["properties"]["replicationStatus"] = {"aggregatedState": "Completed", "summary": summary}
    return document


def _without_children(world: "World", held: Resource, _call: "Call") -> None:
    """What holds nested resources stays (ARM's rule, documented)."""
    for kind in (IMAGES.key, APPLICATIONS.key, VERSIONS.key, APPLICATION_VERSIONS.key):
        if world.store.page(held.key, kind, 0, 1):
            message = "Cannot delete resource while nested resources exist."
            raise ArmError(409, "CannotDeleteResource", f"{message} Some existing nested resource IDs are below it.")


def _windows(name: str) -> dict[str, tuple[str, ...]]:
    def both(verb: str) -> tuple[str, ...]:
        return (f"Microsoft.Compute/{verb}{name}3Min", f"Microsoft.Compute/{verb}{name}30Min")

    return {"PUT": both("CreateUpdate"), "PATCH": both("CreateUpdate"), "GET": both("Get"), "DELETE": both("Delete")}


_R, _D = Evidence.RECORDED, Evidence.DOCUMENTED
_PY = "azure-sdk-for-python-2022-05/azure-mgmt-compute/test_compute_galleries"
_SINCE = Versions("2018-06-01")
GALLERIES = Kind(
    ROOT, _R, _PY, _SINCE, family=Family.GALLERY, pace="gallery", changing="Succeeded", accept=_gallery,
    check_delete=_without_children, policies=_windows("Gallery"),
)  # fmt: skip
IMAGES = Kind(
    f"{ROOT}/images", _R, _PY, _SINCE, family=Family.GALLERY, pace="gallery", check_delete=_without_children,
    defaults={"hyperVGeneration": "V1", "architecture": "x64"}, policies=_windows("GalleryImage"),
)  # fmt: skip
VERSIONS = Kind(
    f"{ROOT}/images/versions", _R, _PY, _SINCE, family=Family.GALLERY, pace="gallery.version", wait=60,
    accept=_version, finish=_version_finished, show=_version_shown, policies=_windows("GalleryImageVersion"),
)  # fmt: skip
APPLICATIONS = Kind(
    f"{ROOT}/applications", _R, _PY, _SINCE, deleted=200, check_delete=_without_children,
    policies=_windows("GalleryApplication"),
)  # fmt: skip
APPLICATION_VERSIONS = Kind(
    f"{ROOT}/applications/versions", _D, "GalleryApplicationVersions_CreateOrUpdate", _SINCE, family=Family.GALLERY,
    pace="gallery.version", wait=60,
)  # fmt: skip
ROUTES = (
    *serve(GALLERIES),
    *serve(IMAGES),
    *serve(VERSIONS),
    *serve(APPLICATIONS),
    *serve(APPLICATION_VERSIONS),
)
