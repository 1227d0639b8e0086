"""The platform's images: their newest version, what they hold and how lists and single versions show them.

Routes for clients that look an image up before they create a machine; machines.py and instance_views.py ask here what
an image is. Named images are recorded; any other follows the rules that hold for all recorded ones.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local.simulator.answers import Document, Reply
from local.simulator.routing import Evidence, Route, Versions

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

# The regions whose name the compute provider writes in capitals, others come in lower case (recorded).
WRITTEN = {"eastus2euap": "EastUS2EUAP", "centraluseuap": "CentralUSEUAP"}
GIB = 1024**3
MIB = 1024**2
VHD_FOOTER = 512


@dataclass(frozen=True, slots=True)
class Image:
    """One platform image."""

    version: str = "1.0.20240101"
    system: str = "Linux"
    generation: str = "V1"
    gib: int = 30
    more_mib: int = 0
    upgrades: bool = False
    security: str = ""
    controllers: str = "SCSI"
    hibernates: bool = False
    featured: bool = True
    deprecation: str = ""
    name: str = "linux"
    release: str = "1.0"


_WINDOWS = Image(
    "20348.2159.231202", "Windows", gib=127, more_mib=2, name="Windows Server", release="Microsoft Windows NT 10.0"
)

# (publisher, offer, sku) in lower case; recorded between 2019 and 2024
_KNOWN = {
    ("canonical", "ubuntuserver", "14.04.4-lts"): Image("14.04.201911070", name="ubuntu", release="14.04"),
    ("canonical", "ubuntuserver", "18.04-lts"): Image(
        "18.04.202401161", more_mib=1, upgrades=True, controllers="SCSI, NVMe", hibernates=True, name="ubuntu",
        release="18.04",
    ),
    ("canonical", "0001-com-ubuntu-server-focal", "20_04-lts-gen2"): Image(
        "20.04.202212140", generation="V2", security="TrustedLaunchSupported", controllers="SCSI, NVMe",
        hibernates=True, name="ubuntu", release="20.04",
    ),
    ("debian", "debian-10", "10"): Image("0.20240430.1733", name="debian", release="10.13"),
    ("openlogic", "centos", "7.5"): Image(
        "7.5.201808150", upgrades=True, featured=False, name="centos", release="7.5.1804"
    ),
    ("microsoftwindowsserver", "windowsserver", "2012-r2-datacenter"): replace(
        _WINDOWS, version="9600.21620.231004", more_mib=2, upgrades=True, deprecation="2022-datacenter-azure-edition",
        name="Windows Server 2012 R2 Datacenter", release="Microsoft Windows NT 6.3.9600.0",
    ),
    ("microsoftwindowsserver", "windowsserver", "2016-datacenter"): replace(
        _WINDOWS, version="14393.4946.220202", upgrades=True, name="Windows Server 2016 Datacenter",
        release="10.0.14393.4946",
    ),
    ("microsoftwindowsserver", "windowsserver", "2022-datacenter-g2"): replace(
        _WINDOWS, generation="V2", security="TrustedLaunchAndConfidentialVmSupported", controllers="SCSI, NVMe",
        hibernates=True, name="Windows Server 2022 Datacenter", release="Microsoft Windows NT 10.0.20348.0",
    ),
}  # fmt: skip


def image_of(publisher: str, offer: str, sku: str) -> Image:
    """Return what an image holds: a known one, or one by the rules of its names (assumed)."""
    known = _KNOWN.get((publisher.lower(), offer.lower(), sku.lower()))
    if known is not None:
        return known
    found = _WINDOWS if "windows" in f"{publisher} {offer}".lower() else Image(name=offer.lower() or "linux")
    if found is not _WINDOWS and "ubuntu" in offer.lower():
        found = replace(found, more_mib=1)
    second = sku.lower().endswith(("-g2", "gen2", "-gen2")) or sku.lower() == "server"
    return replace(found, generation="V2", controllers="SCSI, NVMe", hibernates=True) if second else found


def abilities(image: Image) -> Document:
    """Return what disks made from an image say they can do (recorded)."""
    more = {"diskControllerTypes": image.controllers, "acceleratedNetwork": True} if image.featured else {}
    hibernates: Document = {"supportsHibernation": True} if image.hibernates else {}
    return {"supportedCapabilities": {**more, "architecture": "x64"}, **hibernates}


def bytes_of(image: Image, gib: int) -> int:
    """Return how large a disk made from an image is: images are a little larger than their gigabytes (recorded)."""
    return gib * GIB + (image.more_mib * MIB if gib == image.gib else 0)


def image_of_reference(image_id: str) -> Image | None:
    """Return the image an id names (`.../Publishers/p/ArtifactTypes/VMImage/Offers/o/Skus/s/Versions/v`)."""
    words = image_id.strip("/").lower().split("/")
    named = dict(zip(words[::2], words[1::2], strict=False))
    if not {"publishers", "offers", "skus"} <= named.keys():
        return None
    return image_of(named["publishers"], named["offers"], named["skus"])


def image_of_machine(properties: Document) -> Image:
    """Return the image a machine was made from; a plain one where it was made from something else."""
    storage = properties.get("storageProfile") or {}
    asked = storage.get("imageReference") or {}
    if asked.get("publisher"):
        return image_of(asked["publisher"], asked.get("offer", ""), asked.get("sku", ""))
    windows = (storage.get("osDisk") or {}).get("osType") == "Windows" or "windowsConfiguration" in (
        properties.get("osProfile") or {}
    )
    return _WINDOWS if windows else Image()


def _id(call: "Call", version: str) -> str:
    where = f"/Subscriptions/{call['subscription']}/Providers/Microsoft.Compute/Locations/{_place(call)}"
    names = f"Publishers/{call['publisher']}/ArtifactTypes/VMImage/Offers/{call['offer']}/Skus/{call['sku']}"
    return f"{where}/{names}/Versions/{version}"


def _place(call: "Call") -> str:
    return WRITTEN.get(call["location"].lower(), call["location"].lower())


def versions(world: "World", call: "Call") -> Reply:
    """List an image's versions: the newest is the only one here."""
    world.subscription(call["subscription"])
    version = image_of(call["publisher"], call["offer"], call["sku"]).version
    return Reply.of([{"location": _place(call), "name": version, "id": _id(call, version)}])


