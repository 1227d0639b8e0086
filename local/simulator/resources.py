"""Subscriptions and resource groups: what ARM itself answers."""

import re
from typing import TYPE_CHECKING

from local.simulator import regions
from local.simulator.acceptance import accepted
from local.simulator.answers import GATEWAY, ArmError, Document, Reply, encode, invalid
from local.simulator.listing import joined, listed, members_of
from local.simulator.lro import Family, Operation, Work
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.tagging import checked

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

TAG_FILTER = re.compile(r"^tagname eq '(?P<name>[^']*)'(?: and tagvalue eq '(?P<value>[^']*)')?$", re.I)


def subscription_document(world: "World", name: str) -> Document:
    """Write a subscription as ARM does (specified; recorded by the SDK's subscription tests)."""
    return {
        "id": f"/subscriptions/{name}",
        "subscriptionId": name,
        "displayName": f"Subscription {name[:8]}",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "tags": {},
        "tenantId": world.tenant,
    }


def subscriptions(world: "World", call: "Call") -> Reply:
    """List the subscriptions the caller can read."""
    found = [held for held in world.store.everything() if held.type == "microsoft.resources/subscriptions"]
    read = "Microsoft.Resources/subscriptions/read"
    seen = [
        held
        for held in found
        if not world.access.enforced() or world.access.reaches(call.principal.oid, read, held.key)
    ]
    documents = b",".join(held.body for held in seen)
    count = encode({"type": "Total", "value": len(seen)})
    return Reply(200, b'{"value":[' + documents + b'],"count":' + count + b"}")


def subscription(world: "World", call: "Call") -> Reply:
    """Answer one subscription."""
    return Reply(200, world.subscription(call["subscription"]).body)


def tenants(world: "World", call: "Call") -> Reply:
    """List the one tenant: its id in versions before 2022 (recorded), then its names too (specified)."""
    tenant: Document = {"id": f"/tenants/{world.tenant}", "tenantId": world.tenant, "tenantCategory": "Home"}
    if call.version >= "2022":
        tenant |= {"countryCode": "US", "displayName": "Simulated", "domains": ["simulated.onmicrosoft.com"]}
    return Reply.of({"value": [tenant]})


def locations(world: "World", call: "Call") -> Reply:
    """List regions."""
    root = world.subscription(call["subscription"]).id
    return Reply.of({"value": [each.shown(root) for each in regions.ALL]})


def put_group(world: "World", call: "Call") -> Reply:
    """Create a group (201) or replace its tags (200)."""
    world.subscription(call["subscription"])
    body = call.body()
    if not body.get("location"):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    found = world.store.get(call.path.lower().rstrip("/"))
    resource_id = found.id if found else f"/subscriptions/{call['subscription']}/resourceGroups/{call['group']}"
    location = str(body["location"]).lower().replace(" ", "")
    if found is not None and found.document()["location"] != location:
        raise _moved(call["group"], str(found.document()["location"]), location)
    document = group_document(resource_id, location, body)
    if found is not None:
        world.store.write(found, document, call.now)
        return Reply.of(document)
    world.store.create(resource_id, document, call.now)
    return Reply.of(document, 201)


def _moved(name: str, old: str, new: str) -> ArmError:
    return ArmError(
        409,
        "InvalidResourceGroupLocation",
        f"Invalid resource group location '{new}'. The Resource group '{name}' already exists in location '{old}'.",
    )


def group_document(resource_id: str, location: str, body: Document) -> Document:
    """Write a resource group in the recorded key order."""
    document: Document = {
        "id": resource_id,
        "name": resource_id.rsplit("/", 1)[-1],
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
    }
    if body.get("managedBy"):
        document["managedBy"] = body["managedBy"]
    if body.get("tags") is not None:
        document["tags"] = checked(body["tags"])
    return {**document, "properties": {"provisioningState": "Succeeded"}}


def patch_group(world: "World", call: "Call") -> Reply:
    """Replace a group's tags."""
    found = world.group(call["subscription"], call["group"])
    document = found.document()
    if "tags" in call.body():
        document["tags"] = checked(call.body()["tags"])
    world.store.write(found, document, call.now)
    return Reply.of(document)


