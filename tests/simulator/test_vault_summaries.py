"""What vaults are asked beside their backups: counts, free names, private links, and lists that are empty."""

import pytest

from tests.simulator.backing import VAULT, make_vault, protect
from tests.simulator.running import GROUP, SUBSCRIPTION, Running

VERSION = "?api-version=2025-02-01"
PLACE = "Microsoft.RecoveryServices/locations/westeurope"


def test_counts_by_management_tell_the_machines_and_nothing_else(sim: Running) -> None:
    make_vault(sim)
    protect(sim)
    items = sim.ask("GET", f"{VAULT}/backupUsageSummaries{VERSION}&$filter=type+eq+'BackupProtectedItemCountSummary'")
    counts = {one["name"]["value"]: one["currentValue"] for one in items.body["value"]}
    assert (counts.pop("AzureIaasVM"), set(counts.values())) == (1, {0})
    wanted = f"{VAULT}/backupUsageSummaries{VERSION}&$filter=type+eq+'BackupProtectionContainerCountSummary'"
    assert "AzureIaasVM" not in [one["name"]["value"] for one in sim.ask("GET", wanted).body["value"]]


@pytest.mark.parametrize(
    "kind", ["backupEngines", "backupProtectionIntents", "backupFabrics/Azure/protectableContainers"]
)
def test_what_only_other_kinds_of_backup_have_is_an_empty_list(sim: Running, kind: str) -> None:
    assert sim.ask("GET", f"{VAULT}/{kind}{VERSION}").code == "ResourceNotFound"
    make_vault(sim)
    assert sim.ask("GET", f"{VAULT}/{kind}{VERSION}").body == {"value": []}


def test_nothing_is_replicated_as_an_object_once_and_later_in_a_list(sim: Running) -> None:
    make_vault(sim)
    old = sim.ask("GET", f"{VAULT}/replicationUsages?api-version=2016-06-01").body
    assert (old["protectedItemCount"], old["jobsSummary"]["failedJobs"]) == (0, 0)
    assert sim.ask("GET", f"{VAULT}/replicationUsages{VERSION}").body == {"value": [old]}


def test_a_name_is_free_until_a_vault_has_it(sim: Running) -> None:
    path = f"{GROUP}/providers/{PLACE}/checkNameAvailability{VERSION}"
    name = VAULT.rsplit("/", 1)[-1]
    asked = {"type": "Microsoft.RecoveryServices/Vaults", "name": name}
    assert sim.ask("POST", path, asked).body == {"nameAvailable": True}
    make_vault(sim)
    taken = sim.ask("POST", path, {**asked, "name": name.upper()}).body
    assert (taken["nameAvailable"], taken["reason"]) == (False, "AlreadyExists")
    assert sim.ask("POST", path, {"type": asked["type"]}).status == 400


def test_private_endpoints_are_told_what_they_reach_and_which_zones_they_need(sim: Running) -> None:
    make_vault(sim)
    links = sim.ask("GET", f"{VAULT}/privateLinkResources{VERSION}").body["value"]
    assert [one["name"] for one in links] == ["AzureBackup", "AzureSiteRecovery"]
    zones = {"dnsZones": [{"subResource": "AzureBackup"}]}
    body = {"type": "Microsoft.RecoveryServices/Vaults", "properties": zones}
    told = sim.ask("POST", f"/subscriptions/{SUBSCRIPTION}/providers/{PLACE}/capabilities{VERSION}", body).body
    wanted = links[0]["properties"]["requiredZoneNames"]
    assert told["properties"]["dnsZones"] == [{"subResource": "AzureBackup", "requiredZoneNames": wanted}]
