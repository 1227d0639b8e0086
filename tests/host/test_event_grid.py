"""The Event Grid webhook: handshakes, notifications, keys."""

import json
from typing import Any

import pytest

from tests.host.harness import HostProcess, Store


def event(number: str, subject: str = "fine") -> dict[str, Any]:
    return {
        "id": number,
        "topic": "/t",
        "subject": subject,
        "eventType": "T",
        "eventTime": "2026-11-20T02:00:00.1234567Z",
        "data": {"a": [1]},
        "dataVersion": "1",
    }


def test_every_event_of_a_delivery_is_run_and_accepted(host: HostProcess, store: Store) -> None:
    assert host.events("on_event", [event("e1"), event("e2")]).status == 202
    lines = {line["event"]: line for line in store.lines_until(lambda line: line.get("event")) if "event" in line}
    while len(lines) < 2:
        lines |= {line["event"]: line for line in store.lines_until(lambda line: line.get("event")) if "event" in line}
    assert set(lines) == {"e1", "e2"}
    assert lines["e1"]["data"] == {"a": [1]}
    assert lines["e1"]["time"] == "2026-11-20 02:00:00.123456+00:00"


def test_a_single_object_is_one_event(host: HostProcess, store: Store) -> None:
    assert host.events("on_event", event("single")).status == 202
    assert store.seen(event="single")


def test_one_failure_fails_the_delivery_though_the_others_ran(host: HostProcess, store: Store) -> None:
    answer = host.events("on_event", [event("good-one"), event("bad-one", "bad")])
    assert answer.status == 500
    assert answer.text == "Exception while executing function: Functions.on_event"
    assert store.seen(event="good-one")


def test_a_validation_is_answered_with_its_code(host: HostProcess) -> None:
    asked = [{"id": "1", "data": {"validationCode": "abc"}}]
    assert host.events("on_event", asked, "SubscriptionValidation").json == {"validationResponse": "abc"}
    cloud = {"id": "1", "data": json.dumps({"validationCode": "def"})}
    assert host.events("on_event", cloud, "SubscriptionValidation").json == {"validationResponse": "def"}


@pytest.mark.parametrize(("kind", "status"), [("Unsubscribe", 202), ("Other", 400), ("", 400), ("notification", 500)])
def test_the_kind_of_request_decides(host: HostProcess, kind: str, status: int) -> None:
    assert host.events("on_event", b"not json", kind).status == status


def test_cloud_events_handshake_echoes_a_known_origin_only(host: HostProcess) -> None:
    path = f"/runtime/webhooks/eventgrid?functionName=on_event&code={host.keys['eventgrid_extension']}"
    for asked, given in (("eventgrid.azure.us", "eventgrid.azure.us"), ("evil.example", "eventgrid.azure.net")):
        answer = host.call(path, "OPTIONS", None, {"WebHook-Request-Origin": asked})
        assert (answer.status, answer.headers["Webhook-Allowed-Origin"]) == (200, given)


@pytest.mark.parametrize("name", ["nobody", "ON_EVENT", "on_work", ""])
def test_a_function_that_does_not_take_events_is_not_found(host: HostProcess, name: str) -> None:
    answer = host.events(name, [event("1")])
    assert (answer.status, answer.text) == (404, f"cannot find function: '{name}'")


@pytest.mark.parametrize(
    ("key", "status"), [("eventgrid_extension", 202), ("master", 202), ("default", 401), ("wrong", 401), (None, 401)]
)
def test_the_system_key_or_the_master_key_is_needed(host: HostProcess, key: str | None, status: int) -> None:
    code = "" if key is None else f"&code={host.keys.get(key, 'wrong')}"
    path = f"/runtime/webhooks/eventgrid?functionName=on_event{code}"
    assert host.call(path, "POST", [], {"aeg-event-type": "Notification"}).status == status
