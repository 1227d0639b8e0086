"""infra/ and the product mean the same: settings, queues, functions, events, roles and alerts; nothing is left open."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from tree_sitter import Node

from shared import messages
from shared.cloud import audit, control, models
from shared.decide.restore_points import GROUPS
from shared.flows import receiving
from shared.settings import DEFAULTS
from tests.infra.bicep import Declaration, at, examples, files, literal, parsed, properties, said, texts
from tests.infra.roles import INFRA, grants

ROOT = INFRA.parent
MAIN = parsed(INFRA / "main.bicep")
STORAGE = parsed(INFRA / "modules" / "storage.bicep")
APP = parsed(INFRA / "modules" / "app.bicep")
# Left at their defaults by a deployment; whoever needs another value sets it on the app.
NOT_PASSED = {
    "TAGBACK_PLANS", "TAGBACK_EXTRA_TAGS", "TAGBACK_AUTHORITY", "TAGBACK_OBSERVE_EVERY", "TAGBACK_DELETE_WAIT",
    "TAGBACK_ORPHAN_KEEP", "TAGBACK_DRAIN_SECONDS", "TAGBACK_THROTTLE_SHARE", "TAGBACK_VAULT_REDUNDANCY",
    "TAGBACK_VAULT_IMMUTABLE", "TAGBACK_TELEMETRY_SHARE",
    "TAGBACK_API_ENDPOINT", "TAGBACK_API_KEY",  # for those who call the API
}  # fmt: skip


def document(name: str) -> Any:
    return json.loads((INFRA / name).read_text(encoding="utf-8"))


def test_every_setting_that_is_passed_exists_and_none_is_forgotten() -> None:
    passed = set(properties(at(MAIN.find("apps").body, "params.settings")))
    assert passed - set(DEFAULTS) == set()
    assert set(DEFAULTS) - passed - NOT_PASSED == set()


def test_schedules_are_those_that_the_reference_names() -> None:
    given = properties(at(MAIN.find("apps").body, "params.settings"))
    for name in ("TAGBACK_SWEEP", "TAGBACK_EXPIRE", "TAGBACK_DRILL", "TAGBACK_REPORT"):
        assert literal(given[name]) == DEFAULTS[name]


def test_the_host_finds_a_value_for_every_schedule_and_connection() -> None:
    given = {*properties(at(MAIN.find("apps").body, "params.settings")), *host_settings()}
    needed = set(re.findall(r'"%(\w+)%"', (ROOT / "function_app.py").read_text(encoding="utf-8")))
    assert needed - given == set()
    assert {"AzureWebJobsStorage__accountName", "AzureWebJobsStorage__credential"} <= given


def host_settings() -> Mapping[str, Node]:
    value = APP.find("host").value
    assert value is not None
    return properties(value)


def test_the_storage_account_has_the_queues_tables_and_containers_of_the_code() -> None:
    queues = {messages.VMS, messages.SHARDS, messages.REAP, messages.REQUESTS, messages.EVENTS}
    assert set(texts(STORAGE.find("queues").value)) == queues | {f"{queue}-poison" for queue in queues}
    assert set(texts(STORAGE.find("tables").value)) == {"ledger", "shards"}
    assert {models.CONTAINER, audit.CONTAINER, control.CONTAINER} <= set(texts(STORAGE.find("containers").value))


def test_the_audit_log_cannot_be_changed_by_who_writes_it() -> None:
    containers = texts(STORAGE.find("containers").value)
    policy = STORAGE.find("auditStays").body
    assert said(at(policy, "parent")) == f"container[{containers.index(audit.CONTAINER)}]"
    assert said(at(policy, "properties.allowProtectedAppendWrites")) == "true"


def test_every_function_belongs_to_one_app_and_is_off_in_the_others() -> None:
    code = "import json, function_app as a\nprint(json.dumps([f.get_function_name() for f in a.app.get_functions()]))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(document("functions.json")) == set(json.loads(ran.stdout))
    shares = set(document("functions.json").values())
    for duties in document("duties.json").values():
        run = [share for duty in duties for share in duty["functions"]]
        assert sorted(run) == sorted(shares)


def test_every_role_is_held_and_every_duty_holds_a_role() -> None:
    roles = {grant.role for grant in grants()}
    for duties in document("duties.json").values():
        held = {role for duty in duties for role in duty["roles"]}
        assert held == roles - {"founder"}
    split = {duty["app"]: duty["roles"] for duty in document("duties.json")["three"]}
    assert "reaper" not in split["keeper"], "who takes recovery points deletes none"
    assert split["reaper"] == ["reaper", "emptier"]


def test_events_are_filtered_by_the_operations_that_the_code_acts_on() -> None:
    machines = parsed(INFRA / "modules" / "event-subscription.bicep").find("machines").body
    [wanted] = [
        each for each in at(machines, "properties.filter.advancedFilters").named_children if each.type == "object"
    ]
    assert literal(at(wanted, "key")) == "data.operationName"
    assert {value.lower() for value in texts(at(wanted, "values"))} == set(receiving.OPERATIONS)
    kinds = texts(at(machines, "properties.filter.includedEventTypes"))
    assert kinds == ["Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Resources.ResourceDeleteSuccess"]


def test_events_go_to_a_function_and_a_queue_that_exist() -> None:
    subscription = parsed(INFRA / "modules" / "event-subscription.bicep")
    assert (
        literal(at(subscription.find("toQueue").value or subscription.root, "destination.properties.queueName"))
        == messages.EVENTS
    )
    called = said(at(parsed(INFRA / "events.bicep").find("subscriptions").body, "params.functionId"))
    [function] = [name for name in document("functions.json") if f"'{name}'" in called]
    assert document("functions.json")[function] == "keeper"


def test_event_subscriptions_come_after_the_code() -> None:
    reached = {module.label for file in [MAIN] for module in file.of("module").values()}
    assert not [label for label in reached if "event-subscription" in label or "events.bicep" in label]
    hook = (INFRA / "hooks" / "deploy.sh").read_text(encoding="utf-8")
    assert 0 < hook.index("config-zip") < hook.index("events.bicep")


def test_no_lock_stands_where_the_reaper_works() -> None:
    locks = {
        (file.path.name, lock.name): said(at(lock.body, "scope"))
        for file, lock in _resources("Microsoft.Authorization/locks")
    }
    assert locks == {("storage.bicep", "stays"): "account"}


@pytest.mark.parametrize("name", ["recovery", "vaults"])
def test_what_holds_recovery_points_is_the_installations_own_and_not_azds(name: str) -> None:
    """`azd down` looks for groups by the tag `azd-env-name` [azure-dev#6324]."""
    assert said(at(MAIN.find(name).body, "params.tags")) == "lastingTags"
    assert said(MAIN.find("lastingTags").value or MAIN.root) == "union(tags, { 'tagback-owner': installation })"


@pytest.mark.parametrize(
    ("file", "resource", "path", "value"),
    [
        ("storage", "account", "properties.allowSharedKeyAccess", "false"),
        ("storage", "account", "properties.allowBlobPublicAccess", "false"),
        ("storage", "account", "properties.isLocalUserEnabled", "false"),
        ("storage", "account", "properties.supportsHttpsTrafficOnly", "true"),
        ("storage", "account", "properties.minimumTlsVersion", "'TLS1_2'"),
        ("storage", "account", "sku.name", "'Standard_GRS'"),
        ("storage", "blobs", "properties.deleteRetentionPolicy.enabled", "true"),
        ("storage", "blobs", "properties.containerDeleteRetentionPolicy.enabled", "true"),
        ("packages", "account", "properties.allowSharedKeyAccess", "false"),
        ("packages", "account", "properties.allowBlobPublicAccess", "false"),
        ("packages", "account", "properties.isLocalUserEnabled", "false"),
        ("packages", "account", "properties.supportsHttpsTrafficOnly", "true"),
        ("packages", "account", "properties.minimumTlsVersion", "'TLS1_2'"),
        ("packages", "blobs", "properties.deleteRetentionPolicy.enabled", "true"),
        ("app", "site", "properties.httpsOnly", "true"),
        ("app", "site", "properties.siteConfig.minTlsVersion", "'1.2'"),
        ("app", "site", "properties.siteConfig.scmMinTlsVersion", "'1.2'"),
        ("app", "site", "properties.siteConfig.ftpsState", "'Disabled'"),
        ("app", "noFtp", "properties.allow", "false"),
        ("app", "noPassword", "properties.allow", "false"),
        ("monitoring", "insights", "properties.DisableLocalAuth", "true"),
        ("monitoring", "workspace", "properties.workspaceCapping.dailyQuotaGb", "gigabytesPerDay"),
        ("notifications", "topic", "properties.disableLocalAuth", "true"),
        ("vault", "vault", "properties.securitySettings.softDeleteSettings.softDeleteState", "'AlwaysON'"),
        ("vault", "vault", "properties.redundancySettings.standardTierStorageRedundancy", "'GeoRedundant'"),
    ],
)
def test_nothing_is_left_open(file: str, resource: str, path: str, value: str) -> None:
    assert said(at(parsed(INFRA / "modules" / f"{file}.bicep").find(resource).body, path)) == value


def test_no_app_reaches_the_package_of_another() -> None:
    """Whoever may write an app's package is that app: its package is where no other identity has a right."""
    packages = parsed(INFRA / "modules" / "packages.bicep")
    given = packages.find("reachesItsOwn")
    assert "for (principalId, index) in principalIds" in given.text
    assert said(at(given.body, "scope")) == "packages[index]"
    call = MAIN.find("packages").body
    assert said(at(call, "params.principalIds")) == "identities.outputs.principalIds"
    assert said(at(call, "params.apps")) == "map(duties, duty => duty.app)", "in the order of the identities"
    assert said(at(APP.find("site").body, "properties.functionAppConfig.deployment.storage.value")).startswith(
        "'${packages.properties.primaryEndpoints.blob}package-${app}"
    )
    for name in ("data-access", "event-access", "access", "recovery-access"):
        assert "packages" not in said(parsed(INFRA / "modules" / f"{name}.bicep").root)
    assert "package" not in said(STORAGE.root)


def test_what_could_not_be_delivered_is_told_and_forgotten() -> None:
    [rule] = [
        each
        for each in at(STORAGE.find("forgets").body, "properties.policy.rules").named_children
        if each.type == "object"
    ]
    assert texts(at(rule, "definition.filters.prefixMatch")) == ["dead-letters/"], "nothing else goes by its age"
    assert "dead-letters" in texts(STORAGE.find("containers").value)
    assert said(STORAGE.find("deadLetterDays").value or MAIN.root) == "30"
    told = parsed(INFRA / "modules" / "notifications.bicep").find("undelivered").body
    assert texts(at(told, "properties.logs")) == ["DeliveryFailures", "PublishFailures"]


@pytest.mark.parametrize(("name", "scope"), [("blobsDeleted", "blobs"), ("rowsDeleted", "tableService")])
def test_who_deletes_state_is_logged(name: str, scope: str) -> None:
    setting = STORAGE.find(name).body
    assert (said(at(setting, "scope")), said(at(setting, "properties.workspaceId"))) == (scope, "workspaceId")
    assert texts(at(setting, "properties.logs")) == ["StorageDelete"]


def test_no_key_is_read_and_no_secret_is_written() -> None:
    secret = re.compile(r"listKeys|listSecrets|AccountKey=|SharedAccess|primaryKey|@secure|[pP]assword[:=]")
    for file in sorted(INFRA.rglob("*")):
        if file.is_file():
            assert not secret.search(file.read_text(encoding="utf-8")), file


def test_only_the_groups_that_are_listed_are_written_to_unless_asked() -> None:
    role_assignments = [
        lock.name
        for file, lock in _resources("Microsoft.Authorization/roleAssignments")
        if file.path.name == "access.bicep"
    ]
    assert role_assignments == ["assignments"]
    access = parsed(INFRA / "modules" / "access.bicep")
    loop = said(access.find("assignments").node)
    assert "in assigned:" in loop
    assert said(access.find("holders").value or MAIN.root) == "createRecoveryGroups ? concat(wanted, founders) : wanted"
    scopes = access.find("scopes").value
    assert scopes is not None
    assert [texts(each) for each in scopes.named_children[1:]] == [
        ["subscription", "targets", "recovery"],
        ["subscription", "targets"],
    ]


@pytest.mark.parametrize("name", ["access", "recovery-access"])
def test_restores_and_vaults_are_granted_only_where_they_are_switched_on(name: str) -> None:
    module = parsed(INFRA / "modules" / f"{name}.bicep")
    wanted = said(module.find("wanted").value or MAIN.root)
    assert "(each.role != 'protector' || vaults) && (each.role != 'emptier' || vaults)" in wanted
    assert "(each.role != 'attendant' || vaults)" in wanted
    assert "(each.role != 'recoverer' || (vaults && allowRestores))" in wanted
    assert "each.role != 'restorer' || allowRestores" in wanted
    assert "each.role != 'driller' || allowDrills" in wanted
    for name in ("allowRestores", "allowDrills"):
        assert said(MAIN.find(name).value or MAIN.root) == "false"
    assert literal(MAIN.find("createRecoveryGroups").value or MAIN.root) is None
    assert said(MAIN.find("createRecoveryGroups").value or MAIN.root) == "false"


def log_lines() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "shared").rglob("*.py")))


