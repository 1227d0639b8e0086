"""`make soak`: everything that `make test` samples, at full count, part by part; the table it prints is kept in docs.

`python -m tests.soak [--share 0.01] [--part NAME]` runs a share of the counts, or some parts. Ends with 1 if one fails.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of trial: how many at full count, and the words that run so many of them."""

    name: str
    what: str
    full: int
    words: Sequence[str]
    variable: str = ""

    def command(self, count: int) -> list[str]:
        return [sys.executable, *(word.format(count=count, last=count - 1) for word in self.words)]


PYTEST = ("-m", "pytest", "-q", "-p", "no:xdist")
PARTS = (
    Part(
        "worlds",
        "seeds of 50 machines x 30 days",
        10_000,
        ("-m", "tests.world", "--seeds", "0..{last}", "--machines", "50", "--days", "30"),
    ),
    Part("attacks", "sequences of an attacker", 100_000, ("-m", "tests.world.attacks", "--sequences", "{count}")),
    Part("digests", "seeds in processes of 3 hash seeds", 1_000, ("-m", "tests.soak.digests", "--seeds", "{count}")),
    Part("races", "updates of 64 rows on Azurite", 1_000_000, ("-m", "tests.soak.races", "--updates", "{count}")),
    Part("kills", "nights of 25 kills of the host", 20, (*PYTEST, "tests/e2e/test_crashes.py"), "CRASH_NIGHTS"),
    Part("restores", "every blow at every slice", 1, (*PYTEST, "tests/world/test_restores.py"), "RESTORE_BLOWS_EVERY"),
    Part("restore points", "every blow", 1, (*PYTEST, "tests/world/test_whole_scenes.py"), "WHOLE_BLOWS_EVERY"),
    Part("drills", "every blow at every slice", 1, (*PYTEST, "tests/world/test_drills.py"), "DRILL_BLOWS_EVERY"),
    Part("poison", "messages nobody can serve", 10_000, (*PYTEST, "tests/e2e/test_poison.py"), "POISON_MESSAGES"),
)


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--part", action="append", choices=[part.name for part in PARTS], help="all without a name")
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts")
    asked = parser.parse_args(words)
    chosen = [part for part in PARTS if not asked.part or part.name in asked.part]
    failed = [part.name for part in chosen if not _ran(part, max(round(part.full * asked.share), 1))]
    return 1 if failed else 0


def _ran(part: Part, count: int) -> bool:
    """Run one part and print its row: what, how many, how long, how it ended."""
    began = time.monotonic()
    environment = {**os.environ, part.variable: str(count)} if part.variable else dict(os.environ)
    done = subprocess.run(part.command(count), cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    end = "held" if done.returncode == 0 else "FAILED"
    print(f"{part.name:8} {count:>9,} {part.what:32} {time.monotonic() - began:>8.0f} s  {end}", flush=True)
    for line in said[-3 if done.returncode == 0 else -30 :]:
        print(f"         {line}", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
