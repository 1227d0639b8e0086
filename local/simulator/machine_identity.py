"""The identity of a machine: the principal the platform makes, identities of the user's own that come and go.

User-assigned identities are taken by id; their principals follow from it, as their provider is not simulated.
"""

from typing import TYPE_CHECKING, Any

from local.simulator.answers import Document
from local.simulator.ids import key_of
from local.simulator.kinds import with_principal

if TYPE_CHECKING:
    from local.simulator.world import World


def written(world: "World", resource_id: str, asked: Document | None, before: Document | None) -> Document | None:
    """Return the identity of a PUT's first answer: what is new has no principal yet (recorded)."""
    if not isinstance(asked, dict):
        return None
    old = {key_of(name): value for name, value in ((before or {}).get("userAssignedIdentities") or {}).items()}
    own = {
        name: value or old.get(key_of(name)) or {}
        for name, value in (asked.get("userAssignedIdentities") or {}).items()
    }
    return _complete(world, resource_id, str(asked.get("type", "None")), own)


def changed(world: "World", resource_id: str, asked: Any, before: Document | None) -> Document | None:
    """Return the identity a PATCH leaves: what it names is added, or with null taken away (recorded)."""
    if not isinstance(asked, dict):
        return before
    own = _merged((before or {}).get("userAssignedIdentities") or {}, asked.get("userAssignedIdentities") or {})
    kind = str(asked.get("type") or (before or {}).get("type", "None"))
    return None if kind == "None" else _complete(world, resource_id, kind, own)


def _complete(world: "World", resource_id: str, kind: str, own: Document) -> Document:
    identity: Document = {"type": kind}
    if own and "UserAssigned" in kind:
        identity["userAssignedIdentities"] = own
    return with_principal(world, resource_id, identity)


def _merged(old: Document, change: Document) -> Document:
    """Lay identities over those there are; null takes one away, whatever the letter case of its id."""
    names = {key_of(name): name for name in old}
    found = dict(old)
    for name, value in change.items():
        known = names.get(key_of(name))
        if value is None:
            found.pop(known or name, None)
        elif known is None:
            found[name] = {}
    return found


def finished(world: "World", document: Document) -> None:
    """Let the principals appear; an identity of type None is no longer there."""
    identity = document.get("identity")
    if not isinstance(identity, dict):
        return
    if identity.get("type") == "None":
        del document["identity"]
        return
    for name in identity.get("userAssignedIdentities") or {}:
        identity["userAssignedIdentities"][name] = {
            "principalId": world.chance.guid_of(f"principal {key_of(name)}"),
            "clientId": world.chance.guid_of(f"client {key_of(name)}"),
        }
