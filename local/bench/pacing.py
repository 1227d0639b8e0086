"""How near the product's pace comes to the bound, whatever the machine: the calls of a drain alone, in a bare process.

The program is tests/bench/pacing.py, which may import the product; here it is only started. A drain of the whole stack
(drains.py) has the ledger, the audit log and the looks in it, and takes as long as this machine computes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import astuple

from local.bench.bounds import BOTH, SETS, seconds
from local.bench.drains import GOALS, NAMES, SHARE
from local.bench.fleets import DISKS
from local.bench.planning import ROOT
from local.bench.rows import Row

PROGRAM = "tests.bench.pacing"


def figures() -> Iterator[Row]:
    """`drain_pace_over_bound_1k` and `_10k` through both sets of buckets."""
    for machines, name in NAMES.items():
        for told, buckets in SETS.items():
            found = _run(machines * DISKS, json.dumps([astuple(bucket) for bucket in buckets]))
            assert found["left"] == 0, f"{found['left']:.0f} snapshots were never made"
            setup = (
                f"{machines * DISKS:,} snapshots of one subscription and region, {told}, share left to others {SHARE}, "
                f"through the product's slices and pace, {found['refused']:.0f} of {found['sent']:.0f} calls refused; "
                f"computing takes no time; {found['seconds']:.0f} s"
            )
            suffix = "" if told == BOTH else "_arm_only"
            value = found["seconds"] / seconds(machines * DISKS, buckets, SHARE)
            yield Row(f"drain_pace_over_bound_{name}{suffix}", value, GOALS[machines], 1.0, "x bound", setup)


def _run(calls: int, buckets: str) -> dict[str, float]:
    command = [sys.executable, "-m", PROGRAM, str(calls), buckets, str(SHARE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found
