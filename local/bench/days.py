"""An ordinary day of a fleet: as many points expire as are made. Calls per disk, executions, and what a month costs.

Fleets on four shards live through the same days. What they used on the last is told as it was measured; what two of
them used is split into what a day costs anyhow and what each machine adds. Larger fleets are reckoned from that, and
the sum is shown in the setup.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from local.bench.executions import Leaps, Span
from local.bench.fleets import DISKS, Fleet, playing
from local.bench.rows import Row
from local.bench.usage import CORE, INSTANCE_GB, LEAST_BILLED, STORAGE_LATENCY, used

PRICES = Path(__file__).parent / "prices.toml"
SMALL, LARGE = 100, 300
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
    300: ("300", None),
    1_000: ("1k", 0.50),
    10_000: ("10k", 3.0),
    100_000: ("100k", None),
}
IDLE_POLLS = 5 * 60 * 24  # each of five queues once a minute while nothing comes
OWN = frozenset({"timers", "host_writes"})  # what the host does for itself, whatever the fleet
LATENCY = 0.2  # seconds until Azure answers a call about a disk or snapshot, at the median (recorded)
MEASURED = "measured:"
AT_ONCE = 8  # changes in flight at a time
# From so many machines on a shard's ledger is in slices, each of which is asked by itself: by what goes through all
# machines, and by the three looks at points on their way out. Those ask for twenty machines of a slice together, with
# three requests; of the machines whose turn it is at a time, one such batch of each slice is not full.
FULL, SLICES = 500, 32
LOOKS, ASKED, TURN = 3, 3, 640


@dataclass(frozen=True, slots=True)
class Law:
    """What a day uses on four shards: so much anyhow, and so much for each machine."""

    anyhow: Mapping[str, float]
    each: Mapping[str, float]

    def of(self, name: str, machines: int) -> float:
        """A counter of a fleet of any size, with the further pages of Resource Graph and slices of the ledger."""
        more = 0.0
        if name in ("reads", "graph"):
            more = SWEEPS * (math.ceil(machines / PAGE) - 1)
        if name in ("requests", "table"):
            more = self.further(machines)
        return self.anyhow.get(name, 0.0) + self.each.get(name, 0.0) * machines + more

    def further(self, machines: int) -> float:
        """Requests to the ledger because it is in slices."""
        if machines <= SHARDS * FULL:
            return 0.0
        turns = SHARDS + machines / TURN
        return SLICES * (self.of("scans", machines) + LOOKS * ASKED * turns)

    def gb_s(self, machines: int) -> float:
        """What is billed of a day's executions."""
        return sum(self.gb_s_by_part(machines).values())

    def gb_s_by_part(self, machines: int) -> Mapping[str, float]:
        """As measured, of queues and timers; while calls to Azure are waited for; and as the ledger is in slices."""
        calls = self.of("reads", machines) + (self.of("writes", machines) + self.of("deletes", machines)) / AT_ONCE
        timers = max(LEAST_BILLED * self.of("timers", machines), self.of("timer_seconds", machines))
        return {
            "by queues": self.of("gb_s", machines),
            "by timers": INSTANCE_GB * timers,
            "waiting for Azure": INSTANCE_GB * LATENCY * calls,
            "as the ledger is in slices": self.gb_s_of_slices(machines),
        }

    def gb_s_of_slices(self, machines: int) -> float:
        """The part that requests to further slices take."""
        each = STORAGE_LATENCY + self.host_seconds_of_a_request() / CORE
        return INSTANCE_GB * self.further(machines) * each

    def host_seconds_of_a_request(self) -> float:
        """A whole processor's, all that is done with the answer included."""
        requests = self.each.get("requests", 0.0)
        return self.each.get("host_seconds", 0.0) / requests if requests else 0.0

    def executions(self, machines: int) -> float:
        return self.of("executions", machines) + self.of("timers", machines)


def figures() -> Iterator[Row]:
    """Calls per disk-day, executions and the monthly bill, of two fleets and of what follows from them."""
    small, large = _day(SMALL), _day(LARGE)
    law = law_of(small, large)
    told = f"{_told(LARGE)}, one day"
    disks = LARGE * DISKS
    changes, reads = large["writes"] + large["deletes"], large["reads"]
    split = f"{large['writes']:.0f} writes + {large['deletes']:.0f} deletes for {disks} disks"
    yield Row("writes_deletes_per_disk_day", changes / disks, 2.02, 2.0, "calls", f"{told}: {split}")
    counted = f"{large['graph']:.0f} Resource Graph + {large['gets']:.0f} GETs for {disks} disks"
    yield Row("reads_per_disk_day", reads / disks, None, None, "calls", f"{told}: {counted}")
    yield from _computed(law)
    yield from _seconds(LARGE, large)
    measured = {SMALL: small, LARGE: large}
    yield from bills(law, {machines: Law(found, {}) for machines, found in measured.items()})


