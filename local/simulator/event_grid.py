"""Event Grid's event subscriptions, on any scope and on system topics, in the recorded forms."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply, invalid
from local.simulator.ids import key_of, parse
from local.simulator.listing import listed
from local.simulator.lro import Family, Operation, Work
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

ON_SCOPE = "Microsoft.EventGrid/eventSubscriptions"
ON_TOPIC = "Microsoft.EventGrid/systemTopics/eventSubscriptions"
TOPIC = "Microsoft.EventGrid/systemTopics"
# Where a subscription may lie below what it is of; all but the first are custom.
OWNERS = (
    TOPIC,
    "Microsoft.EventGrid/topics",
    "Microsoft.EventGrid/domains",
    "Microsoft.EventGrid/domains/topics",
    "Microsoft.EventGrid/partnerTopics",
)
REGION = "centraluseuap"
# The types a subscription hears when it names none, by the type of its scope (recorded for storage, documented for
# subscriptions and groups); custom topics have none of their own.
DEFAULT_TYPES = {
    "": [
        f"Microsoft.Resources.Resource{verb}{end}"
        for verb in ("Write", "Delete", "Action")
        for end in ("Success", "Failure", "Cancel")
    ],
    "microsoft.storage/storageaccounts": ["Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobDeleted"],
}
KEPT = ("filter", "labels", "eventDeliverySchema", "retryPolicy", "deadLetterDestination", "expirationTimeUtc",
        "deliveryWithResourceIdentity", "deadLetterWithResourceIdentity")  # fmt: skip


def put(world: "World", call: "Call") -> Reply:
    """Create or replace a subscription (201); it works once the endpoint has shaken hands."""
    asked = call.body().get("properties") or {}
    found = world.store.get(key_of(call.path))
    owner = owner_of(call)
    topic = world.resource(call.path.rsplit("/", 2)[0], owner).id if owner else _scope(world, call["scope"])
    base = topic if owner else f"{topic}/providers/Microsoft.EventGrid"
    resource_id = found.id if found else f"{base}/eventSubscriptions/{call['name']}"
    properties = {name: asked[name] for name in KEPT if name in asked}
    properties["topic"] = topic if owner == TOPIC else _as_topic(topic)
    source = world.resource(topic, TOPIC).document()["properties"]["source"] if owner == TOPIC else topic
    default_types(properties, str(source))
    kind = f"{owner}/eventSubscriptions" if owner else ON_SCOPE
    document = subscription_document(resource_id, kind, properties)
    return _save(world, call, found, (resource_id, document), asked.get("destination"))


def _as_topic(resource_id: str) -> str:
    """Write a resource's id as subscriptions name what they are of: namespace and types in small letters (recorded)."""
    above, mark, below = resource_id.partition("/providers/")
    words = below.split("/")
    return above + mark + "/".join(word if at and at % 2 == 0 else word.lower() for at, word in enumerate(words))


def owner_of(call: "Call") -> str:
    """Return the type a subscription lies below; empty where it extends a scope."""
    return "" if "scope" in call.names else call.route.action.split("/eventSubscriptions/", 1)[0]


def patch(world: "World", call: "Call") -> Reply:
    """Change a subscription (201, recorded)."""
    found = _found(world, call) if "scope" in call.names else world.resource(call.path, ON_SCOPE)
    asked = call.body()
    document = found.document()
    document["properties"].update({name: asked[name] for name in KEPT if name in asked})
    return _save(world, call, found, (found.id, document), asked.get("destination"))


def _save(
    world: "World", call: "Call", found: Resource | None, new: tuple[str, Document], destination: Document | None
) -> Reply:
    resource_id, document = new
    notes = dict((found.notes if found else None) or {})
    if destination is not None:
        notes = {**notes, **_notes(destination), "validated": False}
        document["properties"]["destination"] = shown(destination)
    elif "destination" not in document["properties"]:
        raise invalid("The destination is missing.", "destination")
    notes["schema"] = document["properties"].get("eventDeliverySchema", "EventGridSchema")
    document["properties"]["provisioningState"] = "Updating" if found else "Creating"
    if found is None:
        held = world.store.create(resource_id, document, call.now, notes=notes)
    else:
        held, held_notes = found, notes
        held.notes = held_notes
        world.store.write(held, document, call.now)
    shake = not notes.get("validated")
    place = world.place_of(held, REGION)
    work = Work("event-subscription.put", Family.EVENT_GRID, held, place, "event-grid", {}, waits=shake)
    operation = world.operations.begin(call, work)
    if shake and operation.fate == "succeed":
        world.events.greet(held, operation.id)
    return accepted(call, operation, 201, document, location=False)


