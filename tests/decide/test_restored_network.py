"""What a new interface has of the captured one: property by property, membership by membership."""

from __future__ import annotations

from typing import Any

import pytest

from shared.decide.restored_network import Network, interface_body, lacking, needs, owner

NET = "/subscriptions/s/resourceGroups/web/providers/Microsoft.Network"
SUBNET = f"{NET}/virtualNetworks/net/subnets/a"
IN_ITS_PLACE = Network(in_its_place=True, subnet="", gone=frozenset())
BESIDE = Network(in_its_place=False, subnet="", gone=frozenset())
ELSEWHERE = Network(in_its_place=True, subnet=f"{NET}/virtualNetworks/other/subnets/b", gone=frozenset())

# Azure's name of the membership, what people are told it is, a member's id, whether a machine beside keeps it.
MEMBERS = (
    ("applicationSecurityGroups", "application security group", "applicationSecurityGroups/m", True),
    ("loadBalancerBackendAddressPools", "load balancer's pool", "loadBalancers/l/backendAddressPools/m", False),
    ("loadBalancerInboundNatRules", "load balancer's inbound rule", "loadBalancers/l/inboundNatRules/m", False),
    (
        "applicationGatewayBackendAddressPools",
        "application gateway's pool",
        "applicationGateways/g/backendAddressPools/m",
        False,
    ),
    ("virtualNetworkTaps", "virtual network tap", "virtualNetworkTaps/m", False),
)


def interface(address: dict[str, Any] | None = None, properties: dict[str, Any] | None = None) -> dict[str, Any]:
    one = {"name": "one", "properties": {"subnet": {"id": SUBNET}, **(address or {})}}
    return {"name": "nic", "properties": {**(properties or {}), "ipConfigurations": [one]}}


def address_of(captured: dict[str, Any], network: Network) -> dict[str, Any]:
    [one] = interface_body(captured, network)["ipConfigurations"]
    properties: dict[str, Any] = one["properties"]
    return properties


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enableAcceleratedNetworking", True),
        ("enableIPForwarding", True),
        ("disableTcpStateTracking", True),
        ("auxiliaryMode", "AcceleratedConnections"),
        ("auxiliarySku", "A1"),
    ],
)
def test_an_interface_is_set_as_the_captured_one_was(name: str, value: Any) -> None:
    assert interface_body(interface(properties={name: value}), BESIDE)[name] == value


@pytest.mark.parametrize("name", ["macAddress", "provisioningState", "resourceGuid", "virtualMachine", "primary"])
def test_what_azure_writes_itself_is_not_sent_back(name: str) -> None:
    assert interface_body(interface(properties={name: "x"}), IN_ITS_PLACE).keys() == {"ipConfigurations"}


@pytest.mark.parametrize("name", ["auxiliaryMode", "auxiliarySku"])
def test_an_auxiliary_setting_of_none_is_left_out(name: str) -> None:
    assert name not in interface_body(interface(properties={name: "None"}), IN_ITS_PLACE)


@pytest.mark.parametrize(("name", "value"), [("primary", False), ("privateIPAddressVersion", "IPv6")])
def test_an_address_is_of_the_captured_kind(name: str, value: Any) -> None:
    assert address_of(interface({name: value}), BESIDE)[name] == value


@pytest.mark.parametrize(("name", "what", "part", "beside"), MEMBERS)
def test_a_membership_is_kept_in_its_place_and_traffic_is_not_taken_from_beside(
    name: str, what: str, part: str, beside: bool
) -> None:
    member = f"{NET}/{part}"
    captured = interface({name: [{"id": member}]})
    assert address_of(captured, IN_ITS_PLACE)[name] == [{"id": member}]
    assert (name in address_of(captured, BESIDE)) is beside
    assert name not in address_of(captured, ELSEWHERE)
    refused = f"{what} m of nic: not for a machine beside the other, nor in another network"
    assert list(lacking(captured, IN_ITS_PLACE)) == []
    assert list(lacking(captured, BESIDE)) == ([] if beside else [refused])
    assert list(lacking(captured, ELSEWHERE)) == [refused]


