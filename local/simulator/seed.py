"""Seed files: the estate a simulator starts with. Read once at start, refused whole with every problem named."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.simulator import disks, event_grid, foreign, resources, vault_shapes, vaults, volumes
from local.simulator.answers import ArmError, Document
from local.simulator.denials import CONDITIONS
from local.simulator.ids import key_of
from local.simulator.rbac import BUILT_IN
from local.simulator.seed_machines import plant_machine
from local.simulator.store import Resource
from local.simulator.vault_ids import VAULT
from local.simulator.world import World

# What is seeded was there before: it is a day old, so Resource Graph has long noticed it.
AGE_SECONDS = 24 * 3600.0
REQUIRED = {
    "subscription": ("id",),
    "group": ("subscription", "name", "location"),
    "vm": ("subscription", "group", "name"),
    "vault": ("subscription", "group", "name"),
    "resource": ("id",),
    "event_subscription": ("scope", "endpoint"),
    "role": ("name", "actions"),
    "assignment": ("principal", "role", "scope"),
    "policy": ("name", "scope", "effect"),
    "deny_assignment": ("name", "scope", "actions", "principals"),
    "app_role": ("audience", "role", "principal"),
}


class BadSeed(Exception):
    """A seed file that cannot be used; lists every problem."""


def plant(world: World, path: Path) -> None:
    """Create everything a seed file names, unless the state file already holds it."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadSeed(f"{path}: {error}") from error
    problems = list(_problems(document))
    if problems:
        raise BadSeed(f"{path}: " + "; ".join(problems))
    at = world.clock.now() - AGE_SECONDS
    for section, sow in SECTIONS.items():
        for number, item in enumerate(document.get(section, []), start=1):
            try:
                sow(world, item, at)
            except (ArmError, KeyError, TypeError, AttributeError) as error:
                raise BadSeed(f"{path}: [[{section}]] number {number}: {error}") from error


def _problems(document: Mapping[str, Any]) -> list[str]:
    found = [f"unknown section [[{name}]]" for name in document if name not in SECTIONS]
    for section, names in REQUIRED.items():
        items = document.get(section, [])
        if not isinstance(items, list):
            found.append(f"[[{section}]] is written with two brackets")
            continue
        for number, item in enumerate(items, start=1):
            found.extend(f"[[{section}]] number {number}: {name} is missing" for name in names if name not in item)
    return found


def _subscription(world: World, item: Document, at: float) -> None:
    ensure_subscription(world, str(item["id"]), at, item.get("tags"))


def ensure_subscription(world: World, name: str, at: float, tags: Document | None = None) -> Resource:
    """Return a subscription, creating it where it is missing."""
    found = world.store.get(f"/subscriptions/{name.lower()}")
    if found is not None:
        return found
    document = resources.subscription_document(world, name)
    if tags:
        document["tags"] = dict(tags)
    resource_id = f"/subscriptions/{name}"
    return world.store.create(resource_id, document, at)


def _group(world: World, item: Document, at: float) -> None:
    ensure_group(world, item, at)


def ensure_group(world: World, item: Document, at: float) -> Resource:
    """Return a resource group, creating it and its subscription where they are missing."""
    subscription = ensure_subscription(world, str(item["subscription"]), at)
    resource_id = f"{subscription.id}/resourceGroups/{item['name']}"
    found = world.store.get(key_of(resource_id))
    if found is not None:
        return found
    location = str(item.get("location", "westeurope")).lower()
    return world.store.create(resource_id, resources.group_document(resource_id, location, item), at)


def _vm(world: World, item: Document, at: float) -> None:
    plant_machine(world, _group_of(world, item, at), item, at)


def _group_of(world: World, item: Document, at: float) -> Resource:
    return ensure_group(world, {**item, "name": item["group"], "tags": None, "managedBy": None}, at)


def _vault(world: World, item: Document, at: float) -> None:
    """Create a vault as a client's PUT would have left it."""
    group = _group_of(world, item, at)
    resource_id = f"{group.id}/providers/{VAULT}/{item['name']}"
    if world.store.get(key_of(resource_id)) is not None:
        return
    soft = {"softDeleteState": item.get("soft_delete"), "softDeleteRetentionPeriodInDays": item.get("soft_delete_days")}
    security: Document = {"softDeleteSettings": soft}
    if item.get("immutability"):
        security["immutabilitySettings"] = {"state": item["immutability"]}
    document: Document = {
        "location": str(item.get("location") or group.document()["location"]).lower(),
        "name": item["name"],
        "etag": vault_shapes.etag(at),
        **({"tags": dict(item["tags"])} if item.get("tags") else {}),
        "properties": {"provisioningState": "Succeeded", "securitySettings": security},
        "id": resource_id,
        "type": VAULT,
        "sku": {"name": "RS0", "tier": "Standard"},
    }
    if item.get("redundancy"):
        document["properties"]["redundancySettings"] = {"standardTierStorageRedundancy": item["redundancy"]}
    notes = vaults.first_notes(document)
    world.store.create(resource_id, document, at, notes={**notes, "guards": 1 if item.get("guarded") else 0})