def subscription_document(resource_id: str, kind: str, properties: Document) -> Document:
    """Write a subscription's first document in the recorded order."""
    filled = dict(properties)
    filled.setdefault("labels", None)
    filled.setdefault("filter", {})
    if filled["filter"].get("isSubjectCaseSensitive") is False:
        filled["filter"] = {name: value for name, value in filled["filter"].items() if name != "isSubjectCaseSensitive"}
    filled.setdefault("retryPolicy", {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440})
    name = resource_id.rsplit("/", 1)[-1]
    return {"properties": filled, "systemData": None, "id": resource_id, "name": name, "type": kind}


def default_types(properties: Document, source: str) -> None:
    """Name the event types a filter leaves out."""
    wanted = DEFAULT_TYPES.get(parse(source).type.lower())
    if wanted and not (properties.get("filter") or {}).get("includedEventTypes"):
        properties["filter"] = {**(properties.get("filter") or {}), "includedEventTypes": list(wanted)}


def finished_document(document: Document) -> Document:
    """Fill in the defaults that appear after success (recorded)."""
    properties = document["properties"]
    properties["provisioningState"] = "Succeeded"
    inner = properties["destination"].setdefault("properties", {})
    if properties["destination"].get("endpointType") in ("WebHook", "AzureFunction"):
        inner.setdefault("maxEventsPerBatch", 1)
        inner.setdefault("preferredBatchSizeInKilobytes", 64)
    properties["filter"] = {"subjectBeginsWith": "", "subjectEndsWith": "", **properties["filter"]}
    properties.setdefault("eventDeliverySchema", "EventGridSchema")
    return document


def _notes(destination: Document) -> Document:
    inner = destination.get("properties") or {}
    return {"endpointUrl": inner.get("endpointUrl") or inner.get("resourceId") or ""}


def shown(destination: Document) -> Document:
    """Hide the query of a webhook: the address comes back as endpointBaseUrl only (recorded)."""
    if destination.get("endpointType") != "WebHook":
        return destination
    inner = dict(destination.get("properties") or {})
    url = urlsplit(str(inner.get("endpointUrl", "")))
    shown = {"endpointUrl": None, "endpointBaseUrl": urlunsplit((url.scheme, url.netloc, url.path, "", ""))}
    return {"properties": {**inner, **shown}, "endpointType": "WebHook"}


def finish_put(world: "World", operation: Operation, at: float) -> None:
    """Bring a subscription to `Succeeded`."""
    found = world.store.get(operation.target)
    if found is not None:
        world.store.write(found, finished_document(found.document()), at)


def _scope(world: "World", scope: str) -> str:
    parts = scope.strip("/").split("/")
    if len(parts) == 2:
        return world.subscription(parts[1]).id
    if len(parts) == 4:
        return world.group(parts[1], parts[3]).id
    return scope


def _found(world: "World", call: "Call") -> Resource:
    found = world.store.get(key_of(call.path.removesuffix("/getFullUrl")))
    if found is None:
        name = call["name"]
        raise ArmError(404, "ResourceNotFound", f"The event subscription '{name}' could not be found.")
    return found


def get(world: "World", call: "Call") -> Reply:
    """Answer one subscription."""
    return Reply(200, _found(world, call).body)


def full_url(world: "World", call: "Call") -> Reply:
    """Answer the endpoint with its query."""
    found = world.store.get(key_of(call.path.rsplit("/", 1)[0]))
    if found is None:
        raise ArmError(404, "ResourceNotFound", f"The event subscription '{call['name']}' could not be found.")
    return Reply.of({"endpointUrl": (found.notes or {}).get("endpointUrl")})


