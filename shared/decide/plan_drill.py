"""Reads the `drill` part of a plan: how often its machines are restored to prove it, or every problem with it.

Called by plan.py.
"""

from __future__ import annotations

import math
from datetime import timedelta

from shared.decide.durations import duration_text
from shared.decide.orders import GROUP
from shared.decide.plan_fields import Part
from shared.model.plan import DrillPart

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
USUAL_EVERY, SHORTEST_EVERY, LONGEST_EVERY = 30 * DAY, DAY, 366 * DAY
LONGEST_LIMIT = 3 * LONGEST_EVERY
USUAL_BOOT, SHORTEST_BOOT, LONGEST_BOOT = 30 * MINUTE, 5 * MINUTE, 120 * MINUTE
USUAL_PER_DAY, MOST_PER_DAY = 1, 100
USUAL = DrillPart(USUAL_EVERY, USUAL_EVERY * 3 / 2, USUAL_PER_DAY, USUAL_BOOT)
LONGEST_COMMAND = 4000  # characters: it goes into a row of the ledger with every drill


def drill_part(part: Part) -> DrillPart:
    """What the part asks for; usual values stand in for what cannot be used."""
    every = part.duration("every", USUAL_EVERY, SHORTEST_EVERY, LONGEST_EVERY)
    hourly, daily = _money(part, "hourly_cost"), _money(part, "cost_per_day")
    if (hourly > 0) != (daily > 0):
        part.wrong("", "hourly_cost and cost_per_day are of use only together", "both above 0, or neither")
    elif hourly > daily:
        part.wrong("cost_per_day", f"{daily:g} pays for no drill at {hourly:g} an hour", f"at least {hourly:g}")
    command, expects = _text(part, "command"), _text(part, "expects")
    if expects and not command:
        part.wrong("expects", "nothing is run that could write it", "a command with it")
    group = part.text("group", "").strip()
    if group and not GROUP.fullmatch(group):
        part.wrong("group", f"{group!r} is no name of a resource group", "letters, digits and ( ) . _ -")
    return DrillPart(
        every=every,
        limit=_limit(part, every),
        per_day=_per_day(part),
        boot_within=part.duration("boot_within", USUAL_BOOT, SHORTEST_BOOT, LONGEST_BOOT),
        command=command,
        expects=expects,
        group=group,
        hourly_cost=hourly,
        cost_per_day=daily,
    )


def _limit(part: Part, every: timedelta) -> timedelta:
    """Half as much again as the time between two drills, unless it says otherwise."""
    if "limit" not in part.fields:
        return every * 3 / 2
    limit = part.duration("limit", every * 3 / 2, timedelta(0), LONGEST_LIMIT)
    if limit < every:
        allowed = f"{duration_text(every)} to {duration_text(LONGEST_LIMIT)}"
        part.wrong("limit", "it is shorter than the time between two drills", allowed)
    return limit


def _per_day(part: Part) -> int:
    found = part.fields.get("per_day")
    fits = isinstance(found, int) and not isinstance(found, bool) and 1 <= found <= MOST_PER_DAY
    return found if isinstance(found, int) and fits else USUAL_PER_DAY


def _money(part: Part, name: str) -> float:
    found = part.fields.get(name, 0.0)
    if not isinstance(found, int | float) or isinstance(found, bool) or found < 0:
        return 0.0
    if not math.isfinite(found):
        part.wrong(name, f"{found} is no sum of money", "a number")
        return 0.0
    return float(found)


def _text(part: Part, name: str) -> str:
    found = part.text(name, "").strip()
    if len(found) > LONGEST_COMMAND:
        part.wrong(name, f"it has {len(found)} characters", f"at most {LONGEST_COMMAND}")
        return ""
    return found
