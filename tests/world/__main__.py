"""`python -m tests.world --seed N` lives through one seed and prints what happened; `--seeds A..B` through many."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from dataclasses import asdict, replace

from tests.world.options import DAYS, SOME_HAVE, Options
from tests.world.seeded import Result, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.world", description=__doc__)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--seed", type=int)
    chosen.add_argument("--seeds", metavar="A..B")
    parser.add_argument("--tail", type=int, default=0, help="print so many of the last events")
    parser.add_argument("--about", default="", help="of those that name this")
    parser.add_argument("--machines", type=int, help="instead of as many as the seed draws")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--has", metavar="A,B", help=f"of {', '.join(SOME_HAVE)}, instead of what the seed draws")
    asked = parser.parse_args()
    logging.getLogger("tagback").setLevel(logging.CRITICAL)
    if asked.seed is not None:
        result = lived(asked.seed, asked.machines, asked.days, asked.has)
        show(result, asked.tail, asked.about)
        return 1 if result.violations else 0
    first, last = (int(part) for part in asked.seeds.split(".."))
    return many(range(first, last + 1), asked.machines, asked.days, asked.has)


def lived(seed: int, machines: int | None, days: int, has: str | None = None) -> Result:
    options = Options.of(seed) if has is None else Options.of(seed).having(has.split(","))
    return run(seed, replace(options, machines=machines or options.machines, days=days))


def many(seeds: range, machines: int | None, days: int, has: str | None) -> int:
    began, failed = time.monotonic(), []
    for seed in seeds:
        result = lived(seed, machines, days, has)
        if result.violations:
            failed.append(seed)
            print(f"seed {seed}: {result.violations[0]}", flush=True)
    print(f"{len(seeds)} seeds, {len(failed)} failed {failed or ''}, {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


def show(result: Result, tail: int, about: str) -> None:
    options = asdict(result.options) | {"kinds": " ".join(kind.name for kind in result.options.kinds)}
    print("options   " + "  ".join(f"{name}={value}" for name, value in options.items()))
    print("counters  " + "  ".join(f"{name}={value}" for name, value in result.counters.items()))
    print("faults    " + "  ".join(f"{name}={count}" for name, count in sorted(result.fired.items())))
    print("checked   " + "  ".join(f"{name}={count}" for name, count in sorted(result.checked.items())))
    for line in [line for line in result.tail if about in line][-tail or len(result.tail) :]:
        print("  " + line.rstrip())
    for violation in result.violations:
        print(f"BROKEN    {violation}")
    print(f"digest    {result.digest}")


if __name__ == "__main__":
    sys.exit(main())
