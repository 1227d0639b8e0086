"""Namespaces of Event Grid (MQTT and pull delivery): topics, subscriptions, clients and their groups, permissions.

Specified, not recorded. They are kept and shown; no client connects and nothing is delivered.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from local.simulator.answers import Document, Reply
from local.simulator.kinds import Accept, Finish, Kind, Making, unchanged
from local.simulator.lro import Family
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.topics import DOMAIN, TOPIC, as_accepted, bare, key_routes
from local.simulator.tracked import serve, template_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

NAMESPACE = "Microsoft.EventGrid/namespaces"
_S, _SINCE = Evidence.SPECIFIED, Versions("2023-06-01")


def _namespace(making: Making) -> Document:
    document = as_accepted(making)
    document["properties"].pop("endpoint", None)
    return document


def _named_hosts(_world: "World", document: Document, _at: float) -> Document:
    """Let the hosts appear at which clients would connect."""
    properties, where = document["properties"], f"{document['name']}.{document['location']}-1"
    properties.setdefault("isZoneRedundant", True)
    properties.setdefault("publicNetworkAccess", "Enabled")
    properties["topicsConfiguration"] = {**(properties.get("topicsConfiguration") or {}),
                                         "hostname": f"{where}.eventgrid.azure.net"}  # fmt: skip
    spaces = properties.get("topicSpacesConfiguration")
    if isinstance(spaces, dict) and spaces.get("state") == "Enabled":
        spaces["hostname"] = f"{where}.ts.eventgrid.azure.net"
    return document


def _below(making: Making) -> Document:
    return {**bare(making), "systemData": None}


def _row(word: str, operation: str, accept: Accept = _below, finish: Finish = unchanged) -> Kind:
    kind = Kind(
        f"{NAMESPACE}{word}", _S, f"EventGrid 2025-02-15 {operation}_CreateOrUpdate", _SINCE,
        family=Family.EVENT_GRID, pace="event-grid", changed=201, accept=accept, finish=finish,
    )  # fmt: skip
    return replace(kind, has_location=not word, patched=202)


def private_links(world: "World", call: "Call") -> Reply:
    """List what a private endpoint of a topic, domain or namespace can reach."""
    kind = call.route.action.rsplit("/", 2)[0]
    found = world.resource(call.path.rsplit("/", 1)[0], kind)
    name = LINKED[kind]
    properties = {
        "groupId": name,
        "displayName": f"Event Grid {name}",
        "requiredMembers": [name],
        "requiredZoneNames": ["privatelink.eventgrid.azure.net"],
    }
    head = {"id": f"{found.id}/privateLinkResources/{name}", "name": name, "type": f"{kind}/privateLinkResources"}
    return Reply.of({"value": [{"properties": properties, **head}]})


LINKED = {
    TOPIC: "topic",
    DOMAIN: "domain",
    NAMESPACE: "topic",
    "Microsoft.EventGrid/partnerNamespaces": "partnernamespace",
}
TOPICS = _row("/topics", "NamespaceTopics")
ROWS = (
    _row("", "Namespaces", _namespace, _named_hosts),
    TOPICS,
    _row("/topics/eventSubscriptions", "NamespaceTopicEventSubscriptions"),
    _row("/clients", "Clients"),
    _row("/clientGroups", "ClientGroups"),
    _row("/permissionBindings", "PermissionBindings"),
    _row("/topicSpaces", "TopicSpaces"),
    _row("/caCertificates", "CaCertificates"),
)
ROUTES = (
    *(route for row in ROWS for route in serve(row)),
    *key_routes(NAMESPACE, _S),
    *key_routes(TOPICS.type, _S),
    *(
        Route("GET", f"{template_of(kind)}/privateLinkResources", f"{kind}/privateLinkResources/read", private_links,
              _S, "EventGrid 2025-02-15 PrivateLinkResources_ListByResource", Versions("2020-04-01"), lists=True)
        for kind in LINKED
    ),
)  # fmt: skip