def group(world: "World", call: "Call") -> Reply:
    """Answer one group."""
    return Reply(200, world.group(call["subscription"], call["group"]).body)


def has_group(world: "World", call: "Call") -> Reply:
    """Say whether a group exists: 204 or 404, without a body."""
    world.subscription(call["subscription"])
    found = world.store.get(call.path.lower().rstrip("/"))
    return Reply(204) if found else Reply(404, b"", dict(GATEWAY))


def delete_group(world: "World", call: "Call") -> Reply:
    """Accept the deletion of a group and everything in it."""
    found = world.group(call["subscription"], call["group"])
    document = found.document()
    document["properties"]["provisioningState"] = "Deleting"
    world.store.write(found, document, call.now)
    work = Work("group.delete", Family.GROUP, found, document["location"], "group.delete", {})
    return accepted(call, world.operations.begin(call, work), 202, None, location=True)


def finish_group_delete(world: "World", operation: Operation, at: float) -> None:
    """Remove a group and everything in it."""
    found = world.store.get(operation.target)
    if found is not None:
        world.store.remove(found, at)


def groups(world: "World", call: "Call") -> Reply:
    """List groups, all or by tag."""
    scope = world.subscription(call["subscription"]).key
    wanted = call.query.get("$filter")
    if wanted is None:
        return listed(world, call, scope, "microsoft.resources/resourcegroups")
    match = TAG_FILTER.match(wanted)
    if match is None:
        raise invalid(f"The filter '{wanted}' is not supported.", "$filter")
    found = members_of(world, call, scope, "microsoft.resources/resourcegroups")
    return joined([held.body for held in found if tagged(held.document(), match["name"], match["value"])])


def tagged(document: Document, name: str, value: str | None) -> bool:
    """Tell whether a document has a tag, whatever the letter case of its name."""
    tags = {key.lower(): held for key, held in (document.get("tags") or {}).items()}
    return name.lower() in tags and (value is None or tags[name.lower()] == value)


_SUB = "/subscriptions/{subscription}"
_GROUP = _SUB + "/resourceGroups/{group}"
_GROUPS = "azure-cli-2025-02/resource/test_resource_group"
_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"
_WRITE = "Microsoft.Resources/subscriptions/resourceGroups/write"
_SINCE = Versions("2014-04-01")
_R, _S = Evidence.RECORDED, Evidence.SPECIFIED

ROUTES = (
    Route("GET", "/subscriptions", "Microsoft.Resources/subscriptions/read", subscriptions, _R,
          "azure-sdk-for-python-2022-05/azure-mgmt-resource/test_subscriptions", _SINCE, open_to_all=True),
    Route("GET", _SUB, "Microsoft.Resources/subscriptions/read", subscription, _R,
          "azure-sdk-for-python-2022-05/azure-mgmt-resource/test_subscriptions", _SINCE),
    Route("GET", "/tenants", "Microsoft.Resources/tenants/read", tenants, _R,
          "azure-sdk-for-python-2022-05/azure-mgmt-resource/test_tenants", _SINCE, open_to_all=True),
    Route("GET", _SUB + "/locations", "Microsoft.Resources/subscriptions/locations/read", locations, _R,
          "azure-sdk-for-python-2022-05/azure-mgmt-resource/test_subscriptions", _SINCE),
    Route("GET", _SUB + "/resourceGroups", _READ, groups, _R, _GROUPS, _SINCE, lists=True),
    Route("PUT", _GROUP, _WRITE, put_group, _R, _GROUPS, _SINCE),
    Route("PATCH", _GROUP, _WRITE, patch_group, _S, "resources 2025-04-01 ResourceGroups_Update", _SINCE),
    Route("GET", _GROUP, _READ, group, _R, _GROUPS, _SINCE),
    Route("HEAD", _GROUP, _READ, has_group, _R, _GROUPS, _SINCE),
    Route("DELETE", _GROUP, "Microsoft.Resources/subscriptions/resourceGroups/delete", delete_group, _R, _GROUPS,
          _SINCE),
)  # fmt: skip
FINISHERS = {"group.delete": finish_group_delete}
