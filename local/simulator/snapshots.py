"""Snapshots: incremental and full copies, copies to another region, background copies, updates and their limits."""

import json
from typing import TYPE_CHECKING

from local.simulator import immutability, volumes
from local.simulator.answers import ArmError, Document, Reply
from local.simulator.ids import key_of
from local.simulator.listing import in_capitals, listed
from local.simulator.lro import Operation
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.schedule import Happening
from local.simulator.snapshot_limits import Copy
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

TYPE = "Microsoft.Compute/snapshots"
KIND = "microsoft.compute/snapshots"
DISK = "microsoft.compute/disks"
COPY_SPEED = "provisionedBandwidthCopySpeed"


def put(world: "World", call: "Call") -> Reply:
    """Accept a new snapshot, or an update of one: it replaces the tags and must name the same source (recorded)."""
    group = world.group(call["subscription"], call["group"])
    found = world.store.get(key_of(call.path))
    resource_id = found.id if found else f"{group.id}/providers/{TYPE}/{call['name']}"
    document = volumes.taken_in(call, resource_id, TYPE)
    if found is not None:
        return _update(world, call, found, document)
    source = volumes.source_document(world, document)
    world.access.check_linked(call.principal.oid, call.route.action, resource_id, [source[0].id] if source else [])
    if source is not None:
        _check(world, call, document, source)
    found = world.store.create(resource_id, document, call.now, content=source[0].content if source else {})
    if source is not None and source[0].type == DISK and document["properties"].get("incremental"):
        world.limits.made(source[1]["properties"]["uniqueId"], found, call.now)
    if source is not None and document["properties"]["creationData"]["createOption"] == "CopyStart":
        world.limits.copied(_copy(call, found, source[1], document["location"]))
    work = {"before": {}, "source": source[1] if source else None}
    # The copy speed is not repeated in the first answer (recorded: test_snapshot_create_with_bandwidth_copy_speed).
    creation = document["properties"]["creationData"]
    shown = {name: creation[name] for name in creation if name != COPY_SPEED}
    document["properties"] = {**document["properties"], "creationData": shown}
    return volumes.first_answer(call, volumes.begin(world, call, "snapshot.put", found, work), document)


def _copy(call: "Call", snapshot: Resource, source: Document, region: str) -> Copy:
    creation = source["properties"].get("creationData") or {}
    return Copy(call["subscription"].lower(), region, str(creation.get("sourceUniqueId", "")), snapshot)


def _update(world: "World", call: "Call", found: Resource, document: Document) -> Reply:
    old = found.document()
    if key_of(volumes.source_of(old)) != key_of(volumes.source_of(document)):
        message = "Changing property 'creationData.sourceResourceId' is not allowed."
        raise ArmError(409, "PropertyChangeNotAllowed", message, target="creationData.sourceResourceId")
    if old["location"] != document["location"]:
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{old['name']}' already exists in location '{old['location']}' in resource group "
            f"'{call['group']}'. A resource with the same name cannot be created in location '{document['location']}'. "
            "Please select a new resource name.",
        )
    document["properties"].setdefault("incremental", old["properties"].get("incremental", False))
    world.store.write(found, document, call.now)
    operation = volumes.begin(world, call, "snapshot.put", found, {"before": old["properties"], "source": None})
    return volumes.first_answer(call, operation, document)


def _check(world: "World", call: "Call", document: Document, source: tuple[Resource, Document]) -> None:
    """Refuse what the platform does not do (rules documented in azure-facts 3.2 and 3.3; codes assumed)."""
    held, origin = source
    properties = document["properties"]
    option, incremental = properties["creationData"]["createOption"], bool(properties.get("incremental"))
    same_region = origin["location"] == document["location"]
    if origin["properties"].get("uniqueId") is None:
        raise ArmError(409, "OperationNotAllowed", f"Resource {origin['name']} is still being created.")
    if option == "CopyStart" and not (incremental and held.type == KIND and origin["properties"].get("incremental")):
        raise ArmError(
            400, "InvalidParameter", "CopyStart needs an incremental snapshot as its source.", target="createOption"
        )
    if option == "CopyStart" and not same_region:
        disk = str(origin["properties"].get("creationData", {}).get("sourceUniqueId", ""))
        world.limits.check_copy(call["subscription"].lower(), document["location"], disk, call.now)
    if option == "CopyStart" and same_region:
        message = f"CopyStart copies to another region than that of its source, '{origin['location']}'."
        raise ArmError(400, "InvalidParameter", message, target="location")
    if option == "Copy" and not same_region:
        message = f"Resource {origin['name']} is in location '{origin['location']}', not in '{document['location']}'."
        raise ArmError(400, "InvalidParameter", message, target="creationData.sourceResourceId")
    if held.type != DISK:
        _check_complete(held, origin, call.now)
        return
    _check_instant(properties["creationData"], origin)
    background = str(origin.get("sku", {}).get("name", "")).lower() in volumes.BACKGROUND
    if background and not incremental:
        message = f"Only incremental snapshots are supported for disk {origin['name']}."
        raise ArmError(400, "InvalidParameter", message, target="incremental")
    if incremental:
        if key_of(held.id).split("/")[2] != call["subscription"].lower():
            message = "An incremental snapshot must be in the subscription of its disk."
            raise ArmError(400, "InvalidParameter", message, target="creationData.sourceResourceId")
        world.limits.check(origin["properties"]["uniqueId"], origin["name"], call.now)


