"""Reads the settings and the plans file, whole: a frozen value, or BadInput with every problem at once.

Called by wiring with the environment. No setting touches time. `IDENTITY_*` and `AZURE_*` are azure-identity's own.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from shared.decide import setting_values as values
from shared.decide.plan import read_plans
from shared.decide.plan_shape import told
from shared.errors import BadInput
from shared.model.account import Api, StorageAccount, Telling
from shared.model.plan import Plans
from shared.model.rules import Mode, Rules
from shared.model.vault import Redundancy, VaultRules

HERE = Path(__file__).parent
SHIPPED_PLANS = HERE / "plans.toml"
SCHEMA = HERE / "plans.schema.json"
JUDGED = ("pattern", "maxLength", "oneOf")  # what editors check by the schema, and decide/plan.py by reading
STORAGE = "AzureWebJobsStorage"
PREFIX = "TAGBACK_"

# Every setting of ours with its default; reference.md is made from this table.
DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "TAGBACK_SUBSCRIPTIONS": "",
        "TAGBACK_PLANS": "",
        "TAGBACK_TAG_PREFIX": "backup",
        "TAGBACK_INHERIT_GROUP_TAGS": "off",
        "TAGBACK_RECOVERY_GROUP": "tagback-{region}",
        "TAGBACK_VAULT": "tagback-{region}",
        "TAGBACK_VAULT_CREATE": "on",
        "TAGBACK_VAULT_REDUNDANCY": "geo",
        "TAGBACK_VAULT_IMMUTABLE": "off",
        "TAGBACK_EXTRA_TAGS": "",
        "TAGBACK_ARM_ENDPOINT": "https://management.azure.com",
        "TAGBACK_AUTHORITY": "",
        "TAGBACK_TOPIC_ENDPOINT": "",
        "TAGBACK_API_AUDIENCE": "",
        "TAGBACK_API_TENANT": "",
        "TAGBACK_API_READ": "key",
        "TAGBACK_API_ENDPOINT": "",
        "TAGBACK_API_KEY": "",
        "TAGBACK_TELEMETRY": "",
        "TAGBACK_TELEMETRY_SHARE": "0.2",
        "TAGBACK_SWEEP": "0 */15 * * * *",
        "TAGBACK_EXPIRE": "0 5 * * * *",
        "TAGBACK_DRILL": "0 0 4 * * *",
        "TAGBACK_REPORT": "0 0 6 * * *",
        "TAGBACK_OBSERVE_EVERY": "24h",
        "TAGBACK_DELETE_WAIT": "24h",
        "TAGBACK_ORPHAN_KEEP": "90d",
        "TAGBACK_DRAIN_SECONDS": "180s",
        "TAGBACK_THROTTLE_SHARE": "0.3",
    }
)

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Settings:
    """What this installation was told."""

    storage: StorageAccount
    subscriptions: Mapping[str, Mode]
    plans: Plans
    tag_prefix: str
    recovery_group: str
    extra_tags: Mapping[str, str]
    arm_endpoint: str
    authority: str
    topic_endpoint: str
    schedules: Mapping[str, str]
    observe_every: timedelta
    delete_wait: timedelta
    orphan_keep: timedelta
    drain_for: timedelta
    throttle_share: float
    inherit_group_tags: bool
    vaults: VaultRules
    api: Api
    telling: Telling

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """The settings of an environment; BadInput lists every problem, the plans file's included."""
        reader = Reader(environment)
        schedules = ("TAGBACK_SWEEP", "TAGBACK_EXPIRE", "TAGBACK_DRILL", "TAGBACK_REPORT")
        found = cls(
            storage=_storage(reader),
            subscriptions=reader.value("TAGBACK_SUBSCRIPTIONS", values.subscriptions, {}),
            plans=_plans(reader),
            tag_prefix=reader.value("TAGBACK_TAG_PREFIX", values.tag_prefix, ""),
            recovery_group=reader.value("TAGBACK_RECOVERY_GROUP", values.group_pattern, ""),
            extra_tags=reader.value("TAGBACK_EXTRA_TAGS", values.extra_tags, {}),
            arm_endpoint=reader.value("TAGBACK_ARM_ENDPOINT", values.address, ""),
            authority=reader.value("TAGBACK_AUTHORITY", values.optional_address, ""),
            topic_endpoint=reader.value("TAGBACK_TOPIC_ENDPOINT", values.optional_address, ""),
            schedules={name: reader.value(name, values.schedule, "") for name in schedules},
            observe_every=reader.value("TAGBACK_OBSERVE_EVERY", values.duration, timedelta()),
            delete_wait=reader.value("TAGBACK_DELETE_WAIT", values.duration, timedelta()),
            orphan_keep=reader.value("TAGBACK_ORPHAN_KEEP", values.duration, timedelta()),
            drain_for=reader.value("TAGBACK_DRAIN_SECONDS", values.slice_of_draining, timedelta()),
            throttle_share=reader.value("TAGBACK_THROTTLE_SHARE", values.share, 0.0),
            inherit_group_tags=reader.value("TAGBACK_INHERIT_GROUP_TAGS", values.switch, False),
            vaults=_vaults(reader),
            api=_api(reader),
            telling=_telling(reader),
        )
        reader.refuse_unknown()
        if reader.problems:
            raise BadInput(reader.problems)
        return found

    def rules(self) -> Rules:
        """What flows decide by. The storage account's name is the installation's id: no two installations share one."""
        return Rules(
            plans=self.plans,
            subscriptions=self.subscriptions,
            owner=self.storage.name,
            prefix=self.tag_prefix,
            drain_for=self.drain_for,
            delete_wait=self.delete_wait,
            orphan_keep=self.orphan_keep,
            extra_tags=self.extra_tags,
            inherit_group_tags=self.inherit_group_tags,
            vaults=self.vaults,
            topic=self.topic_endpoint,
        )