def measured_at(machines: int) -> Iterator[Row]:
    """The bill of one fleet, as it was measured."""
    found = _day(machines)
    law = Law(found, {})
    yield from _executed(law, machines, "measured")
    yield from _seconds(machines, found)
    yield from bills(law, {machines: law}, (machines,))


def _told(machines: int) -> str:
    return (
        f"{_fleet(machines).told}, {DENSITY} due a minute and shard, daily, keep 24h in steady state, sweep every "
        f"15 min, share 0.3, no fault"
    )


def _fleet(machines: int) -> Fleet:
    return Fleet(machines, 2, 2, keep="24h", window=f"{math.ceil(machines * 60 / SHARDS / DENSITY)}s")


def _day(machines: int) -> dict[str, float]:
    with playing(_fleet(machines)) as play:
        span = Span(play.began + FIRST_MIDNIGHT + SETTLED, play.began + FIRST_MIDNIGHT + SETTLED + DAY)
        play.conductor.run(span.since)
        leaps, before = Leaps(), play.stack.cpu_seconds()
        play.conductor.statistics = leaps
        play.conductor.run(span.until)
        spent = {name: seconds - before[name] for name, seconds in play.stack.cpu_seconds().items()}
        found = {**used(play, span, leaps.made, spent["host"]), "emulators": spent["azurite"] + spent["simulator"]}
    expected = machines * DISKS
    assert found["snapshots"] == expected, f"{found['snapshots']} snapshots were made, {expected} were due"
    assert found["deletes"] == expected, f"{found['deletes']} were deleted, {expected} had aged: no steady state"
    return found


def law_of(small: Mapping[str, float], large: Mapping[str, float]) -> Law:
    """The law that two measured days follow. What the larger fleet happened to use less of grows with no fleet."""
    names = {*small, *large}
    more = {name: large.get(name, 0) - small.get(name, 0) for name in names - OWN}
    each = {name: max(0.0, grown / (LARGE - SMALL)) for name, grown in more.items()}
    own = {name: max(small.get(name, 0), large.get(name, 0)) for name in names if name in OWN or more[name] < 0}
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
        f"{deletes:.0f} deletes + {reads:.0f} reads ({law.anyhow.get('reads', 0):.0f} a day anyhow, "
        f"{law.each.get('reads', 0):.2f} per machine, {SWEEPS} sweeps x {pages} further pages)"
    )
    yield Row("all_calls_per_disk_day_10k", total, 2.20, bound, "calls", setup)
    yield Row("reads_per_disk_day_10k", reads / disks, 0.18, None, "calls", setup)
    yield from _executed(law, 1_000, "computed")


def _executed(law: Law, machines: int, how: str) -> Iterator[Row]:
    said = (
        f"{how} for {machines:,} machines; 512 MB, each execution at least 1 s: what it waited, the host's processor "
        f"time on {CORE} of a core, {STORAGE_LATENCY} s for each of {law.of('requests', machines):.0f} requests to "
        f"storage and {LATENCY} s for each call to Azure, of which {AT_ONCE} changes go at once"
    )
    thousands = machines / 1_000
    yield Row("executions_per_1k_vm_day", law.executions(machines) / thousands, None, None, "executions", said)
    yield Row("gb_s_per_1k_vm_day", law.gb_s(machines) / thousands, None, None, "GB-s", said)


def _seconds(machines: int, found: Mapping[str, float]) -> Iterator[Row]:
    told = (
        f"{_told(machines)}, one day: the functions host's, its waiting included; Azurite and the simulator took "
        f"{found['emulators'] / machines:.2f} s more, which count for nothing"
    )
    yield Row("processor_seconds_per_machine_day", found["host_seconds"] / machines, None, None, "s", told)


def bills(law: Law, measured: Mapping[int, Law] | None = None, sizes: Iterable[int] = BILLS) -> Iterator[Row]:
    """The month's bill by the price table, free grants taken off; what snapshots cost to keep is not in it."""
    prices = tomllib.loads(PRICES.read_text())["price"]
    for machines, (name, goal) in ((size, BILLS[size]) for size in sizes):
        known = (measured or {}).get(machines)
        parts = {str(price["unit"]): _cost(price, known or law, machines) for price in prices}
        shown = " + ".join(f"{unit} {cost:.2f}" for unit, cost in parts.items())
        how = f"{MEASURED} a day of" if known else "computed for"
        split = (known or law).gb_s_by_part(machines)
        seconds = " + ".join(f"{daily * MONTH:,.0f} {part}" for part, daily in split.items())
        setup = (
            f"{how} {machines:,} machines x {DISKS} disks, prices.toml, without storage of snapshots: {shown}; "
            f"{sum(split.values()) * MONTH:,.0f} GB-s before the grant: {seconds}"
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
