"""Management locks as resources on any scope. What they stop is decided in locking.py."""

from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document, Reply
from local.simulator.ids import is_within, key_of, parse
from local.simulator.listing import joined, listed
from local.simulator.locking import LOCK
from local.simulator.provider_list import is_known
from local.simulator.routing import Evidence, Route, Versions

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

LEVELS = {"cannotdelete": "CanNotDelete", "readonly": "ReadOnly"}


def put(world: "World", call: "Call") -> Reply:
    """Create (201) or change (200) a lock; the id keeps the caller's letter case (recorded)."""
    _check_scope(world, call["scope"])
    asked = call.body().get("properties") or {}
    level = LEVELS.get(str(asked.get("level", "")).lower())
    if level is None:
        raise ArmError(400, "LockLevelInvalid", "The lock level must be one of 'CanNotDelete' and 'ReadOnly'.")
    found = world.store.get(key_of(call.path))
    properties = {"level": level, **{name: asked[name] for name in ("notes", "owners") if name in asked}}
    resource_id = found.id if found else "/" + "/".join(part for part in call.path.split("/") if part)
    document: Document = {
        "properties": properties,
        "id": resource_id,
        "type": "Microsoft.Authorization/locks",
        "name": call["lock"],
    }
    if found is None:
        world.store.create(resource_id, document, call.now)
        return Reply.of(document, 201)
    world.store.write(found, document, call.now)
    return Reply.of(document)


def _check_scope(world: "World", scope: str) -> None:
    parts = scope.strip("/").split("/")
    if len(parts) == 2:
        world.subscription(parts[1])
    elif len(parts) == 4:
        world.group(parts[1], parts[3])
    elif is_known(parse(scope).type):
        world.resource(scope, "/".join([parts[5], *parts[6::2]][:2]))


def get(world: "World", call: "Call") -> Reply:
    """Answer one lock."""
    found = world.store.get(key_of(call.path))
    if found is None:
        raise ArmError(404, "LockNotFound", f"The lock '{call['lock']}' could not be found.")
    return Reply(200, found.body)


def at_scope(world: "World", call: "Call") -> Reply:
    """List the locks at a scope and below; those above are listed as well where the scope is a resource."""
    scope = key_of(call["scope"])
    if scope.count("/") <= 4:
        return listed(world, call, scope, LOCK)
    subscription = "/".join(scope.split("/")[:3])
    found = [held for held in world.store.all_of(subscription, LOCK) if _meets(held.key, scope)]
    return joined([held.body for held in found])


def _meets(lock_key: str, scope: str) -> bool:
    locked = lock_key.rsplit("/providers/microsoft.authorization/", 1)[0]
    return is_within(scope, locked) or is_within(locked, scope)


def delete(world: "World", call: "Call") -> Reply:
    """Remove a lock (200), or answer 204 where none is."""
    found = world.store.get(key_of(call.path))
    if found is None:
        return Reply(204)
    world.store.remove(found, call.now)
    return Reply(200)


_ALL = "{scope}/providers/Microsoft.Authorization/locks"
_TYPE = "Microsoft.Authorization/locks"
_PY = "azure-sdk-for-python-2022-05/azure-mgmt-resource/test_mgmt_resource_locks"
_SINCE, _R = Versions("2015-01-01"), Evidence.RECORDED

ROUTES = (
    Route("PUT", _ALL + "/{lock}", f"{_TYPE}/write", put, _R, _PY, _SINCE),
    Route("GET", _ALL + "/{lock}", f"{_TYPE}/read", get, _R, _PY, _SINCE),
    Route("GET", _ALL, f"{_TYPE}/read", at_scope, _R, _PY, _SINCE, lists=True),
    Route("DELETE", _ALL + "/{lock}", f"{_TYPE}/delete", delete, _R, _PY, _SINCE),
)
