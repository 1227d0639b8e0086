"""Partner events and namespaces of Event Grid: made, shown, changed and removed; channels make the topics they name."""

from typing import Any

import pytest

from tests.simulator.running import GROUP, SUBSCRIPTION, Running

GRID = f"{GROUP}/providers/Microsoft.EventGrid"
VERSION = "?api-version=2025-02-15"
PARTNER = {"partnerRegistrationImmutableId": "941892bc-f5d0-4d1c-8fb5-477570fc2b71", "partnerName": "Contoso.Finance"}
ABOVE: list[tuple[str, dict[str, Any]]] = [
    ("partnerRegistrations", {"location": "global"}),
    ("partnerNamespaces", {"location": "westeurope", "properties": {}}),
    ("partnerTopics", {"location": "westeurope", "properties": {"source": "Contoso.Accounts"}}),
    ("namespaces", {"location": "westeurope", "properties": {"topicSpacesConfiguration": {"state": "Enabled"}}}),
]
BELOW: list[tuple[str, dict[str, Any]]] = [
    ("topics", {"publisherType": "Custom", "inputSchema": "CloudEventSchemaV1_0", "eventRetentionInDays": 1}),
    ("clients", {"state": "Enabled", "attributes": {"floor": 3}}),
    ("clientGroups", {"query": "attributes.floor = 3"}),
    ("topicSpaces", {"topicTemplates": ["a/b"]}),
    ("permissionBindings", {"clientGroupName": "all", "topicSpaceName": "space", "permission": "Publisher"}),
    ("caCertificates", {"description": "d", "encodedCertificate": "base64EncodePemFormattedCertificateString"}),
]


@pytest.fixture
def registration(sim: Running) -> str:
    path = f"{GRID}/partnerRegistrations/contoso"
    sim.put_done(path + VERSION, {"location": "global"})
    return path


@pytest.fixture
def namespace(sim: Running, registration: str) -> str:
    path = f"{GRID}/partnerNamespaces/ours"
    properties = {"partnerRegistrationFullyQualifiedId": registration, "partnerTopicRoutingMode": "ChannelNameHeader"}
    sim.put_done(path + VERSION, {"location": "westeurope", "properties": properties})
    return path


