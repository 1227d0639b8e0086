"""Resource events: made when ARM sees a write, delete or action end, matched to subscriptions, entered for delivery.

The courier carries them; this module never talks to an endpoint.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from local.simulator.answers import Document
from local.simulator.clock import iso
from local.simulator.event_filters import wants
from local.simulator.faults import ON_EVENTS, Fault
from local.simulator.ids import is_within, key_of
from local.simulator.schedule import Happening
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.world import World

SUBSCRIBED = ("microsoft.eventgrid/eventsubscriptions", "microsoft.eventgrid/systemtopics/eventsubscriptions")
SUFFIX = {"Succeeded": "Success", "Failed": "Failure", "Canceled": "Cancel"}
DELAYED_SECONDS = 3600.0
REORDERED_SECONDS = 120.0


@dataclass(slots=True)
class Delivery:
    """One event on its way to one subscription."""

    id: str
    subscription: str
    endpoint: str
    event: Document
    due: float
    born: float
    state: str = "pending"
    attempts: list[Document] = field(default_factory=list)


class Events:
    """Subscriptions, deliveries, and what was published to custom topics."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.subscriptions: dict[str, Resource] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.published: list[Document] = []
        self.codes: dict[str, str] = {}
        self.send: Callable[[Delivery], None] = lambda _delivery: None
        self.greet: Callable[[Resource, str], None] = lambda _subscription, _operation: None
        world.schedule.fire["delivery"] = self._fire
        world.store.listeners.append(self._changed)
        for key, record in world.journal.recall("delivery"):
            self.deliveries[key] = Delivery(**record)

    def _changed(self, resource: Resource, _at: float) -> None:
        if resource.type in SUBSCRIBED:
            if resource.gone is None:
                self.subscriptions[resource.key] = resource
            else:
                self.subscriptions.pop(resource.key, None)

    def raise_event(self, notice: Document, status: str, at: float) -> None:
        """Make the event of a finished call and enter its deliveries."""
        said = dict(notice)
        verb = said.pop("verb")
        event = {
            "id": self._world.chance.guid(),
            "topic": "",
            "subject": said["resourceUri"],
            "eventType": f"Microsoft.Resources.Resource{verb}{SUFFIX[status]}",
            "eventTime": iso(at),
            "data": {**said, "status": status},
            "dataVersion": "2",
            "metadataVersion": "1",
        }
        key = key_of(said["resourceUri"])
        for subscription in list(self.subscriptions.values()):
            scope = self.scope_of(subscription)
            properties = subscription.document()["properties"]
            if is_within(key, scope) and wants(properties.get("filter") or {}, event):
                self._enter(subscription, {**event, "topic": properties["topic"]}, at)

    def scope_of(self, subscription: Resource) -> str:
        """Return the scope whose events a subscription hears."""
        scope = subscription.key.rsplit("/providers/microsoft.eventgrid/", 1)[0]
        if subscription.type == SUBSCRIBED[1]:
            topic = self._world.store.get(subscription.key.rsplit("/eventsubscriptions/", 1)[0])
            scope = key_of(topic.document()["properties"]["source"]) if topic else scope
        return scope

    def _enter(self, subscription: Resource, event: Document, at: float) -> None:
        fault = self._world.faults.strike({"event": event["eventType"], "resource": event["subject"]}, ON_EVENTS, at)
        effect = fault.effect.get("events") if fault else None
        if effect == "drop":
            self._keep(subscription, event, at, "dropped by a fault rule")
            return
        for copy in range(2 if effect == "duplicate" else 1):
            lag = 0.3 + 1.7 * self._world.chance.share(f"event {event['id']} {copy}")
            if fault is not None and effect in ("delay", "reorder"):
                lag += self._extra(fault, event)
            self._schedule(self._keep(subscription, event, at + lag, "pending"))

    def _extra(self, fault: Fault, event: Document) -> float:
        if fault.effect["events"] == "delay":
            return float(fault.effect.get("delay_s", DELAYED_SECONDS))
        return REORDERED_SECONDS * self._world.chance.share(f"reorder {event['id']}")

    def _keep(self, subscription: Resource, event: Document, due: float, state: str) -> Delivery:
        endpoint = str((subscription.notes or {}).get("endpointUrl", ""))
        delivery = Delivery(self._world.chance.guid(), subscription.key, endpoint, event, due, due, state)
        self.deliveries[delivery.id] = delivery
        return delivery

    def _schedule(self, delivery: Delivery) -> None:
        self._world.schedule.enter(delivery.due, "delivery", delivery.id)
        self.save(delivery)

    def again(self, delivery: Delivery, due: float) -> None:
        """Enter another attempt."""
        delivery.due = due
        self._schedule(delivery)

    def save(self, delivery: Delivery) -> None:
        """Keep a delivery that is not done, forget one that is."""
        if self._world.journal.keeps():
            kept = asdict(delivery) if delivery.state == "pending" else None
            self._world.journal.put("delivery", delivery.id, kept)

    def _fire(self, happening: Happening) -> None:
        delivery = self.deliveries.get(happening.target)
        if delivery is not None and delivery.state == "pending":
            self.send(delivery)

    def shown(self) -> Document:
        """Return what the control route answers."""
        return {
            "deliveries": [_shown(delivery) for delivery in self.deliveries.values()],
            "published": list(self.published),
        }


def _shown(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "subscription": delivery.subscription,
        "endpoint": delivery.endpoint,
        "event": delivery.event,
        "state": delivery.state,
        "due": iso(delivery.due),
        "attempts": delivery.attempts,
    }
