"""What a machine's tags ask for by the plans file: when points are due and how long they are kept. Pure.

Read anew from the TOML and from the words of the design. Used by lives.py; a value that it cannot read is an error,
so that nothing is passed over in silence.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time, timedelta

UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
LENGTH = re.compile(r"(\d+)(s|min|h|d)")
AGE = re.compile(r"(\d+)([hdwmy])")
START = re.compile(r"(\d{1,2}):(\d\d)(?:\s+(\S+))?")
DEFAULTS = {"zone": "UTC", "window": "1h", "keep": "", "keep_floor": "24h"}


@dataclass(frozen=True, slots=True)
class Trial:
    """How often machines are to be restored and tried, and what a command run in them has to write."""

    every: timedelta
    expects: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as far as a judge needs it. `ages` maps h, d, w, m, y to a count; `last` newest points are held too.

    `vault`: its machines are in a vault of Azure Backup as well, backed up there every day.
    """

    name: str
    times: tuple[time, ...]
    zone: str
    window: timedelta
    ages: Mapping[str, int]
    last: int
    floor: timedelta
    trial: Trial | None = None
    vault: bool = False


@dataclass(frozen=True, slots=True)
class Plans:
    """A plans file."""

    by_name: Mapping[str, Plan]
    default: str
    allowed: Mapping[str, frozenset[str]]

    def named(self, name: str, subscription: str) -> Plan | None:
        """The plan that an opt-in tag asks for; None where there is none of this name, or not in this subscription."""
        found = self.by_name.get(self.default if name == "on" else name)
        allowed = self.allowed.get(subscription.lower())
        return found if found is not None and (allowed is None or found.name in allowed) else None


def length(text: str) -> timedelta:
    """`90s 5min 24h 7d`."""
    found = LENGTH.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"not a duration: {text!r}")
    return timedelta(seconds=int(found[1]) * UNITS[found[2]])


def keep_of(text: str) -> tuple[dict[str, int], int]:
    """`7d4w12m3y last=3` as ages and the number of newest points; ValueError for another form."""
    ages: dict[str, int] = {}
    last = 0
    for word in text.lower().replace(",", " ").split():
        if word.startswith("last="):
            last = max(last, int(word.removeprefix("last=")))
            continue
        if AGE.sub("", word):
            raise ValueError(f"not a keep: {text!r}")
        for count, unit in AGE.findall(word):
            if unit in ages or not int(count):
                raise ValueError(f"not a keep: {text!r}")
            ages[unit] = int(count)
    return ages, last


def read_plans(text: str) -> Plans:
    """The plans of a file."""
    document = tomllib.loads(text)
    plans = {
        name.lower(): _plan(name.lower(), entry) for name, entry in document["plans"].items() if "snapshots" in entry
    }
    limits = {
        subscription.lower(): frozenset(name.lower() for name in entry["allowed_plans"])
        for subscription, entry in document.get("subscriptions", {}).items()
        if "allowed_plans" in entry
    }
    return Plans(plans, str(document["default"]).lower(), limits)


def _plan(name: str, entry: Mapping[str, object]) -> Plan:
    given = entry["snapshots"]
    assert isinstance(given, Mapping)
    values = DEFAULTS | {key: str(value) for key, value in given.items()}
    ages, last = keep_of(values["keep"])
    floor = length(str(entry.get("keep_floor", DEFAULTS["keep_floor"])))
    window, vault = length(values["window"]), "vault" in entry
    return Plan(name, _times(given), values["zone"], window, ages, last, floor, _trial(entry), vault)


def _trial(entry: Mapping[str, object]) -> Trial | None:
    given = entry.get("drill")
    if not isinstance(given, Mapping):
        return None
    return Trial(length(str(given.get("every", "30d"))), str(given.get("expects", "")))


def _times(given: Mapping[str, object]) -> tuple[time, ...]:
    """The local times of day; a plan by `cron` is refused here, as no scenario has one."""
    if "every" in given:
        step = int(length(str(given["every"])) / timedelta(minutes=1))
        return tuple(time(minute // 60, minute % 60) for minute in range(0, 24 * 60, step))
    listed = given["at"]
    assert isinstance(listed, list)
    return tuple(sorted(time.fromisoformat(text) for text in listed))


def modified(plan: Plan, tags: Mapping[str, str]) -> Plan:
    """The plan with what a machine's other tags say: a longer keep, another start. A bad one leaves the plan's own."""
    plan = _kept_longer(plan, tags.get("backup-keep", ""))
    found = START.fullmatch(tags.get("backup-at", "").strip())
    if found is None or len(plan.times) != 1 or int(found[1]) > 23 or int(found[2]) > 59:
        return plan
    return replace(plan, times=(time(int(found[1]), int(found[2])),), zone=found[3] or plan.zone)


def _kept_longer(plan: Plan, text: str) -> Plan:
    try:
        ages, last = keep_of(text)
    except ValueError:
        return plan
    longer = {unit: max(ages.get(unit, 0), plan.ages.get(unit, 0)) for unit in {*ages, *plan.ages}}
    return replace(plan, ages=longer, last=max(last, plan.last))


def folded(tags: Mapping[str, str]) -> dict[str, str]:
    """A machine's tags by folded name."""
    return {name.strip().lower(): value.strip() for name, value in sorted(tags.items(), reverse=True)}
