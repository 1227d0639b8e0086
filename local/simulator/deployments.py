"""Template deployments to a resource group: their resources are made one after another with the caller's rights.

`az vm create` makes a machine this way. A deployment is kept beside the resources, never among them.
"""

from typing import TYPE_CHECKING

from local.simulator import templates
from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply, encode
from local.simulator.clock import iso
from local.simulator.ids import key_of, parse
from local.simulator.lro import Family, Operation, Work
from local.simulator.operations import wanted
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.templates import Wanted
from local.simulator.within import Caller

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.schedule import Happening
    from local.simulator.world import World

TYPE = "Microsoft.Resources/deployments"
STEP = "deployment"
LOOK_AGAIN = 1.0  # seconds between looks at what is being made


def put(world: "World", call: "Call") -> Reply:
    """Accept a deployment (201) and begin it."""
    group = world.group(call["subscription"], call["group"])
    properties = call.body().get("properties") or {}
    if str(properties.get("mode", "")).lower() != "incremental":
        message = "The simulator deploys in incremental mode only; complete mode deletes what a template does not name."
        raise ArmError(501, "NotImplemented", message)
    resources = templates.read(group.id, properties)
    resource_id = f"{group.id}/providers/{TYPE}/{call['name']}"
    found = world.store.get(key_of(resource_id))
    document = _document(resource_id, call, properties, resources)
    if found is None:
        found = world.store.create(resource_id, document, call.now)
    else:
        if found.document()["properties"]["provisioningState"] in ("Accepted", "Running"):
            message = f"Unable to edit or replace deployment '{call['name']}': previous deployment is still active."
            raise ArmError(409, "DeploymentActive", message)
        world.store.write(found, document, call.now)
    arguments: Document = {
        "caller": Caller.of(call).state(),
        "waiting": [each.state() for each in resources],
        "running": {},
        "done": [],
    }
    work = Work(STEP, Family.DEPLOYMENT, found, "", "network", arguments, waits=True)
    operation = world.operations.begin(call, work)
    if operation.fate != "hang":
        world.schedule.enter(call.now + LOOK_AGAIN, STEP, operation.id)
    return accepted(call, operation, 201, document, location=False)


def _document(resource_id: str, call: "Call", properties: Document, resources: tuple[Wanted, ...]) -> Document:
    declared = properties["template"].get("parameters") or {}
    shown = {name: _parameter(str(each.get("type")), properties, name) for name, each in declared.items()}
    return {
        "id": resource_id,
        "name": call["name"],
        "type": TYPE,
        "properties": {
            "parameters": shown,
            "mode": "Incremental",
            "provisioningState": "Accepted",
            "timestamp": iso(call.now),
            "duration": "PT0S",
            "correlationId": call.correlation,
            "providers": _providers(resources),
            "dependencies": [_dependency(each) for each in resources if each.after],
        },
    }


def _parameter(kind: str, properties: Document, name: str) -> Document:
    """Show a parameter's type and the value that was given, unless it is a secret."""
    given = (properties.get("parameters") or {}).get(name) or {}
    return {"type": kind, **({"value": given["value"]} if "value" in given and "secure" not in kind.lower() else {})}


def _providers(resources: tuple[Wanted, ...]) -> list[Document]:
    found: dict[str, dict[str, Document]] = {}
    for each in resources:
        namespace, _, kind = parse(each.id).type.partition("/")
        row = {"resourceType": kind, "locations": [each.body.get("location")]}
        found.setdefault(namespace, {}).setdefault(kind, row)
    return [{"namespace": name, "resourceTypes": list(kinds.values())} for name, kinds in found.items()]


def _dependency(resource: Wanted) -> Document:
    return {"dependsOn": [_named(each) for each in resource.after], **_named(resource.id)}


def _named(resource_id: str) -> Document:
    parsed = parse(resource_id)
    return {"id": resource_id, "resourceType": parsed.type, "resourceName": parsed.name}


def step(world: "World", happening: "Happening") -> None:
    """Look at what is being made and begin what waits for nothing any more; the last look ends the deployment."""
    operation = world.operations.get(happening.target)
    if operation is None or operation.ended is not None:
        return
    held, at = world.store.get(operation.target), happening.due
    if held is None:
        world.operations.end(operation, at)
        return
    try:
        if operation.fate != "succeed":
            world.operations.end(operation, at)
        else:
            _collect(world, operation)
            _begin(world, operation, at)
    except ArmError as refusal:
        _fail(world, operation, held, at, refusal)
        return
    if operation.ended is None and (operation.arguments["waiting"] or operation.arguments["running"]):
        _progress(world, held, at, "Running")
        world.operations.keep(operation)
        world.schedule.enter(at + LOOK_AGAIN, STEP, operation.id)
    elif operation.ended is None:
        world.operations.end(operation, at)


