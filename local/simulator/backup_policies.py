"""Backup policies: those every vault has, and those that are written; synchronous (recorded), checked and limited."""

from datetime import timedelta
from typing import TYPE_CHECKING

from local.simulator import vault_errors
from local.simulator.answers import Document, Reply, encode
from local.simulator.backup_schedule import LENGTHS
from local.simulator.clock import EPOCH
from local.simulator.ids import key_of
from local.simulator.listing import joined, members_of
from local.simulator.odata import fits, terms_of
from local.simulator.policy_rules import check, taken
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.vault_config import check_guard, check_immutable
from local.simulator.vault_ids import POLICY, ROOT, items_in, vault_of
from local.simulator.vault_shapes import note

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

KIND = POLICY.lower()
MOST_POLICIES = 200  # per vault (documented)
MOST_WRITES = 50  # adds and changes in a day through API clients (documented)
DAY = 24 * 3600.0
ENHANCED_SINCE = "2021-12-01"  # enhanced policies show in newer versions alone (recorded: not in 2021-01-01)
DEFAULT_LEAD = 10 * 3600.0  # a vault's default policy runs ten hours after it was made (recorded: in all regions)


def _time(moment: float) -> str:
    floored = moment - moment % 1800
    return f"{EPOCH + timedelta(seconds=floored):%Y-%m-%dT%H:%M:00Z}"


def _daily(at: str) -> Document:
    return {"schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": "Daily", "scheduleRunTimes": [at],
            "scheduleWeeklyFrequency": 0}  # fmt: skip


def _kept(at: str) -> Document:
    duration = {"count": 30, "durationType": "Days"}
    daily = {"retentionTimes": [at], "retentionDuration": duration}
    return {"retentionPolicyType": "LongTermRetentionPolicy", "dailySchedule": daily}


def _defaults(made: float) -> dict[str, Document]:
    """Write the policies of a new vault (recorded; the enhanced one since it exists)."""
    at = _time(made + DEFAULT_LEAD)
    window = f"{at[:10]}T08:00:00Z"
    hourly = {"interval": 4, "scheduleWindowStartTime": window, "scheduleWindowDuration": 12}
    tail = {"instantRpRetentionRangeInDays": 2, "timeZone": "UTC"}
    plain = {"backupManagementType": "AzureIaasVM", "instantRPDetails": {}, "schedulePolicy": _daily(at)}
    enhanced = {
        "backupManagementType": "AzureIaasVM",
        "policyType": "V2",
        "instantRPDetails": {},
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicyV2",
            "scheduleRunFrequency": "Hourly",
            "hourlySchedule": hourly,
        },
        "retentionPolicy": _kept(window),
    }
    log = {"count": 30, "durationType": "Days"}
    parts = [
        {"policyType": "Full", "schedulePolicy": _daily(at), "retentionPolicy": _kept(at)},
        {
            "policyType": "Log",
            "schedulePolicy": {"schedulePolicyType": "LogSchedulePolicy", "scheduleFrequencyInMins": 60},
            "retentionPolicy": {"retentionPolicyType": "SimpleRetentionPolicy", "retentionDuration": log},
        },
    ]
    workload = {
        "backupManagementType": "AzureWorkload",
        "workLoadType": "SQLDataBase",
        "settings": {"timeZone": "UTC", "issqlcompression": False, "isCompression": False},
        "subProtectionPolicy": parts,
    }
    return {
        "HourlyLogBackup": workload,
        "DefaultPolicy": {**plain, "retentionPolicy": _kept(at), **tail},
        "EnhancedPolicy": {**enhanced, **tail},
    }


def ensure_defaults(world: "World", vault: Resource) -> None:
    """Let a vault have the policies it was born with; a deleted one does not come back."""
    if (vault.notes or {}).get("policies"):
        return
    note(world, vault, vault.born, policies=True)
    for name, properties in _defaults(vault.born).items():
        policy_id = f"{vault.id}/backupPolicies/{name}"
        world.store.create(policy_id, _document(policy_id, name, properties), vault.born)


def _document(policy_id: str, name: str, properties: Document) -> Document:
    return {"id": policy_id, "name": name, "type": POLICY, "properties": properties}


def shown(world: "World", policy: Resource) -> Document:
    """Write a policy with how many items it protects."""
    document = policy.document()
    vault = world.store.get(policy.key.rsplit("/", 2)[0])
    items = items_in(world, vault) if vault is not None else []
    count = sum(1 for item in items if (item.notes or {}).get("policy") == policy.key)
    document["properties"]["protectedItemsCount"] = count
    return document


