"""What the private variant closes is reached by private endpoints, whose names are known, and by nothing else."""

from __future__ import annotations

import pytest

from tests.infra.bicep import at, examples, literal, parsed, properties, said, texts
from tests.infra.roles import INFRA

MAIN = parsed(INFRA / "main.bicep")
PARTS = ("blob", "queue", "table", "sites", "topic")


def test_what_is_closed_is_reached_by_private_endpoints_whose_names_are_known() -> None:
    zones = MAIN.find("zoneNames").value
    assert zones is not None
    assert set(properties(zones)) == set(PARTS)
    assert said(MAIN.find("makesEndpoints").value or MAIN.root) == "!empty(endpointSubnetId)"
    assert said(MAIN.find("closesApps").value or MAIN.root) == "makesEndpoints && !publicApps"
    stored = said(MAIN.find("storageParts").value or MAIN.root)
    assert stored == "makesEndpoints && storageAccess == 'private' ? ['blob', 'queue', 'table'] : []"
    named = ("storageEndpoints", "packagesEndpoint", "appEndpoints", "topicEndpoint")
    calls = {name: MAIN.find(name) for name in named}
    for name, target in (
        ("storageEndpoints", "storage.outputs.id"),
        ("packagesEndpoint", "packages.outputs.id"),
        ("appEndpoints", "apps[index].outputs.id"),
        ("topicEndpoint", "notifications.outputs.id"),
    ):
        assert said(at(calls[name].body, "params.targetId")) == target
        assert said(at(calls[name].body, "dependsOn")) == "[zones]"
    assert "for part in storageParts" in calls["storageEndpoints"].text
    assert "if (!empty(storageParts))" in calls["packagesEndpoint"].text
    assert literal(at(calls["packagesEndpoint"].body, "params.part")) == "blob"
    for name, part in (("appEndpoints", "sites"), ("topicEndpoint", "topic")):
        assert "if (closesApps)" in calls[name].text
        assert literal(at(calls[name].body, "params.part")) == part
        assert f"zoneNames.{part}" in said(at(calls[name].body, "params.zoneIds"))


def test_logs_are_taken_by_the_networks_one_private_link_scope_where_apps_are_closed() -> None:
    assert said(at(MAIN.find("monitoring").body, "params.isPublic")) == "!closesLogs"
    closes = said(MAIN.find("closesLogs").value or MAIN.root)
    assert closes == "!publicApps && (makesEndpoints || !empty(monitorScopeId))"
    assert said(MAIN.find("makesMonitorScope").value or MAIN.root) == "closesApps && empty(monitorScopeId)"
    for name, condition in (("monitorScope", "makesMonitorScope"), ("monitorEndpoint", "makesMonitorScope")):
        assert f"if ({condition})" in MAIN.find(name).text
    links, endpoint = MAIN.find("monitorLinks"), MAIN.find("monitorEndpoint")
    assert "if (closesLogs)" in links.text
    linked = said(at(links.body, "params.resourceIds"))
    assert linked == "[monitoring.outputs.workspaceId, monitoring.outputs.insightsId]"
    assert said(at(endpoint.body, "dependsOn")) == "[zones, monitorLinks]", (
        "its names are known when it has something in it"
    )
    assert literal(at(endpoint.body, "params.part")) == "azuremonitor"


def test_the_endpoint_of_azure_monitor_has_its_five_zones() -> None:
    """As Azure names them [Azure Private Endpoint private DNS zone values]."""
    ends = (
        "monitor.azure.com",
        "oms.opinsights.azure.com",
        "ods.opinsights.azure.com",
        "agentsvc.azure-automation.net",
    )
    assert texts(MAIN.find("monitorZones").value) == [f"privatelink.{end}" for end in ends]
    assert "concat(monitorZones, [zoneNames.blob])" in said(at(MAIN.find("monitorEndpoint").body, "params.zoneIds"))
    assert "makesMonitorScope ? monitorZones : []" in said(at(MAIN.find("zones").body, "params.names"))
    parts = said(MAIN.find("zoneParts").value or MAIN.root)
    assert parts.startswith("union(storageParts, ")
    assert parts.endswith("makesMonitorScope ? ['blob'] : [])")


@pytest.mark.parametrize("name", ["workspace", "insights"])
def test_logs_from_outside_are_refused_where_they_are_closed(name: str) -> None:
    body = parsed(INFRA / "modules" / "monitoring.bicep").find(name).body
    assert said(at(body, "properties.publicNetworkAccessForIngestion")) == "isPublic ? 'Enabled' : 'Disabled'"


def test_apps_start_when_their_storage_can_be_reached() -> None:
    awaited = said(at(MAIN.find("apps").body, "dependsOn"))
    assert "storageEndpoints" in awaited
    assert "packagesEndpoint" in awaited


def test_events_come_by_the_queue_where_no_app_answers() -> None:
    """Event Grid reaches no function behind a private endpoint [azure-facts 1.7]."""
    assert said(MAIN.find("delivery").value or MAIN.root) == "publicApps ? eventDelivery : 'queue'"
    assert said(MAIN.find("EVENT_DELIVERY").value or MAIN.root) == "delivery"


def test_zones_are_made_only_where_no_hub_keeps_them_and_register_no_machines() -> None:
    assert "if (!empty(zoneParts) && empty(dnsZonesGroupId))" in MAIN.find("zones").text
    assert said(MAIN.find("zonesAt").value or MAIN.root) == "empty(dnsZonesGroupId) ? group.id : dnsZonesGroupId"
    links = parsed(INFRA / "modules" / "private-zones.bicep").find("links").body
    assert said(at(links, "properties.registrationEnabled")) == "false"


def test_the_private_example_opens_nothing_and_makes_its_endpoints() -> None:
    [private] = [example for example in examples() if example.path.stem == "private"]
    given = {name: each.value for name, each in private.of("variable").items()}
    assert [literal(given[name] or MAIN.root) for name in ("eventDelivery", "storageAccess")] == ["queue", "private"]
    assert said(given["publicApps"] or MAIN.root) == "false"
    for name in ("functionSubnetId", "endpointSubnetId"):
        assert "/virtualNetworks/hub/subnets/" in (literal(given[name] or MAIN.root) or "")
