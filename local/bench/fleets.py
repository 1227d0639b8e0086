"""Machines for a measurement: a seed file for the simulator, a plans file, and the stack that holds them.

All machines have two disks and one plan, spread evenly over the shards. Used by the figures that need a running stack.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local.bench.bounds import AS_RECORDED
from local.clock.conductor import RESTLESS_AFTER, Conductor
from local.demo.evidence import Observer
from local.stack import RUN, Stack, Wanted, running

SUBSCRIPTIONS = ("a0000000-0000-4000-8000-000000000001", "b0000000-0000-4000-8000-000000000002")
REGIONS = ("westeurope", "northeurope")
DISKS = 2
START = datetime(2027, 6, 7, 22, tzinfo=UTC)
CYCLE = timedelta(weeks=52)
SECONDS_TO_ENROL = 1.0  # of real time for each machine, on a busy machine: nothing rests meanwhile
SNAPSHOTS = "microsoft.compute/snapshots"
PLANS = """default = "bench"
[plans.bench]
keep_floor = "24h"
"""
SNAPSHOT_PLAN = """[plans.bench.snapshots]
at = ["02:00"]
keep = "{keep}"
window = "{window}"
"""
VAULT_PLAN = """[plans.bench.vault]
at = "02:00"
keep = "{keep}"
window = "{window}"
"""
TOGETHER_PLAN = SNAPSHOT_PLAN + 'consistency = "vm"\n'


@dataclass(frozen=True, slots=True)
class Fleet:
    """So many machines over so many shards; `buckets` is the simulator's buckets file."""

    machines: int
    subscriptions: int = 1
    regions: int = 1
    keep: str = "7d"
    window: str = "0min"
    buckets: str = AS_RECORDED
    plan: str = SNAPSHOT_PLAN
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def disks(self) -> int:
        return self.machines * DISKS

    @property
    def told(self) -> str:
        """For people."""
        spread = f"{self.subscriptions} subscriptions x {self.regions} regions"
        return f"{self.machines:,} machines x {DISKS} disks over {spread}"

    def seed(self) -> str:
        """The simulator's seed file."""
        lines = [f'[[subscription]]\nid = "{one}"\n' for one in SUBSCRIPTIONS[: self.subscriptions]]
        places = [(one, region) for one in SUBSCRIPTIONS[: self.subscriptions] for region in REGIONS[: self.regions]]
        for subscription, region in places:
            group = f'subscription = "{subscription}"\nname = "fleet-{region}"\nlocation = "{region}"\n'
            lines.append(f"[[group]]\n{group}")
        for number in range(self.machines):
            subscription, region = places[number % len(places)]
            name = f"vm-{number:05}"
            disks = f'[{{name = "{name}-os", gib = 30, os = "Linux"}}, {{name = "{name}-data", gib = 64}}]'
            place = f'subscription = "{subscription}"\ngroup = "fleet-{region}"\nlocation = "{region}"\n'
            lines.append(f'[[vm]]\n{place}name = "{name}"\ntags = {{backup = "on"}}\ndisks = {disks}\n')
        return "".join(lines)


def start() -> datetime:
    """An evening that has not passed: jumping time only goes forward."""
    moment = START
    while moment < datetime.now(UTC) + timedelta(days=1):
        moment += CYCLE
    return moment


class Play:
    """A fleet in a running stack."""

    def __init__(self, stack: Stack, fleet: Fleet, began: datetime, log_begins: int) -> None:
        self.stack = stack
        self.log_begins = log_begins
        self.fleet = fleet
        self.began = began
        self.conductor: Conductor = stack.conductor()
        self.conductor.restless_after = max(RESTLESS_AFTER, fleet.machines * SECONDS_TO_ENROL)
        self._observer = Observer(stack)

    def calls(self) -> list[dict[str, Any]]:
        """Every call to ARM so far."""
        found: list[dict[str, Any]] = self._observer.simulator("calls?since=0")
        return found

    def deliveries(self) -> list[dict[str, Any]]:
        """Every event that Event Grid has for somebody, with its attempts."""
        found: list[dict[str, Any]] = self._observer.simulator("events")["deliveries"]
        return found

    def state(self, kind: str) -> list[dict[str, Any]]:
        """What there is of a type."""
        return [one for one in self._observer.simulator("state") if str(one.get("type", "")).lower() == kind]

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """The ledger's rows of a kind."""
        return [dict(row) for row in self._observer.rows() if str(row["RowKey"]).startswith(f"{kind}|")]

    def close(self) -> None:
        self._observer.close()


@contextlib.contextmanager
def playing(fleet: Fleet) -> Iterator[Play]:
    """A stack with the fleet in it, at the start; nothing has happened yet."""
    folder = RUN / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"fleet.{name}" for name in ("seed.toml", "plans.toml", "buckets.json")}
    paths["seed.toml"].write_text(fleet.seed())
    paths["plans.toml"].write_text((PLANS + fleet.plan).format(keep=fleet.keep, window=fleet.window))
    paths["buckets.json"].write_text(fleet.buckets)
    options = ("--seed", str(paths["seed.toml"]), "--buckets", str(paths["buckets.json"]))
    settings = {"TAGBACK_PLANS": str(paths["plans.toml"]), **fleet.settings}
    began, log = start(), folder / "logs" / "host.log"
    log_begins = log.stat().st_size if log.exists() else 0
    subscriptions = SUBSCRIPTIONS[: fleet.subscriptions]
    wanted = Wanted(subscriptions, began, run=folder, settings=settings, simulator=options)
    with running(wanted) as stack:
        play = Play(stack, fleet, began, log_begins)
        try:
            yield play
        finally:
            play.close()


def is_product(call: dict[str, Any]) -> bool:
    return str(call["principal"]) == "tagback"


def at(call: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(call["t"])


def is_new_snapshot(call: dict[str, Any]) -> bool:
    """Whether it created a snapshot."""
    right = (call["method"], str(call["operation"]).lower()) == ("PUT", f"{SNAPSHOTS}/write")
    return right and int(call["status"]) < 300
