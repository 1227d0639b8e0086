"""Custom topics and domains of Event Grid as ARM resources; what is published to them is kept by the control routes."""

from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document, Reply
from local.simulator.kinds import Kind, Making, location_of, with_principal
from local.simulator.lro import Family
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.system_topics import NO_IDENTITY
from local.simulator.tagging import checked
from local.simulator.tracked import serve, template_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

TOPIC = "Microsoft.EventGrid/topics"
DOMAIN = "Microsoft.EventGrid/domains"
DOMAIN_TOPIC = f"{DOMAIN}/topics"
WORDS = {"enabled": "Enabled", "disabled": "Disabled", "allow": "Allow"}
READ_ONLY = ("provisioningState", "endpoint", "metricResourceId", "privateEndpointConnections")


def as_accepted(making: Making) -> Document:
    """Write a topic or domain as accepted, in the recorded form: the endpoint is null until it is done."""
    body, before = making.body, making.before or {}
    old = before.get("properties", {})
    asked = {name: value for name, value in (body.get("properties") or {}).items() if name not in READ_ONLY}
    properties: Document = {"endpoint": old.get("endpoint"), **_written(asked)}
    if "metricResourceId" in old:
        properties["metricResourceId"] = old["metricResourceId"]
    document: Document = {"properties": properties}
    for name in ("sku", "identity", "kind", "extendedLocation"):
        if body.get(name) is not None:
            document[name] = _identity(making, body[name]) if name == "identity" else body[name]
    return {
        **document,
        "systemData": None,
        "location": location_of(body),
        "tags": checked(body["tags"]) if body.get("tags") is not None else None,
        "id": making.resource_id,
        "name": making.resource_id.rsplit("/", 1)[-1],
        "type": making.kind.type,
    }


def _identity(making: Making, identity: Document) -> Document:
    known = {name: value for name, value in identity.items() if name in ("type", "userAssignedIdentities")}
    return with_principal(making.world, making.resource_id, {**NO_IDENTITY, **known})


def _written(asked: Document) -> Document:
    """Write enum values as the service spells them (recorded: `disabled` comes back as `Disabled`)."""
    found = dict(asked)
    if "publicNetworkAccess" in found:
        found["publicNetworkAccess"] = WORDS.get(
            str(found["publicNetworkAccess"]).lower(), found["publicNetworkAccess"]
        )
    if found.get("inboundIpRules"):
        found["inboundIpRules"] = [
            {**rule, "action": WORDS.get(str(rule.get("action")).lower(), rule.get("action"))}
            for rule in found["inboundIpRules"]
        ]
    return found


def _finished(world: "World", document: Document, _at: float) -> Document:
    properties = document["properties"]
    host = f"{document['name']}.{document['location']}-1.eventgrid.azure.net"
    properties["endpoint"] = f"https://{host}/api/events"
    properties.setdefault("inputSchema", "EventGridSchema")
    properties.setdefault("metricResourceId", world.chance.guid_of(f"metric {document['id']}"))
    properties.setdefault("publicNetworkAccess", "Enabled")
    properties.setdefault("disableLocalAuth", False)
    properties.setdefault("dataResidencyBoundary", "WithinGeopair")
    return document


def keys(world: "World", call: "Call") -> Reply:
    """Answer the two keys."""
    return Reply.of(_keys(world, _owner(world, call)))


def new_key(world: "World", call: "Call") -> Reply:
    """Replace one key."""
    found, name = _owner(world, call), str(call.body().get("keyName", "")).lower()
    if name not in ("key1", "key2"):
        raise ArmError(400, "InvalidRequest", "The key name must be one of 'key1' and 'key2'.")
    found.notes = {**(found.notes or {}), name: int((found.notes or {}).get(name, 0)) + 1}
    world.store.touch(found, call.now)
    return Reply.of(_keys(world, found))


def _owner(world: "World", call: "Call") -> Resource:
    kind = call.route.action.rsplit("/", 2)[0]
    return world.resource(call.path.rsplit("/", 1)[0], kind)


def _keys(world: "World", held: Resource) -> Document:
    notes = held.notes or {}
    return {
        name: world.chance.guid_of(f"{name} {held.key} {notes.get(name, 0)}").replace("-", "") + "AZEG"
        for name in ("key1", "key2")
    }


def bare(making: Making) -> Document:
    """Write something without a place, tags or system data of its own."""
    asked = {name: value for name, value in (making.body.get("properties") or {}).items() if name not in READ_ONLY}
    document: Document = {"properties": asked, "id": making.resource_id, "type": making.kind.type}
    return {**document, "name": making.resource_id.rsplit("/", 1)[-1]}


def _kind(name: str, source: str, evidence: Evidence) -> Kind:
    return Kind(
        name, evidence, source, Versions("2018-01-01"), family=Family.EVENT_GRID, pace="event-grid", accept=as_accepted,
        changed=201, finish=_finished, list_evidence=evidence,
    )  # fmt: skip


_R, _S = Evidence.RECORDED, Evidence.SPECIFIED
_CLI = "azure-cli-2025-02/eventgrid/test_create_topic"
TOPICS = _kind(TOPIC, _CLI, _R)
DOMAINS = _kind(DOMAIN, "azure-sdk-for-python-2022-05/azure-mgmt-eventgrid/test_domain", _R)
DOMAIN_TOPICS = Kind(
    DOMAIN_TOPIC, _S, "EventGrid 2025-02-15 DomainTopics_CreateOrUpdate", Versions("2018-09-15"),
    family=Family.EVENT_GRID, pace="event-grid", accept=bare, has_location=False,
)  # fmt: skip


def key_routes(kind: str, evidence: Evidence) -> tuple[Route, ...]:
    """Return the routes that show a type's two keys and replace one."""
    at = template_of(kind)
    return (
        Route("POST", f"{at}/listKeys", f"{kind}/listKeys/action", keys, evidence, _CLI, TOPICS.versions),
        Route("POST", f"{at}/regenerateKey", f"{kind}/regenerateKey/action", new_key, evidence, _CLI, TOPICS.versions),
    )


ROUTES = (
    *serve(TOPICS),
    *serve(DOMAINS),
    *serve(DOMAIN_TOPICS),
    *key_routes(TOPIC, _R),
    *key_routes(DOMAIN, _S),
)
