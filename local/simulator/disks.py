"""Managed disks: create, copy, change, attach state and access, as the disk provider answers them."""

from typing import TYPE_CHECKING

from local.simulator import volumes
from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply
from local.simulator.ids import key_of
from local.simulator.listing import in_capitals, listed
from local.simulator.lro import Operation
from local.simulator.routing import Evidence, Route, Versions

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

TYPE = "Microsoft.Compute/disks"
KIND = "microsoft.compute/disks"

# Premium SSD by size: tier, IOPS, MB/s (documented; P1, P3 and the Standard values are recorded).
PREMIUM = (
    (4, "P1", 120, 25), (8, "P2", 120, 25), (16, "P3", 120, 25), (32, "P4", 120, 25), (64, "P6", 240, 50),
    (128, "P10", 500, 100), (256, "P15", 1100, 125), (512, "P20", 2300, 150), (1024, "P30", 5000, 200),
    (2048, "P40", 7500, 250), (4096, "P50", 7500, 250), (8192, "P60", 16000, 500), (16384, "P70", 18000, 750),
    (32767, "P80", 20000, 900),
)  # fmt: skip
# Disks of provisioned performance: IOPS and MB/s where the request names none (Ultra recorded, Premium v2 documented).
FAST = {"ultrassd_lrs": (100, 13), "premiumv2_lrs": (3000, 125)}


def put(world: "World", call: "Call") -> Reply:
    """Accept a new disk or a change of one (202)."""
    group = world.group(call["subscription"], call["group"])
    found = world.store.get(key_of(call.path))
    resource_id = found.id if found else f"{group.id}/providers/{TYPE}/{call['name']}"
    document = volumes.taken_in(call, resource_id, TYPE)
    source = volumes.source_document(world, document)
    linked = [source[0].id] if source else []
    key = (document["properties"].get("encryption") or {}).get("diskEncryptionSetId")
    linked += [str(key)] if key else []
    world.access.check_linked(call.principal.oid, call.route.action, resource_id, linked)
    before: Document = {}
    if found is None:
        if source is not None:
            _check_copy(document, source[1], source[0].percent(call.now))
        found = world.store.create(resource_id, document, call.now, content=source[0].content if source else {})
    else:
        old = found.document()
        before = {**old["properties"], "managedBy": old.get("managedBy")}
        world.store.write(found, document, call.now)
    work = {"before": before, "source": source[0].key if source else None}
    return volumes.first_answer(call, volumes.begin(world, call, "disk.put", found, work), document)


def _check_copy(document: Document, source: Document, percent: float | None) -> None:
    """Refuse a copy that cannot be: unfinished, elsewhere or smaller (rules documented, codes assumed)."""
    name = source["name"]
    instant = source["properties"].get("snapshotAccessState") == "InstantAccess"
    if percent is not None and percent < 100 and not instant:
        message = f"Snapshot {name} cannot be used as a source yet: its copy is {percent} % complete."
        raise ArmError(409, "OperationNotAllowed", message)
    if source["location"] != document["location"]:
        message = f"Resource {name} is in location '{source['location']}', not in '{document['location']}'."
        raise ArmError(400, "InvalidParameter", message, target="sourceResourceId")
    wanted = document["properties"].get("diskSizeGB")
    if wanted and wanted < source["properties"].get("diskSizeGB", 0):
        message = f"The specified disk size {wanted} GB is smaller than the size of {name}."
        raise ArmError(400, "InvalidParameter", message, target="diskSizeGB")


def finish_put(world: "World", operation: Operation, at: float) -> Document:
    """Fill in what the provider computes."""
    found = world.store.get(operation.target)
    if found is None:
        raise ArmError(404, "NotFound", "The disk was deleted while it was being created.")
    document = found.document()
    before = operation.arguments["before"]
    source_key = operation.arguments["source"]
    source = world.store.get(source_key) if source_key else None
    properties = volumes.completed(document, before, source.document() if source else None, operation.started)
    for name in volumes.PROVISIONED:
        if name in before:
            properties.setdefault(name, before[name])
    properties["uniqueId"] = before.get("uniqueId") or world.chance.guid()
    finished = complete(document, properties, before.get("managedBy"))
    world.store.write(found, finished, at)
    return finished


def complete(document: Document, properties: Document, managed_by: str | None) -> Document:
    """Write a finished disk: tier, performance and owner follow from its SKU and size."""
    sku = volumes.with_tier(document.get("sku"), "Standard_LRS")
    wanted = properties.pop("tier", None)
    if str(sku["name"]).lower() in FAST:
        _fast(properties, FAST[str(sku["name"]).lower()])
    elif sku["tier"] == "Premium":
        _, tier, iops, mbps = _row(properties["diskSizeGB"], wanted)
        properties.update(diskIOPSReadWrite=iops, diskMBpsReadWrite=mbps, tier=tier)
    else:
        properties.update(diskIOPSReadWrite=500, diskMBpsReadWrite=60)
    if properties.get("burstingEnabled"):
        properties.setdefault("burstingEnabledTime", properties["timeCreated"])
    head = {name: value for name, value in document.items() if name not in ("properties", "sku", "managedBy")}
    owner = {"managedBy": managed_by} if managed_by else {}
    return {**head, **owner, "sku": sku, "properties": properties}


