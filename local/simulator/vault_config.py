"""What can be set on a vault in the backup service: soft delete, storage, encryption, resource guards."""

from typing import TYPE_CHECKING

from local.simulator import vault_errors
from local.simulator.answers import ArmError, Document, Reply
from local.simulator.clock import iso
from local.simulator.ids import key_of
from local.simulator.listing import joined, members_of
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.vault_ids import PROXY, ROOT, VAULT, items_in, vault_of
from local.simulator.vault_shapes import REDUNDANCY, STATES, config_of, immutability_of, note

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

CONFIG_NAMES = ("enhancedSecurityState", "softDeleteFeatureState", "softDeleteRetentionPeriodInDays")
WEAKENED_SINCE = "2019-01-01"  # enhanced security can be disabled (recorded: not in 2016-12-01, in 2024-04-01)
SOFT_DELETE_DAYS_ALLOWED = (14, 180)  # days of soft delete (documented)


def _config(vault: Resource) -> Document:
    return {
        "id": f"{vault.id}/backupconfig/vaultconfig",
        "name": "vaultconfig",
        "type": f"{VAULT}/backupconfig",
        "properties": config_of(vault),
    }


def get_config(world: "World", call: "Call") -> Reply:
    """Answer the settings of soft delete."""
    return Reply.of(_config(vault_of(world, call)))


def set_config(world: "World", call: "Call") -> Reply:
    """Change the settings of soft delete; what a resource guard or `AlwaysON` protects is refused."""
    vault = vault_of(world, call)
    asked = {name: value for name, value in (call.body().get("properties") or {}).items() if name in CONFIG_NAMES}
    before = config_of(vault)
    after = {**before, **{name: STATES.get(str(value).lower(), value) for name, value in asked.items()}}
    _check_config(vault, call, before, after)
    changed = {name: after[name] for name in CONFIG_NAMES}
    note(world, vault, call.now, config=changed)
    return Reply.of(_config(vault))


def _check_config(vault: Resource, call: "Call", before: Document, after: Document) -> None:
    state, old = after["softDeleteFeatureState"], before["softDeleteFeatureState"]
    if call.version < WEAKENED_SINCE and after["enhancedSecurityState"] == "Disabled":
        said = "Enhanced Security is enabled for this vault. You cannot disable Enhanced Security after enabling it."
        code = "UserErrorChangeEnhancedSecurityStateNotAllowed"
        raise vault_errors.refused(400, code, f"{said}\r\n{said}")  # twice, as recorded
    if old == "AlwaysON" and state != "AlwaysON":
        message = "Soft delete of this vault is always on and cannot be disabled."
        raise vault_errors.refused(400, "UserErrorChangeSoftDeleteStateNotAllowed", message)
    least, most = SOFT_DELETE_DAYS_ALLOWED
    if state != "Disabled" and not least <= int(after["softDeleteRetentionPeriodInDays"]) <= most:
        message = f"Soft delete retention is from {least} to {most} days."
        raise vault_errors.refused(400, "UserErrorInvalidSoftDeleteRetention", message)
    if state == "Disabled" and old != "Disabled":
        check_guard(vault, call, "disabling soft delete")


def check_guard(vault: Resource, call: "Call", operation: str) -> None:
    """Refuse a critical operation that a resource guard protects and that no request of the guard's comes with."""
    body = call.body() if call.raw else {}
    properties = body.get("properties") or {}
    approved = properties.get("resourceGuardOperationRequests") or body.get("resourceGuardOperationRequests")
    unlocked = float((vault.notes or {}).get("unlocked", 0)) > call.now
    if (vault.notes or {}).get("guards") and not approved and not unlocked:
        raise vault_errors.guarded(operation)


def check_immutable(vault: Resource, operation: str) -> None:
    """Refuse what an immutable vault does not allow."""
    if immutability_of(vault) in ("Unlocked", "Locked"):
        raise vault_errors.immutable(operation)


