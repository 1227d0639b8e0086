"""Network pieces as plain tracked resources: virtual networks with subnets, interfaces, public addresses, security
groups.
"""

from typing import TYPE_CHECKING

from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply
from local.simulator.ids import key_of
from local.simulator.listing import listed
from local.simulator.lro import Family, Operation, Work
from local.simulator.network_shapes import KINDS, Kind, document_of, subnet_of
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.tagging import checked

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World


def put(world: "World", call: "Call") -> Reply:
    """Create (201) or change (200)."""
    group = world.group(call["subscription"], call["group"])
    kind = _kind(call)
    body, found = call.body(), world.store.get(key_of(call.path))
    if not body.get("location"):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    resource_id = found.id if found else f"{group.id}/providers/Microsoft.Network/{kind.name}/{call['name']}"
    document = document_of(world, kind, resource_id, body)
    linked = [
        str(one["properties"]["subnet"]["id"])
        for one in document["properties"].get("ipConfigurations", [])
        if (one["properties"].get("subnet") or {}).get("id")
    ]
    world.access.check_linked(call.principal.oid, call.route.action, resource_id, linked)
    if found is None:
        found, status = world.store.create(resource_id, document, call.now), 201
    else:
        kept = found.document()["properties"].get("virtualMachine")
        if kept:
            document["properties"]["virtualMachine"] = kept
        world.store.write(found, document, call.now)
        status = 200
    shown = {**document, "properties": {**document["properties"], "provisioningState": kind.at_first}}
    work = Work("network.put", Family.NETWORK, found, document["location"], "network", {})
    reply = accepted(call, world.operations.begin(call, work), status, shown, location=False)
    reply.headers["Azure-AsyncNotification"] = "Enabled"
    if kind.at_first == "Succeeded":
        reply.headers.pop("Retry-After")
    return reply


def _kind(call: "Call") -> Kind:
    return KINDS[call.path.lower().split("/microsoft.network/", 1)[1].split("/", 1)[0]]


def nothing_more(_world: "World", _operation: Operation, _at: float) -> None:
    """The document was complete when it was accepted."""


def get(world: "World", call: "Call") -> Reply:
    """Answer one resource, with its ETag as a header."""
    found = world.resource(call.path, f"Microsoft.Network/{_kind(call).name}")
    return Reply(200, found.body, {"ETag": str(found.document()["etag"])})


def in_group(world: "World", call: "Call") -> Reply:
    """List a type in a group."""
    scope = world.group(call["subscription"], call["group"]).key
    return listed(world, call, scope, f"microsoft.network/{_kind(call).name.lower()}")


def in_subscription(world: "World", call: "Call") -> Reply:
    """List a type in a subscription."""
    scope = world.subscription(call["subscription"]).key
    return listed(world, call, scope, f"microsoft.network/{_kind(call).name.lower()}")


def patch(world: "World", call: "Call") -> Reply:
    """Replace the tags (200)."""
    found = world.resource(call.path, f"Microsoft.Network/{_kind(call).name}")
    document = found.document()
    if "tags" in call.body():
        document["tags"] = checked(call.body()["tags"])
    world.store.write(found, document, call.now)
    return Reply.of(document)


def delete(world: "World", call: "Call") -> Reply:
    """Accept a deletion (202); a card in use stays (documented)."""
    world.group(call["subscription"], call["group"])
    found = world.store.get(key_of(call.path))
    if found is None:
        return Reply(204)
    document = found.document()
    user = document["properties"].get("virtualMachine")
    if user:
        message = (
            f"Network Interface {found.id} is used by existing resource {user['id']}. In order to delete the network "
        )
        raise ArmError(400, "NicInUse", message + "interface, it must be dissociated from the resource.", details=[])
    work = Work("network.delete", Family.NETWORK, found, document["location"], "network", {})
    reply = accepted(call, world.operations.begin(call, work), 202, None, location=False)
    reply.headers["Location"] = reply.headers["Azure-AsyncOperation"].replace("/operations/", "/operationResults/")
    return reply


