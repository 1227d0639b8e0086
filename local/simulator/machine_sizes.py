"""The compute catalogue: machine sizes, what a subscription uses of its quota, what can be had where.

Sizes are those this estate can meet (recorded or documented); the quota is what tests set, or the usual one.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.simulator.answers import Document, Reply
from local.simulator.machines import KIND as MACHINES
from local.simulator.machines import PREMIUM_SIZE, TYPE
from local.simulator.regions import REGIONS
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.tracked import template_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World


@dataclass(frozen=True, slots=True)
class Size:
    """One machine size."""

    name: str
    cores: int
    memory_mib: int
    local_mib: int
    disks: int

    @property
    def family(self) -> str:
        """The quota it counts against: `Standard_D2s_v3` is of `standardDSv3Family`."""
        match = re.fullmatch(r"Standard_([A-Z]+)\d+([a-z]*)(?:_v(\d+))?", self.name)
        letters, extra, version = match.groups() if match else (self.name, "", None)
        return f"standard{letters}{extra.upper()}{f'v{version}' if version else ''}Family"


SIZES = tuple(
    Size(*row)
    for row in (
        ("Standard_A1_v2", 1, 2048, 10240, 2), ("Standard_A2_v2", 2, 4096, 20480, 4),
        ("Standard_A2m_v2", 2, 16384, 20480, 4), ("Standard_B1ls", 1, 512, 4096, 2),
        ("Standard_B1s", 1, 1024, 4096, 2), ("Standard_B2s", 2, 4096, 8192, 4), ("Standard_B2ms", 2, 8192, 16384, 4),
        ("Standard_D1_v2", 1, 3584, 51200, 4), ("Standard_D2_v2", 2, 7168, 102400, 8),
        ("Standard_D3_v2", 4, 14336, 204800, 16), ("Standard_D4_v2", 8, 28672, 409600, 32),
        ("Standard_D5_v2", 16, 57344, 819200, 64), ("Standard_DS1_v2", 1, 3584, 7168, 4),
        ("Standard_DS2_v2", 2, 7168, 14336, 8), ("Standard_DS3_v2", 4, 14336, 28672, 16),
        ("Standard_D2s_v3", 2, 8192, 16384, 4), ("Standard_D4s_v3", 4, 16384, 32768, 8),
        ("Standard_D2s_v5", 2, 8192, 0, 4), ("Standard_D4s_v5", 4, 16384, 0, 8),
        ("Standard_D8s_v5", 8, 32768, 0, 16),
        ("Standard_E2s_v5", 2, 16384, 0, 4), ("Standard_E4s_v5", 4, 32768, 0, 8),
        ("Standard_F2s_v2", 2, 4096, 16384, 4),
    )
)  # fmt: skip
OS_MIB = 1047552
LIMITS = {"availabilitySets": 2500, "cores": 100, "virtualMachines": 25000, "virtualMachineScaleSets": 2500}
FAMILY_LIMIT = 100


def size_of(name: str) -> Size | None:
    """Return a size by its name, whatever the letter case."""
    return next((size for size in SIZES if size.name.lower() == name.lower()), None)


def sizes(world: "World", call: "Call") -> Reply:
    """List the sizes of a region, or those a machine can be changed to."""
    world.subscription(call["subscription"])
    if "name" in call.names:
        world.resource(call.path.rsplit("/", 1)[0], TYPE)
    found = [
        {
            "name": size.name, "numberOfCores": size.cores, "osDiskSizeInMB": OS_MIB,
            "resourceDiskSizeInMB": size.local_mib, "memoryInMB": size.memory_mib, "maxDataDiskCount": size.disks,
        }
        for size in SIZES
    ]  # fmt: skip
    return Reply.of({"value": found})


def _cores(world: "World", scope: str, location: str) -> Counter[str]:
    used: Counter[str] = Counter()
    for held in world.store.all_of(scope, MACHINES):
        document = held.document()
        if document["location"] == location:
            size = size_of(str(document["properties"].get("hardwareProfile", {}).get("vmSize", "")))
            used["virtualMachines"] += 1
            used["cores"] += size.cores if size else 1
            used[size.family if size else "other"] += size.cores if size else 1
    return used


def usages(world: "World", call: "Call") -> Reply:
    """Tell what is used of each quota in a region."""
    scope, location = world.subscription(call["subscription"]).key, call["location"].lower()
    used = _cores(world, scope, location)
    sets = world.store.all_of(scope, "microsoft.compute/availabilitysets")
    used["availabilitySets"] = sum(1 for held in sets if held.document()["location"] == location)
    given = {name: size for name, size in world.buckets.quotas.items() if name in LIMITS}
    limits = {**LIMITS, **given, **{size.family: FAMILY_LIMIT for size in SIZES}}
    found = [
        {
            "limit": limit, "unit": "Count", "currentValue": used[name],
            "name": {"value": name, "localizedValue": NAMES.get(name, f"{name} vCPUs")},
        }
        for name, limit in limits.items()
    ]  # fmt: skip
    return Reply.of({"value": found})


NAMES = {
    "availabilitySets": "Availability Sets",
    "cores": "Total Regional vCPUs",
    "virtualMachines": "Virtual Machines",
    "virtualMachineScaleSets": "Virtual Machine Scale Sets",
}
DISKS = (
    "Standard_LRS",
    "StandardSSD_LRS",
    "Premium_LRS",
    "StandardSSD_ZRS",
    "Premium_ZRS",
    "PremiumV2_LRS",
    "UltraSSD_LRS",
)


def skus(world: "World", call: "Call") -> Reply:
    """List what can be had in a region: sizes with their abilities, kinds of disks and snapshots (documented form)."""
    world.subscription(call["subscription"])
    wanted = re.search(r"location\s+eq\s+'([^']+)'", call.query.get("$filter", ""), re.I)
    regions = [wanted.group(1).lower()] if wanted else list(REGIONS)
    found = [_size_sku(size, region) for region in regions for size in SIZES]
    for region in regions:
        found += [_disk_sku("disks", name, region) for name in DISKS]
        found += [_disk_sku("snapshots", name, region) for name in ("Standard_LRS", "Standard_ZRS", "Premium_LRS")]
    return Reply.of({"value": found})


def _size_sku(size: Size, region: str) -> Document:
    abilities = {
        "vCPUs": size.cores, "MemoryGB": size.memory_mib / 1024, "MaxDataDiskCount": size.disks,
        "PremiumIO": bool(PREMIUM_SIZE.match(size.name)), "HyperVGenerations": "V1,V2",
    }  # fmt: skip
    return {
        "resourceType": "virtualMachines", "name": size.name, "tier": "Standard",
        "size": size.name.split("_", 1)[1], "family": size.family, **_at(region),
        "capabilities": [{"name": name, "value": str(value)} for name, value in abilities.items()], "restrictions": [],
    }  # fmt: skip


def _disk_sku(kind: str, name: str, region: str) -> Document:
    return {"resourceType": kind, "name": name, "tier": name.split("_", 1)[0], **_at(region), "capabilities": [],
            "restrictions": []}  # fmt: skip


def _at(region: str) -> Document:
    zones = {"location": region, "zones": ["1", "2", "3"], "zoneDetails": []}
    return {"locations": [region], "locationInfo": [zones]}


_SUB = "/subscriptions/{subscription}/providers/Microsoft.Compute"
_SINCE, _R = Versions("2015-06-15"), Evidence.RECORDED
ROUTES = (
    Route("GET", f"{_SUB}/locations/{{location}}/vmSizes", "Microsoft.Compute/locations/vmSizes/read", sizes, _R,
          "azure-cli-extensions-2024-09/site-recovery/test_siterecovery_scenarios", _SINCE),
    Route("GET", template_of(TYPE) + "/vmSizes", f"{TYPE}/vmSizes/read", sizes, _R,
          "azure-cli-2021-07/vm/test_vm_show_list_sizes_list_ip_addresses", _SINCE),
    Route("GET", template_of("Microsoft.Compute/availabilitySets") + "/vmSizes",
          "Microsoft.Compute/availabilitySets/vmSizes/read", sizes, Evidence.DOCUMENTED,
          "AvailabilitySets_ListAvailableSizes", _SINCE),
    Route("GET", f"{_SUB}/locations/{{location}}/usages", "Microsoft.Compute/locations/usages/read", usages, _R,
          "azure-cli-2025-02/vm/test_vm_usage", _SINCE),
    Route("GET", f"{_SUB}/skus", "Microsoft.Compute/skus/read", skus, Evidence.DOCUMENTED, "ResourceSkus_List",
          Versions("2017-03-30")),
)  # fmt: skip
