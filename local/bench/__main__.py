"""`make bench`: measures the product and writes local/.run/bench.json. FIGURES="imports drain_1k" measures only those.

Prints each figure beside its goal as soon as it is measured; exits 1 when a goal is missed, 2 for an unknown part.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from local.bench import arrivals, days, drains, engines, imports, pacing, peers, planning
from local.bench.rows import Row, keep
from local.clock.conductor import Stuck
from local.process import PartFailed
from local.stack import RUN

BAD_INPUT = 2
PARTS: Mapping[str, Callable[[], Iterator[Row]]] = {
    "imports": imports.figures,
    "plan_10k": partial(planning.figures, planning.SIZES[0]),
    "plan_100k": partial(planning.figures, planning.SIZES[1]),
    "pacing": pacing.figures,
    "days": days.figures,
    "vault_days": partial(engines.figures, engines.VAULT),
    "restore_point_days": partial(engines.figures, engines.RESTORE_POINTS),
    "events": partial(arrivals.figures, arrivals.Storm()),
    "events_burst": partial(arrivals.absorbed, arrivals.Storm(5_000, 1, 1_000)),
    "drain_1k": partial(drains.figures, 1_000),
    "drain_1k_arm_only": partial(drains.figures_arm_only, 1_000),
    "contention": partial(drains.contended, 100),
    "drain_10k": partial(drains.figures, 10_000),
    "drain_10k_arm_only": partial(drains.figures_arm_only, 10_000),
    "days_1k": partial(days.measured_at, 1_000),
    "drain_300": partial(drains.figures, 300),
    "events_few": partial(arrivals.figures, arrivals.Storm(2, 10, 12)),
    "peers": peers.figures,
}
# Smaller than the goals ask, longer than the patience of most, or in need of other people's programs.
ON_REQUEST = {"days_1k", "drain_300", "events_few", "peers"}


def main() -> int:
    chosen = os.environ.get("FIGURES", "").split() or [name for name in PARTS if name not in ON_REQUEST]
    unknown = sorted(set(chosen) - set(PARTS))
    if unknown:
        print(f"bench: FIGURES: {', '.join(unknown)}: no such part; there are {', '.join(PARTS)}", file=sys.stderr)
        return BAD_INPUT
    missed = 0
    for name in chosen:
        began = time.monotonic()
        print(f"# {name} ...", flush=True)
        try:
            for row in PARTS[name]():
                keep(RUN / "bench.json", [row])
                print(row.line(), flush=True)
                missed += not row.met()
        except (PartFailed, Stuck, AssertionError) as problem:
            print(f"bench: {name} could not be measured: {problem}", file=sys.stderr)
            missed += 1
        print(f"# {name} took {time.monotonic() - began:.0f} s", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
