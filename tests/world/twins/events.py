"""The twin of ports.Events: a topic that remembers everything it was told, in order."""

from __future__ import annotations

from collections.abc import Sequence

from shared.model.event import Event
from tests.world.steps import Call, Effect, Steps
from tests.world.twins.witness import Witness


class EventsTwin:
    """The custom topic."""

    def __init__(self, steps: Steps, witness: Witness) -> None:
        self._steps = steps
        self._witness = witness
        self.heard: list[Event] = []

    def publish(self, events: Sequence[Event]) -> None:
        call = Call("topic", "events.publish", Effect.WRITE, subject=str(len(events)))
        self._steps.before(call)
        self.heard += events
        self._witness.events_published(events)
        self._steps.after(call)
