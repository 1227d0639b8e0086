"""What a machine's tags ask for, judged whole: every problem at once, and always towards protection.

Names and values are compared without case; the fold happens here, never in a query.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, time
from functools import cache
from typing import TypeAlias
from zoneinfo import available_timezones

from shared.decide.durations import KEEP_FORM, lengthened, parse_keep
from shared.model.plan import Plan, Plans

OFF = "off"
ON = "on"


@dataclass(frozen=True, slots=True)
class OptedIn:
    """The plan as this machine wants it: its start time and keep already adapted. `problems` kept it from more."""

    plan: Plan
    because: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OptedOut:
    """Nothing is asked for."""

    because: str


@dataclass(frozen=True, slots=True)
class Misnamed:
    """Protection is asked for, by a plan that does not exist or is not allowed here."""

    because: str


Wish: TypeAlias = OptedIn | OptedOut | Misnamed


def relevant(tags: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The opt-in tag and its modifiers, names folded."""
    folded = {name.lower(): value.strip() for name, value in tags.items()}
    return {name: folded[name] for name in sorted(folded) if name == prefix or name.startswith(f"{prefix}-")}


def judge(tags: Mapping[str, str], prefix: str, plans: Plans, subscription: str) -> Wish:
    """The wish that a VM's own tags express."""
    asked = relevant(tags, prefix)
    if prefix not in asked:
        return OptedOut(f"it has no tag '{prefix}'")
    value = asked[prefix].lower()
    if value == OFF:
        return OptedOut(f"its tag {prefix} is off")
    name = plans.default if value == ON else value
    allowed = plans.allowed_in(subscription)
    if name not in plans.by_name:
        known = ", ".join(sorted(plans.by_name))
        return Misnamed(f"its tag {prefix} = {asked[prefix]!r} names no plan; allowed: {known}, on, off")
    if name not in allowed:
        return Misnamed(f"plan {name} is not allowed in this subscription; allowed: {', '.join(sorted(allowed))}")
    return modified(plans.by_name[name], asked, prefix, f"its tag {prefix} asks for plan {name}")


def modified(plan: Plan, asked: Mapping[str, str], prefix: str, because: str) -> OptedIn:
    """The plan with the machine's own modifiers; a bad one is a problem and leaves the plan's own value."""
    problems: list[str] = []
    if (moved := asked.get(f"{prefix}-at")) is not None:
        plan = _moved(plan, f"{prefix}-at", moved, problems)
    if (longer := asked.get(f"{prefix}-keep")) is not None:
        keep = parse_keep(longer)
        if keep is None:
            problems.append(f"{prefix}-keep = {longer!r} is not a keep; allowed: {KEEP_FORM}")
        else:
            plan = replace(plan, keep=lengthened(plan.keep, keep))
    if (hold := asked.get(f"{prefix}-hold")) is not None and not _is_hold(hold):
        problems.append(f"{prefix}-hold = {hold!r} is not a hold; allowed: a date such as 2027-01-31, or forever")
    return OptedIn(plan, because, tuple(problems))


def parse_start(text: str) -> tuple[time, str | None] | None:
    """`02:00` or `02:00 Europe/Berlin` as a local time and a zone; None when the text has another form."""
    wall, _, zone = text.strip().partition(" ")
    hours, colon, minutes = wall.partition(":")
    if not colon or not (hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()):
        return None
    if len(minutes) != 2 or int(hours) > 23 or int(minutes) > 59:
        return None
    known = _zones()
    if zone and zone.strip().lower() not in known:
        return None
    return time(int(hours), int(minutes)), known[zone.strip().lower()] if zone else None


@cache
def _zones() -> Mapping[str, str]:
    """Every time zone's name by its lower-case name; read once, because it walks a directory tree."""
    return {name.lower(): name for name in available_timezones()}


def _moved(plan: Plan, tag: str, text: str, problems: list[str]) -> Plan:
    start = parse_start(text)
    if start is None:
        problems.append(f"{tag} = {text!r} is not a start time; allowed: 02:00 or 02:00 Europe/Berlin")
        return plan
    if plan.schedule.every is not None or len(plan.schedule.at) != 1:
        problems.append(f"{tag} moves plans with one start time a day; plan {plan.name} runs {plan.schedule}")
        return plan
    wall, zone = start
    return replace(plan, schedule=replace(plan.schedule, at=(wall,), zone=zone or plan.schedule.zone))


def _is_hold(text: str) -> bool:
    if text.lower() == "forever":
        return True
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_left_out(disk_tags: Mapping[str, str], prefix: str) -> bool:
    """Whether a disk's own tag leaves it out."""
    return relevant(disk_tags, prefix).get(prefix, "").lower() == OFF
