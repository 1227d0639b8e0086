"""An ordinary day of a fleet: as many points expire as are made. Calls per disk, executions, and what a month costs.

Two fleets live through the same days; what they used on the last is split into what a day costs anyhow and what each
machine adds. Larger fleets are reckoned from that, and the sum is shown in the setup.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from local.bench.executions import Leaps, Span
from local.bench.fleets import DISKS, Fleet, playing
from local.bench.rows import Row
from local.bench.usage import INSTANCE_GB, LEAST_BILLED, used

PRICES = Path(__file__).parent / "prices.toml"
SMALL, LARGE = 80, 240
DENSITY = 48  # machines a minute and shard that fall due: as many as of 10,000 on four shards within an hour
SHARDS = 4
PAGE = 1000
SWEEPS = 96
FIRST_MIDNIGHT = timedelta(hours=2)
SETTLED = timedelta(days=1)
DAY = timedelta(days=1)
MONTH = 30.4
# By machines: the name of the figure, and the goal where there is one.
BILLS: Mapping[int, tuple[str, float | None]] = {
    100: ("100", None),
    1_000: ("1k", 0.50),
    10_000: ("10k", 3.0),
    100_000: ("100k", None),
}
IDLE_POLLS = 5 * 60 * 24  # each of five queues once a minute while nothing comes
ONCE = frozenset(
    {"timers", "timer_seconds", "host_writes", "host_seconds"}
)  # the installation's, however many shards there are
OWN = frozenset({"timers", "host_writes"})  # what the host does for itself, whatever the fleet
LATENCY = 0.2  # seconds until Azure answers a call about a disk or snapshot, at the median (recorded)
AT_ONCE = 8  # changes in flight at a time


@dataclass(frozen=True, slots=True)
class Law:
    """What a day uses: so much anyhow, and so much for each machine."""

    anyhow: Mapping[str, float]
    each: Mapping[str, float]

    def of(self, name: str, machines: int) -> float:
        """A counter of a fleet of any size on four shards, each of which costs what one costs anyhow.

        Resource Graph answers in pages, so each sweep asks once for each.
        """
        pages = math.ceil(machines / PAGE) - 1
        more = SWEEPS * pages if name in ("reads", "graph") else 0
        places = 1 if name in ONCE else SHARDS
        return places * self.anyhow.get(name, 0.0) + self.each.get(name, 0.0) * machines + more

    def gb_s(self, machines: int) -> float:
        """What is billed of a day's executions: as measured, and while each call to Azure is waited for."""
        calls = self.of("reads", machines) + (self.of("writes", machines) + self.of("deletes", machines)) / AT_ONCE
        timers = max(LEAST_BILLED * self.of("timers", machines), self.of("timer_seconds", machines))
        return self.of("gb_s", machines) + INSTANCE_GB * (timers + LATENCY * calls)

    def executions(self, machines: int) -> float:
        return self.of("executions", machines) + self.of("timers", machines)


def figures() -> Iterator[Row]:
    """Calls per disk-day, executions and the monthly bill."""
    small, large = _day(SMALL), _day(LARGE)
    law = law_of(small, large)
    told = (
        f"{Fleet(LARGE).told}, {DENSITY} due a minute, daily, keep 24h in steady state, sweep every 15 min, share 0.3, "
        f"no fault, one day"
    )
    disks = LARGE * DISKS
    changes, reads = large["writes"] + large["deletes"], large["reads"]
    split = f"{large['writes']:.0f} writes + {large['deletes']:.0f} deletes for {disks} disks"
    yield Row("writes_deletes_per_disk_day", changes / disks, 2.02, 2.0, "calls", f"{told}: {split}")
    counted = f"{large['graph']:.0f} Resource Graph + {large['gets']:.0f} GETs for {disks} disks"
    yield Row("reads_per_disk_day", reads / disks, None, None, "calls", f"{told}: {counted}")
    yield from _computed(law)
    yield from bills(law)


