"""Recovery Services vaults: created, changed, listed and deleted; newer versions do so by accepted operations."""

from typing import TYPE_CHECKING

from local.simulator import backup_operations, vault_errors
from local.simulator.answers import ArmError, Document, Reply, encode
from local.simulator.ids import key_of
from local.simulator.kinds import location_of
from local.simulator.listing import listed
from local.simulator.lro import Family, Operation, Work
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.tagging import checked
from local.simulator.vault_ids import ROOT, VAULT, items_in
from local.simulator.vault_operations import FORGOTTEN, REMEMBERED_SECONDS
from local.simulator.vault_shapes import etag, identity_of, immutability_of, note, shown
from local.simulator.world import merged

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

KIND = VAULT.lower()
ASYNC_SINCE = "2022-10-01"  # recorded: 2022-09-10 writes at once, 2023-02-01 accepts
READ_ONLY = ("provisioningState", "secureScore", "bcdrSecurityLevel", "backupStorageVersion",
             "privateEndpointStateForBackup", "privateEndpointStateForSiteRecovery")  # fmt: skip
# What the first part of an operation's name stands for (recorded: `2047;guid` and so on, in base64).
MAKING, CHANGING, DELETING = "2047", "4095", "1023"


def put(world: "World", call: "Call") -> Reply:
    """Create (201) or replace (200, at once)."""
    group = world.group(call["subscription"], call["group"])
    found, body = world.store.get(key_of(call.path)), call.body()
    vault_id = found.id if found else f"{group.id}/providers/{VAULT}/{call['vault']}"
    before = found.document() if found else None
    document = _asked(world, call, vault_id, body, before)
    if found is not None:
        _check_change(found, document)
        document["properties"]["provisioningState"] = "Succeeded"
        world.store.write(found, document, call.now)
        return Reply.of(shown(found))
    accepts = call.version >= ASYNC_SINCE
    document["properties"]["provisioningState"] = "Provisioning" if accepts else "Succeeded"
    found = world.store.create(vault_id, document, call.now, notes=first_notes(document))
    if not accepts:
        return Reply.of(shown(found), 201)
    operation = _begin(world, call, found, "vault.put", {})
    return backup_operations.accepted_by_vault(call, operation, 201, MAKING, encode(shown(found)))


def first_notes(document: Document) -> Document:
    """Keep beside a new vault what the backup service keeps of it."""
    soft = (document["properties"].get("securitySettings") or {}).pop("softDeleteSettings", None) or {}
    return {"config": _config(soft), "items": 0}


def _config(soft: Document) -> Document:
    names = {
        "softDeleteState": "softDeleteFeatureState",
        "softDeleteRetentionPeriodInDays": "softDeleteRetentionPeriodInDays",
        "enhancedSecurityState": "enhancedSecurityState",
    }
    return {names[name]: value for name, value in soft.items() if name in names and value is not None}


def _asked(world: "World", call: "Call", vault_id: str, body: Document, before: Document | None) -> Document:
    if not body.get("sku"):
        raise ArmError(400, "InvalidRequestContent", "The request content was invalid: 'sku' is required.")
    asked = {name: value for name, value in (body.get("properties") or {}).items() if name not in READ_ONLY}
    identity = identity_of(world, vault_id, body.get("identity"), (before or {}).get("identity"))
    document: Document = {"location": location_of(body), "name": vault_id.rsplit("/", 1)[-1], "etag": etag(call.now)}
    if body.get("tags") is not None:
        document["tags"] = checked(body["tags"])
    if identity is not None:
        document["identity"] = identity
    return {**document, "properties": asked, "id": vault_id, "type": VAULT, "sku": body["sku"]}


def _check_change(vault: Resource, document: Document) -> None:
    """Refuse what cannot be changed: redundancy once something is protected, a locked vault's immutability."""
    if vault.document()["location"] != document["location"]:
        message = f"The resource '{document['name']}' already exists in location '{vault.document()['location']}'."
        raise ArmError(409, "InvalidResourceLocation", message)
    old = (vault.document()["properties"].get("redundancySettings") or {}).get("standardTierStorageRedundancy")
    new = (document["properties"].get("redundancySettings") or {}).get("standardTierStorageRedundancy", old)
    if new != old and (vault.notes or {}).get("items"):
        message = "Storage redundancy cannot be changed once items are protected in the vault."
        raise vault_errors.refused(400, "CloudStorageTypeUpdateNotAllowed", message)
    security = document["properties"].get("securitySettings") or {}
    state = (security.get("immutabilitySettings") or {}).get("state", "Disabled")
    if immutability_of(vault) == "Locked" and state != "Locked":
        raise vault_errors.immutable("disabling immutability")


