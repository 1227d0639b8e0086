"""What vaults are asked beside their backups: counts by kind, names that are free, private links, what is not there.

Backups are of machines alone: lists of anything else are empty, and nothing is replicated.
"""

from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document, Reply
from local.simulator.ids import key_of
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.vault_ids import ROOT, VAULT, items_in, vault_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

# Kinds of backup management with what they are called (specified: the documents' examples).
MANAGED = (
    ("AzureIaasVM", "Azure Virtual Machine"),
    ("MAB", "Azure Backup Agent"),
    ("AzureBackupServer", "Azure Backup Server"),
    ("AzureStorage", "Azure Storage (Azure Files)"),
    ("AzureWorkload", "SQL in Azure VM"),
)
CONTAINED = MANAGED[1:]
ZONES = {
    "AzureBackup": ("privatelink.{place}.backup.windowsazure.com", "privatelink.queue.core.windows.net",
                    "privatelink.blob.core.windows.net"),
    "AzureSiteRecovery": ("privatelink.siterecovery.windowsazure.com",),
}  # fmt: skip
LISTED_SINCE = "2018"
_PROVIDERS = ("unHealthyProviderCount", "deprecatedProviderCount", "supportedProviderCount", "unsupportedProviderCount")


def backup_summaries(world: "World", call: "Call") -> Reply:
    """Count protected items, or containers, by what manages them."""
    vault = vault_of(world, call)
    containers = "containercount" in call.query.get("$filter", "").lower()
    counts = {} if containers else {"AzureIaasVM": len(items_in(world, vault))}
    found = [
        {
            "unit": "Count",
            "currentValue": counts.get(value, 0),
            "limit": -1,
            "name": {"value": value, "localizedValue": said},
        }
        for value, said in (CONTAINED if containers else MANAGED)
    ]
    return Reply.of({"value": found})


def replication_usages(world: "World", call: "Call") -> Reply:
    """Count what is replicated: nothing. Once an object (recorded), later in a list (specified)."""
    vault_of(world, call)
    found: Document = {
        "monitoringSummary": dict.fromkeys(("unHealthyVmCount", "eventsCount", *_PROVIDERS), 0),
        "jobsSummary": dict.fromkeys(("failedJobs", "suspendedJobs", "inProgressJobs"), 0),
        **dict.fromkeys(("protectedItemCount", "registeredServersCount", "recoveryPlanCount"), 0),
    }
    return Reply.of(found if call.version < LISTED_SINCE else {"value": [found]})


def nothing(world: "World", call: "Call") -> Reply:
    """List what only other kinds of backup have."""
    vault_of(world, call)
    return Reply.of({"value": []})


def is_free(world: "World", call: "Call") -> Reply:
    """Say whether a vault may be called so in a group."""
    group, body = world.group(call["subscription"], call["group"]), call.body()
    name = str(body.get("name") or "")
    if not name:
        raise ArmError(400, "InvalidRequestContent", "The request must name 'name' and 'type'.")
    if world.store.get(key_of(f"{group.id}/providers/{VAULT}/{name}")) is None:
        return Reply.of({"nameAvailable": True})
    said: Document = {"reason": "AlreadyExists", "message": f"A vault named '{name}' already exists."}
    return Reply.of({"nameAvailable": False, **said})


def capabilities(world: "World", call: "Call") -> Reply:
    """Name the zones that private endpoints of a region need."""
    world.subscription(call["subscription"])
    body = call.body()
    asked = [str(each.get("subResource")) for each in (body.get("properties") or {}).get("dnsZones") or []]
    found = [{"subResource": name, "requiredZoneNames": _zones(name, call["location"])} for name in asked]
    return Reply.of({"type": body.get("type"), "properties": {"dnsZones": found}})


def _zones(name: str, place: str) -> list[str]:
    return [zone.format(place=place.lower()) for zone in ZONES.get(name, ())]


def private_links(world: "World", call: "Call") -> Reply:
    """List what a private endpoint of a vault can reach."""
    vault = vault_of(world, call)
    place = str(vault.document()["location"])
    found = [
        {
            "properties": {"groupId": name, "requiredMembers": [name], "requiredZoneNames": _zones(name, place)},
            "id": f"{vault.id}/privateLinkResources/{name}",
            "name": name,
            "type": f"{VAULT}/privateLinkResources",
        }
        for name in ZONES
    ]
    return Reply.of({"value": found})


_S, _SINCE, _PLACE = Evidence.SPECIFIED, Versions("2016-06-01"), "Microsoft.RecoveryServices/locations"
_SUB = f"/subscriptions/{{subscription}}/providers/{_PLACE}/{{location}}"
_LOCAL = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{_PLACE}/{{location}}"
ROUTES = (
    Route("GET", f"{ROOT}/backupUsageSummaries", f"{VAULT}/backupUsageSummaries/read", backup_summaries, _S,
          "BackupUsageSummaries_List", _SINCE),
    Route("GET", f"{ROOT}/replicationUsages", f"{VAULT}/replicationUsages/read", replication_usages,
          Evidence.RECORDED, "azure-sdk-for-net-2019-02/RecoveryServices/RetrieveVaultReplicationUsages", _SINCE),
    Route("GET", f"{ROOT}/backupEngines", f"{VAULT}/backupEngines/read", nothing, _S, "BackupEngines_List", _SINCE,
          lists=True),
    Route("GET", f"{ROOT}/backupProtectionIntents", f"{VAULT}/backupProtectionIntents/read", nothing, _S,
          "BackupProtectionIntent_List", _SINCE, lists=True),
    Route("GET", f"{ROOT}/backupFabrics/{{fabric}}/protectableContainers",
          f"{VAULT}/backupFabrics/protectableContainers/read", nothing, _S, "ProtectableContainers_List", _SINCE,
          lists=True),
    Route("GET", f"{ROOT}/privateLinkResources", f"{VAULT}/privateLinkResources/read", private_links, _S,
          "PrivateLinkResources_List", Versions("2020-02-02"), lists=True),
    Route("POST", f"{_LOCAL}/checkNameAvailability", f"{_PLACE}/checkNameAvailability/action", is_free, _S,
          "RecoveryServices_CheckNameAvailability", Versions("2018-01-10")),
    Route("POST", f"{_SUB}/capabilities", f"{_PLACE}/capabilities/action", capabilities, _S,
          "RecoveryServices_Capabilities", Versions("2022-01-31")),
)  # fmt: skip
