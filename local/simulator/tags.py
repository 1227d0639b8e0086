"""The Tags API: tags of any resource, group or subscription, read and changed without touching anything else."""

from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document, Reply
from local.simulator.ids import key_of, parse
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.tagging import checked, merge, without

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World


# Nested types without tags (documented: tag support of resource types; azure-facts 3.4 for points).
UNTAGGED = frozenset(
    {
        "microsoft.compute/restorepointcollections/restorepoints",
        "microsoft.compute/restorepointcollections/restorepoints/diskrestorepoints",
        "microsoft.authorization/locks",
        "microsoft.authorization/roleassignments",
        "microsoft.eventgrid/eventsubscriptions",
    }
)


def _target(world: "World", call: "Call") -> Resource:
    """Return what the tags belong to, or refuse as ARM does."""
    scope = call["scope"]
    parts = scope.strip("/").split("/")
    if len(parts) == 2:
        return world.subscription(parts[1])
    if len(parts) == 4:
        return world.group(parts[1], parts[3])
    found = world.store.get(key_of(scope))
    if found is not None and found.type in UNTAGGED:
        message = f"The resource type '{parse(found.id).type}' does not support tags."
        raise ArmError(400, "BadRequest", message)  # the code is assumed
    return found if found is not None else world.resource(scope, "/".join([parts[5], *parts[6::2]]))


def _answer(held: Resource, tags: dict[str, str]) -> Reply:
    document: Document = {
        "id": f"{held.id}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": tags},
    }
    return Reply.of(document)


def _replace(world: "World", call: "Call", held: Resource, tags: dict[str, str]) -> Reply:
    document = held.document()
    document["tags"] = checked(tags)
    world.store.write(held, document, call.now)
    return _answer(held, document["tags"])


def _asked(call: "Call") -> dict[str, str]:
    return checked((call.body().get("properties") or {}).get("tags"))


def get(world: "World", call: "Call") -> Reply:
    """Answer the tags."""
    held = _target(world, call)
    return _answer(held, held.document().get("tags") or {})


def put(world: "World", call: "Call") -> Reply:
    """Replace all tags."""
    return _replace(world, call, _target(world, call), _asked(call))


def patch(world: "World", call: "Call") -> Reply:
    """Merge, replace or delete tags."""
    held = _target(world, call)
    now_there, asked = held.document().get("tags") or {}, _asked(call)
    operation = str(call.body().get("operation", "")).lower()
    if operation == "merge":
        return _replace(world, call, held, merge(now_there, asked))
    if operation == "replace":
        return _replace(world, call, held, asked)
    if operation == "delete":
        return _replace(world, call, held, without(now_there, asked))
    raise ArmError(400, "InvalidTagsPatchOperation", "The operation must be one of 'Merge', 'Replace' and 'Delete'.")


def delete(world: "World", call: "Call") -> Reply:
    """Remove all tags."""
    held = _target(world, call)
    document = held.document()
    if document.pop("tags", None):
        world.store.write(held, document, call.now)
    return Reply(200)


_AT = "{scope}/providers/Microsoft.Resources/tags/default"
_TYPE = "Microsoft.Resources/tags"
_CLI = "azure-cli-2025-02/resource/test_tag_create_or_update_resource"
_SINCE, _R = Versions("2019-10-01"), Evidence.RECORDED

ROUTES = (
    Route("GET", _AT, f"{_TYPE}/read", get, _R, "azure-cli-2025-02/resource/test_tag_get_resourcegroup", _SINCE),
    Route("PUT", _AT, f"{_TYPE}/write", put, _R, _CLI, _SINCE),
    Route("PATCH", _AT, f"{_TYPE}/write", patch, _R, _CLI, _SINCE),
    Route("DELETE", _AT, f"{_TYPE}/delete", delete, _R, _CLI, _SINCE),
)
