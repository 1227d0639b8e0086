"""What a vault shows: its settings as asked, what the platform adds, and its security level. Pure but for the notes.

Used by vaults.py, vault_config.py and seeds.
"""

from typing import TYPE_CHECKING

from local.simulator import eras
from local.simulator.answers import Document
from local.simulator.clock import iso
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.world import World

SOFT_DELETE_DAYS = 14
PRIVATE = {"privateEndpointStateForBackup": "None", "privateEndpointStateForSiteRecovery": "None"}
REDUNDANCY: Document = {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Disabled"}
RESTORES: Document = {"crossSubscriptionRestoreSettings": {"crossSubscriptionRestoreState": "Enabled"}}
STATES = {"alwayson": "AlwaysON", "enabled": "Enabled", "disabled": "Disabled"}  # az 2.91 sends AlwaysOn
CONFIG: Document = {
    "enhancedSecurityState": "Enabled",
    "softDeleteFeatureState": "Enabled",
    "softDeleteRetentionPeriodInDays": SOFT_DELETE_DAYS,
    "isSoftDeleteFeatureStateEditable": True,
}


def etag(at: float) -> str:
    """Write a version as the vaults' service does (recorded)."""
    return "W/\"datetime'" + iso(at)[:-1].rstrip("0").rstrip(".").replace(":", "%3A") + "Z'\""


def config_of(vault: Resource) -> Document:
    """Return what is configured in the backup service; older vaults were made before soft delete was there."""
    state = "Enabled" if eras.SOFT_DELETE.reached(vault.born) else "Disabled"
    kept = {**CONFIG, "softDeleteFeatureState": state, **(vault.notes or {}).get("config", {})}
    spelt = {name: STATES.get(str(value).lower(), value) for name, value in kept.items()}
    return {**spelt, "isSoftDeleteFeatureStateEditable": spelt["softDeleteFeatureState"] != "AlwaysON"}


def soft_delete_days(vault: Resource) -> int:
    """Return how long deleted items stay; nothing where the feature is off."""
    config = config_of(vault)
    off = config["softDeleteFeatureState"] == "Disabled"
    return 0 if off else int(config["softDeleteRetentionPeriodInDays"])


def immutability_of(vault: Resource) -> str:
    """Return how far backups are protected from deletion."""
    security = vault.document()["properties"].get("securitySettings") or {}
    return str((security.get("immutabilitySettings") or {}).get("state", "Disabled"))


def _levels(vault: Resource, immutability: str) -> tuple[str, str]:
    """Return secure score and level: the safest setting counts (recorded: none, unlocked; documented: the rest)."""
    always = config_of(vault)["softDeleteFeatureState"] == "AlwaysON"
    guarded = bool((vault.notes or {}).get("guards"))
    if immutability == "Locked" and always:
        return ("Maximum", "Excellent") if guarded else ("Adequate", "Good")
    if immutability == "Locked" or always or guarded:
        return "Adequate", "Good"
    return ("Minimum", "Fair") if immutability == "Unlocked" else ("None", "Poor")


def _security(vault: Resource, asked: Document | None) -> Document:
    config, has_items = config_of(vault), bool((vault.notes or {}).get("items"))
    state = config["softDeleteFeatureState"]
    # Once there are items, the days of a feature that is off are shown as none (recorded).
    days = 0 if state == "Disabled" and has_items else config["softDeleteRetentionPeriodInDays"]
    soft = {
        "softDeleteRetentionPeriodInDays": days,
        "softDeleteState": state,
        "enhancedSecurityState": config["enhancedSecurityState"],
    }
    guards = bool((vault.notes or {}).get("guards"))
    return {
        "immutabilitySettings": (asked or {}).get("immutabilitySettings"),
        "softDeleteSettings": soft,
        "multiUserAuthorization": "Enabled" if guards else "Disabled",
    }


def shown(vault: Resource, listed: bool = False) -> Document:
    """Write a vault as it is answered; lists show less (recorded)."""
    document = vault.document()
    asked: Document = document["properties"]
    security = asked.get("securitySettings")
    properties: Document = {"provisioningState": asked["provisioningState"], **PRIVATE}
    properties |= {name: asked[name] for name in ("encryption", "monitoringSettings") if asked.get(name)}
    made = asked["provisioningState"] != "Provisioning"  # until then the backup service knows nothing of it (recorded)
    if not listed and made:
        properties["backupStorageVersion"] = (
            "V2" if asked.get("encryption") or (vault.notes or {}).get("items") else "Unassigned"
        )
        properties["securitySettings"] = _security(vault, security)
    elif security and not listed:
        first = {"softDeleteSettings": None, "multiUserAuthorization": "Invalid"}
        properties["securitySettings"] = {"immutabilitySettings": None, **security, **first}
    if not listed:
        properties["redundancySettings"] = {**REDUNDANCY, **(asked.get("redundancySettings") or {})}
    score, level = _levels(vault, immutability_of(vault))
    if listed or not made:  # lists do not look at it (recorded)
        score, level = "None", "Poor"
    properties |= {"secureScore": score, "bcdrSecurityLevel": level}
    properties["publicNetworkAccess"] = asked.get("publicNetworkAccess", "Enabled")
    properties["restoreSettings"] = asked.get("restoreSettings") or RESTORES
    return {**document, "properties": properties}


def note(world: "World", vault: Resource, at: float, **changes: object) -> None:
    """Keep something about a vault beside its document."""
    vault.notes = {**(vault.notes or {}), **changes}
    world.store.touch(vault, at)


def identity_of(world: "World", vault_id: str, asked: Document | None, before: Document | None) -> Document | None:
    """Complete an identity: kinds in their spelling, principals made once (recorded)."""
    if asked is None:
        return before
    kinds = {each.strip().lower() for each in str(asked.get("type", "None")).split(",")}
    if kinds == {"none"}:
        return {"type": "None"}
    names = [name for key, name in KINDS_OF_IDENTITY if key in kinds]
    result: Document = {"tenantId": world.tenant}
    if "systemassigned" in kinds:
        result["principalId"] = world.chance.guid_of(f"principal {vault_id.lower()}")
    result["type"] = ", ".join(names)
    if "userassigned" in kinds:
        result["userAssignedIdentities"] = _assigned(world, asked, before)
    return result


KINDS_OF_IDENTITY = (("systemassigned", "SystemAssigned"), ("userassigned", "UserAssigned"))


def _assigned(world: "World", asked: Document, before: Document | None) -> Document:
    held: Document = dict((before or {}).get("userAssignedIdentities") or {})
    for name, value in (asked.get("userAssignedIdentities") or {}).items():
        known = next((each for each in held if each.lower() == name.lower()), None)
        if value is None:
            held.pop(known or name, None)
        elif known is None:
            made = {"clientId": f"client {name}".lower(), "principalId": f"principal {name}".lower()}
            held[name] = {key: world.chance.guid_of(source) for key, source in made.items()}
    return held