def _collect(world: "World", operation: Operation) -> None:
    """Take note of what was made, or raise what became of it."""
    for resource_id, name in list(operation.arguments["running"].items()):
        inner = world.operations.get(name)
        if inner is not None and inner.ended is None:
            continue
        if inner is not None and inner.error is not None:
            raise ArmError(409, str(inner.error["code"]), str(inner.error["message"]), target=resource_id)
        del operation.arguments["running"][resource_id]
        operation.arguments["done"].append(resource_id)


def _begin(world: "World", operation: Operation, at: float) -> None:
    caller = Caller.again(operation.arguments["caller"])
    waiting, done = operation.arguments["waiting"], operation.arguments["done"]
    for each in list(waiting):
        if not set(each["after"]) <= set(done):
            continue
        waiting.remove(each)
        try:
            reply = world.within(caller, Wanted(each["id"], each["version"], each["body"], ()), at)
        except ArmError as refusal:
            raise ArmError(409, refusal.code, refusal.message, target=each["id"]) from refusal
        if reply.operation is None:
            done.append(each["id"])
        else:
            operation.arguments["running"][each["id"]] = reply.operation.id
    if waiting and not operation.arguments["running"] and not any(set(each["after"]) <= set(done) for each in waiting):
        raise ArmError(400, "InvalidTemplate", "Deployment template validation failed: a circular dependency.")


def _fail(world: "World", operation: Operation, held: Resource, at: float, refusal: ArmError) -> None:
    """End a deployment with the refusal of one of its resources inside the recorded wrapper."""
    message = (
        "At least one resource deployment operation failed. Please list deployment operations for details. "
        "Please see https://aka.ms/arm-deployment-operations for usage details."
    )
    details = [{"code": refusal.code, "message": refusal.message, **refusal.extra}]
    error = ArmError(409, "DeploymentFailed", message, target=held.id, details=details)
    document = held.document()
    document["properties"]["error"] = error.document()
    world.store.write(held, document, at)
    world.operations.end(operation, at, error)


def _progress(world: "World", held: Resource, at: float, state: str) -> None:
    document = held.document()
    if document["properties"]["provisioningState"] != state:
        document["properties"]["provisioningState"] = state
        world.store.write(held, document, at)


def _finished(world: "World", operation: Operation, at: float) -> Document:
    held = world.store.get(operation.target)
    assert held is not None, "an operation whose target is gone ends without its work"
    document = held.document()
    document["properties"] |= {
        "provisioningState": "Succeeded",
        "timestamp": iso(at),
        "duration": f"PT{at - operation.started:.7f}S",
        "outputs": {},
        "outputResources": [{"id": each} for each in sorted(operation.arguments["done"])],
    }
    world.store.write(held, document, at)
    return document


def get(world: "World", call: "Call") -> Reply:
    """Answer one deployment."""
    group = world.group(call["subscription"], call["group"])
    found = world.store.get(key_of(f"{group.id}/providers/{TYPE}/{call['name']}"))
    if found is None:
        raise ArmError(404, "DeploymentNotFound", f"Deployment '{call['name']}' could not be found.")
    return Reply(200, found.body)


def status(world: "World", call: "Call") -> Reply:
    """Answer how a deployment fares: Accepted, Running, then how it ended (recorded)."""
    operation = wanted(world, call)
    if operation.ended is None:
        begun = bool(operation.arguments["running"] or operation.arguments["done"])
        return Reply(200, encode({"status": "Running" if begun else "Accepted"}))
    document: Document = {"status": operation.status}
    if operation.error is not None:
        document["error"] = operation.error
    return Reply(200, encode(document))


_AT = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{TYPE}/{{name}}"
_CLI = "azure-cli-2025-02/vm/test_vm_create_ubuntu"
_SINCE, _R = Versions("2015-01-01"), Evidence.RECORDED

FINISHERS = {STEP: _finished}
ROUTES = (
    Route("PUT", _AT, f"{TYPE}/write", put, _R, _CLI, _SINCE),
    Route("GET", _AT, f"{TYPE}/read", get, _R, _CLI, _SINCE),
    Route("GET", f"{_AT}/operationStatuses/{{operation}}", f"{TYPE}/operationstatuses/read", status, _R, _CLI, _SINCE),
)
