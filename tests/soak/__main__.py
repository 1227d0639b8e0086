"""`make soak`: everything that `make test` samples, at full count, part by part; docs/soak.md keeps what was run last.

`python -m tests.soak [--share 0.01] [--part NAME] [--write]` runs a share of the counts, or some parts. Ends with 1 if
one fails.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.counts import Count
from tests.soak.page import Ended, keep
from tests.soak.parts import PARTS, Part

ROOT = Path(__file__).resolve().parents[2]
COUNT = re.compile(rf"^ *([\d,]+ (?:{'|'.join(map(re.escape, Count))}))$", re.MULTILINE)


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--part", action="append", choices=[part.name for part in PARTS], help="all without a name")
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts")
    parser.add_argument("--write", action="store_true", help="into docs/soak.md")
    asked = parser.parse_args(words)
    failed = False
    for part in [part for part in PARTS if not asked.part or part.name in asked.part]:
        run = ran(part, part.count(asked.share))
        failed |= not run.held
        if asked.write:
            keep(run)
    return 1 if failed else 0


def ran(part: Part, count: int) -> Ended:
    """Run one part and print its row: what, how many, how long, how it ended."""
    before = processor_seconds()
    environment = {**os.environ, part.variable: str(count)} if part.variable else dict(os.environ)
    done = subprocess.run(part.command(count), cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    held, seconds = done.returncode == 0, round(processor_seconds() - before)
    told = part.told(count)
    print(f"{part.name:14} {told:>10} {part.what:34} {seconds:>7,} s  {'held' if held else 'FAILED'}", flush=True)
    for line in said(done.stdout) if held else done.stdout.splitlines()[-40:]:
        print(f"    {line}", flush=True)
    return Ended(part.name, count, datetime.now(UTC).strftime("%Y-%m-%d"), seconds, held, said(done.stdout))


def said(output: str) -> list[str]:
    """What a part said of its run: the counts of a test run, else its last line."""
    return COUNT.findall(output) or [line.strip() for line in output.splitlines() if line.strip()][-1:]


def processor_seconds() -> float:
    """What every process that was started from here and has ended took of a processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