class Reader:
    """One pass over an environment, collecting problems. A setting that is empty counts as not set."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return self._environment.get(name, "").strip() or DEFAULTS.get(name, "")

    def value(self, name: str, parse: Callable[[str], Value], otherwise: Value) -> Value:
        """The parsed setting. `parse` raises BadInput or ValueError that says what is wrong and what is allowed."""
        text = self.text(name)
        try:
            return parse(text)
        except (BadInput, ValueError) as bad:
            shown = f"{name}={text}" if text and name != STORAGE else name  # a connection string holds a key
            problems = bad.problems if isinstance(bad, BadInput) else [str(bad)]
            self.problems += [f"{shown}: {problem}" for problem in problems]
            return otherwise

    def refuse_unknown(self) -> None:
        """A misspelt setting would silently mean the default."""
        for name in sorted(self._environment):
            if name.startswith(PREFIX) and name not in DEFAULTS:
                meant = difflib.get_close_matches(name, DEFAULTS, 1)
                hint = f"did you mean {meant[0]}?" if meant else f"allowed: {', '.join(DEFAULTS)}"
                self.problems.append(f"{name}: there is no such setting; {hint}")


def plans_of(file: Path) -> Plans:
    """The plans of a file; BadInput with every problem, each with its place in the file."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadInput([f"{file} cannot be read: {error.strerror or error}"]) from error
    except (ValueError, RecursionError) as error:
        raise BadInput([f"{file} is not TOML: {error}"]) from error
    plans, problems = read_plans(document)
    told = [*_misshapen(document), *problems]
    if told:
        raise BadInput([f"{file}: {problem}" for problem in told])
    return plans


def _misshapen(document: Mapping[str, Any]) -> list[str]:
    """What the schema says of a document, but for what the judge of plans says of the same places in better words."""
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    found = (error for error in validator.iter_errors(document) if error.validator not in JUDGED)
    return told(found)


def _plans(reader: Reader) -> Plans:
    def parse(text: str) -> Plans:
        return plans_of(Path(text) if text else SHIPPED_PLANS)

    return reader.value("TAGBACK_PLANS", parse, Plans({}, "", {}))


def _api(reader: Reader) -> Api:
    """Whose tokens the API believes; it must be told of both, or of neither."""
    before = len(reader.problems)
    audiences = reader.value("TAGBACK_API_AUDIENCE", values.audiences, frozenset[str]())
    tenant = reader.value("TAGBACK_API_TENANT", values.tenant, "")
    if bool(audiences) != bool(tenant) and len(reader.problems) == before:
        reader.problems.append("TAGBACK_API_AUDIENCE and TAGBACK_API_TENANT are set together, or neither of them")
    endpoint = reader.value("TAGBACK_API_ENDPOINT", values.api_address, "")
    keyed = reader.value("TAGBACK_API_READ", values.keyed, False)
    return Api(audiences, tenant, endpoint, reader.text("TAGBACK_API_KEY"), keyed)


def _telling(reader: Reader) -> Telling:
    connection = reader.text("APPLICATIONINSIGHTS_CONNECTION_STRING")  # the platform's own, which a deployment sets
    to = reader.value("TAGBACK_TELEMETRY", lambda text: values.telemetry(text, connection), ("", ""))
    return Telling(*to, reader.value("TAGBACK_TELEMETRY_SHARE", values.share_told, 0.0))


def _vaults(reader: Reader) -> VaultRules:
    return VaultRules(
        create=reader.value("TAGBACK_VAULT_CREATE", values.switch, False),
        pattern=reader.value("TAGBACK_VAULT", values.vault_pattern, ""),
        redundancy=reader.value("TAGBACK_VAULT_REDUNDANCY", values.redundancy, Redundancy.GEO),
        immutable=reader.value("TAGBACK_VAULT_IMMUTABLE", values.switch, False),
    )


def _storage(reader: Reader) -> StorageAccount:
    """The Functions host's own storage setting: a connection string, or the identity form with `__` names."""
    connection = reader.text(STORAGE)
    if connection:
        return StorageAccount(reader.value(STORAGE, values.account_name, ""), connection)
    named = reader.text(f"{STORAGE}__accountName")
    name = reader.value(f"{STORAGE}__accountName", values.account, named)
    endpoints = {}
    for service in ("blob", "queue", "table"):
        setting = f"{STORAGE}__{service}ServiceUri"
        default = f"https://{name}.{service}.core.windows.net" if name else ""
        endpoints[service] = reader.value(setting, values.optional_address, "") or default
    if not all(endpoints.values()):
        forms = f"{STORAGE}, {STORAGE}__accountName, or {STORAGE}__blobServiceUri, __queueServiceUri, __tableServiceUri"
        reader.problems.append(f"{STORAGE}: no storage account is named; allowed: {forms}")
    host = urlsplit(endpoints["table"]).hostname or ""
    client_id = reader.text(f"{STORAGE}__clientId")
    return StorageAccount(name or host.partition(".")[0], client_id=client_id, **endpoints)
