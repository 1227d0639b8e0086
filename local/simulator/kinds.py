"""Resource types as table rows: what a type accepts, what appears when its work is done, how it is shown.

The rows stand in the provider modules; tracked.py has the handlers that serve every row alike.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document
from local.simulator.ids import key_of
from local.simulator.lro import Family
from local.simulator.routing import Evidence, Versions
from local.simulator.store import Resource
from local.simulator.tagging import checked

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

TOP = ("sku", "zones", "identity", "plan", "kind", "extendedLocation", "managedBy")
NO_LOCATION = "The location property is required for this definition."


@dataclass(frozen=True, slots=True)
class Making:
    """One PUT or PATCH under way: who asks for what, and what was there before."""

    world: "World"
    call: "Call"
    kind: "Kind"
    resource_id: str
    body: Document
    before: Document | None


Accept = Callable[[Making], Document]
Finish = Callable[["World", Document, float], Document]
Show = Callable[["World", Resource, "Call"], Document]
Check = Callable[["World", Resource, "Call"], None]


def as_asked(making: Making) -> Document:
    """Write a resource as it was asked for: name, id, type, location, tags, then what the caller chose."""
    body, document = making.body, head(making)
    document.update({name: body[name] for name in TOP if body.get(name) is not None})
    read_only = ("provisioningState", "instanceView", *making.kind.read_only)
    asked = {name: value for name, value in (body.get("properties") or {}).items() if name not in read_only}
    return {**document, "properties": {**making.kind.defaults, **asked}}


def head(making: Making) -> Document:
    """Write what every resource begins with."""
    document: Document = {
        "name": making.resource_id.rsplit("/", 1)[-1],
        "id": making.resource_id,
        "type": making.kind.type,
    }
    if making.kind.has_location:
        document["location"] = location_of(making.body)
    if making.body.get("tags") is not None:
        document["tags"] = checked(making.body["tags"])
    return document


def location_of(body: Document) -> str:
    """Return a body's location in ARM's form, or refuse a body without one."""
    if not body.get("location"):
        raise ArmError(400, "LocationRequired", NO_LOCATION)
    return str(body["location"]).lower().replace(" ", "")


def unchanged(_world: "World", document: Document, _at: float) -> Document:
    """Nothing more appears."""
    return document


def as_held(_world: "World", held: Resource, call: "Call") -> Document:
    """Show what is kept."""
    document: Document = held.document()
    return document


def always(_world: "World", _held: Resource, _call: "Call") -> None:
    """Nothing stands in the way."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One type; a type without a family is done at once."""

    type: str
    evidence: Evidence
    source: str
    versions: Versions
    family: Family | None = None
    deletion: Family | None = None  # whose operation a deletion is, where writing is done at once
    pace: str = ""
    wait: int | None = None  # seconds a client is told to wait; None = as usual for the family
    created: int = 201
    changed: int = 200
    patched: int | None = None  # None = as usual for the namespace
    deleted: int = 202
    accept: Accept = as_asked
    first: Show = as_held
    finish: Finish = unchanged
    show: Show = as_held
    check_delete: Check = always
    defaults: Document = field(default_factory=dict)
    read_only: tuple[str, ...] = ()
    has_location: bool = True
    has_state: bool = True
    creating: str = "Creating"
    changing: str = "Updating"
    policies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    patch_evidence: Evidence | None = None
    list_evidence: Evidence = Evidence.SPECIFIED

    @property
    def key(self) -> str:
        """The type in lower case."""
        return self.type.lower()

    @property
    def parent(self) -> str:
        """The type one level up, empty for types that lie in a group."""
        return self.type.rsplit("/", 1)[0] if self.type.count("/") > 1 else ""


KINDS: dict[str, Kind] = {}


def with_principal(world: "World", resource_id: str, identity: Document) -> Document:
    """Complete an identity with the principal the platform makes for it."""
    if "SystemAssigned" not in str(identity.get("type", "")):
        return identity
    principal = world.chance.guid_of(f"principal {key_of(resource_id)}")
    return {**identity, "principalId": principal, "tenantId": world.tenant}
