"""The same seed gives the same event log in every process, whatever the hash seed: compared by digest.

`python -m tests.soak.digests --seeds 100` runs each seed once for every hash seed, each in a process of its own. Ends
with 1 when two digests of one seed differ.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HASH_SEEDS = ("0", "1", "2")


def digest(seed: int, hash_seed: str) -> str:
    """The digest of one seed in a new process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.world", "--seed", str(seed)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines()[-1].removeprefix("digest").strip() if done.stdout else done.stderr


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.digests", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    asked = parser.parse_args(words)
    differ = []
    for seed in range(asked.seeds):
        found = {digest(seed, hash_seed) for hash_seed in HASH_SEEDS}
        if len(found) > 1:
            differ.append(seed)
            print(f"seed {seed}: {sorted(found)}", flush=True)
    print(f"{asked.seeds} seeds in {len(HASH_SEEDS)} processes each, {len(differ)} with different digests")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
