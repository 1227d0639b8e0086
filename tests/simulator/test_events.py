"""Event Grid: subscriptions and their handshake, what raises an event, filters, delivery, retry and faults."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.hearing import Heard, Webhook, listening, until
from tests.simulator.running import COMPUTE, GROUP, SEED, SUBSCRIPTION, Running, inside, snapshot_body, snapshot_path

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
PATH = f"{SCOPE}/providers/Microsoft.EventGrid/eventSubscriptions/watch"
VM = f"{COMPUTE}/virtualMachines/vm1"
TAGS = f"{VM}/providers/Microsoft.Resources/tags/default"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with listening() as found:
        yield found


def subscribe(sim: Running, webhook: Webhook, path: str = PATH, **properties: Any) -> None:
    destination = {"endpointType": "WebHook", "properties": {"endpointUrl": webhook.url}}
    answer = sim.ask("PUT", path, {"properties": {"destination": destination, **properties}})
    assert answer.status == 201, answer
    operation = answer.headers["azure-asyncoperation"]
    until(lambda: sim.ask("GET", operation).body["status"] != "InProgress")


def delivered(sim: Running, webhook: Webhook, count: int, seconds: float = 5.0) -> list[Heard]:
    """Let time pass until so many notifications came; return them."""
    sim.advance(seconds)
    until(lambda: len(webhook.notified) >= count and not sim.control("GET", "clock")["busy"])
    return webhook.notified


def kinds(heard: list[Heard]) -> list[str]:
    return [event["data"]["operationName"] for one in heard for event in one.body]


def test_a_subscription_is_created_by_a_handshake_and_hides_its_secret(sim: Running, webhook: Webhook) -> None:
    subscribe(sim, webhook)
    assert webhook.heard[0].headers["aeg-event-type"] == "SubscriptionValidation"
    assert webhook.heard[0].body[0]["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent"
    properties = sim.ask("GET", PATH).body["properties"]
    assert properties["provisioningState"] == "Succeeded"
    inner = properties["destination"]["properties"]
    assert inner["endpointUrl"] is None
    assert inner["endpointBaseUrl"] == webhook.url.split("?")[0]
    assert (inner["maxEventsPerBatch"], properties["eventDeliverySchema"]) == (1, "EventGridSchema")
    assert sim.ask("POST", PATH + "/getFullUrl").body == {"endpointUrl": webhook.url}
    assert [item["name"] for item in sim.ask("GET", PATH.rsplit("/", 1)[0]).body["value"]] == ["watch"]


def test_a_subscription_whose_endpoint_does_not_answer_the_code_is_not_made(sim: Running, webhook: Webhook) -> None:
    webhook.validates = False
    subscribe(sim, webhook)
    assert sim.ask("GET", PATH).status == 404


def test_a_write_is_told_with_who_did_what_to_which_resource(sim: Running, webhook: Webhook) -> None:
    subscribe(sim, webhook)
    sim.ask("PUT", f"{GROUP}-new", {"location": "westeurope"}, principal="ann")
    heard = [one for one in delivered(sim, webhook, 2) if kinds([one])[0].endswith("resourceGroups/write")]
    (event,) = heard[0].body
    assert event["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert event["topic"] == SCOPE
    assert event["subject"] == f"{SCOPE}/resourcegroups/web-new"
    data = event["data"]
    assert (data["status"], data["subscriptionId"], data["resourceProvider"]) == (
        "Succeeded",
        SUBSCRIPTION,
        "Microsoft.Resources",
    )
    assert data["httpRequest"]["method"] == "PUT"
    assert data["claims"]["http://schemas.microsoft.com/identity/claims/objectidentifier"] == "ann"
    assert (event["dataVersion"], event["metadataVersion"]) == ("2", "1")
    assert heard[0].headers["aeg-subscription-name"] == "WATCH"
    assert heard[0].headers["aeg-delivery-count"] == "0"


def test_an_asynchronous_write_is_told_when_it_ends_and_its_implicit_disks_are_not(
    sim: Running, webhook: Webhook
) -> None:
    subscribe(sim, webhook, filter={"subjectBeginsWith": f"{SCOPE}/resourceGroups/web/"})
    body = {
        "location": "westeurope",
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {
                "osDisk": {"createOption": "FromImage"},
                "dataDisks": [{"lun": 0, "diskSizeGB": 4, "createOption": "Empty"}],
            },
        },
    }
    sim.ask("PUT", f"{COMPUTE}/virtualMachines/vm2", body)
    sim.advance(0.5)
    assert webhook.notified == []
    heard = delivered(sim, webhook, 1, 120)
    assert kinds(heard) == ["Microsoft.Compute/virtualMachines/write"]
    disks = sim.ask("GET", f"{GROUP}/providers/Microsoft.Compute/disks").body["value"]
    assert len([disk for disk in disks if disk.get("managedBy", "").endswith("vm2")]) == 2


def test_the_tags_api_is_told_under_its_own_name_and_not_as_a_machines_write(sim: Running, webhook: Webhook) -> None:
    subscribe(sim, webhook, filter={"subjectBeginsWith": f"{SCOPE}/resourcegroups/web/"})
    sim.ask("PATCH", TAGS, {"operation": "Merge", "properties": {"tags": {"backup": "gold"}}})
    heard = delivered(sim, webhook, 1)
    assert kinds(heard) == ["Microsoft.Resources/tags/write"]
    assert heard[0].body[0]["data"]["resourceUri"].lower() == TAGS.lower()
    assert heard[0].body[0]["data"]["resourceProvider"] == "Microsoft.Resources"


def test_deletes_and_actions_are_told_and_reads_are_not(sim: Running, webhook: Webhook) -> None:
    subscribe(sim, webhook, filter={"subjectBeginsWith": f"{SCOPE}/resourcegroups/web/"})
    sim.ask("GET", VM)
    sim.ask("POST", VM + "/deallocate")
    heard = delivered(sim, webhook, 1, 120)
    assert heard[0].body[0]["eventType"] == "Microsoft.Resources.ResourceActionSuccess"
    assert heard[0].body[0]["data"]["resourceUri"].endswith("/virtualMachines/vm1")
    sim.ask("DELETE", VM)
    heard = delivered(sim, webhook, 2, 120)
    assert kinds(heard) == [
        "Microsoft.Compute/virtualMachines/deallocate/action",
        "Microsoft.Compute/virtualMachines/delete",
    ]
    assert "/resourceGroups/" in heard[1].body[0]["subject"]


def test_an_operation_that_fails_is_told_as_a_failure(sim: Running, webhook: Webhook) -> None:
    subscribe(sim, webhook, filter={"subjectBeginsWith": f"{SCOPE}/resourcegroups/backups/"})
    wanted = {"includedEventTypes": ["Microsoft.Resources.ResourceWriteFailure"]}
    subscribe(sim, webhook, PATH + "2", filter=wanted)
    sim.control("POST", "faults", {"match": {"operation": "*/snapshots/write"}, "effect": {"lro": "fail"}})
    sim.ask("PUT", snapshot_path("s1"), snapshot_body())
    heard = delivered(sim, webhook, 2)
    assert {event["eventType"] for one in heard for event in one.body} == {"Microsoft.Resources.ResourceWriteFailure"}


def test_advanced_filters_choose_by_operation(sim: Running, webhook: Webhook) -> None:
    names = ["Microsoft.Compute/virtualMachines/write", "microsoft.resources/TAGS/write"]
    one = {"operatorType": "StringIn", "key": "data.operationName", "values": names}
    subscribe(sim, webhook, filter={"advancedFilters": [one]})
    sim.ask("PUT", snapshot_path("s1"), snapshot_body())
    sim.ask("PATCH", VM, {"tags": {"a": "b"}})
    sim.ask("PUT", TAGS, {"properties": {"tags": {"a": "c"}}})
    heard = delivered(sim, webhook, 2, 60)
    assert sorted(kinds(heard)) == ["Microsoft.Compute/virtualMachines/write", "Microsoft.Resources/tags/write"]


def test_a_group_subscription_hears_its_group_only(sim: Running, webhook: Webhook) -> None:
    subscribe(sim, webhook, f"{GROUP}/providers/Microsoft.EventGrid/eventSubscriptions/group")
    sim.ask("PUT", snapshot_path("s1"), snapshot_body())
    sim.ask("PUT", TAGS, {"properties": {"tags": {"a": "c"}}})
    heard = delivered(sim, webhook, 2, 60)
    assert "Microsoft.Compute/snapshots/write" not in kinds(heard)
    assert heard[-1].body[0]["topic"] == GROUP


def test_a_failed_delivery_climbs_the_ladder_in_virtual_time_with_the_same_id(sim: Running, webhook: Webhook) -> None:
    subscribe(sim, webhook, filter={"subjectBeginsWith": f"{SCOPE}/resourcegroups/web/"})
    webhook.answers = [500, 503, 404]
    sim.ask("PUT", TAGS, {"properties": {"tags": {"a": "c"}}})
    delivered(sim, webhook, 1, 5)
    assert sim.advance(9)["busy"] is False
    assert len(webhook.notified) == 1
    delivered(sim, webhook, 2, 3)
    delivered(sim, webhook, 3, 34)
    assert sim.advance(250)["busy"] is False
    assert len(webhook.notified) == 3
    heard = delivered(sim, webhook, 4, 120)
    assert len({one.body[0]["id"] for one in heard}) == 1
    assert [one.headers["aeg-delivery-count"] for one in heard] == ["0", "1", "2", "3"]
    (shown,) = sim.control("GET", "events")["deliveries"][-1:]
    assert shown["state"] == "delivered"
    assert [attempt["status"] for attempt in shown["attempts"]] == [500, 503, 404, 202]


def test_an_answer_of_400_is_final(sim: Running, webhook: Webhook) -> None:
    subscribe(sim, webhook, filter={"subjectBeginsWith": f"{SCOPE}/resourcegroups/web/"})
    webhook.answers = [400]
    sim.ask("PUT", TAGS, {"properties": {"tags": {"a": "c"}}})
    delivered(sim, webhook, 1, 5)
    sim.advance(24 * 3600)
    assert len(webhook.notified) == 1


def test_cloud_events_come_one_by_one_after_a_handshake_of_their_own(sim: Running, webhook: Webhook) -> None:
    wanted = {"subjectBeginsWith": f"{SCOPE}/resourcegroups/web/"}
    subscribe(sim, webhook, filter=wanted, eventDeliverySchema="CloudEventSchemaV1_0")
    assert webhook.heard[0].method == "OPTIONS"
    sim.ask("PUT", TAGS, {"properties": {"tags": {"a": "c"}}})
    (one,) = delivered(sim, webhook, 1)
    assert one.headers["content-type"].startswith("application/cloudevents+json")
    assert (one.body["specversion"], one.body["source"]) == ("1.0", SCOPE)
    assert one.body["type"] == "Microsoft.Resources.ResourceWriteSuccess"


@pytest.mark.parametrize(("effect", "soon", "late"), [("drop", 0, 0), ("duplicate", 2, 2), ("delay", 0, 1)])
def test_fault_rules_drop_double_and_delay_events(
    sim: Running, webhook: Webhook, effect: str, soon: int, late: int
) -> None:
    subscribe(sim, webhook, filter={"subjectBeginsWith": f"{SCOPE}/resourcegroups/web/"})
    sim.control("POST", "faults", {"match": {"event": "*ResourceWrite*"}, "effect": {"events": effect}})
    sim.ask("PUT", TAGS, {"properties": {"tags": {"a": "c"}}})
    assert len(delivered(sim, webhook, soon, 30)) == soon
    assert len(delivered(sim, webhook, late, 2 * 3600)) == late


def test_a_seeded_subscription_waits_for_an_endpoint_that_is_not_up_yet(tmp_path: Path) -> None:
    with listening() as first:
        port = int(first.url.split(":")[2].split("/")[0])
    seed = SEED + f'\n[[event_subscription]]\nscope = "{SCOPE}"\nendpoint = "{first.url}"\n'
    seed += 'operations = ["Microsoft.Resources/tags/write"]\n'
    with inside(tmp_path, seed) as sim:
        sim.ask("PUT", TAGS, {"properties": {"tags": {"a": "c"}}})
        assert sim.advance(30)["busy"] is True
        until(lambda: sim.control("GET", "clock")["next"] is not None)
        with listening(port) as webhook:
            until(lambda: sim.advance(1) and webhook.notified)
            assert kinds(webhook.notified) == ["Microsoft.Resources/tags/write"]


def test_what_is_published_to_a_custom_topic_is_shown(sim: Running) -> None:
    event = {
        "id": "1",
        "eventType": "Tagback.Protected",
        "subject": "vm",
        "data": {},
        "dataVersion": "1",
        "eventTime": "x",
    }
    assert sim.ask("POST", "/_sim/topics/alerts/api/events", [event]).status == 200
    assert sim.ask("POST", "/_sim/topics/alerts/api/events", {"type": "x", "specversion": "1.0"}).status == 200
    assert sim.ask("POST", "/_sim/topics/alerts/api/events", [{"no": "type"}]).status == 400
    published = sim.control("GET", "events")["published"]
    assert [(one["topic"], one["event"].get("eventType")) for one in published] == [
        ("alerts", "Tagback.Protected"),
        ("alerts", None),
    ]


def test_a_system_topic_and_its_subscription_hear_the_topics_source(sim: Running, webhook: Webhook) -> None:
    topic = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/t"
    body = {"location": "global", "properties": {"source": SCOPE, "topicType": "Microsoft.Resources.Subscriptions"}}
    assert sim.ask("PUT", topic, body).status == 200
    wanted = {"subjectBeginsWith": f"{SCOPE}/resourcegroups/backups/"}
    subscribe(sim, webhook, f"{topic}/eventSubscriptions/s", filter=wanted)
    sim.ask("PUT", snapshot_path("s1"), snapshot_body())
    assert kinds(delivered(sim, webhook, 1, 60)) == ["Microsoft.Compute/snapshots/write"]
