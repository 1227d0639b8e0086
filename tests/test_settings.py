"""Settings: defaults, forms, and every problem at once with what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from shared.errors import BadInput
from shared.model.account import Telling
from shared.model.rules import Mode
from shared.model.vault import Redundancy, VaultRules
from shared.settings import DEFAULTS, Settings, plans_of

ONE = "11111111-1111-1111-1111-111111111111"
TWO = "22222222-2222-2222-2222-22222222222a"
CONNECTION = "DefaultEndpointsProtocol=https;AccountName=Tagback1;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net"
NEEDED = {"AzureWebJobsStorage": CONNECTION, "TAGBACK_SUBSCRIPTIONS": ONE}


def problems(environment: Mapping[str, str]) -> tuple[str, ...]:
    with pytest.raises(BadInput) as bad:
        Settings.read(environment)
    return bad.value.problems


def test_two_settings_are_enough_and_the_others_have_their_defaults() -> None:
    settings = Settings.read({**NEEDED, "PATH": "/bin", "IDENTITY_ENDPOINT": "http://x"})
    assert settings.subscriptions == {ONE: Mode.ENFORCE}
    assert settings.arm_endpoint == "https://management.azure.com"
    assert settings.recovery_group == "tagback-{region}"
    assert settings.schedules["TAGBACK_SWEEP"] == "0 */15 * * * *"
    assert (settings.delete_wait, settings.orphan_keep) == (timedelta(hours=24), timedelta(days=90))
    assert (settings.drain_for, settings.throttle_share) == (timedelta(seconds=180), 0.3)
    assert {"bronze", "silver", "gold"} <= set(settings.plans.by_name)


@pytest.mark.parametrize(
    ("word", "azure"), [("local", "LocallyRedundant"), ("ZONE", "ZoneRedundant"), ("Geo", "GeoRedundant")]
)
def test_the_redundancy_of_new_vaults_is_said_in_a_word(word: str, azure: str) -> None:
    assert Settings.read({**NEEDED, "TAGBACK_VAULT_REDUNDANCY": word}).rules().vaults.redundancy == azure


def test_rules_are_what_flows_need_and_the_account_is_the_owner() -> None:
    rules = Settings.read({**NEEDED, "TAGBACK_TAG_PREFIX": "Snap", "TAGBACK_EXTRA_TAGS": "cost=42, team = a b"}).rules()
    assert (rules.owner, rules.prefix) == ("tagback1", "snap")
    assert rules.extra_tags == {"cost": "42", "team": "a b"}
    assert rules.drain_for == timedelta(seconds=180)


def test_the_api_believes_one_tenant_and_its_own_audiences() -> None:
    given = {"TAGBACK_API_AUDIENCE": f"api://tagback , {TWO}", "TAGBACK_API_TENANT": TWO.upper()}
    api = Settings.read({**NEEDED, **given}).api
    assert (api.audiences, api.tenant) == (frozenset({"api://tagback", TWO}), TWO)
    assert not Settings.read(NEEDED).api.tenant
    for endpoint in ("https://tagback.example", "http://127.0.0.1:7071", "http://localhost:7071"):
        assert Settings.read({**NEEDED, "TAGBACK_API_ENDPOINT": endpoint}).api.endpoint == endpoint
    for name, text in given.items():
        assert problems({**NEEDED, name: text}) == (
            "TAGBACK_API_AUDIENCE and TAGBACK_API_TENANT are set together, or neither of them",
        )


def test_the_function_key_is_enough_to_read_unless_a_role_is_asked_for() -> None:
    assert Settings.read(NEEDED).api.keyed
    assert Settings.read({**NEEDED, "TAGBACK_API_READ": "Key"}).api.keyed
    assert not Settings.read({**NEEDED, "TAGBACK_API_READ": "role"}).api.keyed
    assert problems({**NEEDED, "TAGBACK_API_READ": "roles"}) == ("TAGBACK_API_READ=roles: allowed: key or role",)


def test_groups_tags_are_inherited_only_when_that_is_switched_on() -> None:
    assert not Settings.read(NEEDED).rules().inherit_group_tags
    assert Settings.read({**NEEDED, "TAGBACK_INHERIT_GROUP_TAGS": "On"}).rules().inherit_group_tags


def test_vaults_are_made_where_there_are_none_unless_that_is_switched_off() -> None:
    assert Settings.read(NEEDED).rules().vaults == VaultRules(create=True, redundancy=Redundancy.GEO, immutable=False)
    told = {"TAGBACK_VAULT_CREATE": "off", "TAGBACK_VAULT_REDUNDANCY": "Zone", "TAGBACK_VAULT": "rsv-{region}"}
    assert Settings.read({**NEEDED, **told}).rules().vaults == VaultRules(False, "rsv-{region}", Redundancy.ZONE)


def test_a_setting_that_is_empty_is_not_set() -> None:
    assert Settings.read({**NEEDED, **dict.fromkeys(set(DEFAULTS) - set(NEEDED), " ")}) == Settings.read(NEEDED)


def test_subscriptions_have_modes_and_any_case() -> None:
    text = f" {ONE} =observe, {TWO.upper()}=Enforce,,"
    found = Settings.read({**NEEDED, "TAGBACK_SUBSCRIPTIONS": text}).subscriptions
    assert found == {ONE: Mode.OBSERVE, TWO: Mode.ENFORCE}


@pytest.mark.parametrize(
    ("storage", "name", "table"),
    [
        ({"AzureWebJobsStorage": "UseDevelopmentStorage=true"}, "devstoreaccount1", ""),
        ({"AzureWebJobsStorage__accountName": "Acc1"}, "acc1", "https://acc1.table.core.windows.net"),
        (
            {
                "AzureWebJobsStorage__blobServiceUri": "https://acc2.blob.core.windows.net",
                "AzureWebJobsStorage__queueServiceUri": "https://acc2.queue.core.windows.net",
                "AzureWebJobsStorage__tableServiceUri": "https://acc2.table.core.windows.net/",
            },
            "acc2",
            "https://acc2.table.core.windows.net",
        ),
        (
            {"AzureWebJobsStorage__accountName": "acc3", "AzureWebJobsStorage__tableServiceUri": "https://t.example"},
            "acc3",
            "https://t.example",
        ),
    ],
)
def test_storage_is_named_as_the_functions_host_names_it(storage: dict[str, str], name: str, table: str) -> None:
    account = Settings.read({"TAGBACK_SUBSCRIPTIONS": ONE, **storage}).storage
    assert (account.name, account.table) == (name, table)


def test_an_identity_of_its_own_can_be_chosen_for_storage() -> None:
    environment = {
        "TAGBACK_SUBSCRIPTIONS": ONE,
        "AzureWebJobsStorage__accountName": "acc",
        "AzureWebJobsStorage__credential": "managedidentity",
        "AzureWebJobsStorage__clientId": "app-1",
    }
    assert Settings.read(environment).storage.client_id == "app-1"


def test_nothing_set_names_what_is_needed() -> None:
    found = problems({})
    assert len(found) == 2
    assert any("AzureWebJobsStorage__accountName" in problem for problem in found)
    assert any(problem.startswith("TAGBACK_SUBSCRIPTIONS: ") for problem in found)


BAD = [
    ("TAGBACK_SUBSCRIPTIONS", "Production", "00000000-0000"),
    ("TAGBACK_SUBSCRIPTIONS", f"{ONE}=delete", "observe, enforce"),
    ("TAGBACK_SUBSCRIPTIONS", f"{ONE}=", "observe, enforce"),
    ("TAGBACK_SUBSCRIPTIONS", "=observe", "00000000-0000"),
    ("TAGBACK_SUBSCRIPTIONS", ",", "names no subscription"),
    ("TAGBACK_SUBSCRIPTIONS", f"{ONE},{ONE}", "twice"),
    ("TAGBACK_PLANS", "/nowhere/plans.toml", "cannot be read"),
    ("TAGBACK_API_AUDIENCE", "https://management.azure.com/", "api://"),
    ("TAGBACK_API_TENANT", "common", "the id of your tenant"),
    ("TAGBACK_API_ENDPOINT", "http://127.0.0.1:80@tagback.example", "https"),
    ("TAGBACK_TAG_PREFIX", "tagback-x", "allowed"),
    ("TAGBACK_TAG_PREFIX", "a b", "allowed"),
    ("TAGBACK_RECOVERY_GROUP", "tagback", "{region}"),
    ("TAGBACK_RECOVERY_GROUP", "a/{region}", "{region}"),
    ("TAGBACK_RECOVERY_GROUP", "x" * 60 + "{region}", "60"),
    ("TAGBACK_EXTRA_TAGS", "justaname", "name=value"),
    ("TAGBACK_EXTRA_TAGS", "cost=1,Cost=2", "twice"),
    ("TAGBACK_EXTRA_TAGS", "=value", "name=value"),
    ("TAGBACK_EXTRA_TAGS", "tagback-owner=me", "tagback-"),
    ("TAGBACK_EXTRA_TAGS", ",".join(f"t{number}=1" for number in range(11)), "10"),
    ("TAGBACK_ARM_ENDPOINT", "http://management.azure.com", "https"),
    ("TAGBACK_ARM_ENDPOINT", "https://", "https"),
    ("TAGBACK_ARM_ENDPOINT", "https://host:", "https"),
    ("TAGBACK_ARM_ENDPOINT", "https://user@management.azure.com", "https"),
    ("TAGBACK_AUTHORITY", "login.example.org", "https"),
    ("TAGBACK_TOPIC_ENDPOINT", "https://[", "https"),
    ("TAGBACK_SWEEP", "*/15 * * * *", "six fields"),
    ("TAGBACK_EXPIRE", "0 60 * * * *", "minute"),
    ("TAGBACK_DRILL", "0 0 4 * * 7", "day-of-week"),
    ("TAGBACK_REPORT", "0 0 6 L * *", "day"),
    ("TAGBACK_OBSERVE_EVERY", "1 day", "24h"),
    ("TAGBACK_DELETE_WAIT", "0h", "more than nothing"),
    ("TAGBACK_ORPHAN_KEEP", "3m", "7d"),
    ("TAGBACK_DRAIN_SECONDS", "600", "240s"),
    ("TAGBACK_DRAIN_SECONDS", "\u0661\u0662\u0660", "24h"),
    ("TAGBACK_THROTTLE_SHARE", "1", "0.9"),
    ("TAGBACK_INHERIT_GROUP_TAGS", "yes", "on or off"),
    ("TAGBACK_VAULT", "one-vault", "{region}"),
    ("TAGBACK_VAULT", "a-vault-with-too-long-a-name-{region}", "{region}"),
    ("TAGBACK_VAULT_CREATE", "maybe", "on or off"),
    ("TAGBACK_VAULT_REDUNDANCY", "raid", "local, zone, geo"),
    ("TAGBACK_VAULT_IMMUTABLE", "locked", "on or off"),
    ("TAGBACK_THROTTLE_SHARE", "nan", "0.9"),
    ("TAGBACK_THROTTLE_SHARE", "a third", "0.9"),
    ("TAGBACK_SUBSCRIPTION", ONE, "TAGBACK_SUBSCRIPTIONS"),
    ("TAGBACK_COLOUR_OF_THE_SKY", "blue", "no such setting"),
]


@pytest.mark.parametrize(("name", "text", "allowed"), BAD, ids=[f"{name}={text[:20]}" for name, text, _ in BAD])
def test_a_bad_setting_is_named_with_what_was_given_and_what_is_allowed(name: str, text: str, allowed: str) -> None:
    [problem] = problems({**NEEDED, name: text})
    assert problem.startswith(name)
    assert allowed in problem
    assert text in problem or name not in DEFAULTS


def test_all_problems_are_told_at_once() -> None:
    last = {name: text for name, text, _ in BAD}
    assert len(problems({**last, "AzureWebJobsStorage": CONNECTION})) == len(last)


@pytest.mark.parametrize(
    ("connection", "named"),
    [
        ("AccountName=acc1", "AccountKey"),
        ("AccountName=acc1;AccountKey=!!c2VjcmV0", "AccountKey"),
        ("AccountName=acc 1;AccountKey=c2VjcmV0", "AccountName"),
        ("AccountName=acc1;AccountKey=c2VjcmV0;TableEndpoint=junk", "TableEndpoint"),
        ("AccountName=acc1;AccountKey=c2VjcmV0;QueueEndpoint=http://[", "QueueEndpoint"),
    ],
)
def test_a_connection_string_that_nothing_could_use_is_a_problem(connection: str, named: str) -> None:
    [problem] = problems({**NEEDED, "AzureWebJobsStorage": connection})
    assert problem.startswith(f"AzureWebJobsStorage: its {named} ")
    assert "allowed: " in problem
    assert "c2VjcmV0" not in problem


@pytest.mark.parametrize(
    "rest", ["AccountKey=c2VjcmV0;BlobEndpoint=http://127.0.0.1:10000/acc1", "SharedAccessSignature=sv=1&sig=x"]
)
def test_a_connection_string_of_an_emulator_or_with_a_signature_will_do(rest: str) -> None:
    assert Settings.read({**NEEDED, "AzureWebJobsStorage": f"AccountName=acc1;{rest}"}).storage.name == "acc1"


def test_the_name_of_an_account_is_judged() -> None:
    [problem] = problems({"TAGBACK_SUBSCRIPTIONS": ONE, "AzureWebJobsStorage__accountName": "bad name!"})
    assert problem == "AzureWebJobsStorage__accountName=bad name!: allowed: 3 to 24 letters and digits"


def test_a_connection_string_is_never_repeated() -> None:
    [problem] = problems({**NEEDED, "AzureWebJobsStorage": "AccountKey=c2VjcmV0;EndpointSuffix=x"})
    assert problem.startswith("AzureWebJobsStorage: ")
    assert "c2VjcmV0" not in problem


@pytest.mark.parametrize(
    "text",
    ["0 */15 * * * *", "30 0,30 8-18 1-7 Jan-MARCH mon-fri", "0 5/10 * * sep Sun", "59 59 23 31 12 6", "0 0 0 1 * 0"],
)
def test_a_schedule_that_the_host_takes_is_taken(text: str) -> None:
    assert Settings.read({**NEEDED, "TAGBACK_SWEEP": text}).schedules["TAGBACK_SWEEP"] == text


@pytest.mark.parametrize(
    "text",
    [
        "0 0 0 0 * *", "0 0 24 * * *", "0 0 0 * 13 *", "0 0 0 * Foo *", "0 0 0 * ja *", "0 5-1 * * * *",
        "0 */0 * * * *", "0 *-5 * * * *", "0 1,,2 * * * *", "0 ? * * * *", "x 0 * * * *",
    ],
)  # fmt: skip
def test_a_schedule_that_the_host_refuses_is_refused(text: str) -> None:
    assert len(problems({**NEEDED, "TAGBACK_SWEEP": text})) == 1


def test_a_plans_file_of_ones_own_is_read(tmp_path: Path) -> None:
    file = tmp_path / "plans.toml"
    file.write_text('default = "x"\n[plans.x.snapshots]\nat = ["01:00"]\nkeep = "3d"\n', encoding="utf-8")
    assert set(Settings.read({**NEEDED, "TAGBACK_PLANS": str(file)}).plans.by_name) == {"x"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("default = ", "not TOML"),
        ('default = "x"\ncolour = 1\n[plans.x.snapshots]\nat = 3\nkeep = "3d"\n', "plans.x.snapshots.at"),
        ('default = "y"\n[plans.x.snapshots]\nat = ["01:00"]\nkeep = "3q"\n', "plans.x.snapshots.keep"),
    ],
)
def test_what_is_wrong_with_a_plans_file_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "plans.toml"
    file.write_text(text, encoding="utf-8")
    found = problems({**NEEDED, "TAGBACK_PLANS": str(file)})
    assert any(told in problem for problem in found)
    assert all(str(file) in problem for problem in found)
    with pytest.raises(BadInput):
        plans_of(file)


def test_telemetry_goes_to_a_file_to_azure_monitor_or_nowhere() -> None:
    assert Settings.read(NEEDED).telling == Telling(share=0.2)
    to_file = {"TAGBACK_TELEMETRY": "/tmp/told.jsonl", "TAGBACK_TELEMETRY_SHARE": "1"}
    assert Settings.read({**NEEDED, **to_file}).telling == Telling(file="/tmp/told.jsonl", share=1)
    insights = {"APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=k"}
    asked = {**NEEDED, **insights, "TAGBACK_TELEMETRY": "Azure", "TAGBACK_TELEMETRY_SHARE": "0"}
    assert Settings.read(asked).telling == Telling(connection="InstrumentationKey=k", share=0)
    assert Settings.read({**NEEDED, **insights}).telling == Telling(share=0.2), "only where it was asked for"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("TAGBACK_TELEMETRY", "azure", "APPLICATIONINSIGHTS_CONNECTION_STRING is not set"),
        ("TAGBACK_TELEMETRY", "everywhere", "allowed: azure, a file whose name ends with .jsonl, or nothing"),
        ("TAGBACK_TELEMETRY_SHARE", "1.1", "allowed: 0 to 1"),
        ("TAGBACK_TELEMETRY_SHARE", "-0.1", "allowed: 0 to 1"),
        ("TAGBACK_TELEMETRY_SHARE", "much", "allowed: 0 to 1"),
    ],
)
def test_telemetry_that_cannot_be_told_is_a_problem(name: str, text: str, said: str) -> None:
    (problem,) = problems({**NEEDED, name: text})
    assert problem.startswith(f"{name}={text}: ")
    assert said in problem
