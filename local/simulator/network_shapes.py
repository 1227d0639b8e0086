"""What network resources look like once they exist, type by type. Used by network.py and by seeds."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.simulator.answers import Document
from local.simulator.tagging import checked

if TYPE_CHECKING:
    from local.simulator.world import World


def _network(world: "World", resource_id: str, properties: Document) -> Document:
    subnets = [subnet_of(f"{resource_id}/subnets/{one['name']}", one) for one in properties.get("subnets") or []]
    return {**properties, "subnets": subnets, "virtualNetworkPeerings": [], "enableDdosProtection": False}


def subnet_of(resource_id: str, body: Document) -> Document:
    properties = {
        "delegations": [],
        "privateEndpointNetworkPolicies": "Disabled",
        "privateLinkServiceNetworkPolicies": "Enabled",
        **(body.get("properties") or {}),
        "provisioningState": "Succeeded",
    }
    kind = "Microsoft.Network/virtualNetworks/subnets"
    name = resource_id.rsplit("/", 1)[-1]
    return {"name": name, "id": resource_id, "etag": _etag(resource_id), "properties": properties, "type": kind}


def _interface(world: "World", resource_id: str, properties: Document) -> Document:
    configurations = []
    for number, one in enumerate(properties.get("ipConfigurations") or []):
        own = f"{resource_id}/ipConfigurations/{one['name']}"
        last = 4 + int(world.chance.share(f"address {own}") * 250)
        inner = {
            "provisioningState": "Succeeded",
            "privateIPAddress": f"10.0.0.{last}",
            "privateIPAllocationMethod": "Dynamic",
            "primary": number == 0,
            "privateIPAddressVersion": "IPv4",
            **(one.get("properties") or {}),
        }
        kind = "Microsoft.Network/networkInterfaces/ipConfigurations"
        configurations.append({"name": one["name"], "id": own, "etag": _etag(own), "type": kind, "properties": inner})
    return {
        "dnsSettings": {
            "dnsServers": [],
            "appliedDnsServers": [],
            "internalDomainNameSuffix": "x.bx.internal.cloudapp.net",
        },
        "enableAcceleratedNetworking": False,
        "vnetEncryptionSupported": False,
        "enableIPForwarding": False,
        **properties,
        "ipConfigurations": configurations,
        "hostedWorkloads": [],
        "tapConfigurations": [],
        "nicType": "Standard",
    }


def _address(world: "World", resource_id: str, properties: Document) -> Document:
    last = int(world.chance.share(f"public {resource_id}") * 250)
    return {
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Dynamic",
        "idleTimeoutInMinutes": 4,
        "ipTags": [],
        "ipAddress": f"203.0.113.{last}",
        **properties,
    }


def _rules(world: "World", resource_id: str, properties: Document) -> Document:
    rules = [
        {
            "name": one["name"],
            "id": f"{resource_id}/securityRules/{one['name']}",
            "etag": _etag(resource_id),
            "type": "Microsoft.Network/networkSecurityGroups/securityRules",
            "properties": {"provisioningState": "Succeeded", **(one.get("properties") or {})},
        }
        for one in properties.get("securityRules") or []
    ]
    return {**properties, "securityRules": rules, "defaultSecurityRules": []}


Complete = Callable[["World", str, Document], Document]


@dataclass(frozen=True, slots=True)
class Kind:
    """A network type: how its properties are completed, and its state in the first answer (recorded)."""

    name: str
    complete: Complete
    at_first: str


KINDS: Mapping[str, Kind] = {
    kind.name.lower(): kind
    for kind in (
        Kind("virtualNetworks", _network, "Updating"),
        Kind("networkInterfaces", _interface, "Succeeded"),
        Kind("publicIPAddresses", _address, "Updating"),
        Kind("networkSecurityGroups", _rules, "Updating"),
    )
}


def _etag(text: str) -> str:
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return f'W/"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"'


def document_of(world: "World", kind: Kind, resource_id: str, body: Document) -> Document:
    """Write a network resource as it is once it exists."""
    asked = {name: value for name, value in (body.get("properties") or {}).items() if name != "provisioningState"}
    document: Document = {
        "name": resource_id.rsplit("/", 1)[-1],
        "id": resource_id,
        "etag": _etag(f"{resource_id} {asked}"),
        "type": f"Microsoft.Network/{kind.name}",
        "location": str(body["location"]).lower().replace(" ", ""),
    }
    if body.get("tags") is not None:
        document["tags"] = checked(body["tags"])
    document.update({name: body[name] for name in ("sku", "zones", "extendedLocation") if body.get(name) is not None})
    document["properties"] = {
        "provisioningState": "Succeeded",
        "resourceGuid": world.chance.guid_of(f"guid {resource_id}"),
        **kind.complete(world, resource_id, asked),
    }
    return document
