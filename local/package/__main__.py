"""`python -m local.package [--out DIR]`: writes the package, its bill of materials and its licences. `make package`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from local.package.build import NoPython, build

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Build, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m local.package", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where to (dist)")
    wanted = parser.parse_args()
    try:
        made = build(ROOT, wanted.out)
    except NoPython as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{made.archive}: {made.packages} packages, {made.unpacked / 1e6:.0f} MB unpacked, sha256 {made.digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
