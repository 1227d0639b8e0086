"""Reads the plans file: a mapping in, plans out, or every problem at once with its place and what is allowed.

The caller also holds the file's shape to `plans.schema.json` and tells both kinds of problems together. So this module
judges what a schema cannot say and bears with everything: what has not the shape is passed over here without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import time, timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from shared.decide.durations import DURATION_FORM, KEEP_FORM, parse_duration, parse_keep
from shared.decide.tags import OFF, ON, parse_start
from shared.model.plan import Keep, Plan, Plans, Schedule

DEFAULT_WINDOW = "1h"
DEFAULT_FLOOR = "24h"
DEFAULT_PER_DAY = 24
ENGINES = ("snapshots",)
MAX_POINTS = (
    450  # of the 500 incremental snapshots that a disk can have [azure-facts 3.2]; the rest is room for requests
)
DAY = timedelta(days=1)
SOME_KEEP = "1d"
NO_SNAPSHOTS: Mapping[str, Any] = {"at": ["00:00"], "keep": SOME_KEEP}
NO_PLAN: Mapping[str, Any] = {"snapshots": NO_SNAPSHOTS}
LONGEST_WALL = len("00:00") + 20  # more digits than any time has, fewer than Python refuses to read


def read_plans(document: Mapping[str, Any]) -> tuple[Plans, tuple[str, ...]]:
    """The plans of a document and every problem with it; with a problem the plans are not to be used."""
    problems: list[str] = []
    by_name: dict[str, Plan] = {}
    for name, fields in _table(document, "plans").items():
        folded = name.lower()
        if folded in (ON, OFF) or folded in by_name:
            problems.append(f"plans.{name}: the name is taken; allowed: a name of its own, not on or off")
        by_name[folded] = _plan(folded, fields if isinstance(fields, Mapping) else NO_PLAN, problems)
    default = _text(document, "default", "").lower()
    if by_name and default not in by_name and isinstance(document.get("default"), str):
        problems.append(f"default: {default!r} is no plan of this file; allowed: {', '.join(sorted(by_name))}")
    plans = Plans(by_name, default, _allowed(document, by_name, problems))
    return plans, tuple(problems)


def _allowed(
    document: Mapping[str, Any], by_name: Mapping[str, Plan], problems: list[str]
) -> dict[str, frozenset[str]]:
    allowed = {}
    for subscription in _table(document, "subscriptions"):
        fields = _table(_table(document, "subscriptions"), subscription)
        names = frozenset(name.lower() for name in _texts(fields, "allowed_plans", by_name))
        for name in sorted(names - set(by_name)):
            known = ", ".join(sorted(by_name))
            problems.append(f'subscriptions."{subscription}".allowed_plans: {name!r} is no plan; allowed: {known}')
        allowed[subscription.lower()] = names
    return allowed


def _plan(name: str, fields: Mapping[str, Any], problems: list[str]) -> Plan:
    where = f"plans.{name}"
    for missing in sorted({"vault", "replicate", "drill", "notify"} & set(fields)):
        problems.append(f"{where}.{missing}: this build has no engine for it; allowed: {', '.join(ENGINES)}")
    if "snapshots" not in fields:
        problems.append(f"{where}: it protects nothing; allowed: at least one of {', '.join(ENGINES)}")
    part = _table(fields, "snapshots") if isinstance(fields.get("snapshots"), Mapping) else NO_SNAPSHOTS
    schedule = _schedule(f"{where}.snapshots", part, problems)
    keep = _keep(f"{where}.snapshots.keep", _text(part, "keep", SOME_KEEP), problems)
    floor = _duration(f"{where}.keep_floor", _text(fields, "keep_floor", DEFAULT_FLOOR), problems)
    plan = Plan(name, schedule, keep, floor, _per_day(fields))
    problems += [f"{where}: {problem}" for problem in _limits(plan)]
    return plan


def _schedule(where: str, part: Mapping[str, Any], problems: list[str]) -> Schedule:
    if ("at" in part) == ("every" in part):
        problems.append(f"{where}: allowed is exactly one of at and every")
    walls = _texts(part, "at", ())[:DEFAULT_PER_DAY]
    times = tuple(sorted({_wall(f"{where}.at", text, problems) for text in walls}))
    every = None
    if isinstance(part.get("every"), str):
        every = _duration(f"{where}.every", part["every"], problems)
        if not timedelta(hours=1) <= every <= DAY:
            problems.append(f"{where}.every: {part['every']!r} is out of range; allowed: 1h to 24h")
            every = DAY
    zone = _text(part, "zone", "UTC")
    if zone not in _zones():
        problems.append(f"{where}.zone: {zone!r} is no time zone; allowed: IANA names such as Europe/Berlin")
        zone = "UTC"
    window = _duration(f"{where}.window", _text(part, "window", DEFAULT_WINDOW), problems)
    return Schedule(times if times or every else (time(0),), every, zone, window)


@cache
def _zones() -> frozenset[str]:
    """The time zones' names; read once, because it walks a directory tree."""
    return frozenset(available_timezones())


