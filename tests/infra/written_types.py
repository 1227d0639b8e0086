"""The types that infra/ uses of Microsoft.Network, and of Microsoft.Insights at versions of its own, as the published
Bicep types say; those files are not among the ones beside this checkout, so what they say is written here, in their own
form of references.

A type is the name of a scalar, a list of one type, a tuple of the texts that are allowed, or the properties of an
object by name. A name that ends with `!` is required, one that ends with `-` is read-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT, TRUTH, NUMBER = "StringType", "BooleanType", "IntegerType"
TAGS: Mapping[str, Any] = {"*": TEXT}
REFERENCE: Mapping[str, Any] = {"id": TEXT}
COUNTS = (
    "maxNumberOfRecordSets", "maxNumberOfVirtualNetworkLinks", "maxNumberOfVirtualNetworkLinksWithRegistration",
    "numberOfRecordSets", "numberOfVirtualNetworkLinks", "numberOfVirtualNetworkLinksWithRegistration",
)  # fmt: skip
CONNECTION: Mapping[str, Any] = {
    "etag-": TEXT,
    "id": TEXT,
    "name": TEXT,
    "type-": TEXT,
    "properties": {
        "groupIds": [TEXT],
        "privateLinkServiceConnectionState": {"actionsRequired": TEXT, "description": TEXT, "status": TEXT},
        "privateLinkServiceId": TEXT,
        "provisioningState-": TEXT,
        "requestMessage": TEXT,
    },
}
ADDRESS: Mapping[str, Any] = {
    "etag-": TEXT,
    "name": TEXT,
    "properties": {"groupId": TEXT, "memberName": TEXT, "privateIPAddress": TEXT},
    "type-": TEXT,
}
MODES = ("Open", "PrivateOnly")
KEPT: Mapping[str, Any] = {"days!": NUMBER, "enabled!": TRUTH}
RESOURCES: Mapping[str, Mapping[str, Any]] = {
    "Microsoft.Network/privateEndpoints@2024-05-01": {
        "etag-": TEXT,
        "extendedLocation": {"name": TEXT, "type": TEXT},
        "location": TEXT,
        "tags": TAGS,
        "properties": {
            "applicationSecurityGroups": [REFERENCE],
            "customDnsConfigs": [{"fqdn": TEXT, "ipAddresses": [TEXT]}],
            "customNetworkInterfaceName": TEXT,
            "ipConfigurations": [ADDRESS],
            "manualPrivateLinkServiceConnections": [CONNECTION],
            "networkInterfaces-": [REFERENCE],
            "privateLinkServiceConnections": [CONNECTION],
            "provisioningState-": TEXT,
            "subnet": REFERENCE,
        },
    },
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01": {
        "etag-": TEXT,
        "properties": {
            "privateDnsZoneConfigs": [{"name": TEXT, "properties": {"privateDnsZoneId": TEXT, "recordSets-": [{}]}}],
            "provisioningState-": TEXT,
        },
    },
    "Microsoft.Network/privateDnsZones@2024-06-01": {
        "etag": TEXT,
        "location": TEXT,
        "tags": TAGS,
        "properties": {
            "internalId-": TEXT,
            "provisioningState-": TEXT,
            **{f"{count}-": NUMBER for count in COUNTS},
        },
    },
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01": {
        "etag": TEXT,
        "location": TEXT,
        "tags": TAGS,
        "properties": {
            "provisioningState-": TEXT,
            "registrationEnabled": TRUTH,
            "resolutionPolicy": TEXT,
            "virtualNetwork": REFERENCE,
            "virtualNetworkLinkState-": TEXT,
        },
    },
    "Microsoft.Insights/privateLinkScopes@2021-07-01-preview": {
        "location!": TEXT,
        "tags": TAGS,
        "properties!": {
            "accessModeSettings!": {
                "exclusions": [
                    {
                        "ingestionAccessMode": MODES,
                        "privateEndpointConnectionName": TEXT,
                        "queryAccessMode": MODES,
                    }
                ],
                "ingestionAccessMode!": MODES,
                "queryAccessMode!": MODES,
            },
            "privateEndpointConnections-": [{}],
            "provisioningState-": TEXT,
        },
        "systemData-": {},
    },
    "Microsoft.Insights/diagnosticSettings@2021-05-01-preview": {
        "properties": {
            "eventHubAuthorizationRuleId": TEXT,
            "eventHubName": TEXT,
            "logAnalyticsDestinationType": TEXT,
            "logs": [{"category": TEXT, "categoryGroup": TEXT, "enabled!": TRUTH, "retentionPolicy": KEPT}],
            "marketplacePartnerId": TEXT,
            "metrics": [{"category": TEXT, "enabled!": TRUTH, "retentionPolicy": KEPT, "timeGrain": TEXT}],
            "serviceBusRuleId": TEXT,
            "storageAccountId": TEXT,
            "workspaceId": TEXT,
        },
        "systemData-": {},
    },
    "Microsoft.Insights/privateLinkScopes/scopedResources@2021-07-01-preview": {
        "properties": {"linkedResourceId": TEXT, "provisioningState-": TEXT},
        "systemData-": {},
    },
}
OWN: Mapping[str, Any] = {"id-": TEXT, "name!": TEXT, "type-": TEXT, "apiVersion-": TEXT}
FLAGS = {"!": 1, "-": 2}


def document() -> list[Mapping[str, Any]]:
    """These types as a file of published types has them: an array, with references into it."""
    types: list[Mapping[str, Any]] = []
    for name, properties in RESOURCES.items():
        body = _added({**OWN, **properties}, types)
        types.append({"$type": "ResourceType", "name": name, "body": body})
    return types


def _added(type_: Any, types: list[Mapping[str, Any]]) -> Mapping[str, str]:
    """A reference to a type, which is put behind all that it refers to."""
    if isinstance(type_, str):
        types.append({"$type": type_})
    elif isinstance(type_, tuple):
        texts = [{"$type": "StringLiteralType", "value": each} for each in type_]
        elements = [{"$ref": f"#/{len(types) + number}"} for number in range(len(texts))]
        types += [*texts, {"$type": "UnionType", "elements": elements}]
    elif isinstance(type_, list):
        types.append({"$type": "ArrayType", "itemType": _added(type_[0], types)})
    elif "*" in type_:
        types.append({"$type": "ObjectType", "properties": {}, "additionalProperties": _added(type_["*"], types)})
    else:
        properties = {
            name.rstrip("!-"): {"type": _added(each, types), "flags": FLAGS.get(name[-1], 0)}
            for name, each in type_.items()
        }
        types.append({"$type": "ObjectType", "properties": properties})
    return {"$ref": f"#/{len(types) - 1}"}
