"""What a drill makes: a network that nothing enters or leaves, and a machine that can do nothing to others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.decide import blueprint, isolation
from shared.decide.drawing import Drawing, made_name
from shared.decide.subtraction import at
from shared.model.identity import ResourceId
from shared.model.restore import RestoreMode
from tests.decide.test_blueprint import GROUP, IDENTITY, MACHINE, MODEL, drawing
from tests.fleet import RULES

ANYWHERE = {
    "protocol": "*",
    "sourcePortRange": "*",
    "destinationPortRange": "*",
    "sourceAddressPrefix": "*",
    "destinationAddressPrefix": "*",
}
REFERRING: dict[str, Any] = {
    "availabilitySet": {"id": "/set"},
    "proximityPlacementGroup": {"id": "/near"},
    "host": {"id": "/host"},
    "hostGroup": {"id": "/hosts"},
    "capacityReservation": {"capacityReservationGroup": {"id": "/room"}},
    "virtualMachineScaleSet": {"id": "/scale"},
    "diagnosticsProfile": {"bootDiagnostics": {"enabled": True, "storageUri": "https://logs"}},
    "applicationProfile": {"galleryApplications": [{"packageReferenceId": "/app"}]},
    "userData": "c2VjcmV0",
}


def drill(**properties: Any) -> Drawing:
    vm = {**MACHINE, "properties": {**MACHINE["properties"], **properties}}  # type: ignore[dict-item] # bodies are open
    return drawing(RestoreMode.DRILL, {**MODEL, "vm": vm})


def test_rules_and_network_have_names_of_their_own() -> None:
    drawn = drill()
    net = f"{GROUP}/providers/Microsoft.Network"
    assert isolation.rules(drawn).id == f"{net}/networkSecurityGroups/{made_name('r1', 'rules')}"
    assert isolation.interface_place(drawn) == f"{net}/networkInterfaces/{made_name('r1', 'interface|')}"
    assert isolation.network(drawn).id == f"{net}/virtualNetworks/{made_name('r1', 'network')}"


def test_the_rules_deny_everything_both_ways_before_any_other_rule() -> None:
    rules = isolation.rules(drill()).body["properties"]["securityRules"]
    assert [rule["properties"] for rule in rules] == [
        {"direction": direction, "access": "Deny", "priority": 100, **ANYWHERE} for direction in ("Inbound", "Outbound")
    ]
    assert [rule["name"] for rule in rules] == ["no-inbound", "no-outbound"]


def test_the_network_has_one_subnet_under_those_rules_and_no_way_out() -> None:
    body = isolation.network(drill()).body
    assert body["location"] == "westeurope"
    inner = {
        "addressPrefix": "10.255.255.0/28",
        "defaultOutboundAccess": False,
        "networkSecurityGroup": {"id": isolation.rules(drill()).id},
    }
    assert body["properties"] == {  # no peering, no gateway, no name server
        "addressSpace": {"addressPrefixes": ["10.255.255.0/28"]},
        "subnets": [{"name": "isolated", "properties": inner}],
    }


def test_the_machine_has_one_interface_in_that_network_whatever_it_had() -> None:
    [card] = blueprint.interfaces(drill())
    [address] = card.body["properties"]["ipConfigurations"]
    assert card.body["properties"]["networkSecurityGroup"]["id"] == isolation.rules(drill()).id
    assert address["name"] == "isolated"
    assert address["properties"] == {
        "subnet": {"id": f"{isolation.network(drill()).id}/subnets/isolated"},
        "privateIPAllocationMethod": "Dynamic",
        "primary": True,
    }
    profile = blueprint.machine(drill()).body["properties"]["networkProfile"]
    assert profile["networkInterfaces"] == [{"id": card.id, "properties": {"primary": True}}]


@pytest.mark.parametrize("path", ["identity", *(f"properties.{name}" for name in REFERRING)])
def test_the_machine_is_not_given_what_could_touch_others(path: str) -> None:
    captured, made = drill(**REFERRING), blueprint.machine(drill(**REFERRING)).body
    assert at(captured.captured.machine, path), "it had it"
    assert at(made, path) is None


def test_everything_else_of_the_machine_is_what_was_captured() -> None:
    made = blueprint.machine(drill(**REFERRING)).body
    assert made["zones"] == ["1"]
    assert made["properties"]["whatAzureAddsLater"] == {"kept": True}
    storage = made["properties"]["storageProfile"]
    assert [disk["lun"] for disk in storage["dataDisks"]] == [3]
    assert storage["osDisk"]["createOption"] == "Attach"


def test_what_a_drill_makes_has_our_tags_alone_and_is_never_enrolled() -> None:
    found = replace(drill(), rules=replace(RULES, extra_tags={"CostCenter": "42"}))
    pieces = [isolation.rules(found), isolation.network(found), blueprint.machine(found)]
    pieces += [*blueprint.disks(found), *blueprint.interfaces(found)]
    for piece in pieces:
        ours = {name: value for name, value in piece.body["tags"].items() if name != RULES.prefix}
        named = {"owner", "restore", "drill", "restored-slot", "expires"}
        assert set(ours) == {"CostCenter", *(f"tagback-{name}" for name in named)}
        assert ours["tagback-drill"] == ours["tagback-restore"] == "r1"
    assert blueprint.machine(found).body["tags"][RULES.prefix] == "off"
    other = drawing(RestoreMode.NEW)
    assert "tagback-drill" not in blueprint.machine(other).body["tags"]


def test_everything_of_a_drill_is_known_before_it_is_made_and_lies_in_one_group() -> None:
    makes = blueprint.makes(drill())
    kinds = [ResourceId.parse(place).type.rsplit("/", 1)[-1] for place in makes]
    assert kinds == [
        "virtualmachines", "networkinterfaces", "disks", "disks", "virtualnetworks", "networksecuritygroups",
    ]  # fmt: skip
    assert all(place.startswith(f"{GROUP}/") for place in makes)
    assert len(set(makes)) == len(makes)


def test_nothing_outside_is_looked_for_and_nothing_is_told_to_be_lacking() -> None:
    found = drill(**REFERRING)
    assert blueprint.needed(found) == ()
    assert blueprint.lacking(found) == ()
    assert IDENTITY in blueprint.needed(drawing(RestoreMode.NEW))