def _table(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = fields.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(fields: Mapping[str, Any], name: str, otherwise: str) -> str:
    found = fields.get(name)
    return found if isinstance(found, str) else otherwise


def _texts(fields: Mapping[str, Any], name: str, otherwise: Iterable[str]) -> tuple[str, ...]:
    found = fields.get(name)
    return tuple(text for text in (found if isinstance(found, list) else otherwise) if isinstance(text, str))


def _per_day(fields: Mapping[str, Any]) -> int:
    found = fields.get("max_per_day")
    fits = isinstance(found, int | float) and not isinstance(found, bool) and 1 <= found <= DEFAULT_PER_DAY
    return int(found) if found is not None and fits else DEFAULT_PER_DAY


def _limits(plan: Plan) -> list[str]:
    per_day = len(plan.schedule.at) if plan.schedule.every is None else -(-DAY // plan.schedule.every)
    problems = []
    if per_day > plan.max_per_day:
        problems.append(f"{per_day} points a day; allowed by max_per_day: {plan.max_per_day}")
    if plan.schedule.window > DAY / max(per_day, 1):
        problems.append(f"the window is longer than the time between two points; allowed: at most {DAY / per_day}")
    kept = _points_kept(plan.keep, per_day)
    if kept > MAX_POINTS:
        problems.append(f"keeps about {kept} points; allowed: at most {MAX_POINTS}, a disk has room for 500 snapshots")
    return problems


def _points_kept(keep: Keep, per_day: int) -> int:
    """How many points stand at once: all of the shortest age, and one per period of each longer class."""
    days = {"h": 1 / 24, "d": 1, "w": 7, "m": 30.4, "y": 365}
    ages = sorted(keep.ages, key=lambda age: age.count * days[age.unit])
    if not ages:
        return keep.last
    shortest = ages[0].count * days[ages[0].unit] * per_day
    return max(keep.last, round(shortest) + sum(age.count for age in ages[1:]))


def _keep(where: str, text: str, problems: list[str]) -> Keep:
    keep = parse_keep(text)
    if keep is None or not keep.ages:
        problems.append(f"{where}: {text!r} is not a keep with an age; allowed: {KEEP_FORM}")
        return Keep(())
    return keep


def _wall(where: str, text: str, problems: list[str]) -> time:
    start = parse_start(text) if len(text) <= LONGEST_WALL else None
    if start is None or start[1] is not None:
        problems.append(f"{where}: {text!r} is not a time of day; allowed: 00:00 to 23:59")
        return time(0)
    return start[0]


def _duration(where: str, text: str, problems: list[str]) -> timedelta:
    duration = parse_duration(text)
    if duration is None:
        problems.append(f"{where}: {text!r} is not a duration; allowed: {DURATION_FORM}")
        return timedelta(hours=1)
    return duration
