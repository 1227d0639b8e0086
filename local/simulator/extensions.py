"""Virtual machine extensions: small documents below a machine, created by long-running operations."""

from typing import TYPE_CHECKING

from local.simulator import instance_views
from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply, encode
from local.simulator.ids import key_of
from local.simulator.listing import listed
from local.simulator.lro import Family, Operation, Work
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.tagging import checked
from local.simulator.world import merged

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

TYPE = "Microsoft.Compute/virtualMachines/extensions"
KIND = "microsoft.compute/virtualmachines/extensions"
HIDDEN = ("protectedSettings", "instanceView")


def with_resources(world: "World", machine: Resource, now: float, document: Document | None = None) -> bytes:
    """Return a machine's document with its extensions, as a GET shows it (recorded)."""
    held = world.store.all_of(machine.key, KIND)
    if not held and document is None and not _is_deallocated(machine):
        return machine.rendered(now)
    shown = document or _as_shown(machine)
    return encode({**shown, **({"resources": [extension.document() for extension in held]} if held else {})})


def _is_deallocated(machine: Resource) -> bool:
    return (machine.notes or {}).get("power") == "deallocated"


def _as_shown(machine: Resource) -> Document:
    """A machine without a host does not tell sizes and kinds of its managed disks (recorded: test_image_copy)."""
    document = machine.document()
    storage = document["properties"].get("storageProfile") or {}
    for disk in [storage.get("osDisk"), *(storage.get("dataDisks") or [])] if _is_deallocated(machine) else []:
        if disk and disk.get("managedDisk"):
            disk.pop("diskSizeGB", None)
            disk["managedDisk"].pop("storageAccountType", None)
    return document


def with_ids(world: "World", machine: Resource) -> bytes:
    """Return a machine's document as lists show it: extensions by their ids (recorded)."""
    held = world.store.all_of(machine.key, KIND)
    if not held and not _is_deallocated(machine):
        return machine.body
    return encode({**_as_shown(machine), **({"resources": [{"id": each.id} for each in held]} if held else {})})


def put(world: "World", call: "Call") -> Reply:
    """Create (201) or change (200) an extension; protected settings are never shown."""
    machine = world.resource(call.path.rsplit("/", 2)[0], "Microsoft.Compute/virtualMachines")
    found, body = world.store.get(key_of(call.path)), call.body()
    properties = {name: value for name, value in (body.get("properties") or {}).items() if name not in HIDDEN}
    resource_id = found.id if found else f"{machine.id}/extensions/{call['extension']}"
    document = {
        "name": resource_id.rsplit("/", 1)[-1],
        "id": resource_id,
        "type": TYPE,
        "location": machine.document()["location"],
        **({"tags": checked(body["tags"])} if body.get("tags") else {}),
        "properties": {
            "autoUpgradeMinorVersion": False,
            "provisioningState": "Updating" if found else "Creating",
            **properties,
        },
    }
    if found is None:
        held = world.store.create(resource_id, document, call.now)
    else:
        held = found
        world.store.write(held, document, call.now)
    work = Work("extension.put", Family.COMPUTE, held, str(document["location"]), "extension", {})
    return accepted(call, world.operations.begin(call, work), 200 if found else 201, document, location=False)


def patch(world: "World", call: "Call") -> Reply:
    """Change an extension (200)."""
    found = world.resource(call.path, TYPE)
    change = {name: value for name, value in call.body().items() if name in ("properties", "tags")}
    document = merged(found.document(), change)
    document["properties"]["provisioningState"] = "Updating"
    for name in HIDDEN:
        document["properties"].pop(name, None)
    world.store.write(found, document, call.now)
    work = Work("extension.put", Family.COMPUTE, found, document["location"], "extension", {})
    return accepted(call, world.operations.begin(call, work), 200, document, location=False)


def finish_put(world: "World", operation: Operation, at: float) -> None:
    """Bring an extension to `Succeeded`."""
    found = world.store.get(operation.target)
    if found is None:
        raise ArmError(404, "NotFound", "The extension was removed while it was being installed.")
    document = found.document()
    document["properties"]["provisioningState"] = "Succeeded"
    world.store.write(found, document, at)


def get(world: "World", call: "Call") -> Reply:
    """Answer one extension, on request with what it reports."""
    document = world.resource(call.path, TYPE).document()
    if call.query.get("$expand", "").lower() == "instanceview":
        document["properties"]["instanceView"] = instance_views.view_of_extension(document)
    return Reply.of(document)


def of_machine(world: "World", call: "Call") -> Reply:
    """List the extensions of a machine."""
    machine = world.resource(call.path.rsplit("/", 1)[0], "Microsoft.Compute/virtualMachines")
    return listed(world, call, machine.key, KIND)


def delete(world: "World", call: "Call") -> Reply:
    """Accept a removal."""
    machine = world.resource(call.path.rsplit("/", 2)[0], "Microsoft.Compute/virtualMachines")
    found = world.store.get(key_of(call.path))
    if found is None:
        return Reply(204)
    work = Work("extension.delete", Family.COMPUTE, found, machine.document()["location"], "extension", {})
    return accepted(call, world.operations.begin(call, work), 202, None, location=True)


def finish_delete(world: "World", operation: Operation, at: float) -> None:
    """Remove it."""
    found = world.store.get(operation.target)
    if found is not None:
        world.store.remove(found, at)


_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_ALL = _GROUP + "/providers/Microsoft.Compute/virtualMachines/{machine}/extensions"
_ONE = _ALL + "/{extension}"
_PY = "azure-sdk-for-python-2022-05/azure-mgmt-compute/test_compute_vm"
_CHANGE = ("Microsoft.Compute/UpdateVMResource", "Microsoft.Compute/UpdateVMSubscriptionMaximum")
_READ = ("Microsoft.Compute/LowCostGetResource", "Microsoft.Compute/LowCostGetSubscriptionMaximum")
_R, _SINCE = Evidence.RECORDED, Versions("2015-06-15")

ROUTES = (
    Route("PUT", _ONE, f"{TYPE}/write", put, _R, _PY, _SINCE, _CHANGE),
    Route("PATCH", _ONE, f"{TYPE}/write", patch, _R, _PY, _SINCE, _CHANGE),
    Route("GET", _ONE, f"{TYPE}/read", get, _R, _PY, _SINCE, _READ),
    Route("DELETE", _ONE, f"{TYPE}/delete", delete, _R, _PY, _SINCE, _CHANGE),
    Route("GET", _ALL, f"{TYPE}/read", of_machine, _R, _PY, _SINCE, _READ, lists=True),
)
FINISHERS = {"extension.put": finish_put, "extension.delete": finish_delete}
