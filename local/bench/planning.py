"""What it costs to plan a fleet: one sweep over pages of machines and rows, in a process of its own.

The program is tests/bench/planning.py, which may import the product; here it is only started.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.bench.rows import Row

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "tests.bench.planning"


@dataclass(frozen=True, slots=True)
class Size:
    """A fleet to plan, and what that may cost."""

    machines: int
    name: str
    seconds: float
    megabytes: float


SIZES = (Size(10_000, "plan_10k", 10, 150), Size(100_000, "plan_100k", 60, 300))


def figures(size: Size) -> Iterator[Row]:
    """Seconds of processor time, and the process's peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        _run("make", folder, str(size.machines))
        found = json.loads(_run("plan", folder))
    setup = (
        f"one sweep over {size.machines:,} machines x 2 disks and as many rows from pages of 1,000, decoded by the "
        f"product; network and Azure clients left out; {found['messages']:.0f} messages came of it"
    )
    yield Row(f"{size.name}_seconds", found["seconds"], size.seconds, None, "CPU s", setup)
    yield Row(f"{size.name}_mb", found["mb"], size.megabytes, None, "MB", setup)


def _run(*words: str) -> str:
    command = [sys.executable, "-m", PROGRAM, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
