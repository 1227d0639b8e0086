"""Virtual machines: create, change, power, read and delete, as the compute provider answers them."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from local.simulator import eras, extensions, instance_views, machine_disks, machine_identity, machines
from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply
from local.simulator.ids import key_of
from local.simulator.listing import in_capitals, joined, listed, members_of
from local.simulator.lro import Family, Operation, Work
from local.simulator.machines import KIND, TYPE
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.tagging import checked
from local.simulator.world import merged

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World


def _begin(world: "World", call: "Call", name: str, pace: str, found: Resource, arguments: Document) -> Operation:
    location = found.document()["location"]
    return world.operations.begin(call, Work(name, Family.COMPUTE, found, location, pace, arguments))


def put(world: "World", call: "Call") -> Reply:
    """Create a machine (201) or change one (200); disks appear when the work is done."""
    group = world.group(call["subscription"], call["group"])
    found = world.store.get(key_of(call.path))
    body = call.body()
    if not body.get("location"):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if found is not None and call.headers.get("if-none-match") == "*":
        message = f"The resource {call['name']} already exists (If-None-Match: *)."
        raise ArmError(412, "PreconditionFailed", message)
    resource_id = found.id if found else f"{group.id}/providers/{TYPE}/{call['name']}"
    before = found.document() if found else None
    if before is not None and before["location"] != str(body["location"]).lower().replace(" ", ""):
        raise ArmError(
            409, "PropertyChangeNotAllowed", "Changing property 'location' is not allowed.", target="location"
        )
    writing = machines.Writing(call.now, call.version)
    document = machines.accepted_document(world, resource_id, body, before, writing)
    _check_linked(world, call, document)
    if found is None:
        notes = {"power": "starting", "agent": "ready"}
        found = world.store.create(resource_id, document, call.now, notes=notes)
        operation = _begin(world, call, "vm.put", "vm.create", found, {"before": None})
        return _tagged(call, accepted(call, operation, 201, document, location=False), document)
    return _updated(world, call, found, document)


def _updated(world: "World", call: "Call", found: Resource, document: Document) -> Reply:
    """Begin an update (200); the first answer shows the extensions as well (recorded)."""
    before = found.document()
    world.store.write(found, document, call.now)
    operation = _begin(world, call, "vm.put", "vm.update", found, {"before": before})
    shown = json.loads(extensions.with_resources(world, found, call.now, document))
    return _tagged(call, accepted(call, operation, 200, shown, location=False), document)


def _tagged(call: "Call", reply: Reply, document: Document) -> Reply:
    """Show the ETag as a header too, as recorded since 2024-07-01."""
    if call.version >= "2024-07-01" and eras.ETAGS.reached(call.now):
        reply.headers["ETag"] = str(document["etag"])
    return reply


def _check_linked(world: "World", call: "Call", document: Document) -> None:
    cards = [card["id"] for card in document["properties"].get("networkProfile", {}).get("networkInterfaces", [])]
    for card in cards:
        if world.store.get(key_of(card)) is None:
            raise ArmError(
                404,
                "NotFound",
                f"Resource {card} referenced by resource {document['id']} was not found. Please make sure that the "
                "referenced resource exists, and that both resources are in the same region.",
            )
    wanted = machine_disks.check_attachable(world, document["id"], document)
    world.access.check_linked(call.principal.oid, call.route.action, document["id"], [*cards, *wanted])


def patch(world: "World", call: "Call") -> Reply:
    """Change a machine (200); lists in the body replace lists."""
    found = world.resource(call.path, TYPE)
    before, body = found.document(), call.body()
    wanted = merged(before, {name: value for name, value in body.items() if name in ("properties", "zones")})
    wanted["identity"] = machine_identity.changed(world, found.id, body.get("identity"), before.get("identity"))
    wanted["tags"] = checked(body["tags"]) if "tags" in body else before.get("tags")
    writing = machines.Writing(call.now, call.version)
    document = machines.accepted_document(world, found.id, wanted, before, writing)
    _check_linked(world, call, document)
    if _same(before, document):  # what changes nothing is done at once, though it says Updating (recorded)
        return _tagged(call, Reply(200, extensions.with_resources(world, found, call.now, document)), before)
    return _updated(world, call, found, document)


def _same(before: Document, document: Document) -> bool:
    def settled(each: Document) -> Document:
        properties = {name: value for name, value in each["properties"].items() if name != "provisioningState"}
        return {**{name: value for name, value in each.items() if name != "etag"}, "properties": properties}

    return before["properties"].get("provisioningState") == "Succeeded" and settled(before) == settled(document)


def finish_put(world: "World", operation: Operation, at: float) -> None:
    """Make and attach disks, let go of those no longer named, take the network cards."""
    found = world.store.get(operation.target)
    if found is None:
        raise ArmError(404, "NotFound", "The virtual machine was deleted while it was being created.")
    document = found.document()
    settle(world, found, document, operation.arguments["before"], at)


def settle(world: "World", found: Resource, document: Document, before: Document | None, at: float) -> None:
    """Bring a machine to `Succeeded` with everything that belongs to it."""
    profile = document["properties"]["storageProfile"]
    profile["dataDisks"] = [disk for disk in profile.get("dataDisks") or [] if not disk.get("toBeDetached")]
    machine_disks.realise_disks(world, document, at)
    kept = {
        key_of(machine_disks.disk_id(disk)) for disk in machine_disks.all_disks(document) if machine_disks.disk_id(disk)
    }
    old = machine_disks.all_disks(before) if before else []
    gone = [disk for disk in old if machine_disks.disk_id(disk) and key_of(machine_disks.disk_id(disk)) not in kept]
    machine_disks.let_go(world, [{**disk, "deleteOption": "Detach"} for disk in gone], at)
    for card in document["properties"].get("networkProfile", {}).get("networkInterfaces", []):
        _use_card(world, str(card["id"]), {"id": document["id"]}, at)
    document["properties"]["provisioningState"] = "Succeeded"
    machine_identity.finished(world, document)
    notes = dict(found.notes or {})
    if before is None:
        notes |= {"power": "running", "agent_from": at + instance_views.AGENT_SECONDS}
    found.notes = notes
    world.store.write(found, document, at)


def _use_card(world: "World", card_id: str, owner: Document | None, at: float) -> None:
    card = world.store.get(key_of(card_id))
    if card is None:
        return
    document = card.document()
    if owner is None:
        document["properties"].pop("virtualMachine", None)
    else:
        document["properties"]["virtualMachine"] = owner
    world.store.write(card, document, at)


def get(world: "World", call: "Call") -> Reply:
    """Answer one machine, on request with its instance view."""
    found = world.resource(call.path, TYPE)
    if call.query.get("$expand", "").lower() != "instanceview":
        return _tagged(call, Reply(200, extensions.with_resources(world, found, call.now)), found.document())
    document = json.loads(extensions.with_resources(world, found, call.now))
    document["properties"]["instanceView"] = instance_views.of(world, found, call.now)
    return Reply.of(document)


def instance_view(world: "World", call: "Call") -> Reply:
    """Answer what runs inside."""
    return Reply.of(instance_views.of(world, world.resource(call.path.rsplit("/", 1)[0], TYPE), call.now))


def in_group(world: "World", call: "Call") -> Reply:
    """List the machines of a group."""
    return _list(world, call, world.group(call["subscription"], call["group"]).key)


def in_subscription(world: "World", call: "Call") -> Reply:
    """List the machines of a subscription; `statusOnly=true` gives run states, `$expand=instanceView` both."""
    return _list(world, call, world.subscription(call["subscription"]).key)


def _list(world: "World", call: "Call", scope: str) -> Reply:
    only = call.query.get("statusonly", "").lower() == "true"
    if only or call.query.get("$expand", "").lower() == "instanceview":
        return listed(world, call, scope, KIND, lambda held: instance_views.shown(world, held, call.now, only))
    wide = "group" not in call.names

    def write(held: Resource) -> bytes:
        body = extensions.with_ids(world, held)
        return in_capitals(held, body) if wide else body

    return listed(world, call, scope, KIND, write)


def in_location(world: "World", call: "Call") -> Reply:
    """List the machines of a region."""
    scope = world.subscription(call["subscription"]).key
    found = members_of(world, call, scope, KIND)
    return joined([held.body for held in found if held.document()["location"] == call["location"].lower()])


def delete(world: "World", call: "Call") -> Reply:
    """Accept a deletion (202), or answer 204 where nothing is (documented)."""
    world.group(call["subscription"], call["group"])
    found = world.store.get(key_of(call.path))
    if found is None:
        return Reply(204)
    document = found.document()
    document["properties"]["provisioningState"] = "Deleting"
    world.store.write(found, document, call.now)
    return accepted(call, _begin(world, call, "vm.delete", "vm.delete", found, {}), 202, None, location=True)


def finish_delete(world: "World", operation: Operation, at: float) -> None:
    """Remove a machine and let go of its disks and cards."""
    found = world.store.get(operation.target)
    if found is None:
        return
    document = found.document()
    world.store.remove(found, at)
    machine_disks.let_go(world, machine_disks.all_disks(document), at)
    for card in document["properties"].get("networkProfile", {}).get("networkInterfaces", []):
        held = world.store.get(key_of(card["id"]))
        if held is not None and (card.get("properties") or {}).get("deleteOption") == "Delete":
            world.store.remove(held, at)
        else:
            _use_card(world, str(card["id"]), None, at)


# What an action makes of the machine: power state and disk state (documented; recorded for the headers).
ACTIONS: Mapping[str, tuple[str | None, str | None]] = {
    "start": ("running", "Attached"),
    "restart": ("running", None),
    "powerOff": ("stopped", None),
    "deallocate": ("deallocated", "Reserved"),
    "redeploy": ("running", None),
    "reapply": (None, None),
    "performMaintenance": ("running", None),
    "reimage": ("running", None),
}


def act(world: "World", call: "Call") -> Reply:
    """Accept a power action (202)."""
    found = world.resource(call.path.rsplit("/", 1)[0], TYPE)
    asked = call.path.rsplit("/", 1)[-1].lower()
    name = next(action for action in ACTIONS if action.lower() == asked)
    if (found.notes or {}).get("generalized") and ACTIONS[name][0] == "running":
        message = f"Operation '{name}' is not allowed on VM '{found.document()['name']}' since the VM is generalized."
        raise ArmError(409, "OperationNotAllowed", message)  # documented: it cannot be restarted; the code is assumed
    operation = _begin(world, call, "vm.act", "vm.power", found, {"action": name})
    found.notes = {**(found.notes or {}), "acting": operation.id}
    world.store.touch(found, call.now)
    return accepted(call, operation, 202, None, location=True)


def finish_act(world: "World", operation: Operation, at: float) -> None:
    """Let a power action take effect."""
    found = world.store.get(operation.target)
    if found is None:
        raise ArmError(404, "NotFound", "The virtual machine was deleted.")
    power, disk_state = ACTIONS[operation.arguments["action"]]
    if power is not None:
        found.notes = {**(found.notes or {}), "power": power}
    if disk_state is not None:
        machine_disks.set_disk_states(world, found.document(), disk_state, at)
    world.store.touch(found, at)


_ALL = "/subscriptions/{subscription}/providers/Microsoft.Compute/virtualMachines"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines"
_ONE = _GROUP + "/{name}"
_REGION = "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/virtualMachines"
_SINCE = Versions("2015-06-15")
_PY = "azure-sdk-for-python-2022-05/azure-mgmt-compute/test_compute_vm"
_CLI = "azure-cli-2025-02/vm/test_vm_create_state_modifications"
_R = Evidence.RECORDED


def _policy(name: str, own: bool = True) -> tuple[str, ...]:
    whole = f"Microsoft.Compute/{name}SubscriptionMaximum"
    return (f"Microsoft.Compute/{name}Resource", whole) if own else (whole,)


ROUTES = (
    Route("PUT", _ONE, f"{TYPE}/write", put, _R, _PY, _SINCE, _policy("PutVM")),
    Route("PATCH", _ONE, f"{TYPE}/write", patch, _R, "azure-cli-2025-02/vm/test_vm_explicit_msi", _SINCE,
          _policy("UpdateVM")),
    Route("GET", _ONE, f"{TYPE}/read", get, _R, _PY, _SINCE, _policy("LowCostGet")),
    Route("DELETE", _ONE, f"{TYPE}/delete", delete, _R, _PY, _SINCE, _policy("DeleteVM")),
    Route("GET", _ONE + "/instanceView", f"{TYPE}/instanceView/read", instance_view, _R, _PY, _SINCE,
          _policy("LowCostGet")),
    Route("GET", _GROUP, f"{TYPE}/read", in_group, _R, _CLI, _SINCE, _policy("HighCostGet", own=False), lists=True),
    Route("GET", _ALL, f"{TYPE}/read", in_subscription, _R, _PY, _SINCE, _policy("HighCostGet", own=False), lists=True),
    Route("GET", _REGION, f"{TYPE}/read", in_location, Evidence.SPECIFIED, "ComputeRP VirtualMachines_ListByLocation",
          _SINCE, _policy("HighCostGet", own=False), lists=True),
    *(
        Route("POST", f"{_ONE}/{name}", f"{TYPE}/{name}/action", act, _R, f"{_PY}, {_CLI}", _SINCE, _policy("UpdateVM"))
        for name in ACTIONS
    ),
)  # fmt: skip
FINISHERS = {"vm.put": finish_put, "vm.delete": finish_delete, "vm.act": finish_act}
