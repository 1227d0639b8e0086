"""An ordinary day of machines that another engine than snapshots takes: how many calls to Azure it needs for each.

Two fleets of one shard live through the same days; what they asked of Azure on the last is split into what a day costs
a shard anyhow and what each machine adds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from local.bench.days import DAY, FIRST_MIDNIGHT
from local.bench.executions import Span
from local.bench.fleets import TOGETHER_PLAN, VAULT_PLAN, Fleet, Play, at, is_product, playing
from local.bench.rows import Row
from local.bench.usage import arm

SMALL, LARGE = 10, 40
COMPUTED = 2_500  # machines on each of four shards
KINDS = ("writes", "deletes", "reads")


@dataclass(frozen=True, slots=True)
class Engine:
    """What takes the machines: the name of its figures, the plan, how long until a day is like any other.

    `mark` is part of the type of what it makes, by which a day shows that it took them.
    """

    name: str
    told: str
    plan: str
    keep: str
    settled: timedelta
    mark: str


VAULT = Engine("vault", "in a vault of Azure Backup", VAULT_PLAN, "7d", DAY, "recoveryservices")
RESTORE_POINTS = Engine("restore_point", "by restore points", TOGETHER_PLAN, "24h", DAY, "restorepointcollections")


def figures(engine: Engine) -> Iterator[Row]:
    """Calls by kind of a machine and day, and all of them in a large fleet."""
    small, large = _day(engine, SMALL), _day(engine, LARGE)
    each = {kind: (large[kind] - small[kind]) / (LARGE - SMALL) for kind in KINDS}
    anyhow = {kind: small[kind] - each[kind] * SMALL for kind in KINDS}
    for kind in KINDS:
        told = (
            f"{LARGE} machines {engine.told}, daily, keep {engine.keep}, day {engine.settled // DAY + 1}, one shard: "
            f"{large[kind]} {kind}; of {SMALL} machines {small[kind]}"
        )
        yield Row(f"{engine.name}_{kind}_per_vm_day", large[kind] / LARGE, None, None, "calls", told)
    total = sum(each[kind] + anyhow[kind] / COMPUTED for kind in KINDS)
    shown = " + ".join(f"{kind} {each[kind]:.3f} each and {anyhow[kind]:.0f} a shard" for kind in KINDS)
    setup = f"computed for 10,000 machines on four shards from days of {SMALL} and {LARGE}: {shown}"
    yield Row(f"{engine.name}_calls_per_vm_day_10k", total, None, None, "calls", setup)


def _day(engine: Engine, machines: int) -> Mapping[str, int]:
    with playing(Fleet(machines, keep=engine.keep, plan=engine.plan)) as play:
        since = play.began + FIRST_MIDNIGHT + engine.settled
        span = Span(since, since + DAY)
        play.conductor.run(span.until)
        return _counted(engine, play, span)


def _counted(engine: Engine, play: Play, span: Span) -> Counter[str]:
    calls = [call for call in play.calls() if is_product(call) and span.holds(at(call))]
    marked = [call for call in calls if engine.mark in str(call["path"]).lower()]
    assert marked, f"nobody was taken {engine.told}"
    return Counter(arm(calls))
