"""Reads a scenario file into values and shakes its times by the seed. Used by the demo; decides nothing else."""

from __future__ import annotations

import random
import re
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SCENARIOS = Path(__file__).parent.parent / "scenarios"
# A start that has passed is put off by whole weeks, so that the days of the week stay.
CYCLE = timedelta(weeks=52)
SHAKE_MINUTES = 9


@dataclass(frozen=True, slots=True)
class Turn:
    """What happens to a machine, and when."""

    at: timedelta
    do: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MachineStory:
    """One machine of the fleet, and what should be read about it at the end."""

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

    @property
    def id(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.Compute/virtualMachines/{self.name}"
        )


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fleet and its days."""

    start: datetime
    subscriptions: tuple[str, ...]
    machines: tuple[MachineStory, ...]


def offset(text: str) -> timedelta:
    """Read `day.hour:minute`."""
    found = re.fullmatch(r"(\d+)\.(\d\d):(\d\d)", text)
    if found is None:
        raise ValueError(f"not day.hour:minute: {text}")
    day, hour, minute = (int(part) for part in found.groups())
    return timedelta(days=day, hours=hour, minutes=minute)


def load(name: str, seed: int, now: datetime) -> Scenario:
    """Read a scenario; the same seed gives the same times."""
    document = tomllib.loads((SCENARIOS / f"{name}.toml").read_text())
    chance = random.Random(seed)  # noqa: S311 # a scenario, repeatable by its seed
    subscriptions = tuple(document["subscriptions"])
    start = datetime.fromisoformat(document["start"]).astimezone(UTC)
    while start < now + timedelta(days=1):
        start += CYCLE
    machines = tuple(_machine(entry, subscriptions, chance) for entry in document["machine"])
    return Scenario(start, subscriptions, machines)


def _machine(entry: dict[str, Any], subscriptions: tuple[str, ...], chance: random.Random) -> MachineStory:
    known = {"name", "story", "where", "zone", "tags", "disks", "left_out", "ephemeral", "status", "then"}
    if not known.issuperset(entry):
        raise ValueError(f"unknown in a machine: {sorted(set(entry) - known)}")
    group, number, region = entry["where"]
    shake = timedelta(minutes=chance.randint(0, SHAKE_MINUTES))
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
        turns=tuple(
            Turn(offset(turn["at"]) + shake, turn["do"], turn.get("tags", {})) for turn in entry.get("then", ())
        ),
    )
