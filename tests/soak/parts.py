"""The kinds of trials that `make test` samples, each with its full count and the words that run so many of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of trial. Of a `sparse` one it is not so many that are run, but one in so many."""

    name: str
    what: str
    full: int
    words: Sequence[str]
    variable: str = ""
    sparse: bool = False

    def count(self, share: float) -> int:
        """How many a share of the full count is; of a sparse part, one in how many."""
        return max(round(1 / share if self.sparse else self.full * share), 1)

    def command(self, count: int) -> list[str]:
        return [sys.executable, *(word.format(count=count, last=count - 1) for word in self.words)]

    def told(self, count: int) -> str:
        """A count as people read it."""
        return ("every one" if count == 1 else f"one in {count}") if self.sparse else f"{count:,}"


PYTEST = ("-m", "pytest", "-q", "-p", "no:xdist")
WORLD = "tests/world/test_"
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
    Part("outages", "nights of minutes without storage", 9, (*PYTEST, "tests/e2e/test_outages.py"), "OUTAGE_NIGHTS"),
    Part("poison", "messages nobody can serve", 10_000, (*PYTEST, "tests/e2e/test_poison.py"), "POISON_MESSAGES"),
    Part(
        "restores",
        "blows at every slice",
        1,
        (*PYTEST, *(f"{WORLD}{scenes}.py" for scenes in ("restores", "vault_restores", "files", "mounts"))),
        "RESTORE_BLOWS_EVERY",
        sparse=True,
    ),
    Part("restore points", "blows", 1, (*PYTEST, f"{WORLD}whole_scenes.py"), "WHOLE_BLOWS_EVERY", sparse=True),
    Part("drills", "blows at every slice", 1, (*PYTEST, f"{WORLD}drills.py"), "DRILL_BLOWS_EVERY", sparse=True),
)