@pytest.mark.parametrize(("kind", "body"), ABOVE, ids=[kind for kind, _ in ABOVE])
def test_a_type_is_made_shown_listed_changed_and_removed(sim: Running, kind: str, body: dict[str, Any]) -> None:
    path = f"{GRID}/{kind}/thing{VERSION}"
    made = sim.ask("PUT", path, {**body, "tags": {"a": "b"}})
    assert made.status == (202 if kind == "partnerRegistrations" else 201)
    at_once = kind == "partnerTopics"
    assert made.body["properties"]["provisioningState"] == ("Succeeded" if at_once else "Creating")
    sim.advance(60)
    shown = sim.ask("GET", path).body
    assert (shown["name"], shown["tags"], shown["properties"]["provisioningState"]) == (
        "thing",
        {"a": "b"},
        "Succeeded",
    )
    for above in (GRID, f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid"):
        assert [each["name"] for each in sim.ask("GET", f"{above}/{kind}{VERSION}").body["value"]] == ["thing"]
    assert sim.ask("PATCH", path, {"tags": {"c": "d"}}).status == (202 if kind == "namespaces" else 201)
    sim.advance(60)
    assert sim.ask("GET", path).body["tags"] == {"c": "d"}
    assert sim.ask("DELETE", path).status == 202
    sim.advance(60)
    assert sim.ask("GET", path).status == 404


@pytest.mark.parametrize(("kind", "properties"), BELOW, ids=[kind for kind, _ in BELOW])
def test_what_lies_in_a_namespace_goes_with_it(sim: Running, kind: str, properties: dict[str, Any]) -> None:
    above = f"{GRID}/namespaces/broker"
    path = f"{above}/{kind}/thing{VERSION}"
    assert sim.ask("PUT", path, {"properties": properties}).code == "ParentResourceNotFound"
    sim.put_done(above + VERSION, {"location": "westeurope", "properties": {}})
    shown = sim.put_done(path, {"properties": properties})
    assert shown["properties"] == {**properties, "provisioningState": "Succeeded"}
    assert [each["name"] for each in sim.ask("GET", f"{above}/{kind}{VERSION}").body["value"]] == ["thing"]
    if kind == "topics":
        assert sim.ask("PATCH", path, {"properties": {"eventRetentionInDays": 2}}).status == 202
    sim.ask("DELETE", above + VERSION)
    sim.advance(60)
    assert sim.ask("GET", path).status == 404


def test_a_namespace_says_where_clients_would_connect_and_has_two_keys(sim: Running) -> None:
    path = f"{GRID}/namespaces/broker"
    spaces = {"topicSpacesConfiguration": {"state": "Enabled"}}
    shown = sim.put_done(path + VERSION, {"location": "westeurope", "properties": spaces})["properties"]
    assert shown["topicsConfiguration"]["hostname"] == "broker.westeurope-1.eventgrid.azure.net"
    assert shown["topicSpacesConfiguration"]["hostname"] == "broker.westeurope-1.ts.eventgrid.azure.net"
    before = sim.ask("POST", f"{path}/listKeys{VERSION}").body
    after = sim.ask("POST", f"{path}/regenerateKey{VERSION}", {"keyName": "key2"}).body
    assert (before["key1"] == after["key1"], before["key2"] == after["key2"]) == (True, False)
    links = sim.ask("GET", f"{path}/privateLinkResources{VERSION}").body["value"]
    assert [each["properties"]["requiredMembers"] for each in links] == [["topic"]]


def test_a_channel_makes_the_topic_it_names_which_its_owner_activates(
    sim: Running, registration: str, namespace: str
) -> None:
    target = {"azureSubscriptionId": SUBSCRIPTION, "resourceGroupName": "backups", "name": "heard", "source": "Us.One"}
    channel = f"{namespace}/channels/first{VERSION}"
    assert sim.ask("PUT", channel, {"properties": {"partnerTopicInfo": {"name": "heard"}}}).status == 400
    lost = {**target, "resourceGroupName": "nowhere"}
    assert sim.ask("PUT", channel, {"properties": {"partnerTopicInfo": lost}}).code == "ResourceGroupNotFound"
    made = sim.put_done(channel, {"properties": {"channelType": "PartnerTopic", "partnerTopicInfo": target}})
    assert made["properties"]["readinessState"] == "NeverActivated"

    topic = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/backups/providers/Microsoft.EventGrid/partnerTopics/heard"
    shown = sim.ask("GET", topic + VERSION).body["properties"]
    assert (shown["activationState"], shown["source"]) == ("NeverActivated", "Us.One")
    number = sim.ask("GET", registration + VERSION).body["properties"]["partnerRegistrationImmutableId"]
    assert shown["partnerRegistrationImmutableId"] == number

    later = {"properties": {"expirationTimeIfNotActivatedUtc": "2027-01-01T00:00:00Z"}}
    assert sim.ask("PATCH", channel, later).status == 200
    activated = sim.ask("POST", f"{topic}/activate{VERSION}").body["properties"]["activationState"]
    assert (activated, sim.ask("GET", channel).body["properties"]["readinessState"]) == ("Activated", "Activated")
    assert sim.ask("POST", f"{topic}/deactivate{VERSION}").body["properties"]["activationState"] == "Deactivated"
    listener = f"{topic}/eventSubscriptions/listener{VERSION}"
    queue = {"resourceId": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a", "queueName": "q"}
    sim.put_done(listener, {"properties": {"destination": {"endpointType": "StorageQueue", "properties": queue}}})
    written = topic.replace("Microsoft.EventGrid/partnerTopics", "microsoft.eventgrid/partnertopics")
    assert sim.ask("GET", listener).body["properties"]["topic"] == written


def test_partners_are_authorized_once_each_and_taken_off_the_list(sim: Running) -> None:
    path = f"{GRID}/partnerConfigurations/default"
    wanted = {"partnerAuthorization": {"defaultMaximumExpirationTimeInDays": 10}}
    sim.put_done(path + VERSION, {"location": "global", "properties": wanted})
    for _ in range(2):
        answer = sim.ask("POST", f"{path}/authorizePartner{VERSION}", PARTNER)
    assert answer.body["properties"]["partnerAuthorization"]["authorizedPartnersList"] == [PARTNER]
    assert sim.ask("POST", f"{path}/authorizePartner{VERSION}", {}).status == 400
    off = sim.ask("POST", f"{path}/unauthorizePartner{VERSION}", {"partnerName": "Contoso.Finance"})
    assert off.body["properties"]["partnerAuthorization"]["authorizedPartnersList"] == []
    assert sim.ask("GET", f"/providers/Microsoft.EventGrid/verifiedPartners{VERSION}").body == {"value": []}