def _storage(world: "World", vault: Resource) -> Document:
    settings = vault.document()["properties"].get("redundancySettings") or {}
    kind = settings.get("standardTierStorageRedundancy") or REDUNDANCY["standardTierStorageRedundancy"]
    return {
        "id": f"{vault.id}/backupstorageconfig/vaultstorageconfig",
        "name": "vaultstorageconfig",
        "type": f"{VAULT}/backupstorageconfig",
        "properties": {
            "storageModelType": kind,
            "storageType": kind,
            "dedupState": "Disabled",
            "xcoolState": "Disabled",
            "storageTypeState": "Locked" if items_in(world, vault) else "Unlocked",
            "crossRegionRestoreFlag": settings.get("crossRegionRestore") == "Enabled",
        },
    }


def get_storage(world: "World", call: "Call") -> Reply:
    """Answer how the vault's storage is kept."""
    return Reply.of(_storage(world, vault_of(world, call)))


def set_storage(world: "World", call: "Call") -> Reply:
    """Change how the vault's storage is kept, before the first item is protected."""
    vault, asked = vault_of(world, call), call.body().get("properties") or {}
    kind = asked.get("storageModelType") or asked.get("storageType")
    if kind is None:
        raise ArmError(400, "InvalidParameter", "Required parameter 'storageModelType' is missing (null).")
    if items_in(world, vault):
        message = "Storage type cannot be updated once items are protected in the vault."
        raise vault_errors.refused(400, "CloudStorageTypeUpdateNotAllowed", message)
    document = vault.document()
    crossing = "Enabled" if asked.get("crossRegionRestoreFlag") else "Disabled"
    settings = {"standardTierStorageRedundancy": kind, "crossRegionRestore": crossing}
    document["properties"]["redundancySettings"] = settings
    world.store.write(vault, document, call.now)
    return Reply(204) if call.method == "PATCH" else Reply.of(_storage(world, vault))


def get_encryption(world: "World", call: "Call") -> Reply:
    """Answer with whose keys the vault is encrypted."""
    vault = vault_of(world, call)
    chosen = vault.document()["properties"].get("encryption") or {}
    identity = chosen.get("kekIdentity") or {}
    own = identity.get("userAssignedIdentity")
    properties: Document = {"userAssignedIdentity": own} if own else {}
    properties["useSystemAssignedIdentity"] = not own
    properties["encryptionAtRestType"] = "CustomerManaged" if chosen else "MicrosoftManaged"
    if chosen:
        properties |= {"keyUri": (chosen.get("keyVaultProperties") or {}).get("keyUri"), "subscriptionId": ""}
    properties["lastUpdateStatus"] = "Succeeded" if chosen else "NotEnabled"
    properties["infrastructureEncryptionState"] = chosen.get("infrastructureEncryption", "Disabled")
    name = "backupResourceEncryptionConfig"
    document = {"id": f"{vault.id}/backupEncryptionConfigs/{name}", "name": name}
    return Reply.of({**document, "type": f"{VAULT}/backupEncryptionConfigs", "properties": properties})


def list_proxies(world: "World", call: "Call") -> Reply:
    """List the resource guards that protect the vault."""
    return joined([held.body for held in members_of(world, call, vault_of(world, call).key, PROXY.lower())])


def get_proxy(world: "World", call: "Call") -> Reply:
    """Answer one."""
    found = world.store.get(key_of(call.path))
    if found is None:
        raise vault_errors.missing("BMSUserErrorObjectNotFound", "Resource guard mapping")
    return Reply(200, found.body)


def put_proxy(world: "World", call: "Call") -> Reply:
    """Let a resource guard protect the vault's critical operations."""
    vault, asked = vault_of(world, call), call.body().get("properties") or {}
    proxy_id = f"{vault.id}/backupResourceGuardProxies/{call['proxy']}"
    document = {"id": proxy_id, "name": call["proxy"], "type": PROXY}
    properties = {"lastUpdatedTime": iso(call.now), **asked}
    found = world.store.get(key_of(proxy_id))
    if found is None:
        world.store.create(proxy_id, {**document, "properties": properties}, call.now)
    else:
        world.store.write(found, {**document, "properties": properties}, call.now)
    note(world, vault, call.now, guards=1)
    return Reply.of({**document, "properties": properties})