def patch(world: "World", call: "Call") -> Reply:
    """Change: properties and user-assigned identities by an accepted operation (202), the rest at once (recorded)."""
    found, body = world.resource(call.path, VAULT), call.body()
    document = found.document()
    document["etag"] = etag(call.now)
    if "tags" in body:
        document["tags"] = checked(body["tags"])
    identity = identity_of(world, found.id, body.get("identity"), document.get("identity"))
    if identity is not None:
        document["identity"] = identity
    if "sku" in body:
        document["sku"] = body["sku"]
    asked = {name: value for name, value in (body.get("properties") or {}).items() if name not in READ_ONLY}
    document["properties"] = merged(document["properties"], asked)
    _complete_encryption(document["properties"], asked)
    _check_change(found, document)
    mine = "userassigned" in str((body.get("identity") or {}).get("type", "")).lower()
    if call.version < ASYNC_SINCE or not (asked or mine):
        _change(world, found, document, call.now)
        return Reply.of(shown(found))
    operation = _begin(world, call, found, "vault.patch", {"document": document})
    return backup_operations.accepted_by_vault(call, operation, 202, CHANGING)


def _complete_encryption(properties: Document, asked: Document) -> None:
    """Keep one identity for the key: the vault's own or one that was assigned (recorded)."""
    identity = (asked.get("encryption") or {}).get("kekIdentity")
    if identity is not None:
        own = identity.get("userAssignedIdentity")
        chosen = {"useSystemAssignedIdentity": not own, "userAssignedIdentity": own}
        properties["encryption"] = {**properties["encryption"], "kekIdentity": chosen}


def _change(world: "World", vault: Resource, document: Document, at: float) -> None:
    soft = (document["properties"].get("securitySettings") or {}).pop("softDeleteSettings", None)
    if soft:
        note(world, vault, at, config={**(vault.notes or {}).get("config", {}), **_config(soft)})
    world.store.write(vault, document, at)


def _begin(world: "World", call: "Call", vault: Resource, work: str, arguments: Document) -> Operation:
    location = str(vault.document()["location"])
    pace = "vault.delete" if work == "vault.delete" else "vault"
    return world.operations.begin(call, Work(work, Family.VAULT, vault, location, pace, arguments))


def finish_put(world: "World", operation: Operation, at: float) -> None:
    """Bring a new vault to `Succeeded`."""
    found = world.store.get(operation.target)
    if found is None:
        raise ArmError(404, "ResourceNotFound", "The vault was deleted while it was being created.")
    document = found.document()
    document["properties"]["provisioningState"] = "Succeeded"
    document["etag"] = etag(at)
    world.store.write(found, document, at)


def finish_patch(world: "World", operation: Operation, at: float) -> None:
    """Let a change be there; what others changed meanwhile stays."""
    found = world.store.get(operation.target)
    if found is None:
        raise ArmError(404, "ResourceNotFound", "The vault was deleted while it was being changed.")
    document = operation.arguments["document"]
    document["etag"] = etag(at)
    document["properties"]["provisioningState"] = "Succeeded"
    _change(world, found, document, at)


def get(world: "World", call: "Call") -> Reply:
    """Answer one."""
    return Reply.of(shown(world.resource(call.path, VAULT)))


def every(world: "World", call: "Call") -> Reply:
    """List those of a group or of a subscription."""
    if "group" in call.names:
        scope = world.group(call["subscription"], call["group"]).key
    else:
        scope = world.subscription(call["subscription"]).key
    return listed(world, call, scope, KIND, lambda held: encode(shown(held, listed=True)))


def delete(world: "World", call: "Call") -> Reply:
    """Delete an empty vault: at once (200), in newer versions by an accepted operation (202)."""
    world.group(call["subscription"], call["group"])
    found = world.store.get(key_of(call.path))
    if found is None:
        return Reply(204)
    items = items_in(world, found)
    if items:
        raise vault_errors.not_empty(",".join(str(item.document()["properties"]["friendlyName"]) for item in items))
    if call.version < ASYNC_SINCE:
        world.store.remove(found, call.now)
        return Reply(200)
    return backup_operations.accepted_by_vault(call, _begin(world, call, found, "vault.delete", {}), 202, DELETING)


def finish_delete(world: "World", operation: Operation, at: float) -> None:
    """Remove a vault with its policies and settings."""
    found = world.store.get(operation.target)
    if found is not None:
        world.store.remove(found, at)
        world.schedule.enter(at + REMEMBERED_SECONDS, FORGOTTEN, operation.id)


_GROUP, _R = ROOT.rsplit("/", 1)[0], Evidence.RECORDED
_CLI = "azure-cli-2025-02/backup/test_backup_vault, test_backup_identity"
_OLD = Versions("2016-06-01")
ROUTES = (
    Route("PUT", ROOT, f"{VAULT}/write", put, _R, _CLI, _OLD),
    Route("PATCH", ROOT, f"{VAULT}/write", patch, _R, _CLI, _OLD),
    Route("GET", ROOT, f"{VAULT}/read", get, _R, _CLI, _OLD),
    Route("DELETE", ROOT, f"{VAULT}/delete", delete, _R, _CLI, _OLD),
    Route("GET", _GROUP, f"{VAULT}/read", every, _R, _CLI, _OLD, lists=True),
    Route("GET", f"/subscriptions/{{subscription}}/providers/{VAULT}", f"{VAULT}/read", every, _R, _CLI, _OLD,
          lists=True),
)  # fmt: skip
FINISHERS = {"vault.put": finish_put, "vault.patch": finish_patch, "vault.delete": finish_delete}
