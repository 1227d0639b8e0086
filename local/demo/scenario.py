"""Reads a scenario file into values: who there is, what they do, what goes wrong. The seed shakes its times.

Used by the demo, `make up` and the end-to-end tests. Machines without a story of their own are drawn by draw.py.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.demo.draw import drawn

SCENARIOS = Path(__file__).parent.parent / "scenarios"
# A start that has passed is put off by whole weeks, so that the days of the week stay.
CYCLE = timedelta(weeks=52)
SHAKE_MINUTES = 9
SKU = "Premium_LRS"


@dataclass(frozen=True, slots=True)
class Turn:
    """What happens to a machine, and when. `to` is the place, name, date or content that it is about."""

    at: timedelta
    do: str
    tags: dict[str, str] = field(default_factory=dict)
    to: str = ""


@dataclass(frozen=True, slots=True)
class MachineStory:
    """One machine of the fleet, and what should be read about it at the end. `sku` is that of its data disks."""

    name: str
    story: str
    group: str
    subscription: str
    region: str
    zone: str | None
    tags: dict[str, str]
    disks: tuple[int, ...]
    left_out: tuple[int, ...]
    ephemeral: bool
    status: str
    turns: tuple[Turn, ...]
    created: timedelta = timedelta()
    sku: str = SKU

    @property
    def id(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.Compute/virtualMachines/{self.name}"
        )


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many machines that were there before the play, and ask for nothing: each costs a look and a row, no scene."""

    name: str
    count: int
    group: str
    subscription: str
    region: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that goes wrong: which fault, when, for how long, and what the one who makes it has to know."""

    fault: str
    do: str
    at: timedelta
    lasts: timedelta
    says: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fleet and its days. `plans` are plans of its own, as text, beside those that are shipped.

    `scenes` are the titles of the scenes that are told in full; all of them where it names none.
    """

    start: datetime
    subscriptions: tuple[str, ...]
    machines: tuple[MachineStory, ...]
    troubles: tuple[Trouble, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    plans: str = ""
    scenes: tuple[str, ...] = ()
    crowds: tuple[Crowd, ...] = ()

    @property
    def observed(self) -> frozenset[str]:
        """The subscriptions in which the app is told to look on, and to write nothing."""
        named = (one.partition("=") for one in self.settings.get("TAGBACK_SUBSCRIPTIONS", "").split(","))
        return frozenset(name for name, _, mode in named if mode == "observe")


def offset(text: str) -> timedelta:
    """Read `day.hour:minute`."""
    found = re.fullmatch(r"(\d+)\.(\d\d):(\d\d)", text)
    if found is None:
        raise ValueError(f"not day.hour:minute: {text}")
    day, hour, minute = (int(part) for part in found.groups())
    return timedelta(days=day, hours=hour, minutes=minute)


def load(name: str, seed: int, now: datetime) -> Scenario:
    """Read a scenario; the same seed gives the same fleet and the same times."""
    document = tomllib.loads((SCENARIOS / f"{name}.toml").read_text())
    chance = random.Random(seed)  # noqa: S311 # a scenario, repeatable by its seed
    subscriptions = tuple(document["subscriptions"])
    start = datetime.fromisoformat(document["start"]).astimezone(UTC)
    while start < now + timedelta(days=1):
        start += CYCLE
    machines = [_machine(entry, subscriptions, chance) for entry in document["machine"]]
    for entry in drawn(document, chance):
        machines.append(_machine(entry, subscriptions, chance))
    troubles = [trouble for entry in document.get("trouble", ()) for trouble in _troubles(entry, chance)]
    troubles.sort(key=lambda trouble: trouble.at)
    settings, plans, scenes = document.get("settings", {}), document.get("plans", ""), document.get("scenes", ())
    crowds = tuple(_crowd(entry, subscriptions) for entry in document.get("crowd", ()))
    return Scenario(start, subscriptions, tuple(machines), tuple(troubles), settings, plans, tuple(scenes), crowds)


def _shake(chance: random.Random) -> timedelta:
    return timedelta(minutes=chance.randint(0, SHAKE_MINUTES))


def _machine(entry: dict[str, Any], subscriptions: tuple[str, ...], chance: random.Random) -> MachineStory:
    known = {
        "name",
        "story",
        "where",
        "zone",
        "tags",
        "disks",
        "sku",
        "left_out",
        "ephemeral",
        "status",
        "then",
        "created",
        "exact",
    }
    if not known.issuperset(entry):
        raise ValueError(f"unknown in a machine: {sorted(set(entry) - known)}")
    group, number, region = entry["where"]
    shake = timedelta() if entry.get("exact") else _shake(chance)
    turns = (
        Turn(offset(turn["at"]) + shake, turn["do"], turn.get("tags", {}), turn.get("to", ""))
        for turn in entry.get("then", ())
    )
    return MachineStory(
        name=entry["name"],
        story=entry["story"],
        group=group,
        subscription=subscriptions[number],
        region=region,
        zone=entry.get("zone"),
        tags=entry.get("tags", {}),
        disks=tuple(entry.get("disks", ())),
        left_out=tuple(entry.get("left_out", ())),
        ephemeral=entry.get("ephemeral", False),
        status=entry["status"],
        turns=tuple(turns),
        created=offset(entry["created"]) + shake if "created" in entry else timedelta(),
        sku=entry.get("sku", SKU),
    )


def _crowd(entry: dict[str, Any], subscriptions: tuple[str, ...]) -> Crowd:
    group, number, region = entry["where"]
    return Crowd(entry["name"], entry["count"], group, subscriptions[number], region)


def _troubles(entry: dict[str, Any], chance: random.Random) -> Iterator[Trouble]:
    """One trouble for each time it comes."""
    options = {name: value for name, value in entry.items() if name not in ("fault", "do", "at", "lasts", "says")}
    for at in entry["at"]:
        shake = timedelta() if entry.get("exact") else _shake(chance)
        lasts = timedelta(minutes=entry.get("lasts", 0))
        yield Trouble(entry["fault"], entry["do"], offset(at) + shake, lasts, entry["says"], options)
