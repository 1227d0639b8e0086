"""Reads the plans file: a mapping in, plans out, or every problem at once with its place and what is allowed.

The caller also holds the file's shape to `plans.schema.json` and tells both kinds of problems together. So this module
judges the values, those of texts included, and bears with everything: what has not the shape is passed over here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

from shared.decide import cron
from shared.decide.cron import CRON_FORM
from shared.decide.durations import KEEP_FORM, parse_keep
from shared.decide.limits import LONGEST_EVERY, LONGEST_FLOOR, MOST_PER_DAY, SHORTEST_GAP, problems_of
from shared.decide.plan_drill import drill_part
from shared.decide.plan_fields import Part, table, wall
from shared.decide.plan_vault import vault_part
from shared.decide.setting_values import SUBSCRIPTION_FORM, is_subscription
from shared.decide.tag_values import OFF, zone_named
from shared.decide.tags import ON
from shared.decide.vault_plan import rhythm_of
from shared.model.plan import Keep, Plan, Plans, Schedule, VaultPart
from shared.model.point import Engine

DEFAULT_WINDOW = timedelta(hours=1)
DEFAULT_FLOOR = timedelta(hours=24)
NOTHING = timedelta(0)
SOME_KEEP = "1d"
SOME_SCHEDULE = Schedule((time(0),), None, "UTC", timedelta(0))
NO_PLAN: Mapping[str, Any] = {"snapshots": {"at": ["00:00"], "keep": SOME_KEEP}}
FORMS = ("at", "every", "cron")
ENGINES = ("snapshots", "vault")
# What a plan may ask for one day and no engine of this build does.
NOT_BUILT = {
    "replicate": "replication by Site Recovery",
    "notify": "notifications of its own",
}
NAME_FORM = "a letter, then at most 39 letters, digits or -"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,39}")


def read_plans(document: Mapping[str, Any]) -> tuple[Plans, tuple[str, ...]]:
    """The plans of a document and every problem with it; with a problem the plans are not to be used."""
    problems: list[str] = []
    by_name: dict[str, Plan] = {}
    for name, fields in table(document, "plans").items():
        folded = name.lower()
        if not _NAME.fullmatch(name):
            problems.append(f"plans.{name}: {name!r} is not a plan's name; allowed: {NAME_FORM}")
        if folded in (ON, OFF) or folded in by_name:
            problems.append(f"plans.{name}: the name is taken; allowed: a name of its own, not on or off")
        by_name[folded] = _plan(folded, fields if isinstance(fields, Mapping) else NO_PLAN, problems)
    default = document.get("default")
    if by_name and isinstance(default, str) and default.lower() not in by_name:
        problems.append(f"default: {default!r} is no plan of this file; allowed: {', '.join(sorted(by_name))}")
    named = default.lower() if isinstance(default, str) else ""
    return Plans(by_name, named, _allowed(document, by_name, problems)), tuple(problems)


def _allowed(
    document: Mapping[str, Any], by_name: Mapping[str, Plan], problems: list[str]
) -> dict[str, frozenset[str]]:
    allowed: dict[str, frozenset[str]] = {}
    for subscription in table(document, "subscriptions"):
        part = Part(f'subscriptions."{subscription}"', table(table(document, "subscriptions"), subscription))
        if not is_subscription(subscription):
            part.wrong("", f"{subscription!r} is no subscription id", SUBSCRIPTION_FORM)
        names = frozenset(name.lower() for name in part.texts("allowed_plans", by_name))
        for name in sorted(names - set(by_name)):
            part.wrong("allowed_plans", f"{name!r} is no plan", ", ".join(sorted(by_name)))
        if subscription.lower() in allowed:
            part.wrong("", "the subscription stands there twice", "each once; the case of its id says nothing")
        problems += part.problems
        allowed[subscription.lower()] = names
    return allowed


def _plan(name: str, fields: Mapping[str, Any], problems: list[str]) -> Plan:
    whole = Part(f"plans.{name}", fields)
    for missing in sorted(NOT_BUILT.keys() & fields.keys()):
        whole.wrong(missing, f"this build has no engine for it ({NOT_BUILT[missing]})", ", ".join(ENGINES))
    if not fields.keys() & set(ENGINES):
        whole.wrong("", "it protects nothing", f"at least one of {', '.join(ENGINES)}")
    given = fields.get("snapshots")
    part = Part(f"{whole.where}.snapshots", given if isinstance(given, Mapping) else NO_PLAN["snapshots"])
    schedule, keep = _schedule(part), _keep(part)
    floor = whole.duration("keep_floor", DEFAULT_FLOOR, NOTHING, LONGEST_FLOOR)
    plan = Plan(name, schedule, keep, floor, _per_day(fields), engine=_engine(part))
    vault = Part(f"{whole.where}.vault", table(fields, "vault"))
    if "vault" in fields:
        plan = _with_vault(plan, vault_part(vault), "snapshots" in fields)
    drill = Part(f"{whole.where}.drill", table(fields, "drill"))
    if "drill" in fields:
        plan = replace(plan, drill=drill_part(drill))
        if not plan.takes_snapshots:
            drill.wrong("", "drills restore snapshots, and this plan takes none", "beside snapshots")
    problems += [*whole.problems, *part.problems, *vault.problems, *drill.problems]
    problems += [f"{whole.where}: {problem}" for problem in problems_of(plan)]
    return plan


def _with_vault(plan: Plan, part: VaultPart, with_snapshots: object) -> Plan:
    """The plan with its vault, by which its machines are measured where it takes no snapshots."""
    if with_snapshots:
        return replace(plan, vault=part)
    return replace(plan, vault=part, schedule=rhythm_of(part), keep=part.keep, takes_snapshots=False)


def _engine(part: Part) -> Engine:
    """What takes the points the way they are asked for; the schema refuses every other word."""
    if "copy_to" in part.fields:
        part.wrong("copy_to", "this build has no engine for copies in another region", "to leave it out")
    return Engine.RESTORE_POINT if part.text("consistency", "disk") == "vm" else Engine.DISK


def _schedule(part: Part) -> Schedule:
    """The schedule; a usual one stands in for one that cannot be read."""
    given = [form for form in FORMS if form in part.fields]
    if len(given) != 1:
        part.wrong("", f"it says when by {' and '.join(given) or 'nothing'}", f"exactly one of {', '.join(FORMS)}")
    times = _times(part)
    every = part.duration("every", LONGEST_EVERY, SHORTEST_GAP, LONGEST_EVERY) if "every" in given else None
    line = _cron(part)
    zone = zone_named(part.text("zone", "UTC"))
    if zone is None:
        part.wrong("zone", f"{part.text('zone', '')!r} is no time zone", "IANA names such as Europe/Berlin")
    window = part.duration("window", DEFAULT_WINDOW, NOTHING, LONGEST_EVERY)
    schedule = Schedule(times, every, zone or "UTC", window, line)
    readable = len(given) == 1 and bool(times or every or line)
    return schedule if readable else Schedule(SOME_SCHEDULE.at, None, schedule.zone, window)


def _times(part: Part) -> tuple[time, ...]:
    """The times of a day in order, each once; `2:00` and `02:00` are one."""
    before = len(part.problems)
    times = [wall(part, text) for text in part.texts("at", ())[:MOST_PER_DAY]]
    readable = len(part.problems) == before
    for twice in sorted({one for one in times if times.count(one) > 1 and readable}):
        part.wrong("at", f"{twice:%H:%M} stands there twice", "each time once")
    return tuple(sorted(set(times)))


def _cron(part: Part) -> str:
    text = part.text("cron", "")
    if not isinstance(part.fields.get("cron"), str):
        return ""
    if wrong := cron.problem(text):
        part.wrong("cron", f"{text!r} {wrong}", CRON_FORM)
        return ""
    return " ".join(text.split())


def _keep(part: Part) -> Keep:
    text = part.text("keep", SOME_KEEP)
    keep = parse_keep(text)
    if keep is None or not keep.ages:
        part.wrong("keep", f"{text!r} is not a keep with an age", KEEP_FORM)
        return parse_keep(SOME_KEEP) or Keep(())
    return keep


def _per_day(fields: Mapping[str, Any]) -> int:
    found = fields.get("max_per_day")
    fits = isinstance(found, int | float) and not isinstance(found, bool) and 1 <= found <= MOST_PER_DAY
    return int(found) if found is not None and fits else MOST_PER_DAY