def delete_proxy(world: "World", call: "Call") -> Reply:
    """Take a guard away, which is a critical operation itself."""
    vault, found = vault_of(world, call), world.store.get(key_of(call.path))
    if found is None:
        return Reply(204)
    check_guard(vault, call, "removing multi-user authorization")
    world.store.remove(found, call.now)
    note(world, vault, call.now, guards=0)
    return Reply(200)


UNLOCKED_SECONDS = 15 * 60.0  # how long an approval of a deletion holds (assumed)


def unlock_delete(world: "World", call: "Call") -> Reply:
    """Approve a deletion, for whoever has a right on the guard."""
    vault = vault_of(world, call)
    until = call.now + UNLOCKED_SECONDS
    note(world, vault, call.now, unlocked=until)
    return Reply.of({"unlockDeleteExpiryTime": iso(until)})


def security_pin(world: "World", call: "Call") -> Reply:
    """Answer a pin, as hybrid agents ask for it."""
    vault = vault_of(world, call)
    digits = int(world.chance.share(f"pin {vault.key} {int(call.now // 300)}") * 900_000) + 100_000
    expires = call.now + 300
    seconds = int((expires + 62_135_596_800) * 10_000_000)
    return Reply.of({"token": str(digits), "expiryTimeInUtcTicks": seconds, "securityPIN": str(digits)})


_R, _S, _OLD = Evidence.RECORDED, Evidence.SPECIFIED, Versions("2016-06-01")
_CLI = "azure-cli-2025-02/backup"
_CONFIG, _STORAGE = f"{ROOT}/backupconfig/vaultconfig", f"{ROOT}/backupstorageconfig/vaultstorageconfig"
_PROXIES = f"{ROOT}/backupResourceGuardProxies"
ROUTES = (
    Route("GET", _CONFIG, f"{VAULT}/backupconfig/read", get_config, _R, f"{_CLI}/test_backup_softdelete", _OLD),
    Route("PATCH", _CONFIG, f"{VAULT}/backupconfig/write", set_config, _R, f"{_CLI}/test_backup_softdelete", _OLD),
    Route("PUT", _CONFIG, f"{VAULT}/backupconfig/write", set_config, _S, "BackupResourceVaultConfigs_Put", _OLD),
    Route("GET", _STORAGE, f"{VAULT}/backupstorageconfig/read", get_storage, _R,
          "azure-cli-2019-08/backup/test_backup_vault", _OLD),
    Route("PUT", _STORAGE, f"{VAULT}/backupstorageconfig/write", set_storage, _R,
          "azure-cli-2019-08/backup/test_backup_vault", _OLD),
    Route("PATCH", _STORAGE, f"{VAULT}/backupstorageconfig/write", set_storage, _S,
          "BackupResourceStorageConfigsNonCRR_Patch", _OLD),
    Route("GET", f"{ROOT}/backupEncryptionConfigs/backupResourceEncryptionConfig",
          f"{VAULT}/backupEncryptionConfigs/read", get_encryption, _R, f"{_CLI}/test_backup_encryption", _OLD),
    Route("GET", _PROXIES, f"{PROXY}/read", list_proxies, _R, f"{_CLI}/test_backup_scenario", _OLD, lists=True),
    Route("GET", f"{_PROXIES}/{{proxy}}", f"{PROXY}/read", get_proxy, _S, "ResourceGuardProxy_Get", _OLD),
    Route("PUT", f"{_PROXIES}/{{proxy}}", f"{PROXY}/write", put_proxy, _S, "ResourceGuardProxy_Put", _OLD),
    Route("DELETE", f"{_PROXIES}/{{proxy}}", f"{PROXY}/delete", delete_proxy, _S, "ResourceGuardProxy_Delete", _OLD),
    Route("POST", f"{_PROXIES}/{{proxy}}/unlockDelete", f"{PROXY}/unlockDelete/action", unlock_delete, _S,
          "ResourceGuardProxy_UnlockDelete", _OLD),
    Route("POST", f"{ROOT}/backupSecurityPIN", f"{VAULT}/backupSecurityPIN/action", security_pin, _R,
          "azure-sdk-for-net-2019-02/RecoveryServices.Backup/GetBackupSecurityPin", _OLD),
)  # fmt: skip
