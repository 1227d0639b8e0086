"""Template specs and their versions: templates kept in ARM. Kept as they are; nothing is deployed from them."""

from typing import TYPE_CHECKING

from local.simulator.answers import Document
from local.simulator.clock import compute_time, iso
from local.simulator.ids import key_of
from local.simulator.kinds import Kind, Making, location_of
from local.simulator.routing import Evidence, Versions
from local.simulator.store import Resource
from local.simulator.tagging import checked
from local.simulator.tracked import serve

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

SPEC = "Microsoft.Resources/templateSpecs"
VERSION = f"{SPEC}/versions"
READ_ONLY = ("versions", "provisioningState")


def _document(making: Making) -> Document:
    """Write a spec or version in the recorded form; empty lists and nulls of the request are not repeated."""
    body = making.body
    asked = {name: value for name, value in (body.get("properties") or {}).items() if name not in READ_ONLY}
    tags = {"tags": checked(body["tags"])} if body.get("tags") is not None else {}
    document: Document = {
        "location": location_of(body),
        **tags,
        "properties": {name: value for name, value in asked.items() if value not in (None, [])},
        "systemData": system_data(making),
        "id": making.resource_id,
        "type": making.kind.type,
        "name": making.resource_id.rsplit("/", 1)[-1],
    }
    if making.kind.type == VERSION:
        _note_change(making, document["systemData"])
    return document


def system_data(making: Making) -> Document:
    """Write who made and changed something, and when."""
    who = making.call.principal
    name = str(who.claims.get("upn") or who.claims.get("unique_name") or who.claims.get("appid") or who.oid)
    kind = "Application" if who.claims.get("appid") else "User"
    now = {"By": name, "ByType": kind, "At": iso(making.call.now)}
    last = {f"lastModified{part}": value for part, value in now.items()}
    first = {f"created{part}": value for part, value in now.items()}
    before = (making.before or {}).get("systemData") or first
    return {**{part: before[part] for part in first}, **last}


def _note_change(making: Making, changed: Document) -> None:
    """A version's change is a change of its spec as well (recorded)."""
    spec = making.world.store.get(key_of(making.resource_id.rsplit("/", 2)[0]))
    if spec is not None:
        document = spec.document()
        last = {name: value for name, value in changed.items() if name.startswith("lastModified")}
        document["systemData"] = {**document["systemData"], **last}
        making.world.store.write(spec, document, making.call.now)


def _shown(world: "World", held: Resource, call: "Call") -> Document:
    document = held.document()
    if call.query.get("$expand", "").lower() == "versions":
        document["properties"]["versions"] = {
            version.id.rsplit("/", 1)[-1]: {
                "timeCreated": compute_time(version.born),
                "timeModified": compute_time(version.born),
            }
            for version in world.store.all_of(held.key, VERSION.lower())
        }
    return document


_R = Evidence.RECORDED
_CLI = "azure-cli-2025-02/resource/test_template_spec_create_and_update_with_tags"
_SINCE = Versions("2019-06-01-preview"[:10])
SPECS = Kind(SPEC, _R, _CLI, _SINCE, deleted=200, changed=201, accept=_document, show=_shown)
VERSIONS = Kind(VERSION, _R, _CLI, _SINCE, deleted=200, changed=201, accept=_document)
ROUTES = (*serve(SPECS), *serve(VERSIONS))
