"""Handlers for every type described by a row (kinds.py): create, change, read, list, remove.

Provider modules call `serve` once per row. Rules that are a type's own stand in its row, never here.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply, encode
from local.simulator.ids import key_of
from local.simulator.kinds import KINDS, Kind, Making
from local.simulator.listing import joined, listed, members_of
from local.simulator.lro import Operation, Work
from local.simulator.routing import Evidence, Route
from local.simulator.store import Resource
from local.simulator.tagging import checked
from local.simulator.world import merged

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

# `name eq 'x'` and `CONTAINS(name, 'x')`, as Event Grid's lists take them (recorded).
NAME_FILTER = re.compile(r"^\s*(?:name\s+eq\s+'([^']*)'|contains\(name,\s*'([^']*)'\))\s*$", re.IGNORECASE)
Serving = Callable[[Kind, "World", "Call"], Reply]


def put(kind: Kind, world: "World", call: "Call") -> Reply:
    """Create or replace."""
    group = world.group(call["subscription"], call["group"])
    parent = _parent(kind, world, call)
    found = world.store.get(key_of(call.path))
    base = parent.id if parent else f"{group.id}/providers/{kind.type.split('/', 1)[0]}"
    segments = call.path.rstrip("/").rsplit("/", 2)
    resource_id = found.id if found else f"{base}/{kind.type.rsplit('/', 1)[-1]}/{segments[-1]}"
    before = found.document() if found else None
    document = kind.accept(Making(world, call, kind, resource_id, call.body(), before))
    _check_place(document, before)
    return _save(kind, world, call, found, (document, kind.changed if found else kind.created))


def _parent(kind: Kind, world: "World", call: "Call") -> Resource | None:
    if not kind.parent:
        return None
    path = call.path.rstrip("/").rsplit("/", 2)[0]
    found = world.store.get(key_of(path))
    if found is None:
        message = (
            f"Can not perform requested operation on nested resource. Parent resource '{path.rsplit('/', 1)[-1]}' not "
            "found."
        )
        raise ArmError(404, "ParentResourceNotFound", message, headers={"x-ms-failure-cause": "gateway"})
    return found


def _check_place(document: Document, before: Document | None) -> None:
    if before is not None and before.get("location") != document.get("location"):
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{document['name']}' already exists in location '{before.get('location')}'. A resource with "
            f"the same name cannot be created in location '{document.get('location')}'. Please select a new resource "
            "name.",
        )


def patch(kind: Kind, world: "World", call: "Call") -> Reply:
    """Lay what is asked over what is there."""
    found = world.resource(call.path, kind.type)
    before, body = found.document(), call.body()
    change: Document = {name: body[name] for name in ("properties", "sku", "identity", "zones") if name in body}
    wanted = merged(before, change)
    if "tags" in body:
        wanted["tags"] = checked(body["tags"])
    document = kind.accept(Making(world, call, kind, found.id, wanted, before))
    usual = 202 if kind.created == 202 else 201 if kind.type.startswith("Microsoft.EventGrid/") else 200
    return _save(kind, world, call, found, (document, kind.patched or usual))


def _save(kind: Kind, world: "World", call: "Call", found: Resource | None, new: tuple[Document, int]) -> Reply:
    document, status = new
    if kind.family is None:
        document = kind.finish(world, document, call.now)
        held = found or world.store.create(document["id"], document, call.now)
        if found is not None:
            world.store.write(found, document, call.now)
        return Reply.of(kind.first(world, held, call), status)
    if kind.has_state:
        document["properties"]["provisioningState"] = kind.changing if found else kind.creating
    held = found or world.store.create(document["id"], document, call.now)
    if found is not None:
        world.store.write(found, document, call.now)
    operation = _begin(kind, world, call, held, "tracked.put")
    return accepted(call, operation, status, kind.first(world, held, call), location=status == 202)


def _begin(kind: Kind, world: "World", call: "Call", held: Resource, work: str) -> Operation:
    family = kind.family or kind.deletion
    assert family is not None
    pace = f"{kind.pace}.delete" if work == "tracked.delete" else kind.pace
    location = world.place_of(held)
    return world.operations.begin(call, Work(work, family, held, location, pace, {}, wait=kind.wait))


def finish_put(world: "World", operation: Operation, at: float) -> Document:
    """Let appear what the provider computes."""
    found = world.store.get(operation.target)
    if found is None:
        raise ArmError(404, "NotFound", "The resource was deleted while it was being changed.")
    kind = KINDS[found.type]
    document = kind.finish(world, found.document(), at)
    if kind.has_state:
        document["properties"]["provisioningState"] = "Succeeded"
    world.store.write(found, document, at)
    return document


def get(kind: Kind, world: "World", call: "Call") -> Reply:
    """Answer one."""
    return Reply.of(kind.show(world, world.resource(call.path, kind.type), call))


def every(kind: Kind, world: "World", call: "Call") -> Reply:
    """List the members of a group, a subscription or a parent."""
    if kind.parent:
        scope = world.resource(call.path.rstrip("/").rsplit("/", 1)[0], kind.parent).key
    elif "group" in call.names:
        scope = world.group(call["subscription"], call["group"]).key
    else:
        scope = world.subscription(call["subscription"]).key
    named = NAME_FILTER.match(call.query.get("$filter", ""))
    if named is not None:
        members = [held for held in members_of(world, call, scope, kind.key) if _is_named(held, *named.groups())]
        return joined([encode(kind.show(world, held, call)) for held in members])
    return listed(world, call, scope, kind.key, lambda held: encode(kind.show(world, held, call)))


def _is_named(held: Resource, whole: str | None, part: str | None) -> bool:
    name = held.key.rsplit("/", 1)[-1]
    return name == whole.lower() if whole is not None else str(part).lower() in name


def delete(kind: Kind, world: "World", call: "Call") -> Reply:
    """Remove, at once or by an accepted operation; nothing there is 204."""
    world.group(call["subscription"], call["group"])
    found = world.store.get(key_of(call.path))
    if found is None:
        return Reply(204)
    kind.check_delete(world, found, call)
    if kind.family is None and kind.deletion is None:
        world.store.remove(found, call.now)
        return Reply(kind.deleted)
    return accepted(call, _begin(kind, world, call, found, "tracked.delete"), 202, None, location=True)


def finish_delete(world: "World", operation: Operation, at: float) -> None:
    """Remove it with everything below."""
    found = world.store.get(operation.target)
    if found is not None:
        world.store.remove(found, at)


def template_of(kind: str) -> str:
    """Return the path of one resource of a type, with names for its parts."""
    namespace, *words = kind.split("/")
    inner = "/".join(f"{word}/{{{'name' if at == len(words) else f'name{at}'}}}" for at, word in enumerate(words, 1))
    return f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{namespace}/{inner}"


def serve(kind: Kind) -> tuple[Route, ...]:
    """Register a row and return its routes."""
    KINDS[kind.key] = kind
    return tuple(_routes(kind))


def _routes(kind: Kind) -> Iterator[Route]:
    one, read = template_of(kind.type), f"{kind.type}/read"
    patched = kind.patch_evidence or kind.evidence

    def route(method: str, path: str, action: str, handler: Serving, evidence: Evidence) -> Route:
        verb = "LIST" if path != one else method
        policies = kind.policies.get(verb, ())
        serving = partial(handler, kind)
        return Route(
            method, path, action, serving, evidence, kind.source, kind.versions, policies, lists=verb == "LIST"
        )

    yield route("PUT", one, f"{kind.type}/write", put, kind.evidence)
    yield route("PATCH", one, f"{kind.type}/write", patch, patched)
    yield route("GET", one, read, get, kind.evidence)
    yield route("DELETE", one, f"{kind.type}/delete", delete, kind.evidence)
    above = one.rsplit("/", 1)[0]
    yield route("GET", above, read, every, kind.list_evidence)
    if not kind.parent:
        namespace, word = kind.type.split("/")
        everywhere = f"/subscriptions/{{subscription}}/providers/{namespace}/{word}"
        yield route("GET", everywhere, read, every, kind.list_evidence)


FINISHERS = {"tracked.put": finish_put, "tracked.delete": finish_delete}
