"""Restore points of machines: all disks at one instant, by mode; copies to another region; no tags, no updates."""

from typing import TYPE_CHECKING

from local.simulator import disk_restore_points, machine_disks, refusals
from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply
from local.simulator.clock import compute_time
from local.simulator.ids import key_of, parse
from local.simulator.images import WRITTEN, image_of_machine
from local.simulator.instance_views import agent_is_ready
from local.simulator.lro import Family, Operation, Work
from local.simulator.restore_point_collections import TYPE as COLLECTION
from local.simulator.restore_point_rules import (
    APPLICATION,
    COPY_POLICY,
    CRASH,
    POINT,
    POLICIES,
    check_disks,
    check_history,
    check_machine,
)  # fmt: skip
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.tracked import template_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

TYPE = f"{COLLECTION}/restorePoints"
COPIED = ("hardwareProfile", "diagnosticsProfile", "licenseType", "securityProfile", "userData")
MODES = {mode.lower(): mode for mode in (CRASH, APPLICATION, "FileSystemConsistent")}


def put(world: "World", call: "Call") -> Reply:
    """Accept a point of a machine, or a copy of a point (201); a point is never changed."""
    collection = world.resource(call.path.rsplit("/", 2)[0], COLLECTION)
    if world.store.get(key_of(call.path)) is not None:
        message = f"Restore point '{call['point']}' already exists; restore points cannot be updated."
        raise ArmError(409, "Conflict", message)
    asked = call.body().get("properties") or {}
    source = (asked.get("sourceRestorePoint") or {}).get("id")
    properties, headers = _copy(world, call, collection, str(source)) if source else _fresh(world, call, collection)
    chosen = _chosen_encryption(asked)
    resource_id = f"{collection.id}/restorePoints/{call['point']}"
    document: Document = {"name": call["point"], "id": resource_id, "properties": properties}
    found = world.store.create(resource_id, document, call.now)
    found.notes = {"contents": disk_restore_points.contents_of(world, properties), "encryption": chosen}
    location = str(collection.document()["location"])
    operation = world.operations.begin(call, Work("point.put", Family.COMPUTE, found, location, "point", {}))
    reply = accepted(call, operation, 201, document, location=False)
    reply.headers.update(headers)
    return reply


def _fresh(world: "World", call: "Call", collection: Resource) -> tuple[Document, dict[str, str]]:
    machine = _machine(world, collection)
    document, asked = machine.document(), call.body().get("properties") or {}
    mode = _mode(str(asked.get("consistencyMode") or APPLICATION))
    excluded = _excluded(document, asked)
    entries = [
        disk for disk in machine_disks.all_disks(document) if key_of(machine_disks.disk_id(disk)) not in excluded
    ]
    running = (machine.notes or {}).get("power", "running") == "running"
    check_machine(document, mode, running, agent_is_ready(machine, call.now))
    check_disks(world, entries, mode)
    check_history(points_of(world, machine.key), mode, call.now)
    linked = [machine.id, *(machine_disks.disk_id(entry) for entry in entries)]
    world.access.check_linked(call.principal.oid, call.route.action, call.path, linked)
    headers = _toll(world, call, POLICIES[mode], machine.key)
    image = image_of_machine(document["properties"])
    reached = mode if mode == CRASH else CRASH if not running else _reached(image.system)
    properties = {
        **({"excludeDisks": asked["excludeDisks"]} if asked.get("excludeDisks") else {}),
        "sourceMetadata": _metadata(document, entries, image.generation),
        "provisioningState": "Creating",
        "consistencyMode": reached,
        "timeCreated": compute_time(call.now),
    }
    return properties, headers


def _reached(system: str) -> str:
    """What an application consistent point becomes: on Linux the file system's, without scripts (documented)."""
    return APPLICATION if system == "Windows" else "FileSystemConsistent"


def _mode(text: str) -> str:
    found = MODES.get(text.lower())
    if found is None:
        message = f"The value '{text}' of parameter 'consistencyMode' is not valid."
        raise ArmError(400, "InvalidParameter", message, target="consistencyMode")
    return APPLICATION if found == "FileSystemConsistent" else found


def _machine(world: "World", collection: Resource) -> Resource:
    source = str(collection.document()["properties"]["source"]["id"])
    found = world.store.get(key_of(source))
    if found is None:
        raise ArmError(404, "NotFound", f"Resource {parse(source).name} is not found.")
    if found.type != "microsoft.compute/virtualmachines":
        message = "Required parameter 'sourceRestorePoint' is missing (null)."
        raise ArmError(400, "InvalidParameter", message, target="sourceRestorePoint")
    return found


def _excluded(machine: Document, asked: Document) -> set[str]:
    found = {key_of(str(each.get("id", ""))) for each in asked.get("excludeDisks") or []}
    known = {key_of(machine_disks.disk_id(disk)) for disk in machine_disks.all_disks(machine)}
    strange = found - known
    if strange:
        message = f"Disk {sorted(strange)[0]} of 'excludeDisks' is not attached to virtual machine {machine['name']}."
        raise ArmError(400, "InvalidParameter", message, target="excludeDisks")
    return found


def points_of(world: "World", machine_key: str) -> list[Resource]:
    """Return the points of a machine over all its collections."""
    found = []
    for collection in world.store.all_of("/".join(machine_key.split("/")[:3]), COLLECTION.lower()):
        if key_of(collection.document()["properties"]["source"]["id"]) == machine_key:
            found.extend(world.store.all_of(collection.key, POINT))
    return found


