"""Writes docs/demo.md from a run's own numbers: `python -m local.demo.page [SUMMARY]`, after `make demo`.

SUMMARY is local/.run/summary.json unless it is named. Nothing on the page comes from elsewhere.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.demo.floors import EACH_FAULT, EACH_PROMISE, FAULTS, FLOORS, FROM_DAYS
from local.judges import PROMISES
from local.stack import ROOT, RUN

PAGE = ROOT / "docs" / "demo.md"
GOAL = 180  # seconds on two processors
WORDS = {
    "machines": "machines with complete points",
    "six_hourly_machines": "of them every six hours",
    "points": "complete points (machine and slot)",
    "expired": "points of which every part was deleted",
    "retried": "operations taken up more than once",
    "adopted": "snapshots adopted whose answer was lost",
    "kills": "kills of the host",
    "kills_mid_put": "of them in the middle of a PUT",
    "recreated": "machines made again under a name that was there before",
}


def page(summary: Mapping[str, Any]) -> str:
    return (
        "\n".join([*_head(summary), *_promises(summary), *_happened(summary), *_faults(summary), *_cost(summary)])
        + "\n"
    )


def is_month(summary: Mapping[str, Any]) -> bool:
    """Whether the floors are for a run so long."""
    return bool(summary["virtual_days"] >= FROM_DAYS)


def _head(summary: Mapping[str, Any]) -> Iterator[str]:
    broken = sum(len(promise["violations"]) for promise in summary["promises"].values())
    verdict = "every promise held" if not broken else f"{broken} violations were found"
    missed = summary["missed"]
    yield "# The demo, judged"
    yield ""
    days, since, seed = f"{summary['virtual_days']:g} days", summary["started"][:10], summary["seed"]
    yield f"What a run of `make demo` showed: {days} from {since}, seed {seed};"
    yield f"{verdict}{', and no floor was missed' if is_month(summary) and not missed else ''}."
    yield "Written by `python -m local.demo.page` from the run's `local/.run/summary.json`, and nothing else."
    yield ""
    if not is_month(summary):
        yield f"It was shorter than {FROM_DAYS} days, so little was asked of it: counts have floors from then on."
        yield ""
    if missed:
        yield from (f"- Floor missed: {line}" for line in missed)
        yield ""
    yield "![The run in a terminal](demo.svg)"
    yield ""


def _promises(summary: Mapping[str, Any]) -> Iterator[str]:
    floor = f", each looked at {EACH_PROMISE} times at the least" if is_month(summary) else ""
    yield f"## Promises{floor}"
    yield ""
    yield "| | promise | looked at | violated |"
    yield "|---|---|---|---|"
    for name, (words, _) in PROMISES.items():
        found = summary["promises"][name]
        yield f"| {name} | {words} | {found['checked']:,} | {len(found['violations'])} |"
    yield ""
    yield "The judges (`local/judges`) share no code with the product: they read what the simulator of Azure, storage's"
    yield "request log and a sink of events saw, and what the script says that people did."
    yield "What they say to planted bugs, and which of those no demo can show:"
    yield "[tests/mutants/demo.toml](../tests/mutants/demo.toml)."
    yield "Most were planted into `SCENARIO=short make demo`: the same product, stack and judges, the month's troubles"
    yield "in three days on a small fleet, whose points are kept for a day (`local/scenarios/short.toml`);"
    yield "`python -m tests.mutants --demo NAME --scenario short` plants one. What a small fleet cannot show went"
    yield "into `SCENARIO=crowd make demo`: a day among more than a thousand machines (`local/scenarios/crowd.toml`)."
    yield ""


def _happened(summary: Mapping[str, Any]) -> Iterator[str]:
    yield "## What happened"
    yield ""
    yield f"| what | how many | at the least in {FROM_DAYS} days |"
    yield "|---|---|---|"
    yield from (f"| {WORDS[name]} | {summary[name]:,} | {floor:,} |" for name, floor in FLOORS.items())
    yield ""


def _faults(summary: Mapping[str, Any]) -> Iterator[str]:
    told = ", ".join(f"{name} {summary['faults'].get(name, 0):,}" for name in FAULTS)
    yield f"Faults met (in {FROM_DAYS} days {EACH_FAULT} times each at the least): {told}."
    yield ""


def _cost(summary: Mapping[str, Any]) -> Iterator[str]:
    spent = summary["cpu_seconds"]
    parts = ", ".join(f"{name} {seconds:,.0f}" for name, seconds in spent.items())
    wall, whole = summary["wall_seconds"], sum(spent.values())
    days, window = summary["virtual_days"], summary["calls_per_disk_day"]
    machine = f"a machine of {summary['processors']} processors whose load was {summary['load']:g} at the end"
    calls, stored, jumps = (f"{summary[name]:,}" for name in ("arm_calls", "storage_ops", "jumps"))
    yield "## What the run took"
    yield ""
    yield f"- {wall:,.0f} s on {machine}; the goal is {GOAL} s."
    yield f"- {whole:,.0f} processor seconds, {whole / days:,.0f} a day: {parts}."
    yield f"- {calls} calls to Azure and {stored} to storage, in {jumps} jumps of time."
    yield _sum(summary)
    if window:
        yield (
            f"- In {window['window']}: {window['writes_deletes_per_snapshot']} writes and deletes and "
            f"{window['reads_per_snapshot']} reads for each snapshot that was made."
        )


def _sum(summary: Mapping[str, Any]) -> str:
    """What each request takes of whom, and what the goal would leave for it: where the time goes, by this run alone."""
    spent, days = summary["cpu_seconds"], summary["virtual_days"]
    stored, calls = summary["storage_ops"], summary["arm_calls"]
    both = stored + calls
    host, azurite = 1000 * spent["host"] / both, 1000 * spent["azurite"] / stored
    simulator = 1000 * spent.get("simulator", 0.0) / calls
    left = 1000 * GOAL * summary["processors"] * days / FROM_DAYS / both
    return (
        f"- The sum: a day has {stored / days:,.0f} requests to storage and {calls / days:,.0f} calls to Azure. Each "
        f"takes {host:.1f} ms of the host,\n  which does little else than send them and read the answers; "
        f"one to storage takes {azurite:.1f} ms of Azurite, one to Azure\n  {simulator:.1f} ms of the simulator. "
        f"The goal leaves {left:.1f} ms for each in all."
    )


def main(words: Sequence[str]) -> int:
    path = Path(words[0]) if words else RUN / "summary.json"
    PAGE.write_text(page(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