def finish_delete(world: "World", operation: Operation, at: float) -> None:
    """Remove it."""
    found = world.store.get(operation.target)
    if found is not None:
        world.store.remove(found, at)


def put_subnet(world: "World", call: "Call") -> Reply:
    """Add or change a subnet: it is kept in its network's document."""
    network = world.resource(call.path.rsplit("/", 2)[0], "Microsoft.Network/virtualNetworks")
    document = network.document()
    subnet = subnet_of(f"{network.id}/subnets/{call['subnet']}", call.body())
    held: list[Document] = document["properties"]["subnets"]
    others = [one for one in held if one["name"].lower() != call["subnet"].lower()]
    document["properties"]["subnets"] = [*others, subnet]
    world.store.write(network, document, call.now)
    shown = {**subnet, "properties": {**subnet["properties"], "provisioningState": "Updating"}}
    work = Work("network.put", Family.NETWORK, network, document["location"], "network", {})
    status = 200 if len(others) < len(held) else 201
    return accepted(call, world.operations.begin(call, work), status, shown, location=False)


def _subnets(world: "World", path: str, levels: int) -> tuple[Resource, list[Document]]:
    network = world.resource(path.rsplit("/", levels)[0], "Microsoft.Network/virtualNetworks")
    found: list[Document] = network.document()["properties"]["subnets"]
    return network, found


def get_subnet(world: "World", call: "Call") -> Reply:
    """Answer one subnet."""
    network, found = _subnets(world, call.path, 2)
    for subnet in found:
        if subnet["name"].lower() == call["subnet"].lower():
            reply = Reply.of(subnet)
            reply.headers["ETag"] = subnet["etag"]
            return reply
    raise ArmError(404, "NotFound", f"Resource {network.id}/subnets/{call['subnet']} not found.", details=[])


def subnets(world: "World", call: "Call") -> Reply:
    """List the subnets of a network."""
    return Reply.of({"value": _subnets(world, call.path, 1)[1]})


_SUB = "/subscriptions/{subscription}"
_GROUP = _SUB + "/resourceGroups/{group}"
_SINCE, _R = Versions("2015-06-15"), Evidence.RECORDED
_PY = "azure-sdk-for-python-2022-05/azure-mgmt-compute/test_compute_vm"
_CLI = "azure-cli-2025-02/resource/test_cannotdelete_resource_lock"


def _routes(kind: Kind) -> tuple[Route, ...]:
    at, kind_name = f"/providers/Microsoft.Network/{kind.name}", f"Microsoft.Network/{kind.name}"
    one = f"{_GROUP}{at}/{{name}}"
    return (
        Route("PUT", one, f"{kind_name}/write", put, _R, _PY, _SINCE),
        Route("PATCH", one, f"{kind_name}/write", patch, Evidence.SPECIFIED, "network UpdateTags", _SINCE),
        Route("GET", one, f"{kind_name}/read", get, _R, _PY, _SINCE),
        Route("DELETE", one, f"{kind_name}/delete", delete, _R, _CLI, _SINCE),
        Route("GET", _GROUP + at, f"{kind_name}/read", in_group, _R, _CLI, _SINCE, lists=True),
        Route("GET", _SUB + at, f"{kind_name}/read", in_subscription, _R, _CLI, _SINCE, lists=True),
    )


_SUBNETS = _GROUP + "/providers/Microsoft.Network/virtualNetworks/{network}/subnets"
_SUBNET = "Microsoft.Network/virtualNetworks/subnets"
ROUTES = (
    *(route for kind in KINDS.values() for route in _routes(kind)),
    Route("PUT", _SUBNETS + "/{subnet}", f"{_SUBNET}/write", put_subnet, _R, _PY, _SINCE),
    Route("GET", _SUBNETS + "/{subnet}", f"{_SUBNET}/read", get_subnet, _R, _PY, _SINCE),
    Route("GET", _SUBNETS, f"{_SUBNET}/read", subnets, Evidence.SPECIFIED, "network Subnets_List", _SINCE, lists=True),
)
FINISHERS = {"network.put": nothing_more, "network.delete": finish_delete}