def _check_instant(creation: Document, origin: Document) -> None:
    """Instant access is for fast disks, and lasts one to five hours (documented)."""
    minutes = creation.get("instantAccessDurationMinutes")
    if minutes is None:
        return
    fast = str(origin.get("sku", {}).get("name", "")).lower() in volumes.BACKGROUND
    if not fast or not isinstance(minutes, int) or not 60 <= minutes <= 300:
        message = "Instant access lasts from 60 to 300 minutes and is for Premium SSD v2 and Ultra disks."
        raise ArmError(400, "InvalidParameter", message, target="creationData.instantAccessDurationMinutes")


def _check_complete(held: Resource, origin: Document, now: float) -> None:
    percent = held.percent(now)
    if percent is not None and percent < 100:
        message = f"Snapshot {origin['name']} cannot be copied yet: it is {percent} % complete."
        raise ArmError(409, "OperationNotAllowed", message)


def finish_put(world: "World", operation: Operation, at: float) -> Document:
    """Fill in what the provider computes; the copy to another region, or of a fast disk, begins now."""
    found = world.store.get(operation.target)
    if found is None:
        raise ArmError(404, "NotFound", "The snapshot was deleted while it was being created.")
    document, before = found.document(), operation.arguments["before"]
    source: Document | None = operation.arguments["source"]
    properties = volumes.completed(document, before, source, operation.started)
    properties.setdefault("incremental", False)
    properties["uniqueId"] = before.get("uniqueId") or world.chance.guid()
    if properties["incremental"]:
        family = before.get("incrementalSnapshotFamilyId") or _family(world, document, source)
        properties["incrementalSnapshotFamilyId"] = family
    for name in ("completionPercent", "snapshotAccessState"):
        if name in before:
            properties[name] = before[name]
    finished = {**document, "sku": volumes.with_tier(document.get("sku"), "Standard_LRS"), "properties": properties}
    seconds = _copying(world, operation.target, finished, source)
    if seconds:
        found.copying = (at, at + seconds)
        world.schedule.enter(at + seconds, "copied", operation.target)
    if seconds and properties["creationData"]["createOption"] != "CopyStart":
        minutes = properties["creationData"].get("instantAccessDurationMinutes")
        properties["snapshotAccessState"] = "InstantAccess" if minutes else "Pending"
        if minutes:
            world.schedule.enter(at + minutes * 60.0, "instant-ended", operation.target)
    world.store.write(found, finished, at)
    if "snapshotAccessState" in properties and seconds:
        return {**finished, "properties": {**properties, "completionPercent": 0.0}}
    return finished


def _family(world: "World", document: Document, source: Document | None) -> str:
    """Snapshots of one disk in one region are a family; a copy elsewhere begins its own (recorded)."""
    origin = source["properties"] if source else {}
    root = origin.get("incrementalSnapshotFamilyId") or origin.get("uniqueId") or document["id"]
    return world.chance.guid_of(f"family {root} {document['location']}")


def _copying(world: "World", key: str, document: Document, source: Document | None) -> float:
    """Seconds the data needs after the PUT: none for Standard and Premium v1 sources (documented; pace assumed)."""
    if source is None:
        return 0.0
    share = world.chance.share(f"copy {key}")
    size = document["properties"]["diskSizeGB"]
    if document["properties"]["creationData"]["createOption"] == "CopyStart":
        return float(min(6 * 3600, 120 + size * (5 + 10 * share)))
    sku = str(source.get("sku", {}).get("name", "")).lower()
    return float(min(6 * 3600, 60 + size * (1 + 2 * share))) if sku in volumes.BACKGROUND else 0.0


def copied(world: "World", happening: Happening) -> None:
    """End a background copy: 100 %, or failed where its source is gone by then (documented)."""
    found = world.store.get(happening.target)
    if found is None or found.copying is None or found.copying[1] > happening.due:
        return
    document = found.document()
    properties = document["properties"]
    if world.store.get(key_of(volumes.source_of(document))) is None:
        found.copying = None
        properties["completionPercent"] = 0.0
        error = {
            "errorCode": "CopySourceNotFound",
            "errorMessage": "The source of the copy was deleted before it was complete.",
        }
        properties["copyCompletionError"] = error
    else:
        properties["completionPercent"] = 100.0
        state = properties.get("snapshotAccessState")
        if state is not None:
            properties["snapshotAccessState"] = (
                "AvailableWithInstantAccess" if state == "InstantAccess" else "Available"
            )
    world.store.write(found, document, happening.due)


