"""`python -m local.package [--out DIR] [--extra telemetry]`: the package, its bill of materials, its licences."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from local.package.build import LOCKS, NoPython, build
from local.package.start import cold_start

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Build, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m local.package", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where to (dist)")
    parser.add_argument("--extra", choices=sorted(LOCKS), default="", help="what is deployed beside the product")
    wanted = parser.parse_args()
    try:
        made = build(ROOT, wanted.out, LOCKS[wanted.extra])
    except NoPython as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{made.archive}: {made.packages} packages, {made.unpacked / 1e6:.0f} MB unpacked, sha256 {made.digest}")
    start = cold_start(made.archive)
    print(
        f"a cold start takes {start.seconds:.2f} s ({start.busy:.2f} s of processor time) and {start.mb:.0f} MB "
        f"until its {start.functions} functions are known"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
