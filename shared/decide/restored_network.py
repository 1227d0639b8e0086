"""Network interfaces of a restored machine: which of the captured ones are used again, and what new ones are like.

Called by `blueprint.py`. A machine rebuilt under its own name takes its place in the network again; one beside it gets
addresses of its own and no traffic that was meant for the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.decide.subtraction import NO_VALUES, Body, at

# Of a captured interface [sdk: NetworkInterfacePropertiesFormat]; what is not named here is read-only or Azure's own.
CARRIED = (
    "enableAcceleratedNetworking",
    "enableIPForwarding",
    "disableTcpStateTracking",
    "auxiliaryMode",
    "auxiliarySku",
)
CONFIGURED = ("primary", "privateIPAddressVersion")


@dataclass(frozen=True, slots=True)
class Membership:
    """Something that a captured address belongs to: kept only by a machine that takes its place, or by any."""

    name: str
    what: str
    only_in_its_place: bool


MEMBERSHIPS = (
    Membership("applicationSecurityGroups", "application security group", only_in_its_place=False),
    Membership("loadBalancerBackendAddressPools", "load balancer's pool", only_in_its_place=True),
    Membership("loadBalancerInboundNatRules", "load balancer's inbound rule", only_in_its_place=True),
    Membership("applicationGatewayBackendAddressPools", "application gateway's pool", only_in_its_place=True),
    Membership("virtualNetworkTaps", "virtual network tap", only_in_its_place=True),
)


@dataclass(frozen=True, slots=True)
class Network:
    """What decides about interfaces: `in_its_place` where the machine takes its own place again, `subnet` where another
    one was asked for, `gone` the lower-case ids of what is no more or is another's now."""

    in_its_place: bool
    subnet: str
    gone: frozenset[str]

    def has(self, place: str) -> bool:
        """Whether something can be referred to; a part of something goes with the whole."""
        whole = owner(place).lower()
        return place.lower() not in self.gone and whole not in self.gone


def owner(place: str) -> str:
    """The resource that a part belongs to: a pool's load balancer; the thing itself where it is no part."""
    end = place.lower().find("/providers/")
    return place[:end] + "/".join(place[end:].split("/")[:5]) if end >= 0 else place


def configurations(interface: Body) -> Iterator[Body]:
    yield from at(interface, "properties.ipConfigurations") or ()


def needs(interface: Body) -> Iterator[tuple[str, str]]:
    """Everything that a captured interface refers to: what it is, and its id."""
    if group := at(interface, "properties.networkSecurityGroup.id"):
        yield "network security group", str(group)
    for one in configurations(interface):
        for name, what in (("subnet", "subnet"), ("publicIPAddress", "public IP address")):
            if place := at(one, f"properties.{name}.id"):
                yield what, str(place)
        for membership in MEMBERSHIPS:
            for each in at(one, f"properties.{membership.name}") or ():
                yield membership.what, str(each["id"])


def interface_body(interface: Body, network: Network) -> dict[str, Any]:
    """The properties of a new interface in the likeness of a captured one."""
    old = interface.get("properties") or {}
    kept = {name: old[name] for name in CARRIED if old.get(name) not in (*NO_VALUES, "None")}
    servers = at(interface, "properties.dnsSettings.dnsServers")
    if servers:
        kept["dnsSettings"] = {"dnsServers": list(servers)}
    group = at(interface, "properties.networkSecurityGroup.id")
    if group and network.has(group):
        kept["networkSecurityGroup"] = {"id": group}
    kept["ipConfigurations"] = [_configuration(one, network) for one in configurations(interface)]
    return kept


def plain_interface(network: Network) -> dict[str, Any]:
    """The properties of an interface on the chosen subnet, where none was captured."""
    address = {"subnet": {"id": network.subnet}, "privateIPAllocationMethod": "Dynamic", "primary": True}
    return {"ipConfigurations": [{"name": "restored", "properties": address}]}


def _configuration(captured: Body, network: Network) -> dict[str, Any]:
    old: Mapping[str, Any] = captured.get("properties") or {}
    kept = {name: old[name] for name in CONFIGURED if name in old}
    kept["subnet"] = {"id": network.subnet or at(captured, "properties.subnet.id")}
    fixed = str(old.get("privateIPAllocationMethod", "")).lower() == "static"
    if network.in_its_place and not network.subnet and fixed:
        kept |= {"privateIPAllocationMethod": "Static", "privateIPAddress": old.get("privateIPAddress")}
    else:
        kept["privateIPAllocationMethod"] = "Dynamic"
    address = at(captured, "properties.publicIPAddress.id")
    if address and network.in_its_place and network.has(address):
        kept["publicIPAddress"] = {"id": address}
    for membership in MEMBERSHIPS:
        staying = [place for place in _members(captured, membership) if _stays(membership, place, network)]
        if staying:
            kept[membership.name] = [{"id": place} for place in staying]
    return {"name": captured.get("name", "restored"), "properties": kept}


def _members(captured: Body, membership: Membership) -> list[str]:
    return [str(each["id"]) for each in at(captured, f"properties.{membership.name}") or ()]


def _stays(membership: Membership, place: str, network: Network) -> bool:
    fits = network.in_its_place or not membership.only_in_its_place
    return network.has(place) and fits and not network.subnet


def lacking(interface: Body, network: Network) -> Iterator[str]:
    """What a new interface has not of the captured one, in words for people."""
    name = interface.get("name", "an interface")
    for what, place in needs(interface):
        if what != "subnet" and not network.has(place):
            yield f"{what} {place.rsplit('/', 1)[-1]} of {name}: it is gone, elsewhere, or another has it"
    for one in configurations(interface):
        address = at(one, "properties.publicIPAddress.id")
        if address and network.has(address) and not network.in_its_place:
            yield f"public IP address {address.rsplit('/', 1)[-1]} of {name}: it stays with the machine that has it"
        for membership in MEMBERSHIPS:
            for place in _members(one, membership):
                if network.has(place) and not _stays(membership, place, network):
                    what = f"{membership.what} {place.rsplit('/', 1)[-1]}"
                    yield f"{what} of {name}: not for a machine beside the other, nor in another network"
