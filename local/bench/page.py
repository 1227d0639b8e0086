"""`python -m local.bench.page`: writes docs/performance.md and its curve from local/.run/bench.json.

Every number on the page comes from a row of that file; the words around them are here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from local.bench.days import BILLS, MEASURED
from local.bench.drawing import Curve, Scale, drawing
from local.bench.fleets import DISKS
from local.bench.rows import AT_LEAST, kept
from local.stack import ROOT, RUN

PAGE, BILL = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.svg"
CALLS = ROOT / "docs" / "performance-calls.svg"
HEAD = """# Performance

What Tagback costs and how fast it is, beside what Azure allows at best. Measured on the local stack: the unchanged app
in the functions host, Azurite, the simulator with Azure's own limits. Written by `python -m local.bench.page` from the
rows that `python -m local.bench` leaves in `local/.run/bench.json`; `FIGURES="imports drain_1k"` measures only those.

- Time is virtual where it is waited for and real where it is computed, so a busy machine makes drains look slower.
- Executions are billed by the time that their work takes in Azure: what was waited, the functions host's processor time
  on the quarter of a core that 512 MB come with, and an assumed latency for every request to storage and to Azure. What
  the emulators compute counts for nothing: it stands for that latency.
- *Bound* is what arithmetic allows at best: for a drain the least time in which Azure's buckets let so many calls
  through when the share that we leave to others is never touched.
- `drain_over_bound` is a drain of the whole stack. `drain_pace_over_bound` is only its calls, through the product's
  slices and pace, where computing takes no time: how busy this machine is does not matter to it. Of 10,000 machines
  only the latter was measured: with 4,500 machines enrolled (2026-11-22, beside other work) the whole stack enrolled
  2.3 more a second, while Azurite kept two thirds of a core busy and the host a fifth.
- A setup that says *computed* was reckoned from two fleets that were measured, and shows the sum.
- `event_to_registered` begins when Event Grid first hands the event to the app: what it takes before that is the
  simulator's assumption. Events come while the queue is looked at all the time; after a quiet time the first of them
  waits for the next look, ten seconds at most (`maxPollingInterval` in `host.json`). It varies: of four quiet runs on
  2026-11-22 the p99 was 2.5, 1.1, 0.8 and 0.9 s, by stalls whose cause is not known; the row is of the last.
- *Load* is the machine's average load when the figure was taken. Where it is far above the number of processors, drains
  and `event_to_registered` are too slow, and processor time itself grows: a day of 300 machines took 0.20 s for each at
  a load of 6.8 (2026-11-21) and 0.09 s at 1.7 (2026-11-22), and the bill grows with it.

| figure | value | goal | bound | unit | measured | load |
|---|---|---|---|---|---|---|
"""
BESIDE = """
## Beside others

One point of a machine of two disks, taken and deleted again, on the same simulator. `make bench-peers` measures others.

| who | calls to ARM | processor seconds |
|---|---|---|
"""
COSTS = """
## What a month costs, and how many calls a day takes

![Monthly bill by number of machines](performance.svg)
![Calls to Azure a day by number of machines](performance-calls.svg)

Full circles and drawn lines were measured; hollow circles and dashed lines are reckoned from what was. The bill is
without storage of snapshots; prices and their dates are in `local/bench/prices.toml`. The lines of others are straight:
what one machine took them, times the machines.
"""
# The figure of calls, of seconds, and how often the calls count for a machine.
OTHERS = (
    ("az_calls_per_machine", "az_processor_seconds_per_machine", 1, "a loop of `az` commands"),
    ("c7n_calls_per_machine", "c7n_processor_seconds_per_machine", 1, "Cloud Custodian, the deletion alone"),
)
OURS = ("all_calls_per_disk_day_10k", "processor_seconds_per_machine_day", DISKS, "Tagback, 10,000 machines, computed")
SIZES = (100, 1_000, 10_000, 100_000)
DOLLARS = Scale("dollars a month by machines of two disks, one point a day", "$", -2, 3)
A_DAY = Scale("calls to Azure a day by machines of two disks, one point a day", "", 2, 7)

Row = Mapping[str, object]


def page(rows: Iterable[Row]) -> str:
    """The whole page."""
    known = [*rows]
    missed = [row for row in known if not _met(row)]
    parts = [HEAD, *(f"{_line(row)}\n" for row in known)]
    parts.append(f"{COSTS}\n## How each figure was taken\n\n")
    parts += [f"- `{row['figure']}`: {row['setup']}\n" for row in known]
    parts += _beside_others(known)
    if missed:
        parts.append("\n## Goals that are missed\n\n")
        parts += [f"- `{row['figure']}`: {row['value']} {row['unit']}, goal {_goal(row)}\n" for row in missed]
    return "".join(parts)


def _beside_others(rows: Sequence[Row]) -> Iterator[str]:
    """What a machine of two disks costs in calls and processor seconds, beside others where they were measured."""
    values = {str(row["figure"]): float(str(row["value"])) for row in rows}
    if not any(calls in values for calls, *_ in OTHERS):
        return
    yield BESIDE
    for calls, seconds, times, told in (*OTHERS, OURS):
        found = ((values.get(calls), times), (values.get(seconds), 1))
        cells = ["not measured" if value is None else f"{value * count:.2f}" for value, count in found]
        yield f"| {told} | {' | '.join(cells)} |\n"


def _line(row: Row) -> str:
    bound = "" if row["bound"] is None else f"{row['bound']}"
    told = [f"`{row['figure']}`", row["value"], _goal(row), bound, row["unit"], row["measured"], row["load"]]
    return f"| {' | '.join(map(str, told))} |"


def _goal(row: Row) -> str:
    return "" if row["goal"] is None else f"{row['sense']} {row['goal']}"


def _met(row: Row) -> bool:
    if row["goal"] is None:
        return True
    value, goal = float(str(row["value"])), float(str(row["goal"]))
    return value >= goal if row["sense"] == AT_LEAST else value <= goal


def bill(rows: Iterable[Row]) -> str:
    """A drawing of the bill by machines."""
    known = {str(row["figure"]): row for row in rows}
    found = {size: known[figure] for size, (name, _) in BILLS.items() if (figure := f"monthly_bill_{name}") in known}
    spots = {size: float(str(row["value"])) for size, row in found.items()}
    measured = [size for size, row in found.items() if str(row["setup"]).startswith(MEASURED)]
    return drawing(DOLLARS, [Curve("", spots, max(measured, default=0))])


def calls(rows: Iterable[Row]) -> str:
    """A drawing of the calls to Azure that a day takes: ours, and those of others where they were measured."""
    values = {str(row["figure"]): float(str(row["value"])) for row in rows}
    each = {told: values[figure] * times for figure, _, times, told in (*OTHERS, OURS) if figure in values}
    return drawing(A_DAY, [Curve(told, {size: one * size for size in SIZES}, 0) for told, one in each.items()])


def main() -> int:
    rows = [*kept(RUN / "bench.json")]
    if not rows:
        print("nothing was measured yet: run python -m local.bench", file=sys.stderr)
        return 1
    PAGE.write_text(page(rows))
    BILL.write_text(bill(rows))
    CALLS.write_text(calls(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
