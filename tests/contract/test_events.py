"""The contract of ports.Events, over the twin and over Microsoft's SDK against the simulator's custom topic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from shared.cloud.call import Calls
from shared.cloud.events import TopicEvents
from shared.cloud.identity import Identity
from shared.model.event import Event, Happening
from shared.ports import Events
from tests.contract.clouds import SimulatedClock
from tests.simulator.running import Running
from tests.world.stage import Stage

AT = datetime(2026, 11, 20, 2, 0, 1, 234567, tzinfo=UTC)
SUBJECT = "/subscriptions/s/resourcegroups/web/providers/microsoft.compute/virtualmachines/web-1"

Heard = Callable[[], list[tuple[str, str, str, dict[str, str]]]]


@pytest.fixture
def events(implementation: str, request: pytest.FixtureRequest) -> Iterator[Events]:
    if implementation == "twin":
        twins: Stage = request.getfixturevalue("twins")
        yield twins.world.events
        return
    running: Running = request.getfixturevalue("simulated")
    identity: Identity = request.getfixturevalue("identity")
    clock: SimulatedClock = request.getfixturevalue("simulator_clock")
    endpoint = f"{running.url}/api/events"
    with closing(TopicEvents(endpoint, identity, Calls(clock))) as told:
        yield told


@pytest.fixture
def heard(implementation: str, request: pytest.FixtureRequest) -> Heard:
    """What arrived, as id, type, subject and details."""
    if implementation == "twin":
        twins: Stage = request.getfixturevalue("twins")
        return lambda: [
            (event.id, event.type.value, event.subject, dict(event.details)) for event in twins.events.heard
        ]
    running: Running = request.getfixturevalue("simulated")

    def published() -> list[tuple[str, str, str, dict[str, str]]]:
        found = [one["event"] for one in running.control("GET", "events")["published"][before:]]
        return [(one["id"], one["eventType"], one["subject"], one["data"]) for one in found]

    before = len(running.control("GET", "events")["published"])
    return published


def event(id_: str, said: str = "why") -> Event:
    return Event(id_, Happening.DEGRADED, SUBJECT, AT, {"because": said, "vm": "Größe"})


def shown(one: Event) -> tuple[str, str, str, dict[str, str]]:
    return one.id, one.type.value, one.subject, dict(one.details)


def test_what_is_published_arrives_as_it_is(events: Events, heard: Heard) -> None:
    told = [event("a"), event("b")]
    events.publish(told)
    assert heard() == [shown(one) for one in told]


def test_telling_again_tells_the_same(events: Events, heard: Heard) -> None:
    events.publish([event("a")])
    events.publish([event("a")])
    assert heard() == [shown(event("a"))] * 2


def test_telling_nothing_is_nothing(events: Events, heard: Heard) -> None:
    events.publish([])
    assert heard() == []


def test_many_are_told_whatever_their_size(events: Events, heard: Heard) -> None:
    told = [event(str(number), "x" * 20_000) for number in range(40)]
    events.publish(told)
    assert heard() == [shown(one) for one in told]


def test_a_topic_takes_events_of_its_schema_from_those_who_have_a_token(simulated: Running) -> None:
    told = {"id": "a", "subject": "s", "eventType": "x", "eventTime": AT.isoformat(), "data": {}, "dataVersion": "1"}
    path = "/api/events?api-version=2018-01-01"
    assert simulated.ask("POST", path, [told]).status == 200
    assert simulated.ask("POST", path, [{"id": "a"}]).status == 400
    assert simulated.ask("POST", path, [told], Authorization="").status == 401