@pytest.mark.parametrize(("name", "what", "part", "_beside"), MEMBERS)
def test_a_membership_that_is_gone_is_needed_looked_for_and_told(
    name: str, what: str, part: str, _beside: bool
) -> None:
    member = f"{NET}/{part}"
    captured = interface({name: [{"id": member}]})
    gone = Network(in_its_place=True, subnet="", gone=frozenset({member.lower()}))
    assert list(needs(captured)) == [("subnet", SUBNET), (what, member)]
    assert name not in address_of(captured, gone)
    assert list(lacking(captured, gone)) == [f"{what} m of nic: it is gone, elsewhere, or another has it"]


BALANCER = f"{NET}/loadBalancers/l"


@pytest.mark.parametrize(
    ("place", "whole"),
    [
        (f"{BALANCER}/backendAddressPools/m", BALANCER),
        (BALANCER, BALANCER),
        (SUBNET, f"{NET}/virtualNetworks/net"),
        (SUBNET.upper(), f"{NET}/virtualNetworks/net".upper()),
        ("/nothing", "/nothing"),
        (f"{BALANCER}/providers/Microsoft.Insights/diagnosticSettings/d", BALANCER),
    ],
)
def test_a_part_belongs_to_the_resource_that_its_id_begins_with(place: str, whole: str) -> None:
    assert owner(place) == whole


@pytest.mark.parametrize(
    ("captured", "network", "address"),
    [
        ("Static", IN_ITS_PLACE, {"privateIPAllocationMethod": "Static", "privateIPAddress": "10.0.0.7"}),
        ("static", IN_ITS_PLACE, {"privateIPAllocationMethod": "Static", "privateIPAddress": "10.0.0.7"}),
        ("Dynamic", IN_ITS_PLACE, {"privateIPAllocationMethod": "Dynamic"}),
        ("Static", BESIDE, {"privateIPAllocationMethod": "Dynamic"}),
        ("Static", ELSEWHERE, {"privateIPAllocationMethod": "Dynamic"}),
    ],
)
def test_only_in_its_place_a_fixed_address_stays_what_it_was(
    captured: str, network: Network, address: dict[str, Any]
) -> None:
    known = interface({"privateIPAllocationMethod": captured, "privateIPAddress": "10.0.0.7"})
    expected = {"subnet": {"id": network.subnet or SUBNET}, **address}
    assert interface_body(known, network) == {"ipConfigurations": [{"name": "one", "properties": expected}]}


def test_what_has_no_name_is_given_one() -> None:
    nameless: dict[str, Any] = {"properties": {"ipConfigurations": [{}]}}
    [one] = interface_body(nameless, IN_ITS_PLACE)["ipConfigurations"]
    assert one["name"] == "restored"
    guarded = {"properties": {"networkSecurityGroup": {"id": "guard"}}}
    told = list(lacking(guarded, Network(in_its_place=True, subnet="", gone=frozenset({"guard"}))))
    assert told == ["network security group guard of an interface: it is gone, elsewhere, or another has it"]


def test_what_is_told_of_has_the_last_name_of_its_id() -> None:
    captured = interface({"publicIPAddress": {"id": "ip"}, "loadBalancerInboundNatRules": [{"id": "rule"}]})
    assert list(lacking(captured, BESIDE)) == [
        "public IP address ip of nic: it stays with the machine that has it",
        "load balancer's inbound rule rule of nic: not for a machine beside the other, nor in another network",
    ]


def test_a_subnet_that_is_gone_is_not_told_here_another_one_has_to_be_chosen_for_it() -> None:
    assert list(lacking(interface(), Network(in_its_place=True, subnet="", gone=frozenset({SUBNET.lower()})))) == []
