"""Vaults and what is set on them, over plain HTTP: operations, soft delete, immutability, guards, policies."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.simulator.backing import DAY, ITEM, VAULT, body_for, done, item, make_vault, protect
from tests.simulator.running import GROUP, SEED, SUBSCRIPTION, Running, inside

CONFIG = f"{VAULT}/backupconfig/vaultconfig"
PROXY = f"{VAULT}/backupResourceGuardProxies/VaultProxy"
GUARD = "/subscriptions/x/resourceGroups/sec/providers/Microsoft.DataProtection/resourceGuards/guard"
WEEK: dict[str, Any] = {"count": 7, "durationType": "Days"}


def policy(at: str = "2026-01-01T02:00:00Z", days: int = 30, **more: Any) -> dict[str, Any]:
    daily = {"retentionTimes": [at], "retentionDuration": {"count": days, "durationType": "Days"}}
    schedule = {"schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": "Daily", "scheduleRunTimes": [at]}
    retention = {"retentionPolicyType": "LongTermRetentionPolicy", "dailySchedule": daily}
    head = {"backupManagementType": "AzureIaasVM", "timeZone": "UTC"}
    return {"properties": {**head, "schedulePolicy": schedule, "retentionPolicy": retention, **more}}


def hourly(interval: int = 4, **more: Any) -> dict[str, Any]:
    window = {"interval": interval, "scheduleWindowStartTime": "2026-01-01T08:00:00Z", "scheduleWindowDuration": 12}
    schedule = {"schedulePolicyType": "SimpleSchedulePolicyV2", "scheduleRunFrequency": "Hourly"}
    found = policy("2026-01-01T08:00:00Z", policyType="V2", instantRpRetentionRangeInDays=7)
    found["properties"]["schedulePolicy"] = {**schedule, "hourlySchedule": window}
    found["properties"] |= more
    return found


def test_a_vault_is_made_by_an_operation_named_in_base64_that_lies_below_it(sim: Running) -> None:
    body = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {}}
    answer = sim.ask("PUT", VAULT, body)
    assert (answer.status, answer.body["properties"]["provisioningState"]) == (201, "Provisioning")
    url = answer.headers["azure-asyncoperation"]
    assert "/vaults/safe/operationStatus/MjA0Nz" in url
    assert sim.ask("GET", url).body["status"] == "InProgress"
    sim.advance(60)
    assert sim.ask("GET", url).body["status"] == "Succeeded"
    shown = sim.ask("GET", VAULT).body["properties"]
    assert shown["securitySettings"]["softDeleteSettings"]["softDeleteState"] == "Enabled"
    assert (
        "securitySettings"
        not in sim.ask("GET", f"{GROUP}/providers/Microsoft.RecoveryServices/vaults").body["value"][0]
    )


def test_an_older_version_makes_and_deletes_a_vault_at_once(sim: Running) -> None:
    body = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {}}
    made = sim.ask("PUT", f"{VAULT}?api-version=2021-03-01", body)
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Succeeded")
    assert "azure-asyncoperation" not in made.headers
    assert sim.ask("DELETE", f"{VAULT}?api-version=2021-03-01").status == 200
    assert sim.ask("GET", VAULT).code == "ResourceNotFound"


def test_the_operation_of_a_deletion_is_gone_soon_after_its_vault(sim: Running) -> None:
    make_vault(sim)
    url = sim.ask("DELETE", VAULT).headers["azure-asyncoperation"]
    sim.advance(3)
    assert sim.ask("GET", url).body["status"] == "Succeeded"
    sim.advance(60)
    gone = sim.ask("GET", url)
    assert (gone.status, gone.code) == (404, "ResourceNotFound")


def test_identities_change_by_an_operation_only_where_they_are_assigned(sim: Running) -> None:
    make_vault(sim)
    own = sim.ask("PATCH", VAULT, {"identity": {"type": "systemassigned"}})
    assert (own.status, own.body["identity"]["type"]) == (200, "SystemAssigned")
    assigned = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one"
    changed = sim.ask("PATCH", VAULT, {"identity": {"type": "userassigned", "userAssignedIdentities": {assigned: {}}}})
    assert (changed.status, changed.body) == (202, None)
    sim.advance(120)
    assert list(sim.ask("GET", VAULT).body["identity"]["userAssignedIdentities"]) == [assigned]


def test_redundancy_cannot_be_changed_once_a_machine_is_protected(sim: Running) -> None:
    make_vault(sim)
    wanted = {"properties": {"redundancySettings": {"standardTierStorageRedundancy": "LocallyRedundant"}}}
    assert sim.ask("PATCH", VAULT, wanted).status == 202
    sim.advance(120)
    protect(sim)
    wanted["properties"]["redundancySettings"]["standardTierStorageRedundancy"] = "GeoRedundant"
    assert sim.ask("PATCH", VAULT, wanted).code == "CloudStorageTypeUpdateNotAllowed"


def test_a_vault_with_items_cannot_be_deleted_even_when_they_are_deleted_softly(sim: Running) -> None:
    make_vault(sim)
    protect(sim)
    assert sim.ask("DELETE", VAULT).code == "ServiceResourceNotEmptyWithContainerDetails"
    done(sim, sim.ask("DELETE", ITEM))
    assert sim.ask("DELETE", VAULT).code == "ServiceResourceNotEmptyWithContainerDetails"
    sim.advance(15 * DAY)
    assert sim.ask("DELETE", VAULT).status == 202


def test_soft_delete_that_is_always_on_stays_on(sim: Running) -> None:
    make_vault(sim)
    assert sim.ask("PATCH", CONFIG, {"properties": {"softDeleteFeatureState": "AlwaysON"}}).status == 200
    refused = sim.ask("PATCH", CONFIG, {"properties": {"softDeleteFeatureState": "Disabled"}})
    assert refused.code == "UserErrorChangeSoftDeleteStateNotAllowed"
    assert sim.ask("GET", CONFIG).body["properties"]["isSoftDeleteFeatureStateEditable"] is False


def test_a_resource_guard_keeps_critical_operations_until_they_come_with_a_request(sim: Running) -> None:
    make_vault(sim)
    protect(sim)
    assert sim.ask("PUT", PROXY, {"properties": {"resourceGuardResourceId": GUARD}}).status == 200
    stop = {
        "properties": {"protectedItemType": "Microsoft.Compute/virtualMachines", "protectionState": "ProtectionStopped"}
    }
    code = "UserErrorResourceGuardOperationRequestIdMissing"
    assert sim.ask("PUT", ITEM, stop).code == code
    assert sim.ask("DELETE", ITEM).code == code
    assert sim.ask("PATCH", CONFIG, {"properties": {"softDeleteFeatureState": "Disabled"}}).code == code
    stop["properties"]["resourceGuardOperationRequests"] = [f"{GUARD}/deleteProtectedItemRequests/default"]  # type: ignore[assignment]
    done(sim, sim.ask("PUT", ITEM, stop))
    assert item(sim)["protectionState"] == "ProtectionStopped"
    assert sim.ask("POST", f"{PROXY}/unlockDelete", {"resourceGuardOperationRequests": []}).status == 200
    assert sim.ask("DELETE", ITEM).status == 202


def test_an_immutable_vault_keeps_its_data_and_its_retention(sim: Running) -> None:
    make_vault(sim, securitySettings={"immutabilitySettings": {"state": "Locked"}})
    assert sim.ask("PUT", f"{VAULT}/backupPolicies/month", policy(days=60)).status == 200
    code = "UserErrorOperationNotAllowedOnImmutableVault"
    assert sim.ask("PUT", f"{VAULT}/backupPolicies/month", policy(days=30)).code == code
    off = {"properties": {"securitySettings": {"immutabilitySettings": {"state": "Disabled"}}}}
    assert sim.ask("PATCH", VAULT, off).code == code


def test_a_vault_is_born_with_three_policies_and_lists_do_not_count_items(sim: Running) -> None:
    make_vault(sim)
    protect(sim)
    listed = sim.ask("GET", f"{VAULT}/backupPolicies").body["value"]
    assert [each["name"] for each in listed] == ["HourlyLogBackup", "DefaultPolicy", "EnhancedPolicy"]
    assert {each["properties"]["protectedItemsCount"] for each in listed} == {0}
    one = sim.ask("GET", f"{VAULT}/backupPolicies/defaultpolicy").body
    assert one["properties"]["protectedItemsCount"] == 1
    of_machines = quote("backupManagementType eq 'AzureIaasVM'")
    filtered = sim.ask("GET", f"{VAULT}/backupPolicies?$filter={of_machines}")
    assert len(filtered.body["value"]) == 2
    assert sim.ask("DELETE", f"{VAULT}/backupPolicies/DefaultPolicy").code == "UserErrorPolicyInUse"


WRONG = (
    ("a time that is no half hour", policy("2026-01-01T02:10:00Z")),
    ("six days", policy(days=6)),
    ("10000 days", policy(days=10_000)),
    ("six days of snapshots under a standard policy", policy(instantRpRetentionRangeInDays=6)),
    ("an unknown zone", policy(timeZone="Europe/Berlin")),
    ("five hours between runs", hourly(5)),
    ("31 days of snapshots", hourly(instantRpRetentionRangeInDays=31)),
    ("an enhanced schedule in a standard policy", hourly(policyType="V1")),
)


@pytest.mark.parametrize(("said", "body"), WRONG, ids=[said for said, _ in WRONG])
def test_a_policy_the_service_cannot_run_is_refused(shared: Running, said: str, body: dict[str, Any]) -> None:
    vault = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/strict"
    if shared.ask("GET", vault).status == 404:
        make_vault(shared, vault)
    answer = shared.ask("PUT", f"{vault}/backupPolicies/wrong", body)
    assert (answer.status, answer.code) == (400, "BMSUserErrorInvalidPolicyInput"), said


def test_policies_are_limited_in_a_day_and_in_all(sim: Running) -> None:
    make_vault(sim)
    for day in range(4):
        for number in range(50 if day < 3 else 47):
            assert sim.ask("PUT", f"{VAULT}/backupPolicies/p{day}-{number}", policy()).status == 200
        if day == 0:
            assert sim.ask("PUT", f"{VAULT}/backupPolicies/more", policy()).status == 429
        sim.advance(DAY)
    assert sim.ask("PUT", f"{VAULT}/backupPolicies/more", policy()).code == "UserErrorMaxPoliciesReached"


def test_a_seeded_vault_has_what_its_section_says(tmp_path: Path) -> None:
    where = f'subscription = "{SUBSCRIPTION}"\ngroup = "web"'
    text = f'[[vault]]\n{where}\nname = "kept"\nimmutability = "Unlocked"\nsoft_delete = "Disabled"\nguarded = true\n'
    with inside(tmp_path, SEED + text) as sim:
        shown = sim.ask("GET", f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/kept").body["properties"]
        security = shown["securitySettings"]
        assert security["immutabilitySettings"] == {"state": "Unlocked"}
        assert security["softDeleteSettings"]["softDeleteState"] == "Disabled"
        assert security["multiUserAuthorization"] == "Enabled"


def test_rights_on_a_vault_do_not_suffice_to_protect_a_machine(tmp_path: Path) -> None:
    grants = (("keeper", "Backup Contributor", VAULT), ("test", "Owner", f"/subscriptions/{SUBSCRIPTION}"))
    text = "".join(
        f'[[assignment]]\nprincipal = "{who}"\nrole = "{role}"\nscope = "{on}"\n' for who, role, on in grants
    )
    with inside(tmp_path, SEED + text) as sim:
        make_vault(sim)
        refused = sim.ask("PUT", ITEM, body_for(), principal="keeper")
        assert (refused.status, refused.code) == (403, "LinkedAuthorizationFailed")
        assert "Microsoft.Compute/virtualMachines/write" in refused.body["error"]["message"]
        assert sim.ask("DELETE", VAULT, principal="keeper").code == "AuthorizationFailed"


def test_a_locked_vault_keeps_its_items(sim: Running) -> None:
    make_vault(sim)
    protect(sim)
    lock = f"{VAULT}/providers/Microsoft.Authorization/locks/keep"
    assert sim.ask("PUT", lock, {"properties": {"level": "CanNotDelete"}}).status == 201
    assert sim.ask("DELETE", ITEM).code == "ScopeLocked"
