"""The data plane of a custom topic: events are published to `/api/events` of the topic's host, by whoever has a token.

What arrives is shown by `GET /_sim/events`, under the name that the host begins with. Nothing is delivered from here.
"""

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local.simulator.answers import ArmError, Reply
from local.simulator.clock import iso
from local.simulator.routing import Evidence, Route, Versions

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

MOST_BYTES = 1024 * 1024
NEEDED = frozenset({"id", "subject", "eventType", "eventTime", "data", "dataVersion"})
NEEDED_OF_CLOUD_EVENTS = frozenset({"id", "source", "type", "specversion"})


def publish(world: "World", call: "Call") -> Reply:
    """Take a batch in the Event Grid schema, or cloud events; a batch with a bad event is refused whole."""
    if len(call.raw) > MOST_BYTES:
        message = f"The maximum size ({MOST_BYTES}) has been exceeded."
        raise ArmError(413, "RequestEntityTooLarge", message)
    events = json.loads(call.raw)
    batch = events if isinstance(events, list) else [events]
    for event in batch:
        needed = NEEDED_OF_CLOUD_EVENTS if "specversion" in event else NEEDED
        missing = sorted(needed - event.keys())
        if missing:
            message = f"This resource is configured to receive event in another schema: {missing[0]} is missing."
            raise ArmError(400, "BadRequest", message)
    topic = (urlsplit(call.base_url).hostname or "").split(".")[0]
    world.events.published.extend({"topic": topic, "at": iso(call.now), "event": event} for event in batch)
    return Reply(200)


ROUTES = (
    Route("POST", "/api/events", "Microsoft.EventGrid/events/send/action", publish, Evidence.DOCUMENTED,
          "azure-eventgrid 4.22 EventGridPublisherClient.send; post to custom topics", Versions("2018-01-01"),
          open_to_all=True),
)  # fmt: skip