def test_restore_points_have_as_many_groups_as_the_code_spreads_them_over() -> None:
    assert said(MAIN.find("restorePointGroups").value or MAIN.root) == str(GROUPS)
    groups = said(MAIN.find("pointGroups").value or MAIN.root)
    assert "filter(recoveryGroups, place => place.restorePoints)" in groups
    assert "'${place.name}-rp${padLeft(number, 2, '0')}'" in groups
    for module in ("recovery", "recoveryAccess"):
        assert "for place in holdingGroups" in said(MAIN.find(module).node)


@pytest.mark.parametrize("name", ["alerts.json", "workbook.json"])
def test_what_is_asked_of_the_log_stands_in_the_log(name: str) -> None:
    asked = re.findall(r"startswith '([^']+)'", (INFRA / name).read_text(encoding="utf-8"))
    code = log_lines()
    assert asked
    for line in asked:
        event, _, rest = line.partition(" type=")
        assert f'"{event} ' in code or f'"{event}"' in code, event
        assert not rest or f'"{rest}"' in code, rest


@pytest.mark.parametrize(
    "name",
    [
        "silence", "failures", "poison", "frozen", "unproven", "unprotected", "overdue", "shrunk", "approval", "denied",
        "capped",
    ],
)  # fmt: skip
def test_people_are_told_of(name: str) -> None:
    assert name in {alert["name"] for alert in document("alerts.json")}


