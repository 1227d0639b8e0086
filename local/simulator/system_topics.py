"""System topics: where the events of a subscription or group come from, as Event Grid shows it in ARM."""

from typing import TYPE_CHECKING

from local.simulator.answers import Document, Reply
from local.simulator.event_grid import TOPIC, delete
from local.simulator.ids import key_of
from local.simulator.listing import listed
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.tagging import checked

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

NO_IDENTITY = {"type": "None", "principalId": None, "tenantId": None, "userAssignedIdentities": None}


def put(world: "World", call: "Call") -> Reply:
    """Create or change a system topic; done at once (recorded: 200)."""
    group, body = world.group(call["subscription"], call["group"]), call.body()
    found = world.store.get(key_of(call.path))
    asked = body.get("properties") or {}
    resource_id = found.id if found else f"{group.id}/providers/{TOPIC}/{call['topic']}"
    document: Document = {
        "properties": {
            "provisioningState": "Succeeded",
            "source": asked.get("source"),
            "topicType": asked.get("topicType"),
            "metricResourceId": world.chance.guid_of(f"metric {resource_id}"),
        },
        "systemData": None,
        **({"identity": {**NO_IDENTITY, **body["identity"]}} if body.get("identity") else {}),
        "location": body.get("location", "global"),
        "tags": checked(body["tags"]) if body.get("tags") is not None else None,
        "id": resource_id,
        "name": call["topic"],
        "type": TOPIC,
    }
    if found is None:
        world.store.create(resource_id, document, call.now)
    else:
        world.store.write(found, document, call.now)
    return Reply.of(document)


def patch(world: "World", call: "Call") -> Reply:
    """Change a system topic's tags or identity (200)."""
    found = world.resource(call.path, TOPIC)
    document = found.document()
    document.update({name: call.body()[name] for name in ("tags", "identity") if name in call.body()})
    world.store.write(found, document, call.now)
    return Reply.of(document)


def get(world: "World", call: "Call") -> Reply:
    """Answer one system topic."""
    return Reply(200, world.resource(call.path, TOPIC).body)


def every(world: "World", call: "Call") -> Reply:
    """List system topics in a group or subscription."""
    scope = world.subscription(call["subscription"]).key
    if "group" in call.names:
        scope = world.group(call["subscription"], call["group"]).key
    return listed(world, call, scope, TOPIC.lower())


_ALL = "/subscriptions/{subscription}/providers/Microsoft.EventGrid/systemTopics"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.EventGrid/systemTopics"
_ONE = _GROUP + "/{topic}"
_CLI = "azure-cli-2025-02/eventgrid/test_create_system_topic"
_SINCE, _R = Versions("2018-01-01"), Evidence.RECORDED

ROUTES = (
    Route("PUT", _ONE, f"{TOPIC}/write", put, _R, _CLI, _SINCE),
    Route("PATCH", _ONE, f"{TOPIC}/write", patch, _R, _CLI, _SINCE),
    Route("GET", _ONE, f"{TOPIC}/read", get, _R, _CLI, _SINCE),
    Route("DELETE", _ONE, f"{TOPIC}/delete", delete, _R, _CLI, _SINCE),
    Route("GET", _GROUP, f"{TOPIC}/read", every, _R, _CLI, _SINCE, lists=True),
    Route("GET", _ALL, f"{TOPIC}/read", every, _R, _CLI, _SINCE, lists=True),
)
