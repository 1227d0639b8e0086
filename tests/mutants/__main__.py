"""`python -m tests.mutants [NAME ...]`: plants every mutant, or the named ones, and says which test noticed it.

Ends with 1 when a mutant lives, when a patch does not fit, when its tests do not end, or when a named test is red
without any mutant. With `--demo` the demo takes the place of the tests, and `healthy` is the name of no bug at all.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from local.stack import ending_on_signals
from tests.mutants.demo import Wish, demonstrated, thinned
from tests.mutants.planting import LONGEST, Copy, Mutant, copied, fits, mutants

HEALTHY = "healthy"
SCENARIOS = ("month", "short", "crowd")


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="mutants to plant; all of them without a name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="copies of the tree worked on at once")
    parser.add_argument("--demo", action="store_true", help="run the demo instead of tests, one bug after the other")
    parser.add_argument("--days", type=int, default=2, help="virtual days of each demo")
    parser.add_argument("--seed", type=int, default=1, help="seed of each demo")
    parser.add_argument("--scenario", choices=SCENARIOS, default="month", help="which scenario the demos play")
    parser.add_argument("--thin", action="store_true", help="half of the month's fleet, for demos at half the cost")
    asked = parser.parse_args(words)
    chosen = [mutant for mutant in mutants() if not asked.names or mutant.name in asked.names]
    unknown = set(asked.names) - {mutant.name for mutant in chosen} - ({HEALTHY} if asked.demo else set())
    if unknown:
        parser.error(f"no such mutant: {', '.join(sorted(unknown))}")
    with ending_on_signals(), tempfile.TemporaryDirectory() as folder:
        if asked.demo:
            wish = Wish(asked.days, asked.seed, asked.scenario)
            healthy: list[None] = [None] if HEALTHY in asked.names else []
            copy = thinned(copied(Path(folder))) if asked.thin else copied(Path(folder))
            return shown([*healthy, *chosen], copy, wish)
        return judged(chosen, Path(folder), max(asked.jobs, 1))


def shown(chosen: Sequence[Mutant | None], copy: Copy, wish: Wish) -> int:
    """Run the demo with each bug planted, print who spoke, and count those that nobody saw."""
    wrong = 0
    for mutant in chosen:
        told = demonstrated(copy, mutant, wish)
        right = (told.code == 0) == (mutant is None)
        wrong += not right
        name, bug = (mutant.name, mutant.bug) if mutant else (HEALTHY, "no bug at all")
        print(f"{'seen  ' if told.code else 'green '} {name}: {bug}; exit {told.code} of {wish.days} days", flush=True)
        print("".join(f"         {line}\n" for line in told.spoke), end="", flush=True)
    return 1 if wrong else 0


def judged(chosen: list[Mutant], folder: Path, jobs: int) -> int:
    """Plant the mutants one by one in `jobs` copies, print a line for each, and count what is wrong."""
    with ThreadPoolExecutor(jobs) as pool:
        free: SimpleQueue[Copy] = SimpleQueue()
        for number in range(jobs):
            free.put(copied(folder / str(number)))
        wrong = sum(pool.map(lambda mutant: _told(mutant, free), chosen))
    print(f"{len(chosen)} planted bugs, {len(chosen) - wrong} seen, {wrong} not")
    return 1 if wrong else 0


def _told(mutant: Mutant, free: SimpleQueue[Copy]) -> bool:
    """Whether something is wrong with a mutant, told in a line."""
    if not fits(mutant):
        print(f"STALE  {mutant.name}: the patch does not fit any more", flush=True)
        return True
    copy = free.get()
    try:
        before, after = copy.failures(mutant.red), _planted(mutant, copy)
    except subprocess.TimeoutExpired:
        print(f"LONG   {mutant.name}: its tests did not end in {LONGEST} s", flush=True)
        return True
    finally:
        free.put(copy)
    if before:
        print(f"RED    {mutant.name}: {before[0]} fails without it", flush=True)
    elif after:
        print(f"seen   {mutant.name}: {mutant.bug}\n         by {after[0]}", flush=True)
    else:
        print(f"LIVES  {mutant.name}: {mutant.bug}", flush=True)
    return bool(before) or not after


def _planted(mutant: Mutant, copy: Copy) -> tuple[str, ...]:
    """The tests that fail with the mutant, which is gone again afterwards."""
    copy.plant(mutant)
    try:
        return copy.failures(mutant.red)
    finally:
        copy.clear(mutant)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
