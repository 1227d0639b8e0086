"""Lists over all types in a group or subscription, with ARM's filters and short form."""

import re
from typing import TYPE_CHECKING

from local.simulator.answers import Document, Reply, encode, invalid
from local.simulator.clock import iso
from local.simulator.ids import parse
from local.simulator.listing import joined, members_of, next_link
from local.simulator.resources import tagged
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import EVERYTHING, Resource

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

EVERYTHING_SEEN = 0
CLAUSE = re.compile(r"^(name|resourcetype|location|resourcegroup|tagname|tagvalue) eq '([^']*)'$", re.I)


def resources_in(world: "World", call: "Call") -> Reply:
    """List resources of all types in a group or subscription, in ARM's short form."""
    scope = world.subscription(call["subscription"]).key
    if "group" in call.names:
        scope = world.group(call["subscription"], call["group"]).key
    clauses = _clauses(call.query.get("$filter", ""))
    found = [held for held in members_of(world, call, scope, EVERYTHING) if _fits(held, clauses)]
    by_tag = "tagname" in clauses
    more = {name.strip().lower() for name in call.query.get("$expand", "").split(",") if name.strip() and not by_tag}
    if more and "group" not in call.names and "resourcetype" not in clauses:
        # Such lists are scanned by partition: the last page may be empty (recorded: test_resource_scenario).
        if "$skiptoken" in call.query:
            return joined([])
        return joined([encode(_short(held, more, by_tag)) for held in found], next_link(call, EVERYTHING_SEEN))
    return joined([encode(_short(held, more, by_tag)) for held in found])


def _clauses(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in re.split(r"\s+and\s+", text.strip(), flags=re.I) if text.strip() else []:
        match = CLAUSE.match(part.strip())
        if match is None:
            raise invalid(f"The filter '{text}' is not supported.", "$filter")
        found[match[1].lower()] = match[2].lower() if match[1].lower() != "tagvalue" else match[2]
    return found


def _fits(held: Resource, clauses: dict[str, str]) -> bool:
    if not clauses:
        return True
    document, parsed = held.document(), parse(held.id)
    known = {
        "name": parsed.name.lower(),
        "resourcetype": held.type,
        "location": str(document.get("location", "")).lower(),
        "resourcegroup": parsed.group.lower(),
    }
    if any(name in known and known[name] != value for name, value in clauses.items()):
        return False
    return "tagname" not in clauses or tagged(document, clauses["tagname"], clauses.get("tagvalue"))


def _short(held: Resource, more: set[str], by_tag: bool) -> Document:
    """Write a resource as lists over all types do; a search by tag leaves the tags out (recorded)."""
    document = held.document()
    kept = ("id", "name", "type", "location", "tags", "sku", "kind", "managedBy", "identity", "zones", "plan")
    found = {name: document[name] for name in kept if name in document and not (by_tag and name == "tags")}
    extra = {
        "createdtime": ("createdTime", iso(held.born)),
        "changedtime": ("changedTime", iso(held.born)),
        "provisioningstate": ("provisioningState", document.get("properties", {}).get("provisioningState")),
    }
    found.update(dict(pair for name, pair in extra.items() if name in more))
    return {"id": held.id, "name": parse(held.id).name, **found}


_SUB = "/subscriptions/{subscription}/resources"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/resources"
_READ = "Microsoft.Resources/subscriptions/resources/read"
_READ_GROUP = "Microsoft.Resources/subscriptions/resourceGroups/resources/read"
_CLI = "azure-cli-2025-02/resource/test_resource_scenario"
_SINCE, _R = Versions("2014-04-01"), Evidence.RECORDED

ROUTES = (
    Route("GET", _SUB, _READ, resources_in, _R, _CLI, _SINCE, lists=True),
    Route("GET", _GROUP, _READ_GROUP, resources_in, _R, _CLI, _SINCE, lists=True),
)
