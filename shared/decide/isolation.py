"""A network of its own for the machine of a drill, and what such a machine is not given. Called by `blueprint.py`.

Nothing enters the network and nothing leaves it: no peering, no address that is reachable from outside, no default
outbound access, and rules that deny everything both ways. The agent still reports: what it says to the host at
168.63.129.16 is subject to no such rules (documented: what-is-ip-address-168-63-129-16).
"""

from __future__ import annotations

from typing import Any

from shared.decide.drawing import Drawing, Piece, group_of, made_name, place_in
from shared.decide.subtraction import Body, without
from shared.model.restore import ArmPath

ADDRESSES = "10.255.255.0/28"  # any: nobody else is in this network
SUBNET = "isolated"
DIRECTIONS = ("Inbound", "Outbound")
FIRST = 100  # the priority that comes before every other [documented: network security groups]

# What a captured machine has and the machine of a drill has not.
LEFT_OUT = (
    "identity",  # it could act as the machine that it is a copy of
    "properties.availabilitySet",  # it is no part of what it is a copy of
    "properties.virtualMachineScaleSet",
    "properties.proximityPlacementGroup",  # it need not be near anything
    "properties.host",  # it takes no room that is reserved for others
    "properties.hostGroup",
    "properties.capacityReservation",
    "properties.diagnosticsProfile",  # it writes nothing to anybody's storage
    "properties.applicationProfile",  # nothing is installed in it
    "properties.userData",  # what that says may be meant for one machine only
)


def rules(drawing: Drawing) -> Piece:
    """The security group that denies everything."""
    denied = [{"name": f"no-{direction.lower()}", "properties": _denying(direction)} for direction in DIRECTIONS]
    return _piece(drawing, "Microsoft.Network/networkSecurityGroups", "rules", {"securityRules": denied})


def _denying(direction: str) -> dict[str, Any]:
    anything = {"protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*"}
    anywhere = {"sourceAddressPrefix": "*", "destinationAddressPrefix": "*"}
    return {"direction": direction, "access": "Deny", "priority": FIRST, **anything, **anywhere}


def network(drawing: Drawing) -> Piece:
    """The network, with its one subnet under those rules."""
    inner = {
        "addressPrefix": ADDRESSES,
        "defaultOutboundAccess": False,
        "networkSecurityGroup": {"id": rules(drawing).id},
    }
    properties = {
        "addressSpace": {"addressPrefixes": [ADDRESSES]},
        "subnets": [{"name": SUBNET, "properties": inner}],
    }
    return _piece(drawing, "Microsoft.Network/virtualNetworks", "network", properties)


def interface_place(drawing: Drawing) -> ArmPath:
    name = made_name(drawing.id, "interface|")
    return place_in(group_of(drawing.restore.machine), "Microsoft.Network/networkInterfaces", name)


def interface(drawing: Drawing) -> dict[str, Any]:
    """The body of the machine's only interface."""
    address = {
        "subnet": {"id": f"{network(drawing).id}/subnets/{SUBNET}"},
        "privateIPAllocationMethod": "Dynamic",
        "primary": True,
    }
    properties = {
        "networkSecurityGroup": {"id": rules(drawing).id},
        "ipConfigurations": [{"name": SUBNET, "properties": address}],
    }
    return _body(drawing, properties)


def isolated(machine: Body) -> dict[str, Any]:
    """A machine's body without what it is not given."""
    body = dict(machine)
    for path in LEFT_OUT:
        body = without(body, path)
    return body


def _piece(drawing: Drawing, type_: str, role: str, properties: Body) -> Piece:
    place = place_in(group_of(drawing.restore.machine), type_, made_name(drawing.id, role))
    return Piece(place, _body(drawing, properties))


def _body(drawing: Drawing, properties: Body) -> dict[str, Any]:
    return {"location": drawing.request.shard.region, "tags": drawing.tags(None), "properties": dict(properties)}
