"""Quotas: how much of a type a group, or a subscription in a region, may hold. Asked by the front before a creation.

Sizes are data: `--buckets FILE` sets them in its section `quota`. Regional quotas are only held where the file sets
them, for what a subscription is given differs; ARM's own limits always are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document
from local.simulator.ids import key_of
from local.simulator.machine_sizes import size_of
from local.simulator.routing import Evidence

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

GROUPS, HELD_GROUPS = "microsoft.resources/subscriptions/resourcegroups", "microsoft.resources/resourcegroups"
MACHINES = "microsoft.compute/virtualmachines"


@dataclass(frozen=True, slots=True)
class Quota:
    """One limit: its size unless a file says otherwise (none: not held), and what it is called in a refusal."""

    name: str
    size: int | None
    said: str
    evidence: Evidence
    source: str


QUOTAS = (
    Quota("groups", 980, "resource groups", Evidence.DOCUMENTED, "subscription limits; the code is assumed"),
    Quota("per_group", 800, "resources of a type in a group", Evidence.DOCUMENTED, "resource group limits"),
    Quota("cores", None, "Total Regional Cores", Evidence.DOCUMENTED, "error OperationNotAllowed, quota"),
    Quota("virtualMachines", None, "Virtual Machines", Evidence.ASSUMED, "as for cores"),
    Quota("disks", None, "Disk Count", Evidence.ASSUMED, "as for cores"),
    Quota("snapshots", None, "Snapshot Count", Evidence.ASSUMED, "as for cores"),
)
REGIONAL = {
    "cores": MACHINES,
    "virtualMachines": MACHINES,
    "disks": "microsoft.compute/disks",
    "snapshots": "microsoft.compute/snapshots",
}
# Types of which a group may hold more (documented: resources-without-resource-group-limit).
FREE = frozenset(
    {
        "microsoft.compute/diskencryptionsets", "microsoft.compute/disks", "microsoft.compute/galleries",
        "microsoft.compute/images", "microsoft.compute/snapshots", MACHINES, "microsoft.network/networkinterfaces",
        "microsoft.network/networksecuritygroups", "microsoft.network/publicipaddresses",
        "microsoft.network/virtualnetworks", "microsoft.resources/templatespecs",
    }
)  # fmt: skip


def check(world: "World", kind: str, call: "Call") -> None:
    """Refuse a creation beyond a quota; what is there already may be written."""
    key, kind = key_of(call.path), kind.lower()
    if world.store.get(key) is not None:
        return
    sizes = sizes_of(world.buckets.quotas)
    subscription = "/".join(key.split("/")[:3])
    if kind == GROUPS:
        _check_groups(world, subscription, sizes["groups"])
    elif kind.count("/") == 1 and kind not in FREE and "/resourcegroups/" in key:
        _check_group(world, "/".join(key.split("/")[:5]), kind, sizes["per_group"])
    for name, of_type in REGIONAL.items():
        if of_type == kind and sizes[name] is not None:
            _check_region(world, (name, sizes[name] or 0), subscription, call.body())


def sizes_of(asked: Mapping[str, int | None]) -> dict[str, int | None]:
    """Return the size of every quota, those of a file before the usual ones."""
    return {quota.name: asked.get(quota.name, quota.size) for quota in QUOTAS}


def _check_groups(world: "World", subscription: str, most: int | None) -> None:
    if most is not None and len(world.store.page(subscription, HELD_GROUPS, 0, most)) >= most:
        message = f"The subscription has reached the maximum of {most} resource groups. Please delete some of them."
        raise ArmError(409, "ResourceGroupQuotaExceeded", message)


def _check_group(world: "World", group: str, kind: str, most: int | None) -> None:
    if most is not None and len(world.store.page(group, kind, 0, most)) >= most:
        raise ArmError(
            409,
            "ResourceQuotaExceeded",
            f"Creating the resource of type '{kind}' would exceed the quota of '{most}' resources of type '{kind}' per "
            f"resource group. The current resource count is '{most}', please delete some resources of this type before "
            "creating a new one.",
        )


def _check_region(world: "World", quota: tuple[str, int], subscription: str, body: Document) -> None:
    name, limit = quota
    location = str(body.get("location", "")).lower().replace(" ", "")
    used = 0
    for held in world.store.all_of(subscription, REGIONAL[name]):
        document = held.document()
        if document["location"] == location:
            used += _weight(name, document)
    more = _weight(name, body)
    if used + more > limit:
        said = next(row.said for row in QUOTAS if row.name == name)
        raise ArmError(
            409,
            "OperationNotAllowed",
            f"Operation could not be completed as it results in exceeding approved {said} quota. Additional details - "
            f"Deployment Model: Resource Manager, Location: {location}, Current Limit: {limit}, Current Usage: {used}, "
            f"Additional Required: {more}, (Minimum) New Limit Required: {used + more}.",
        )


def _weight(name: str, document: Document) -> int:
    if name != "cores":
        return 1
    hardware = (document.get("properties") or {}).get("hardwareProfile") or {}
    size = size_of(str(hardware.get("vmSize", "")))
    return size.cores if size else 1
