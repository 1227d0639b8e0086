"""Resources of providers that are not simulated: known, listed, tagged, locked and queried, never acted upon.

They come from seeds (`[[resource]]`) and from the control route; asking their own providers stays a 501.
"""

from typing import TYPE_CHECKING

from local.simulator.answers import Document
from local.simulator.ids import key_of, parse
from local.simulator.resources import group_document
from local.simulator.store import Resource
from local.simulator.tagging import checked

if TYPE_CHECKING:
    from local.simulator.world import World


def plant(world: "World", document: Document, at: float) -> Resource:
    """Let a resource be there, as it is given; its group and subscription have to exist or are made."""
    resource_id = str(document["id"])
    parsed = parse(resource_id)
    if not parsed.group or not parsed.type:
        raise ValueError(f"{resource_id!r} is not the id of a resource in a group")
    found = world.store.get(key_of(resource_id))
    if found is not None:
        return found
    _ensure_group(world, resource_id, document, at)
    kept: Document = {"id": resource_id, "name": parsed.name, "type": document.get("type") or parsed.type, **document}
    if kept.get("tags") is not None:
        kept["tags"] = checked(kept["tags"])
    identity = kept.get("identity")
    if isinstance(identity, dict) and "principalId" in identity:
        kept["identity"] = {"tenantId": world.tenant, **identity}
    return world.store.create(resource_id, kept, at)


def _ensure_group(world: "World", resource_id: str, document: Document, at: float) -> None:
    parts = resource_id.strip("/").split("/")
    world.subscription(parts[1])
    group = "/" + "/".join(parts[:4])
    if world.store.get(key_of(group)) is None:
        location = str(document.get("location") or "eastus").lower()
        world.store.create(group, group_document(group, location, {}), at)