def _metadata(machine: Document, entries: list[Document], generation: str) -> Document:
    """Write what a machine could be built from again (recorded)."""
    properties, place = machine["properties"], machine["location"]
    storage = properties["storageProfile"]
    disks = [entry for entry in storage.get("dataDisks") or [] if entry in entries]
    system = [storage["osDisk"]] if storage["osDisk"] in entries else []
    profile: Document = {"osDisk": _entry(storage["osDisk"], ("osType",))} if system else {}
    profile["dataDisks"] = [_entry(disk, ("lun",)) for disk in disks]
    if storage.get("diskControllerType"):
        profile["diskControllerType"] = storage["diskControllerType"]
    return {
        "vmId": properties["vmId"],
        "location": WRITTEN.get(place, place),
        **{name: properties[name] for name in COPIED if name in properties},
        "storageProfile": profile,
        **({"osProfile": properties["osProfile"]} if properties.get("osProfile") else {}),
        "hyperVGeneration": generation,
    }


def _entry(disk: Document, more: tuple[str, ...]) -> Document:
    names = (*more, "name", "diskSizeGB", "caching", "managedDisk", "writeAcceleratorEnabled")
    return {name: disk[name] for name in names if name in disk}


def _chosen_encryption(asked: Document) -> dict[str, Document]:
    """Return the encryption a caller chose for disks of the point, by lun (specified: it is writable)."""
    profile = ((asked.get("sourceMetadata") or {}).get("storageProfile")) or {}
    disks = [disk for disk in [profile.get("osDisk"), *(profile.get("dataDisks") or [])] if disk]
    pairs = ((str(disk.get("lun", "os")), (disk.get("diskRestorePoint") or {}).get("encryption")) for disk in disks)
    return {lun: encryption for lun, encryption in pairs if encryption}


def _copy(world: "World", call: "Call", collection: Resource, source_id: str) -> tuple[Document, dict[str, str]]:
    """Write a copy: the collection is bound to that of the source (documented)."""
    found = world.store.get(key_of(source_id))
    bound = key_of(str(collection.document()["properties"]["source"]["id"]))
    if found is None or found.type != POINT:
        raise ArmError(404, "NotFound", f"Resource {parse(source_id).name} is not found.")
    if not found.key.startswith(bound + "/"):
        message = f"Restore point {source_id} is not in the source collection of {collection.id}."
        raise ArmError(400, "InvalidParameter", message, target="sourceRestorePoint.id")
    origin = found.document()["properties"]
    if origin["provisioningState"] != "Succeeded":
        raise ArmError(409, "OperationNotAllowed", f"Restore point {source_id} is not complete.")
    world.access.check_linked(call.principal.oid, call.route.action, call.path, [found.id])
    headers = _toll(world, call, COPY_POLICY, collection.key)
    properties = {
        "sourceRestorePoint": {"id": source_id},
        "sourceMetadata": origin["sourceMetadata"],
        "provisioningState": "Creating",
        "consistencyMode": origin["consistencyMode"],
        "timeCreated": compute_time(call.now),
    }
    return disk_restore_points.as_copied(properties), headers


def _toll(world: "World", call: "Call", policy: str, resource: str) -> dict[str, str]:
    """Charge a creation to the machine or collection it is of (3 an hour, recorded for one mode)."""
    toll = world.buckets.charge_provider((policy,), (call["subscription"].lower(), ""), resource, call.now)
    if toll.refused_by is not None:
        raise refusals.throttled(toll, call)
    return toll.headers


def finish_put(world: "World", operation: Operation, at: float) -> None:
    """Bring a point to `Succeeded`: its disk restore points are there now."""
    found = world.store.get(operation.target)
    if found is None:
        raise ArmError(404, "NotFound", "The restore point was deleted while it was being created.")
    document = found.document()
    disk_restore_points.make(world, found, document, at)
    document["properties"]["provisioningState"] = "Succeeded"
    found.notes = None
    world.store.write(found, document, at)


def get(world: "World", call: "Call") -> Reply:
    """Answer one point, on request with how far its data is."""
    found = world.resource(call.path, TYPE)
    document = found.document()
    if call.query.get("$expand", "").lower() == "instanceview":
        document["properties"]["instanceView"] = disk_restore_points.view(world, found, call)
    return Reply.of(document)


def delete(world: "World", call: "Call") -> Reply:
    """Accept a deletion (202)."""
    collection = world.resource(call.path.rsplit("/", 2)[0], COLLECTION)
    found = world.store.get(key_of(call.path))
    if found is None:
        return Reply(204)
    disk_restore_points.check_unread(world, found)
    place = str(collection.document()["location"])
    work = Work("point.delete", Family.COMPUTE, found, place, "point.delete", {})
    return accepted(call, world.operations.begin(call, work), 202, None, location=True)


def finish_delete(world: "World", operation: Operation, at: float) -> None:
    """Remove a point with its disk restore points."""
    found = world.store.get(operation.target)
    if found is not None:
        world.store.remove(found, at)


_ONE = template_of(COLLECTION).replace("{name}", "{collection}") + "/restorePoints/{point}"
_SINCE, _R = Versions("2021-03-01"), Evidence.RECORDED
_CLI = "azure-cli-2025-02/vm/test_restore_point"
ROUTES = (
    Route("PUT", _ONE, f"{TYPE}/write", put, _R, _CLI, _SINCE,
          ("Microsoft.Compute/PutRestorePointResource", "Microsoft.Compute/PutRestorePointSubscriptionMaximum")),
    Route("GET", _ONE, f"{TYPE}/read", get, _R, _CLI, _SINCE,
          ("Microsoft.Compute/LowCostGetRestorePointSubscriptionMaximum",)),
    Route("DELETE", _ONE, f"{TYPE}/delete", delete, _R, _CLI, _SINCE,
          ("Microsoft.Compute/DeleteRestorePointSubscriptionMaximum",)),
)  # fmt: skip
FINISHERS = {"point.put": finish_put, "point.delete": finish_delete}