def get(world: "World", call: "Call") -> Reply:
    """Answer one."""
    vault = vault_of(world, call)
    ensure_defaults(world, vault)
    return Reply.of(shown(world, policy_at(world, f"{vault.key}/backuppolicies/{call['policy'].lower()}")))


def policy_at(world: "World", key: str) -> Resource:
    """Return a policy, or refuse as the backup service does (assumed)."""
    found = world.store.get(key)
    if found is None:
        raise vault_errors.missing("BMSUserErrorPolicyNotFound", "Backup policy")
    return found


def every(world: "World", call: "Call") -> Reply:
    """List those of a vault, the oldest first (recorded)."""
    vault = vault_of(world, call)
    ensure_defaults(world, vault)
    terms = terms_of(call)
    found = [each.document() for each in members_of(world, call, vault.key, KIND)]
    for each in found:
        each["properties"]["protectedItemsCount"] = 0  # lists do not count (recorded)
    if call.version < ENHANCED_SINCE:
        found = [each for each in found if each["properties"].get("policyType") != "V2"]
    return joined([encode(each) for each in found if fits(each["properties"], terms, ("workloadType",))])


def put(world: "World", call: "Call") -> Reply:
    """Create or change (200 both); items that use it follow from their next run on."""
    vault = vault_of(world, call)
    ensure_defaults(world, vault)
    properties = taken(dict(call.body().get("properties") or {}))
    policy_id = f"{vault.id}/backupPolicies/{call['policy']}"
    found = world.store.get(key_of(policy_id))
    if properties["backupManagementType"] == "AzureIaasVM":
        check(properties)
    _check_limits(world, vault, call, found)
    if found is not None:
        _check_shortening(vault, call, found.document()["properties"], properties)
        world.store.write(found, _document(found.id, found.document()["name"], properties), call.now)
    else:
        found = world.store.create(policy_id, _document(policy_id, call["policy"], properties), call.now)
    return Reply.of(shown(world, found))


def _check_limits(world: "World", vault: Resource, call: "Call", found: Resource | None) -> None:
    policies = world.store.all_of(vault.key, KIND)
    if found is None and len(policies) >= MOST_POLICIES:
        message = f"The number of policies in the vault has reached its maximum of {MOST_POLICIES}."
        raise vault_errors.refused(400, "UserErrorMaxPoliciesReached", message)
    written = [at for at in (vault.notes or {}).get("policy_writes", []) if at > call.now - DAY]
    if len(written) >= MOST_WRITES:
        message = f"More than {MOST_WRITES} policies were added or changed within 24 hours. Please try again later."
        raise vault_errors.refused(429, "UserErrorPolicyWritesThrottled", message)
    note(world, vault, call.now, policy_writes=[*written, call.now])


def _length(properties: Document) -> int:
    retention = properties.get("retentionPolicy") or {}
    names = ("dailySchedule", "weeklySchedule", "monthlySchedule", "yearlySchedule")
    parts = [(retention.get(name) or {}).get("retentionDuration") for name in names]
    return sum(int(each["count"]) * LENGTHS.get(str(each["durationType"]), 1) for each in parts if each)


def _check_shortening(vault: Resource, call: "Call", before: Document, after: Document) -> None:
    """Refuse to shorten retention where immutability or a resource guard forbids it (documented)."""
    if _length(after) < _length(before):
        check_immutable(vault, "reducing retention")
        check_guard(vault, call, "reducing retention")


def delete(world: "World", call: "Call") -> Reply:
    """Delete one that protects nothing; an unknown one is 204 (specified)."""
    vault = vault_of(world, call)
    ensure_defaults(world, vault)
    found = world.store.get(key_of(call.path))
    if found is None:
        return Reply(204)
    if any((item.notes or {}).get("policy") == found.key for item in items_in(world, vault)):
        message = "The policy cannot be deleted, as items are protected with it."
        raise vault_errors.refused(400, "UserErrorPolicyInUse", message)
    world.store.remove(found, call.now)
    return Reply(200)


_ONE = f"{ROOT}/backupPolicies/{{policy}}"
_R, _SINCE = Evidence.RECORDED, Versions("2016-06-01")
_CLI = "azure-cli-2025-02/backup/test_backup_policy"
ROUTES = (
    Route("GET", f"{ROOT}/backupPolicies", f"{POLICY}/read", every, _R, _CLI, _SINCE, lists=True),
    Route("GET", _ONE, f"{POLICY}/read", get, _R, _CLI, _SINCE),
    Route("PUT", _ONE, f"{POLICY}/write", put, _R, _CLI, _SINCE),
    Route("DELETE", _ONE, f"{POLICY}/delete", delete, _R, _CLI, _SINCE),
)
