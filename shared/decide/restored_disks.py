"""Disks of a restored machine: what each is like, and how it is attached. Called by `blueprint.py`."""

from __future__ import annotations

from typing import Any

from shared.decide.subtraction import NO_VALUES, Body, at
from shared.model.identity import COLLECTION_TYPE
from shared.model.restore import ArmPath, Source

# Properties of a captured disk that its restored self needs, and why [azure-facts 3.5; sdk-c: DiskProperties].
CARRIED = (
    "osType",  # a data disk has none, an OS disk cannot be attached as one without it
    "hyperVGeneration",  # an OS disk of another generation does not boot
    "securityProfile",  # trusted launch starts from trusted disks only
    "supportedCapabilities",  # architecture and accelerated networking follow the guest
    "supportsHibernation",  # cannot be added to the machine otherwise
    "purchasePlan",  # an image of the marketplace is paid for by it
    "maxShares",  # a shared disk stays one
    "burstingEnabled",  # bursting that is paid for
    "optimizedForFrequentAttach",  # as it was set
    "tier",  # a performance tier above the disk's size
)
# Disks whose performance is set apart from their size [azure-facts 3.2].
FAST = ("ultrassd_lrs", "premiumv2_lrs")
PERFORMANCE = ("diskIOPSReadWrite", "diskMBpsReadWrite", "diskIOPSReadOnly", "diskMBpsReadOnly")
# How a disk is attached, from the captured machine; what is made from an image then is attached now.
ATTACHED = ("caching", "writeAcceleratorEnabled", "deleteOption", "detachOption")


def disk_body(source: Source, captured: Body | None, region: str) -> dict[str, Any]:
    """A disk from a part of a point; where no captured disk is at hand, what the snapshot itself says is used."""
    old = (captured or {}).get("properties") or {}
    kept = {name: old[name] for name in CARRIED if _says_something(name, old.get(name))}
    sku = at(captured or {}, "sku.name")
    if str(sku).lower() in FAST:
        kept |= {name: old[name] for name in PERFORMANCE if old.get(name)}
    elif "tier" in kept and not str(sku).lower().startswith("premium"):
        del kept["tier"]
    if at(old, "encryption.diskEncryptionSetId"):
        kept["encryption"] = {name: old["encryption"].get(name) for name in ("type", "diskEncryptionSetId")}
    body: dict[str, Any] = {
        "location": region,
        "properties": {
            **kept,
            "creationData": {"createOption": _option(source), "sourceResourceId": str(source.snapshot)},
            "networkAccessPolicy": "DenyAll",
            "publicNetworkAccess": "Disabled",
        },
    }
    if sku:
        body["sku"] = {"name": sku}
    if (captured or {}).get("zones"):
        body["zones"] = list((captured or {})["zones"])
    return body


def _option(source: Source) -> str:
    """A disk is copied from a snapshot, and restored from a disk restore point [azure-facts 3.4, 3.5]."""
    return "Restore" if source.snapshot.type == COLLECTION_TYPE else "Copy"


def _says_something(name: str, value: Any) -> bool:
    only_one = name == "maxShares" and value == 1
    return value not in NO_VALUES and value is not False and not only_one


def attachment(captured: Body, disk: ArmPath, lun: int | None) -> dict[str, Any]:
    """How the machine refers to a restored disk."""
    kept = {name: captured[name] for name in ATTACHED if captured.get(name) not in NO_VALUES}
    entry = {"name": disk.rsplit("/", 1)[-1], "createOption": "Attach", **kept, "managedDisk": {"id": disk}}
    if lun is None:
        return {"osType": captured.get("osType", "Linux"), **entry}
    return {"lun": lun, **entry}


def captured_at(machine: Body, lun: int | None) -> Body:
    """What the captured machine said of the disk at a LUN, or of its OS disk; empty where it said nothing."""
    profile = at(machine, "properties.storageProfile") or {}
    if lun is None:
        return dict(profile.get("osDisk") or {})
    return next((dict(each) for each in profile.get("dataDisks") or () if each.get("lun") == lun), {})