def _row(gib: int, tier: str | None) -> tuple[int, str, int, int]:
    """Return the performance of a premium disk: its size's, or a higher tier's that was asked for (documented)."""
    at = next((number for number, row in enumerate(PREMIUM) if gib <= row[0]), len(PREMIUM) - 1)
    return max(PREMIUM[at], next((row for row in PREMIUM if row[1] == tier), PREMIUM[0]))


def _fast(properties: Document, performance: tuple[int, int]) -> None:
    """Fill in what disks of provisioned performance have: sector size, shares, readers (recorded for Ultra)."""
    iops, mbps = performance
    properties["creationData"] = {"logicalSectorSize": 4096, **properties["creationData"]}
    for name, value in (("diskIOPSReadWrite", iops), ("diskMBpsReadWrite", mbps)):
        properties.setdefault(name, value)
    properties.setdefault("diskIOPSReadOnly", iops)
    properties.setdefault("diskMBpsReadOnly", mbps)
    properties.setdefault("maxShares", 1)
    properties.setdefault("readOnly", False)


def patch(world: "World", call: "Call") -> Reply:
    """Accept a change (202); the answer carries no id (recorded)."""
    found = world.resource(call.path, TYPE)
    document, before = volumes.patched(call, found)
    before["managedBy"] = document.get("managedBy")
    document["properties"]["provisioningState"] = "Updating"
    world.store.write(found, document, call.now)
    operation = volumes.begin(world, call, "disk.put", found, {"before": before, "source": None})
    shown = _shown_by_patch(call, document)
    return volumes.without_wait(call, accepted(call, operation, 202, shown, location=True))


def _shown_by_patch(call: "Call", document: Document) -> Document:
    """Write the first answer to a PATCH: what was asked for and little else (recorded for 2018 and 2021)."""
    asked = call.body().get("properties") or {}
    kept = {"creationData", "diskSizeGB", "osType", "provisioningState", *asked}
    properties = {name: value for name, value in document["properties"].items() if name in kept}
    if call.version < "2022":
        properties["isArmResource"] = True
        older: Document = {"faultDomain": 0} if call.version < "2020" else {"colocationConstraints": {}}
        properties.update(older)
        document = {name: value for name, value in document.items() if name not in ("id", "type")}
    return {**{name: value for name, value in document.items() if name != "managedBy"}, "properties": properties}


def get(world: "World", call: "Call") -> Reply:
    """Answer one disk."""
    return Reply(200, world.resource(call.path, TYPE).rendered(call.now))


def in_group(world: "World", call: "Call") -> Reply:
    """List the disks of a group."""
    return listed(world, call, world.group(call["subscription"], call["group"]).key, KIND)


def in_subscription(world: "World", call: "Call") -> Reply:
    """List the disks of a subscription."""
    scope = world.subscription(call["subscription"]).key
    return listed(world, call, scope, KIND, lambda held: in_capitals(held, held.rendered(call.now)))


def delete(world: "World", call: "Call") -> Reply:
    """Accept a deletion."""
    return volumes.delete(world, call, "disk")


def begin_access(world: "World", call: "Call") -> Reply:
    """Accept a request for a SAS."""
    return volumes.begin_access(world, call, "disk")


def end_access(world: "World", call: "Call") -> Reply:
    """Accept the end of a SAS."""
    return volumes.end_access(world, call, "disk")


_ALL = "/subscriptions/{subscription}/providers/Microsoft.Compute/disks"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/disks"
_ONE = _GROUP + "/{name}"
_SINCE = Versions("2016-04-30")
_PY = "azure-sdk-for-python-2022-05/azure-mgmt-compute/test_compute_disks"
_R = Evidence.RECORDED


def _windows(name: str) -> tuple[str, str]:
    return f"Microsoft.Compute/{name}3Min", f"Microsoft.Compute/{name}30Min"


ROUTES = (
    Route("PUT", _ONE, f"{TYPE}/write", put, _R, _PY, _SINCE, _windows("CreateUpdateDisks")),
    Route("PATCH", _ONE, f"{TYPE}/write", patch, _R, _PY, _SINCE, _windows("CreateUpdateDisks")),
    Route("GET", _ONE, f"{TYPE}/read", get, _R, _PY, _SINCE, _windows("LowCostGet")),
    Route("DELETE", _ONE, f"{TYPE}/delete", delete, _R, _PY, _SINCE, _windows("DeleteDisks")),
    Route("GET", _GROUP, f"{TYPE}/read", in_group, _R, "azure-sdk-for-net-2019-02/Compute/Disk_List_EmptyDisk", _SINCE,
          _windows("HighCostGet"), lists=True),
    Route("GET", _ALL, f"{TYPE}/read", in_subscription, _R, "azure-sdk-for-net-2019-02/Compute/Disk_List_EmptyDisk",
          _SINCE, _windows("HighCostGet"), lists=True),
    Route("POST", _ONE + "/beginGetAccess", f"{TYPE}/beginGetAccess/action", begin_access, _R, _PY, _SINCE,
          _windows("HighCostDiskHydrate")),
    Route("POST", _ONE + "/endGetAccess", f"{TYPE}/endGetAccess/action", end_access, _R, _PY, _SINCE,
          _windows("HighCostDiskHydrate")),
)  # fmt: skip
FINISHERS = {
    "disk.put": finish_put,
    "disk.delete": volumes.finish_delete,
    "disk.access": volumes.finish_access,
    "disk.revoke": volumes.finish_revoke,
}
