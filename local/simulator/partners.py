"""Partner events of Event Grid: registrations, namespaces with channels, the topics they make, who is authorized.

Specified, not recorded. A channel makes its partner topic in the group it names; no partner publishes anything here.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from local.simulator import tracked
from local.simulator.answers import ArmError, Document, Reply
from local.simulator.clock import iso
from local.simulator.ids import key_of
from local.simulator.kinds import Accept, Finish, Kind, Making, Show, as_held, unchanged
from local.simulator.lro import Family
from local.simulator.routing import Evidence, Handler, Route, Versions
from local.simulator.store import Resource
from local.simulator.topics import as_accepted, bare, key_routes
from local.simulator.tracked import serve, template_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

GRID = "Microsoft.EventGrid"
REGISTRATION, CONFIGURATION = f"{GRID}/partnerRegistrations", f"{GRID}/partnerConfigurations"
NAMESPACE, TOPIC = f"{GRID}/partnerNamespaces", f"{GRID}/partnerTopics"
CHANNEL = f"{NAMESPACE}/channels"
DAY = 86400.0
UNTOUCHED_DAYS = 7  # a topic nobody activates goes (specified: expirationTimeIfNotActivatedUtc)


def _without_endpoint(making: Making) -> Document:
    document = as_accepted(making)
    document["properties"].pop("endpoint", None)
    return document


def _registered(world: "World", document: Document, _at: float) -> Document:
    number = world.chance.guid_of(f"partner {key_of(document['id'])}")
    document["properties"].setdefault("partnerRegistrationImmutableId", number)
    return document


def _spoken_to(_world: "World", document: Document, _at: float) -> Document:
    properties = document["properties"]
    host = f"{document['name']}.{document['location']}-1.eventgrid.azure.net"
    properties["endpoint"] = f"https://{host}/api/events"
    properties.setdefault("partnerTopicRoutingMode", "SourceEventAttribute")
    properties.setdefault("publicNetworkAccess", "Enabled")
    properties.setdefault("disableLocalAuth", False)
    return document


def _topic(making: Making) -> Document:
    document = _without_endpoint(making)
    old = (making.before or {}).get("properties", {})
    document["properties"]["activationState"] = old.get("activationState", "NeverActivated")
    return document


def _topic_made(_world: "World", document: Document, _at: float) -> Document:
    document["properties"]["provisioningState"] = "Succeeded"
    return document


def _channel(making: Making) -> Document:
    document = bare(making)
    wanted = document["properties"].get("partnerTopicInfo") or {}
    missing = [name for name in ("azureSubscriptionId", "resourceGroupName", "name") if not wanted.get(name)]
    if missing:
        raise ArmError(400, "InvalidRequest", f"The channel's partnerTopicInfo lacks {', '.join(missing)}.")
    making.world.group(str(wanted["azureSubscriptionId"]), str(wanted["resourceGroupName"]))
    end = iso(making.call.now + UNTOUCHED_DAYS * DAY)
    document["properties"].setdefault("channelType", "PartnerTopic")
    document["properties"].setdefault("expirationTimeIfNotActivatedUtc", end)
    return document


def _channel_made(world: "World", document: Document, at: float) -> Document:
    """Let the topic that subscribers see appear in their group."""
    properties = document["properties"]
    wanted = properties["partnerTopicInfo"]
    group = world.group(str(wanted["azureSubscriptionId"]), str(wanted["resourceGroupName"]))
    topic_id = f"{group.id}/providers/{TOPIC}/{wanted['name']}"
    parent = world.store.get(key_of(document["id"].rsplit("/", 2)[0]))
    held = world.store.get(key_of(topic_id))
    if held is None and parent is not None:
        namespace = parent.document()
        world.store.create(topic_id, _topic_for(world, topic_id, namespace, properties), at)
    properties |= {"readinessState": _state(held), "provisioningState": "Succeeded"}
    return document


def _topic_for(world: "World", topic_id: str, namespace: Document, channel: Document) -> Document:
    registration = world.store.get(key_of(str(namespace["properties"].get("partnerRegistrationFullyQualifiedId", ""))))
    number = registration.document()["properties"].get("partnerRegistrationImmutableId") if registration else None
    wanted = channel["partnerTopicInfo"]
    properties = {
        "source": wanted.get("source"),
        "provisioningState": "Succeeded",
        "activationState": "NeverActivated",
        "partnerRegistrationImmutableId": number,
        "expirationTimeIfNotActivatedUtc": channel["expirationTimeIfNotActivatedUtc"],
        **({"eventTypeInfo": wanted["eventTypeInfo"]} if wanted.get("eventTypeInfo") else {}),
        **({"messageForActivation": channel["messageForActivation"]} if channel.get("messageForActivation") else {}),
    }
    head = {"location": namespace["location"], "tags": None, "id": topic_id, "name": wanted["name"], "type": TOPIC}
    return {"properties": properties, "systemData": None, **head}


def _state(topic: Resource | None) -> str:
    activated = topic is not None and topic.document()["properties"].get("activationState") == "Activated"
    return "Activated" if activated else "NeverActivated"


def _channel_shown(world: "World", held: Resource, _call: "Call") -> Document:
    document = held.document()
    wanted = document["properties"]["partnerTopicInfo"]
    group = f"/subscriptions/{wanted['azureSubscriptionId']}/resourceGroups/{wanted['resourceGroupName']}"
    topic = world.store.get(key_of(f"{group}/providers/{TOPIC}/{wanted['name']}"))
    document["properties"]["readinessState"] = _state(topic)
    return document


def change_channel(world: "World", call: "Call") -> Reply:
    """Change a channel; nothing is answered but that it was (specified)."""
    tracked.patch(CHANNELS, world, call)
    return Reply(200)


def activate(world: "World", call: "Call") -> Reply:
    """Let a partner topic hear its partner, or stop it."""
    found = world.resource(call.path.rsplit("/", 1)[0], TOPIC)
    document = found.document()
    on = call.path.lower().endswith("/activate")
    document["properties"]["activationState"] = "Activated" if on else "Deactivated"
    world.store.write(found, document, call.now)
    return Reply.of(document)


def authorize(world: "World", call: "Call") -> Reply:
    """Put a partner on the list of those who may make topics here, or take it off."""
    found = world.resource(call.path.rsplit("/", 1)[0], CONFIGURATION)
    document, partner = found.document(), call.body()
    own = ("partnerRegistrationImmutableId", "partnerName")
    if not any(partner.get(name) for name in own):
        raise ArmError(400, "InvalidRequest", "A partner is named by its registration's immutable id or its name.")
    kept = document["properties"].setdefault("partnerAuthorization", {})
    others = [
        each
        for each in kept.get("authorizedPartnersList") or []
        if not any(partner.get(name) and partner[name] == each.get(name) for name in own)
    ]
    on = call.path.lower().endswith("/authorizepartner")
    kept["authorizedPartnersList"] = [*others, partner] if on else others
    world.store.write(found, document, call.now)
    return Reply.of(document)


def verified(_world: "World", _call: "Call") -> Reply:
    """List the partners that Microsoft verified: none is simulated."""
    return Reply.of({"value": []})


_S, _SINCE = Evidence.SPECIFIED, Versions("2020-04-01")
AT_ONCE: Document = {"family": None, "deletion": Family.EVENT_GRID}  # only their removal takes time
_ROW = Kind("", _S, "", _SINCE, family=Family.EVENT_GRID, pace="event-grid", changed=201)


def _row(name: str, accept: Accept, finish: Finish = unchanged, show: Show = as_held) -> Kind:
    source = f"EventGrid 2025-02-15 {name.rsplit('/', 1)[-1][:1].upper()}{name.rsplit('/', 1)[-1][1:]}_CreateOrUpdate"
    return replace(_ROW, type=name, source=source, accept=accept, finish=finish, show=show)


REGISTRATIONS = replace(_row(REGISTRATION, _without_endpoint, _registered), created=202, changed=202, patched=201)
NAMESPACES = _row(NAMESPACE, as_accepted, _spoken_to)
CHANNELS = replace(_row(CHANNEL, _channel, _channel_made, _channel_shown), has_location=False, changed=200, **AT_ONCE)
TOPICS = replace(_row(TOPIC, _topic, _topic_made), changed=200, **AT_ONCE)
CONFIGURATIONS = _row(CONFIGURATION, _without_endpoint)


def _post(at: str, kind: str, name: str, handler: Handler, operation: str) -> Route:
    source = f"EventGrid 2025-02-15 {operation}"
    return Route("POST", f"{at}/{name}", f"{kind}/{name}/action", handler, _S, source, _SINCE)


_AT_TOPIC, _AT_CONFIGURATION = template_of(TOPIC), template_of(CONFIGURATION)
ROUTES = (
    *serve(REGISTRATIONS),
    *serve(NAMESPACES),
    *key_routes(NAMESPACE, _S),
    *(route for route in serve(CHANNELS) if route.method != "PATCH"),
    Route("PATCH", template_of(CHANNEL), f"{CHANNEL}/write", change_channel, _S, "EventGrid 2025-02-15 Channels_Update",
          _SINCE),
    *serve(TOPICS),
    *serve(CONFIGURATIONS),
    _post(_AT_TOPIC, TOPIC, "activate", activate, "PartnerTopics_Activate"),
    _post(_AT_TOPIC, TOPIC, "deactivate", activate, "PartnerTopics_Deactivate"),
    _post(_AT_CONFIGURATION, CONFIGURATION, "authorizePartner", authorize, "PartnerConfigurations_AuthorizePartner"),
    _post(_AT_CONFIGURATION, CONFIGURATION, "unauthorizePartner", authorize,
          "PartnerConfigurations_UnauthorizePartner"),
    Route("GET", f"/providers/{GRID}/verifiedPartners", f"{GRID}/verifiedPartners/read", verified, _S,
          "EventGrid 2025-02-15 VerifiedPartners_List", _SINCE, lists=True, open_to_all=True),
)  # fmt: skip
