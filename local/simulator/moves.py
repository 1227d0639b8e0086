"""Moves of resources between groups and subscriptions, and groups written out as templates.

A resource keeps what it is when it moves and gets another id; what points to it is told (documented). Types that
cannot move are refused, incremental snapshots among them.
"""

import json
from typing import TYPE_CHECKING

from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply, invalid
from local.simulator.ids import key_of, parse
from local.simulator.lro import Family, Operation, Work
from local.simulator.provider_list import NAMESPACES
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import EVERYTHING, Resource

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

# Types that stay where they are (documented: move-support tables).
FIXED = frozenset({"microsoft.compute/restorepointcollections", "microsoft.compute/diskaccesses"})
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
WRITTEN_BY_ARM = ("provisioningState", "uniqueId", "timeCreated", "vmId", "diskState", "instanceView", "etag")


def _asked(world: "World", call: "Call") -> tuple[list[Resource], Resource]:
    """Return what is to be moved and where to, or refuse the request."""
    body = call.body()
    ids, target = body.get("resources"), str(body.get("targetResourceGroup") or "")
    if not isinstance(ids, list) or not ids or not target:
        raise invalid("The request must name 'resources' and a 'targetResourceGroup'.")
    group = world.group(call["subscription"], call["group"])
    parts = target.strip("/").split("/")
    if len(parts) != 4:
        raise invalid(f"'{target}' is not the id of a resource group.", "targetResourceGroup")
    aim, found = world.group(parts[1], parts[3]), []
    for each in ids:
        held = world.store.get(key_of(str(each)))
        if held is None or not held.key.startswith(group.key + "/"):
            message = f"Resource {each} was not found in resource group '{call['group']}'."
            raise ArmError(404, "ResourceNotFound", message)
        found.append(held)
    _check(world, found, aim)
    return found, aim


def _check(world: "World", members: list[Resource], aim: Resource) -> None:
    names = {member.key.rsplit("/providers/", 1)[1] for member in members}
    for member in members:
        if member.type in FIXED or member.type.count("/") > 1:
            message = f"Resource move is not supported for resource types '{parse(member.id).type}'."
            raise ArmError(409, "ResourceMoveNotSupported", message)
        if member.document().get("properties", {}).get("incremental"):
            message = f"Incremental snapshot '{parse(member.id).name}' cannot be moved."
            raise ArmError(409, "ResourceMoveNotSupported", message)
        tail = member.key.rsplit("/providers/", 1)[1]
        if world.store.get(f"{aim.key}/providers/{tail}") is not None:
            message = f"The resource '{tail}' already exists in the target resource group."
            raise ArmError(409, "ResourceMoveConflict", message)
        world.locks.check("delete", member.key, member.id)
        properties = member.document().get("properties", {})
        if (
            properties.get("provisioningState", "Succeeded") != "Succeeded"
            or properties.get("diskState") == "ActiveSAS"
        ):
            message = f"Resource '{parse(member.id).name}' is being changed or read and cannot be moved now."
            raise ArmError(409, "ResourceMoveProviderValidationFailed", message)
        owner = member.document().get("managedBy")
        if owner and key_of(str(owner)).rsplit("/providers/", 1)[-1] not in names:
            message = f"Disk '{parse(member.id).name}' is attached to {owner}; both have to move together."
            raise ArmError(409, "ResourceMoveProviderValidationFailed", message)


def move(world: "World", call: "Call") -> Reply:
    """Accept a move (202); it is done some seconds later."""
    members, aim = _asked(world, call)
    group = world.group(call["subscription"], call["group"])
    arguments = {"ids": [member.key for member in members], "aim": aim.id}
    return _accepted(world, call, group, ("group.move", arguments))


def _accepted(world: "World", call: "Call", group: Resource, work: tuple[str, Document]) -> Reply:
    name, arguments = work
    place = str(group.document()["location"])
    operation = world.operations.begin(call, Work(name, Family.GROUP, group, place, "group.move", arguments))
    return accepted(call, operation, 202, None, location=True)


def validate(world: "World", call: "Call") -> Reply:
    """Say whether a move would be refused (202, then 204)."""
    _asked(world, call)
    group = world.group(call["subscription"], call["group"])
    return _accepted(world, call, group, ("group.check-move", {}))


def finish_move(world: "World", operation: Operation, at: float) -> None:
    """Give every resource its new id and tell those that point to it."""
    renamed: dict[str, str] = {}
    for key in operation.arguments["ids"]:
        held = world.store.get(key)
        if held is not None:
            tail = held.id.split("/providers/", 1)[1]
            renamed[held.key] = f"{operation.arguments['aim']}/providers/{tail}"
    for key, new_id in renamed.items():
        held = world.store.get(key)
        if held is not None:
            world.store.move(held, new_id, at)
    for held in list(world.store.everything()):
        if any(key.encode() in held.body.lower() for key in renamed):
            world.store.write(held, _told(held.document(), renamed), at)


def finish_check(_world: "World", _operation: Operation, _at: float) -> None:
    """Nothing stood in the way when it was asked."""


def _told(value: Document, renamed: dict[str, str]) -> Document:
    found: Document = json.loads(json.dumps(value), object_hook=lambda each: _with_new_ids(each, renamed))
    return found


def _with_new_ids(each: Document, renamed: dict[str, str]) -> Document:
    return {name: renamed.get(key_of(part), part) if isinstance(part, str) else part for name, part in each.items()}


def export(world: "World", call: "Call") -> Reply:
    """Write a group, or some of its resources, as a template."""
    group = world.group(call["subscription"], call["group"])
    wanted = {str(each).lower() for each in call.body().get("resources") or ["*"]}
    found = [
        held
        for held in world.store.all_of(group.key, EVERYTHING)
        if "*" in wanted or held.key in {key_of(each) for each in wanted}
    ]
    template = {
        "$schema": SCHEMA, "contentVersion": "1.0.0.0", "parameters": {}, "variables": {},
        "resources": [_written(held) for held in found],
    }  # fmt: skip
    return Reply.of({"template": template})


def _written(held: Resource) -> Document:
    document, parsed = held.document(), parse(held.id)
    namespace, _, kind = parsed.type.partition("/")
    versions = next((types for name, types in NAMESPACES.items() if name.lower() == namespace.lower()), {})
    newest = next((each[0] for name, each in versions.items() if name.lower() == kind.lower()), "2024-11-01")
    properties = {name: each for name, each in document.get("properties", {}).items() if name not in WRITTEN_BY_ARM}
    kept: Document = {
        name: document[name] for name in ("location", "tags", "sku", "zones", "identity") if name in document
    }
    return {"type": parsed.type, "apiVersion": newest, "name": parsed.name, **kept, "properties": properties}


_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_TYPE = "Microsoft.Resources/subscriptions/resourceGroups"
_SINCE, _S = Versions("2014-04-01"), Evidence.SPECIFIED
ROUTES = (
    Route("POST", _GROUP + "/moveResources", f"{_TYPE}/moveResources/action", move, _S,
          "resources 2024-11-01 Resources_MoveResources", _SINCE),
    Route("POST", _GROUP + "/validateMoveResources", f"{_TYPE}/validateMoveResources/action", validate, _S,
          "resources 2024-11-01 Resources_ValidateMoveResources", _SINCE),
    Route("POST", _GROUP + "/exportTemplate", f"{_TYPE}/exportTemplate/action", export, Evidence.RECORDED,
          "azure-cli-2025-02/resource/test_resource_group", _SINCE),
)  # fmt: skip
FINISHERS = {"group.move": finish_move, "group.check-move": finish_check}