def _day(machines: int) -> dict[str, float]:
    fleet = Fleet(machines, keep="24h", window=f"{machines * 60 // DENSITY}s")
    with playing(fleet) as play:
        span = Span(play.began + FIRST_MIDNIGHT + SETTLED, play.began + FIRST_MIDNIGHT + SETTLED + DAY)
        play.conductor.run(span.since)
        leaps, before = Leaps(), play.stack.cpu_seconds()
        play.conductor.statistics = leaps
        play.conductor.run(span.until)
        spent = {name: seconds - before[name] for name, seconds in play.stack.cpu_seconds().items()}
        found = {**used(play, span, leaps.made, sum(spent.values())), "host_seconds": spent["host"]}
    expected = machines * DISKS
    assert found["snapshots"] == expected, f"{found['snapshots']} snapshots were made, {expected} were due"
    assert found["deletes"] == expected, f"{found['deletes']} were deleted, {expected} had aged: no steady state"
    return found


def law_of(small: Mapping[str, float], large: Mapping[str, float]) -> Law:
    """The law that two measured days follow."""
    names = {*small, *large}
    each = {name: (large.get(name, 0) - small.get(name, 0)) / (LARGE - SMALL) for name in names - OWN}
    own = {name: max(small.get(name, 0), large.get(name, 0)) for name in names & OWN}
    return Law({**{name: small.get(name, 0) - each[name] * SMALL for name in each}, **own}, each)


def _computed(law: Law) -> Iterator[Row]:
    """All calls at ten thousand machines, from what a day costs anyhow and what each machine adds."""
    machines = 10_000
    writes, deletes, reads = (law.of(name, machines) for name in ("writes", "deletes", "reads"))
    disks = machines * DISKS
    total, pages = (writes + deletes + reads) / disks, math.ceil(machines / PAGE) - 1
    bound = (2 * disks + 2 * math.ceil(disks / PAGE) + math.ceil(machines / PAGE)) / disks
    setup = (
        f"computed for {machines:,} machines x {DISKS} disks from days of {SMALL} and {LARGE}: {writes:.0f} writes + "
        f"{deletes:.0f} deletes + {reads:.0f} reads ({SHARDS} shards x {law.anyhow.get('reads', 0):.0f} a day "
        f"anyhow, {law.each.get('reads', 0):.2f} per machine, {SWEEPS} sweeps x {pages} further pages)"
    )
    yield Row("all_calls_per_disk_day_10k", total, 2.20, bound, "calls", setup)
    yield Row("reads_per_disk_day_10k", reads / disks, 0.18, None, "calls", setup)
    seconds = law.of("host_seconds", machines) / machines
    host = f"computed for {machines:,} machines as above: the functions host's processor time, its waiting included"
    yield Row("processor_seconds_per_machine_day", seconds, None, None, "s", host)
    said = (
        f"computed as above for 1,000 machines; 512 MB, each execution at least 1 s: waited time, processor time of "
        f"host, Azurite and simulator, and {LATENCY} s for each call to Azure, of which {AT_ONCE} changes go at once"
    )
    yield Row("executions_per_1k_vm_day", law.executions(1_000), None, None, "executions", said)
    yield Row("gb_s_per_1k_vm_day", law.gb_s(1_000), None, None, "GB-s", said)


def bills(law: Law) -> Iterator[Row]:
    """The month's bill by the price table, free grants taken off; what snapshots cost to keep is not in it."""
    prices = tomllib.loads(PRICES.read_text())["price"]
    for machines, (name, goal) in BILLS.items():
        parts = {str(price["unit"]): _cost(price, law, machines) for price in prices}
        shown = " + ".join(f"{unit} {cost:.2f}" for unit, cost in parts.items())
        setup = (
            f"computed for {machines:,} machines x {DISKS} disks, prices.toml, without storage of snapshots: {shown}"
        )
        yield Row(f"monthly_bill_{name}", sum(parts.values()), goal, None, "USD", setup)


def _cost(price: Mapping[str, float], law: Law, machines: int) -> float:
    name = str(price["unit"])
    daily = law.of(name, machines)
    if name == "gb_s":
        daily = law.gb_s(machines)
    if name == "executions":
        daily = law.executions(machines)
    if name == "blob_write":
        daily += law.of("host_writes", machines)
    if name == "event_grid":  # our own writes make events, which count even where a filter drops them; and what we tell
        daily = law.of("writes", machines) + law.of("deletes", machines) + machines
    if name == "queue":
        daily += IDLE_POLLS
    return max(daily * MONTH - price["free"], 0) / price["per"] * price["price"]