def _disk(world: World, item: Document, at: float) -> None:
    """Create a disk that belongs to no machine."""
    group = _group_of(world, item, at)
    resource_id = f"{group.id}/providers/{disks.TYPE}/{item['name']}"
    if world.store.get(key_of(resource_id)) is not None:
        return
    document: Document = {
        "name": item["name"], "id": resource_id, "type": disks.TYPE,
        "location": str(item.get("location") or group.document()["location"]).lower(),
        **({"tags": dict(item["tags"])} if item.get("tags") else {}),
        "sku": {"name": item.get("sku", "Premium_LRS")},
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": int(item.get("gib", 32))},
    }  # fmt: skip
    properties = volumes.completed(document, {}, None, at)
    properties["uniqueId"] = world.chance.guid()
    world.store.create(resource_id, disks.complete(document, properties, None), at)


def _resource(world: World, item: Document, at: float) -> None:
    """Let a resource of a provider that is not simulated be there, as the file writes it."""
    ensure_subscription(world, str(item["id"]).strip("/").split("/")[1], at)
    foreign.plant(world, dict(item), at)


def _event_subscription(world: World, item: Document, at: float) -> None:
    scope = str(item["scope"]).rstrip("/")
    name = str(item.get("name", f"seeded-{len(world.events.subscriptions) + 1}"))
    resource_id = f"{scope}/providers/Microsoft.EventGrid/eventSubscriptions/{name}"
    if world.store.get(key_of(resource_id)) is not None:
        return
    wanted: Document = dict(item.get("filter") or {})
    if item.get("operations"):
        one = {"operatorType": "StringIn", "key": "data.operationName", "values": list(item["operations"])}
        wanted["advancedFilters"] = [*wanted.get("advancedFilters", []), one]
    schema = str(item.get("schema", "EventGridSchema"))
    destination = {"endpointType": "WebHook", "properties": {"endpointUrl": str(item["endpoint"])}}
    properties = {"topic": scope, "filter": wanted, "eventDeliverySchema": schema, "destination": destination}
    event_grid.default_types(properties, scope)
    document = event_grid.subscription_document(resource_id, event_grid.ON_SCOPE, properties)
    document["properties"]["destination"] = event_grid.shown(destination)
    notes = {"endpointUrl": str(item["endpoint"]), "schema": schema, "validated": False}
    world.store.create(resource_id, event_grid.finished_document(document), at, notes=notes)


def _role(world: World, item: Document, at: float) -> None:
    resource_id = f"/providers/Microsoft.Authorization/roleDefinitions/{item['name']}"
    if world.store.get(key_of(resource_id)) is not None:
        return
    permission = {"actions": list(item["actions"]), "notActions": list(item.get("not_actions", []))}
    properties = {"roleName": item["name"], "type": "CustomRole", "permissions": [permission]}
    kind = "Microsoft.Authorization/roleDefinitions"
    world.store.create(resource_id, {"id": resource_id, "type": kind, "properties": properties}, at)


def _assignment(world: World, item: Document, at: float) -> None:
    scope, role = str(item["scope"]).rstrip("/"), str(item["role"]).rsplit("/", 1)[-1]
    name = world.chance.guid_of(f"assignment {scope} {item['principal']} {role}".lower())
    resource_id = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    if world.store.get(key_of(resource_id)) is not None:
        return
    definition = f"/providers/Microsoft.Authorization/roleDefinitions/{role}"
    if role.lower() not in BUILT_IN and world.store.get(key_of(definition)) is None:
        raise KeyError(f"role {role!r} is neither built in nor a [[role]] of this file")
    properties = {"principalId": str(item["principal"]), "roleDefinitionId": definition, "scope": scope or "/"}
    kind = "Microsoft.Authorization/roleAssignments"
    document = {"id": resource_id, "name": name, "type": kind, "properties": properties}
    world.store.create(resource_id, document, at, notes={"seeded": True})


def _policy(world: World, item: Document, at: float) -> None:
    """Put a policy on a scope: effect `deny` with conditions, or `append` with tags."""
    if item["effect"] not in ("deny", "append"):
        raise KeyError(f"effect {item['effect']!r} is neither 'deny' nor 'append'")
    strange = set(item.get("when") or {}) - set(CONDITIONS)
    if strange:
        raise KeyError(f"condition {sorted(strange)[0]!r} is none of {', '.join(CONDITIONS)}")
    _rule(world, item, at, "policyAssignments")


def _deny_assignment(world: World, item: Document, at: float) -> None:
    """Forbid actions to principals, whatever their roles say."""
    names = {"exclude_principals": "excludePrincipals", "not_actions": "notActions"}
    _rule(world, {names.get(name, name): value for name, value in item.items()}, at, "denyAssignments")


def _rule(world: World, item: Document, at: float, kind: str) -> None:
    scope = str(item["scope"]).rstrip("/")
    resource_id = f"{scope}/providers/Microsoft.Authorization/{kind}/{item['name']}"
    if world.store.get(key_of(resource_id)) is None:
        properties = {name: value for name, value in item.items() if name not in ("scope", "name")}
        document = {"id": resource_id, "name": item["name"], "type": f"Microsoft.Authorization/{kind}"}
        world.store.create(resource_id, {**document, "properties": properties}, at)


def _app_role(world: World, item: Document, at: float) -> None:
    """Give a role of an application to a principal, or with `*` to everybody."""
    world.app_roles.give(str(item["audience"]), str(item["role"]), str(item["principal"]))


SECTIONS: Mapping[str, Callable[[World, Document, float], None]] = {
    "subscription": _subscription,
    "group": _group,
    "disk": _disk,
    "vm": _vm,
    "vault": _vault,
    "resource": _resource,
    "event_subscription": _event_subscription,
    "role": _role,
    "assignment": _assignment,
    "policy": _policy,
    "deny_assignment": _deny_assignment,
    "app_role": _app_role,
}
