"""Which points each machine of the story should have, computed from the story and the plans file alone. Pure.

Used by the checks. It shares no code with the product, so that a mistake there is not repeated here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from local.demo.scenario import MachineStory

# A machine that opts in shortly before a slot may be seen only by the next sweep; a slot that comes shortly before the
# end of the story, or of the machine, may be unfinished.
NOTICED_WITHIN = timedelta(minutes=20)
FINISHED_WITHIN = timedelta(minutes=40)


@dataclass(frozen=True, slots=True)
class Life:
    """A stretch of time in which one incarnation of a machine existed and asked for a plan."""

    machine: MachineStory
    plan: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as far as its slots go."""

    times: tuple[time, ...]
    window: timedelta


def read_plans(path: Path) -> dict[str, Plan]:
    """The plans of the file, the default one also under the name `on`."""
    document = tomllib.loads(path.read_text())
    plans = {name: _plan(entry["snapshots"]) for name, entry in document["plans"].items()}
    return {**plans, "on": plans[document["default"]]}


def _plan(snapshots: dict[str, object]) -> Plan:
    assert snapshots.get("zone", "UTC") == "UTC", "the demo's plans are in UTC"
    if "every" in snapshots:
        step = int(str(snapshots["every"]).removesuffix("h"))
        times = tuple(time(hour) for hour in range(0, 24, step))
    else:
        listed = snapshots["at"]
        assert isinstance(listed, list)
        times = tuple(time.fromisoformat(text) for text in listed)
    window = str(snapshots.get("window", "0min"))
    hours = timedelta(hours=int(window.removesuffix("h"))) if window.endswith("h") else None
    return Plan(times, hours or timedelta(minutes=int(window.removesuffix("min"))))


def wanted_plan(tags: dict[str, str]) -> str | None:
    """What the backup tag asks for, as written but in lower case."""
    found = [value.lower() for name, value in tags.items() if name.lower() == "backup"]
    return found[0] if found and found[0] != "off" else None


def lives(machine: MachineStory, start: datetime, end: datetime) -> Iterator[Life]:
    """The stretches in which the machine asked for something."""
    tags, since = dict(machine.tags), start
    for turn in machine.turns:
        at = start + turn.at
        plan = wanted_plan(tags)
        if plan is not None:
            yield Life(machine, plan, since, min(at, end))
        since = at
        tags = {"tag": {**tags, **turn.tags}, "create": dict(machine.tags)}.get(turn.do, {})
    plan = wanted_plan(tags)
    if plan is not None and since < end:
        yield Life(machine, plan, since, end)


def due_slots(life: Life, plans: dict[str, Plan]) -> Iterator[datetime]:
    """The slots that must have ended in a complete point."""
    plan = plans.get(life.plan)
    day = life.since.date()
    while plan is not None and day <= life.until.date():
        for wall in plan.times:
            slot = datetime.combine(day, wall, tzinfo=life.since.tzinfo)
            if life.since + NOTICED_WITHIN <= slot and slot + plan.window + FINISHED_WITHIN <= life.until:
                yield slot
        day += timedelta(days=1)