def delivery_attributes(world: "World", call: "Call") -> Reply:
    """Answer the headers that deliveries carry."""
    found = world.store.get(key_of(call.path.rsplit("/", 1)[0]))
    if found is None:
        raise ArmError(404, "ResourceNotFound", f"The event subscription '{call['name']}' could not be found.")
    destination = found.document()["properties"].get("destination") or {}
    return Reply.of({"value": (destination.get("properties") or {}).get("deliveryAttributeMappings") or []})


def at_scope(world: "World", call: "Call") -> Reply:
    """List the subscriptions of a scope."""
    owner = owner_of(call)
    if owner:
        parent = world.resource(call.path.rsplit("/", 1)[0], owner)
        return listed(world, call, parent.key, f"{owner}/eventSubscriptions".lower())
    return listed(world, call, key_of(call["scope"]), ON_SCOPE.lower())


def delete(world: "World", call: "Call") -> Reply:
    """Accept a removal (202)."""
    found = world.store.get(key_of(call.path))
    if found is None:
        return Reply(204)
    work = Work("event-grid.delete", Family.EVENT_GRID, found, world.place_of(found, REGION), "event-grid.delete", {})
    return accepted(call, world.operations.begin(call, work), 202, None, location=True)


def finish_delete(world: "World", operation: Operation, at: float) -> None:
    """Remove it."""
    found = world.store.get(operation.target)
    if found is not None:
        world.store.remove(found, at)


_ON = "{scope}/providers/Microsoft.EventGrid/eventSubscriptions"
_GRID = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.EventGrid"
_AT = {
    TOPIC: f"{_GRID}/systemTopics/{{topic}}",
    OWNERS[1]: f"{_GRID}/topics/{{topic}}",
    OWNERS[2]: f"{_GRID}/domains/{{domain}}",
    OWNERS[3]: f"{_GRID}/domains/{{domain}}/topics/{{topic}}",
    OWNERS[4]: f"{_GRID}/partnerTopics/{{topic}}",
}
_CLI = "azure-cli-2025-02/eventgrid/test_create_event_subscriptions_with_filters"
_CLI_TOPIC = "azure-cli-2025-02/eventgrid/test_create_system_topic"
_SINCE, _R = Versions("2018-01-01"), Evidence.RECORDED


def _subscription_routes(at: str, kind: str, source: str, evidence: Evidence = _R) -> tuple[Route, ...]:
    one = at + "/{name}"
    return (
        Route("PUT", one, f"{kind}/write", put, evidence, source, _SINCE),
        Route("PATCH", one, f"{kind}/write", patch, evidence, source, _SINCE),
        Route("GET", one, f"{kind}/read", get, evidence, source, _SINCE),
        Route("DELETE", one, f"{kind}/delete", delete, evidence, source, _SINCE),
        Route("GET", at, f"{kind}/read", at_scope, evidence, source, _SINCE, lists=True),
        Route("POST", one + "/getFullUrl", f"{kind}/getFullUrl/action", full_url, evidence, source, _SINCE),
        Route("POST", one + "/getDeliveryAttributes", f"{kind}/getDeliveryAttributes/action", delivery_attributes,
              Evidence.SPECIFIED, "EventGrid 2025-02-15 EventSubscriptions_GetDeliveryAttributes", _SINCE),
    )  # fmt: skip


_SOURCES = {
    TOPIC: (_CLI_TOPIC, _R),
    OWNERS[1]: ("azure-cli-2025-02/eventgrid/test_create_topic", _R),
    OWNERS[2]: ("EventGrid 2025-02-15 DomainEventSubscriptions_CreateOrUpdate", Evidence.SPECIFIED),
    OWNERS[3]: ("EventGrid 2025-02-15 DomainTopicEventSubscriptions_CreateOrUpdate", Evidence.SPECIFIED),
    OWNERS[4]: ("EventGrid 2025-02-15 PartnerTopicEventSubscriptions_CreateOrUpdate", Evidence.SPECIFIED),
}
ROUTES = (
    *_subscription_routes(_ON, ON_SCOPE, _CLI),
    *(
        route
        for owner in OWNERS
        for route in _subscription_routes(
            f"{_AT[owner]}/eventSubscriptions", f"{owner}/eventSubscriptions", *_SOURCES[owner]
        )
    ),
)
FINISHERS = {"event-subscription.put": finish_put, "event-grid.delete": finish_delete}