def test_silence_of_each_app_is_heard() -> None:
    """By a timer of each: the host writes every run of a function as a request of its name [documented]."""
    silent = {alert["name"]: alert for alert in document("alerts.json") if alert["operator"] == "LessThan"}
    named = {name: re.findall(r"Name == '(\w+)'", alert["query"]) for name, alert in silent.items()}
    heard = {document("functions.json")[function] for functions in named.values() for function in functions}
    assert named["silence"] == [], "by the keeper's own line"
    assert "sweep.done" in silent["silence"]["query"]
    assert document("functions.json")["sweep"] == "keeper"
    assert heard == {"reaper", "operator"}
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    assert "Request" in host["logging"]["applicationInsights"]["samplingSettings"]["excludedTypes"]


def test_a_function_key_alone_reads_nothing_unless_that_is_switched_on() -> None:
    given = properties(at(MAIN.find("apps").body, "params.settings"))
    assert said(given["TAGBACK_API_READ"]) == "keyReads ? 'key' : 'role'"
    assert said(MAIN.find("keyReads").value or MAIN.root) == "false"
    assert all("keyReads" not in example.of("variable") for example in examples())


def _resources(kind: str) -> list[tuple[Any, Declaration]]:
    return [
        (file, each) for file in files() for each in file.of("resource").values() if each.label.startswith(f"{kind}@")
    ]