def instant_ended(world: "World", happening: Happening) -> None:
    """End instant access: what is copied by then stays available."""
    found = world.store.get(happening.target)
    if found is None:
        return
    document = found.document()
    state = document["properties"].get("snapshotAccessState")
    after = {"InstantAccess": "Pending", "AvailableWithInstantAccess": "Available"}.get(state)
    if after is not None:
        document["properties"]["snapshotAccessState"] = after
        world.store.write(found, document, happening.due)


def patch(world: "World", call: "Call") -> Reply:
    """Accept a change of tags, SKU or access (202)."""
    found = world.resource(call.path, TYPE)
    document, before = volumes.patched(call, found)
    document["properties"]["provisioningState"] = "Updating"
    world.store.write(found, document, call.now)
    operation = volumes.begin(world, call, "snapshot.put", found, {"before": before, "source": None})
    return volumes.first_answer(call, operation, document)


def get(world: "World", call: "Call") -> Reply:
    """Answer one snapshot."""
    body = world.resource(call.path, TYPE).rendered(call.now)
    if b'"immutabilityPolicy"' in body:
        return Reply.of(immutability.shown(json.loads(body), call.now))
    return Reply(200, body)


def in_group(world: "World", call: "Call") -> Reply:
    """List the snapshots of a group."""
    return listed(world, call, world.group(call["subscription"], call["group"]).key, KIND)


def in_subscription(world: "World", call: "Call") -> Reply:
    """List the snapshots of a subscription."""
    scope = world.subscription(call["subscription"]).key
    return listed(world, call, scope, KIND, lambda held: in_capitals(held, held.rendered(call.now)))


def delete(world: "World", call: "Call") -> Reply:
    """Accept a deletion, unless a policy holds the snapshot."""
    found = world.store.get(key_of(call.path))
    if found is not None:
        immutability.check_delete(found, call.now)
    return volumes.delete(world, call, "snapshot")


def begin_access(world: "World", call: "Call") -> Reply:
    """Accept a request for a SAS."""
    return volumes.begin_access(world, call, "snapshot")


def end_access(world: "World", call: "Call") -> Reply:
    """Accept the end of a SAS."""
    return volumes.end_access(world, call, "snapshot")


_ALL = "/subscriptions/{subscription}/providers/Microsoft.Compute/snapshots"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/snapshots"
_ONE = _GROUP + "/{name}"
_SINCE = Versions("2016-04-30")
_CLI = "azure-cli-2025-02/vm/test_snapshot_incremental"
_NET = "azure-sdk-for-net-2019-02/Compute/Snapshot_List_EmptyDisk"
_R = Evidence.RECORDED


def _windows(name: str) -> tuple[str, str]:
    return f"Microsoft.Compute/{name}3Min", f"Microsoft.Compute/{name}30Min"


ROUTES = (
    Route("PUT", _ONE, f"{TYPE}/write", put, _R, _CLI, _SINCE, _windows("HighCostSnapshotCreateHydrate")),
    Route("PATCH", _ONE, f"{TYPE}/write", patch, Evidence.SPECIFIED, "DiskRP 2024-03-02 Snapshots_Update", _SINCE,
          _windows("HighCostSnapshotCreateHydrate")),
    Route("GET", _ONE, f"{TYPE}/read", get, _R, _CLI, _SINCE, _windows("LowCostGet")),
    Route("DELETE", _ONE, f"{TYPE}/delete", delete, _R, "azure-cli-2025-02/vm/test_vm_managed_disk", _SINCE,
          _windows("DeleteDisks")),
    Route("GET", _GROUP, f"{TYPE}/read", in_group, _R, _NET, _SINCE, _windows("HighCostGet"), lists=True),
    Route("GET", _ALL, f"{TYPE}/read", in_subscription, _R, _NET, _SINCE, _windows("HighCostGet"), lists=True),
    Route("POST", _ONE + "/beginGetAccess", f"{TYPE}/beginGetAccess/action", begin_access, Evidence.SPECIFIED,
          "DiskRP 2024-03-02 Snapshots_GrantAccess", _SINCE, _windows("HighCostDiskHydrate")),
    Route("POST", _ONE + "/endGetAccess", f"{TYPE}/endGetAccess/action", end_access, _R,
          "azure-sdk-for-python-2022-05/azure-mgmt-compute", _SINCE, _windows("HighCostDiskHydrate")),
)  # fmt: skip
FINISHERS = {
    "snapshot.put": finish_put,
    "snapshot.delete": volumes.finish_delete,
    "snapshot.access": volumes.finish_access,
    "snapshot.revoke": volumes.finish_revoke,
}
