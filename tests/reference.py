"""Writes docs/reference.md from the code it describes: `python -m tests.reference`.

tests/test_docs.py regenerates it and compares, so that the page cannot drift. What the code cannot say about itself
(what a function is for, what a tag means) stands in tables here, and a name without an entry fails loudly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from azure.functions.decorators.function_app import Function

import function_app
from shared import messages
from shared.cli.main import commands
from shared.cli.session import EXIT_CODES
from shared.cloud import audit, control, ledger, models
from shared.decide.naming import part_tags
from shared.decide.rates import ALLOWANCES
from shared.flows.request_kinds import KINDS
from shared.model.caller import Use
from shared.model.machine import Lens, Sighting, Status
from shared.model.operation import State
from shared.settings import DEFAULTS, STORAGE
from shared.web.api import QUESTIONS, ROUTES
from shared.web.dashboard import PAGES
from shared.web.writes import WRITES
from tests.fleet import NOW, RULES, machine, point

BAR = r"\|"  # within a table, also within code
ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reference.md"

FUNCTIONS = {
    "on_resource_event": "a VM was written, tagged or deleted: ask about it (only its id is used)",
    "on_resource_event_queued": "the same where events come through a queue",
    "reconcile_vm": "look at one VM afresh, register it, poke its shard",
    "sweep": "one inventory over all subscriptions; poke every shard with something due, ask about what differs",
    "expire": "mark what may go, a day ahead and with the reason; poke every shard with something due",
    "drill": "begin the restore drills that are due, least recently tried first, within each plan's budget",
    "reap_shard": "the only function that deletes: one slice of one shard, every deletion judged afresh",
    "drain_shard": "the only function that starts captures: one slice of one shard",
    "run_request": "take up what a person asked for",
    "api": "the JSON API",
    "on_events_poison": "record an event that could not be served",
    "on_vms_poison": "record a question that could not be served",
    "on_shards_poison": "record a poke that could not be served",
    "on_reap_poison": "record a poke of the reaper that could not be served",
    "on_requests_poison": "record a request that could not be served",
}

NOT_YET = "read and checked; nothing in this version uses it"

# Where a tag stands, its name after the prefix → value, meaning. Judged by shared/decide/tags.py and tag_values.py.
ASKED = {
    ("VM", ""): ("a plan's name, `on`, `off`", "opt in, with the default plan, or out"),
    ("VM", "-at"): (
        "`02:00` or `02:00 Europe/Berlin`",
        "moves the start of a plan with one start time a day, its days stay; a problem where a plan has several",
    ),
    ("VM", "-keep"): ("`7d4w12m3y`, `48h`, `last=3`", "lengthens the plan's keep, never shortens it"),
    ("VM", "-group"): ("a name", "machines that are to be recovered together; read and checked"),
    ("VM", "-hold"): (
        "a date or `forever`",
        "nothing of it is deleted through that day (UTC); one that cannot be read holds for ever and is a problem",
    ),
    ("resource group", ""): (
        "as on a VM, and each of the tags above",
        "for every VM in it that lacks the tag, where TAGBACK_INHERIT_GROUP_TAGS is `on`; "
        "`backup` itself not for machines of managed groups (AKS and the like) and of scale sets",
    ),
    ("disk", ""): ("`off`", "this disk is left out"),
}

CREATED = {
    "tagback-owner": "this installation's id",
    "tagback-vm": "the VM's `vmId`",
    "tagback-disk": "the disk's `uniqueId`",
    "tagback-lun": "the LUN, or `os`",
    "tagback-slot": "the slot, such as `20261120T0200Z`",
    "tagback-attempt": "which attempt the part belongs to",
    "tagback-plan": "the plan",
    "tagback-engine": "what took it",
    "tagback-consistency": "what the point promises",
    "tagback-keep-until": "the birth stamp: not deleted before",
    "tagback-origin": "why the point was taken: `slot`, `enrolment` or `request`",
    "tagback-parts": "how many parts the attempt has: fewer are no point",
    "tagback-name": "the VM as `group/name`",
    "tagback-model": "the VM's model, a blob in the container `models`",
}

SETTINGS = {
    "TAGBACK_SUBSCRIPTIONS": "comma-separated ids, each with `=enforce` (default) or `=observe`: only looked at",
    "TAGBACK_PLANS": "a plans file instead of the shipped one",
    "TAGBACK_TAG_PREFIX": "the name of the opt-in tag, and the beginning of its modifiers' names",
    "TAGBACK_VAULT": "the name by which vaults are found and made; numbered when one is full",
    "TAGBACK_VAULT_CREATE": "`off`: only vaults that are there are used, by this name or tagged `tagback-owner`",
    "TAGBACK_VAULT_REDUNDANCY": "of vaults that are made: `local`, `zone` or `geo`; cannot be changed later",
    "TAGBACK_VAULT_IMMUTABLE": "`on`: vaults are made with immutability, unlocked",
    "TAGBACK_INHERIT_GROUP_TAGS": "`on`: a VM takes each opt-in tag that it lacks from its resource group",
    "TAGBACK_RECOVERY_GROUP": "the resource group of snapshots, made on first use; `{region}` must be in it",
    "TAGBACK_EXTRA_TAGS": "`name=value` pairs, comma-separated, put on everything that is created",
    "TAGBACK_ARM_ENDPOINT": "Azure Resource Manager",
    "TAGBACK_AUTHORITY": "where tokens come from, in other clouds",
    "TAGBACK_TOPIC_ENDPOINT": "a custom topic of Event Grid that is told every change; see [events.md](events.md)",
    "TAGBACK_API_AUDIENCE": "what tokens for the HTTP API are meant for: `api://...` or the id of its app "
    "registration; empty: nothing can be asked for over HTTP",
    "TAGBACK_API_TENANT": "the tenant whose tokens the HTTP API believes; set together with the audience",
    "TAGBACK_API_READ": "`key`: whoever has the function key may read over HTTP, as on a machine of one's own; "
    "`role`: it takes a bearer token with an app role too, as `infra/` sets it",
    "TAGBACK_API_ENDPOINT": "where the HTTP API is, for `tagback approve`",
    "TAGBACK_API_KEY": "the function key that it asks for, for `tagback approve`; a secret",
    "TAGBACK_TELEMETRY": "`azure`: traces and figures go to Application Insights; a file ending with `.jsonl`: there; "
    "needs the extra `telemetry`; see [telemetry.md](telemetry.md)",
    "TAGBACK_TELEMETRY_SHARE": "the part of the traces that is told; failures always are",
    "TAGBACK_SWEEP": "when the sweep runs (NCRONTAB, six fields, UTC); must be set: the timer trigger names it",
    "TAGBACK_EXPIRE": "when what may go is marked (NCRONTAB, six fields, UTC); must be set: the timer trigger names it",
    "TAGBACK_DRILL": "when drills are begun (NCRONTAB, six fields, UTC); must be set: the timer trigger names it",
    "TAGBACK_REPORT": NOT_YET,
    "TAGBACK_OBSERVE_EVERY": NOT_YET,
    "TAGBACK_DELETE_WAIT": "how long a deletion is announced; begins ahead of its date, so it keeps nothing longer",
    "TAGBACK_ORPHAN_KEEP": "how long the last complete point of a machine that is gone or opted out is kept",
    "TAGBACK_DRAIN_SECONDS": "how long one slice of draining lasts",
    "TAGBACK_THROTTLE_SHARE": "the share of Azure's request limits that is left to others",
}
STORAGE_BY_IDENTITY = {
    "accountName": "the account, in the public cloud",
    "blobServiceUri": "its endpoints, one by one, elsewhere",
    "queueServiceUri": "",
    "tableServiceUri": "",
    "clientId": "a user-assigned identity; empty for the app's own",
}

STATUSES = {
    Status.PROTECTED: "asked for, and the newest complete point is young enough",
    Status.PENDING: "asked for, and the first slot with its window is not over",
    Status.DEGRADED: "protected with a flaw: a late point, a disk that cannot be captured, a mistake in a tag",
    Status.UNPROTECTED: "asked for, and not protected",
    Status.EXCLUDED: "not asked for",
    Status.GONE: "no longer exists: two GETs answered 404, ten minutes apart",
}

STATES = {
    State.INTENDED: "recorded, not yet asked of Azure",
    State.STARTED: "accepted by Azure",
    State.SUCCEEDED: "every part is ready",
    State.FAILED: "failed, and tried again at `next_look`",
    State.GAVE_UP: "failed, and trying again would not help or was tried often enough",
    State.NEEDS_PERSON: "waits for a person; looked at again now and then",
    State.SKIPPED: "ended without work, with the reason; no job",
    State.SUPERSEDED: "answered for by a newer slot; no job",
}


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |" for cells in (heads, *rows)]
    return [lines[0], "|" + "---|" * len(heads), *lines[1:], ""]


def page() -> str:
    """The whole page."""
    parts = [
        ["# Reference", "", "Generated from the code by `python -m tests.reference`; do not edit.", ""],
        ["## Tags you put on", "", *asked_tags()],
        ["## Plans file", "", *plan_fields()],
        ["## Settings", "", *settings()],
        ["## Functions", "", *functions()],
        ["## Command line", "", *command_lines()],
        ["## HTTP API", "", *routes()],
        ["## Statuses", "", *table(("status", "means"), ((f"`{one}`", STATUSES[one]) for one in Status))],
        ["## States of operations", "", *table(("state", "means"), ((f"`{one}`", STATES[one]) for one in State))],
        ["## Tags on what is created", "", *created_tags()],
        ["## Names in storage", "", *names_in_storage()],
    ]
    return "\n".join(line for part in parts for line in part)


def asked_tags() -> list[str]:
    rows = [(on, f"`{RULES.prefix}{name}`", *meaning) for (on, name), meaning in ASKED.items()]
    said = f"Names and values are compared without case. `{RULES.prefix}` is the default of TAGBACK_TAG_PREFIX."
    safe = "Only `off`, or taking the tag away, ends protection: a mistake leaves the plan's own value and is shown."
    return [f"{said} {safe}", "", *table(("on", "tag", "value", "meaning"), rows)]


def plan_fields() -> list[str]:
    schema = json.loads((ROOT / "shared" / "plans.schema.json").read_text())
    rows = list(_fields(schema, schema, ""))
    return ["Checked whole when the app starts and by `tagback plans check`.", "", *table(("field", "meaning"), rows)]


def _fields(schema: Mapping[str, Any], node: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    node = {**_resolved(schema, node), **node}
    for name, child in node.get("properties", {}).items():
        place = f"{where}.{name}".removeprefix(".")
        whole = {**_resolved(schema, child), **child}
        if "properties" not in whole and "additionalProperties" not in whole:
            yield f"`{place}`", _meaning(whole)
        yield from _fields(schema, whole, place)
        if isinstance(whole.get("additionalProperties"), dict):
            yield from _fields(schema, whole["additionalProperties"], f"{place}.NAME")


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref")
    return schema["$defs"][reference.rpartition("/")[2]] if reference else {}


def _meaning(node: Mapping[str, Any]) -> str:
    allowed = f" One of {', '.join(f'`{value}`' for value in node['enum'])}." if "enum" in node else ""
    default = f" Default `{node['default']}`." if "default" in node else ""
    shown = ", ".join(f"`{json.dumps(one)}`" for one in node.get("examples", ()))
    examples = f" For example {shown}." if shown else ""
    return f"{node['description']}{allowed}{default}{examples}"


def settings() -> list[str]:
    rows = [(f"`{name}`", f"`{default}`" if default else "", SETTINGS[name]) for name, default in DEFAULTS.items()]
    rows.insert(0, (f"`{STORAGE}`", "", "the storage account: a connection string, or the identity form below"))
    rows += [(f"`{STORAGE}__{name}`", "", meaning) for name, meaning in STORAGE_BY_IDENTITY.items()]
    said = "Durations are written `90s 5min 24h 7d`. Every problem is reported at once, and nothing starts with one."
    return [said, "", *table(("setting", "default", "means"), rows)]


def functions() -> list[str]:
    rows = []
    for function in indexed():
        name, trigger = function.get_function_name(), function.get_trigger()
        assert name is not None
        assert trigger is not None
        rows.append((f"`{name}`", _trigger(trigger.get_dict_repr()), FUNCTIONS[name]))
    return table(("function", "trigger", "does"), rows)


def indexed() -> list[Function]:
    """The functions as the host indexes them; an app refuses to be indexed twice, taking its own names for doubles."""
    app = function_app.app
    app.functions_bindings = {}
    try:
        return app.get_functions()
    finally:
        app.functions_bindings = {}


def _trigger(trigger: Mapping[str, Any]) -> str:
    match trigger["type"]:
        case "queueTrigger":
            return f"queue `{trigger['queueName']}`"
        case "timerTrigger":
            return f"timer `{trigger['schedule']}`"
        case "eventGridTrigger":
            return "Event Grid"
        case "httpTrigger":
            return f"HTTP `/api/{trigger['route']}`"
        case other:
            raise ValueError(f"no words for the trigger {other}")


def command_lines() -> list[str]:
    rows = [(f"`tagback {name}`", text) for name, text in _commands(commands, "")]
    codes = table(("exit code", "means"), ((f"{code}", meaning) for code, meaning in EXIT_CODES.items()))
    said = "Every command takes `--output json` and then prints one JSON document on standard output."
    return [
        f"{said} A VM is named by name, group/name, full id or vmId.",
        "",
        *table(("command", "does"), rows),
        *codes,
    ]


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, str]]:
    for name, command in group.commands.items():
        words = f"{path} {name}".strip()
        if isinstance(command, click.Group):
            yield from _commands(command, words)
            continue
        for argument in (one for one in command.params if isinstance(one, click.Argument)):
            words += f" {argument.human_readable_name}" if argument.required else f" [{argument.human_readable_name}]"
        yield words, (command.help or "").split("\n\n")[0]


def routes() -> list[str]:
    rows = [
        (f"`GET {path.replace('<', '{').replace('>', '}')}`", (view.__doc__ or "").strip())
        for path, view in (*ROUTES.items(), *QUESTIONS.items(), *((path, view) for path, (_, view) in PAGES.items()))
    ]
    said = (
        "Answers what the command line prints; `/api/` and `/api/pages/` answer pages for people. Errors are problem "
        "documents (RFC 9457), 5xx included. Where `TAGBACK_API_READ` is `role`, reading takes a bearer "
        "token with the app role `Tagback.Read` (or one of those below), and shows the subscriptions in which it holds."
    )
    writes = [(f"`POST {path}`", f"`{route.role}`", _sentence(route.run)) for path, route in WRITES.items()]
    taken = (
        "What changes something takes a bearer token of the tenant for this app (`TAGBACK_API_TENANT`, "
        "`TAGBACK_API_AUDIENCE`) with the app role named here, besides the function key, and a JSON object. "
        f"Of these a caller may ask for {ALLOWANCES[Use.WRITE].most} at once, of the others for "
        f"{ALLOWANCES[Use.READ].most}; who asks for more is answered 429 with `Retry-After`. Each instance of an app "
        "counts for itself."
    )
    kinds = [
        (f"`{name}`", " ".join(f"`{field}`" for field in kind.needs), " ".join(f"`{field}`" for field in kind.may))
        for name, kind in KINDS.items()
    ]
    return [
        *(said, "", *table(("route", "answers"), rows)),
        *(taken, "", *table(("route", "app role", "does"), writes)),
        *("Kinds of requests, each with its fields, all of them texts:", ""),
        *table(("`asked`", "needs", "may have"), kinds),
    ]


def _sentence(run: Callable[..., object]) -> str:
    return " ".join((run.__doc__ or "").split())


def created_tags() -> list[str]:
    of = machine(1, "web-1")
    seen = Sighting(of.uid, of.id, of.name, of.shard, of.tags, of.disks, (), False, {}, Lens.GET, NOW)
    one = replace(point(of), model="0" * 64)
    tags = part_tags(one, one.parts[0], seen, RULES).tags
    said = "On every snapshot. Extra tags of the installation follow, then the VM's own except the opt-in tags."
    said += " Where a date is lengthened, `tagback-birth-keep-until` keeps the birth stamp beside it."
    return [said, "", *table(("tag", "value"), ((f"`{name}`", CREATED[name]) for name in tags))]


def names_in_storage() -> list[str]:
    queues = [messages.VMS, messages.SHARDS, messages.REAP, messages.REQUESTS, messages.EVENTS]
    rows = [
        ("queue", " ".join(f"`{name}`" for name in queues), "and `-poison` of each"),
        ("table", f"`{ledger.LEDGER}`", "machines `m|uid`, operations `o|uid|id`, points `p|uid|slot|engine`"),
        ("table", f"`{ledger.SHARDS}`", "shards, who drains and who reaps them, and what of them was deleted lately"),
        ("container", f"`{models.CONTAINER}`", "VM models, by the hash of their content"),
        ("container", f"`{audit.CONTAINER}`", "the audit log, per shard and day; pauses under `all/all`"),
        ("container", f"`{control.CONTAINER}`", "brakes: what is paused or frozen"),
    ]
    return table(("kind", "name", "holds"), rows)


if __name__ == "__main__":
    PAGE.write_text(page())
