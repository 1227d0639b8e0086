"""Puts a scenario on the conductor's stage: what owners do to their machines, what is watched, what is asked.

Used by the demo. Every scene is something a person or a clock outside the product does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from local.clock.conductor import Conductor
from local.demo.evidence import Observer
from local.demo.fleet import Fleet
from local.demo.report import Screen
from local.demo.scenario import MachineStory, Scenario, Turn

WATCH_EVERY = timedelta(hours=1)
BEFORE_MIDNIGHT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part."""

    conductor: Conductor
    fleet: Fleet
    observer: Observer
    screen: Screen


class Watch:
    """Tells of every point that became complete since it last looked."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._seen: set[str] = set()

    def look(self) -> None:
        rows = {str(row["RowKey"]): row for row in self._cast.observer.rows()}
        for key, row in rows.items():
            if key.startswith("p|") and row["complete"] and key not in self._seen:
                self._seen.add(key)
                _, uid, slot, _ = key.split("|")
                machine = rows.get(f"m|{uid}", {"id": uid})
                name = str(machine["id"]).rpartition("/")[2]
                self._cast.screen.line(
                    f"{name}: recovery point {slot} is complete ({len(json.loads(row['parts']))} disks)"
                )


def act(cast: Cast, machine: MachineStory, turn: Turn) -> None:
    """One thing an owner does to a machine."""
    said = {
        "tag": f"is tagged {turn.tags}",
        "untag": "loses its tag",
        "create": "is made again",
        "delete": "is deleted",
    }
    cast.screen.line(f"{machine.name} {said[turn.do]}")
    match turn.do:
        case "tag":
            cast.fleet.tag(machine, turn.tags)
        case "untag":
            others = {name: value for name, value in machine.tags.items() if name.lower() != "backup"}
            cast.fleet.replace_tags(machine, others)
        case "create":
            cast.fleet.create(machine)
        case "delete":
            cast.fleet.delete(machine)
        case other:
            raise ValueError(f"nobody knows how to '{other}' a machine")


def create(cast: Cast, machine: MachineStory) -> None:
    cast.fleet.create(machine)
    tags = " ".join(f"{name}={value}" for name, value in machine.tags.items()) or "no tags"
    cast.screen.line(f"{machine.name} created in {machine.region}: {tags} ({machine.story})")


def stage(cast: Cast, scenario: Scenario, end: datetime) -> None:
    """Enter every scene that begins before the end."""
    enter = partial(at_unless_past, cast.conductor, end)
    for machine in scenario.machines:
        enter(scenario.start, f"create {machine.name}", partial(create, cast, machine))
        for turn in machine.turns:
            enter(scenario.start + turn.at, f"{turn.do} {machine.name}", partial(act, cast, machine, turn))
    watch = Watch(cast)
    instant = scenario.start + WATCH_EVERY
    while instant < end:
        enter(instant, "watch", watch.look)
        instant += WATCH_EVERY
    day = scenario.start + timedelta(days=1)
    while day <= end:
        enter(day - BEFORE_MIDNIGHT, "end of day", partial(cast.observer.end_of_day, (day - BEFORE_MIDNIGHT).date()))
        day += timedelta(days=1)


def at_unless_past(conductor: Conductor, end: datetime, at: datetime, title: str, scene: Callable[[], None]) -> None:
    if at < end:
        conductor.stage.at(at, title, scene)