def version(world: "World", call: "Call") -> Reply:
    """Answer one version; any may be asked for."""
    world.subscription(call["subscription"])
    image = image_of(call["publisher"], call["offer"], call["sku"])
    name = image.version if call["version"] == "latest" else call["version"]
    properties = _properties(image, call.version)
    return Reply.of({"properties": properties, "location": _place(call), "name": name, "id": _id(call, name)})


def _properties(image: Image, version: str) -> Document:
    """What a version shows; older api-versions know less of it (recorded)."""
    second = image.generation == "V2"
    newer = version >= "2022-03-01"
    properties: Document = {"hyperVGeneration": image.generation, "architecture": "x64"} if newer else {}
    properties["replicaType"] = "Managed" if second else "Unmanaged"
    if second:
        properties["replicaCount"] = 10
    if newer:
        properties["disallowed"] = {"vmDiskType": "Unmanaged" if second else "None"}
    properties["automaticOSUpgradeProperties"] = {"automaticOSUpgradeSupported": image.upgrades}
    if newer:
        properties["imageDeprecationStatus"] = _deprecation(image)
        if image.featured:
            properties["features"] = _features(image)
    properties["osDiskImage"] = _disk(image, version)
    return {**properties, "dataDiskImages": []}


def _deprecation(image: Image) -> Document:
    if not image.deprecation:
        return {"imageState": "Active"}
    return {
        "imageState": "ScheduledForDeprecation",
        "scheduledDeprecationTime": "2024-06-14T00:00:00+00:00",
        "alternativeOption": {"type": "Plan", "value": image.deprecation},
    }


def _features(image: Image) -> list[Document]:
    found = {
        "SecurityType": image.security,
        "IsAcceleratedNetworkSupported": "True",
        "DiskControllerTypes": image.controllers,
        "IsHibernateSupported": str(image.hibernates),
    }
    return [{"name": name, "value": value} for name, value in found.items() if value]


def _disk(image: Image, version: str) -> Document:
    disk: Document = {"operatingSystem": image.system}
    size = image.gib * GIB + image.more_mib * MIB
    if image.generation == "V2":
        return {**disk, "sizeInGb": image.gib}
    if version < "2024-07-01":
        disk["sizeInGb"] = -(-size // GIB)
    return {**disk, "sizeInBytes": size + VHD_FOOTER}


_AT = (
    "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/publishers/{publisher}"
    "/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions"
)
_ACTION = "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions/read"
_SINCE, _R, _CLI = Versions("2015-06-15"), Evidence.RECORDED, "azure-cli-2025-02/vm/test_vm_create_ubuntu"
ROUTES = (
    Route("GET", _AT, _ACTION, versions, _R, _CLI, _SINCE),
    Route("GET", _AT + "/{version}", _ACTION, version, _R, _CLI, _SINCE),
)
