"""kill -9 of the functions host in the middle of captures: everything converges, nothing is lost or doubled."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.clock.followers import HostClock
from local.judges.world import PRODUCT
from tests.counts import Count
from tests.e2e.night import Night, night

# At least twenty-five a night, `make soak` asks for more nights. A busy machine makes several snapshots between two
# looks of the killer, and then runs out of them; calls it does not run out of.
NIGHTS = int(os.environ.get("CRASH_NIGHTS", "1"))
KILLS = {"/": 21, "snapshots/write": 12}
FEWEST = {"/": 21, "snapshots/write": 4}
UNHURRIED = {
    "match": {"operation": "Microsoft.Compute/snapshots/write"},
    "effect": {"delay_s": 0.15},
}
ASKING_BY_NIGHT = 4  # of them with a slot at 02:00; kills are no excuse
MACHINES = ["web-1", "db-1", "app-1", "data-1", "batch-1", "cache-1", "phoenix-1", "leaver-1", "quitter-1"]


class Killer(threading.Thread):
    """Kills the host after the product has made some more calls of a kind to Azure: how many, the seed says."""

    def __init__(self, played: Night, operation: str, steps: range, seed: int) -> None:
        super().__init__(daemon=True)
        self._played = played
        self._operation = operation
        self._steps = steps
        self._most = KILLS[operation]
        self._chance = random.Random(seed)
        self.kills: list[int] = []
        self.interrupted = 0
        self.over = threading.Event()
        self.problem: Exception | None = None

    def run(self) -> None:
        try:
            self._kill_again_and_again()
        except Exception as problem:
            self.problem = problem

    def _kill_again_and_again(self) -> None:
        target = self._chance.choice(self._steps)
        while len(self.kills) < self._most and not self.over.is_set():
            calls = self._played.observer.simulator("calls?since=0")
            made = sum(1 for call in calls if call["principal"] == PRODUCT and self._counts(call["operation"]))
            if made >= target:
                time.sleep(self._chance.uniform(0, 0.03))
                self._crash()
                self.kills.append(made)
                target = made + self._chance.choice(self._steps)
            time.sleep(0.005)

    def _counts(self, operation: str | None) -> bool:
        return self._operation in str(operation).lower()

    def _crash(self) -> None:
        """Kill, see what was left open, and start again."""
        stack = self._played.stack
        with self._played.conductor.without(HostClock.name):
            stack.kill_host()
            rows = self._played.observer.rows()
            self.interrupted += sum(1 for row in rows if str(row["RowKey"]).startswith("o|") and row["open"])
            stack.restart_host()


@pytest.mark.parametrize("seed", range(1, NIGHTS + 1))
@pytest.mark.parametrize(
    ("operation", "steps"),
    [("/", range(1, 7)), ("snapshots/write", range(1, 3))],
    ids=["at any call", "between snapshots"],
)
def test_a_host_killed_again_and_again_leaves_every_promise_intact(
    tmp_path: Path, operation: str, steps: range, seed: int, counted: Callable[[Count, int], None]
) -> None:
    with night(tmp_path, MACHINES) as played:
        played.observer.order("faults", UNHURRIED)
        killer = Killer(played, operation, steps, seed)
        killer.start()
        played.conductor.run(played.end)
        killer.over.set()
        killer.join(60)
        assert killer.problem is None
        assert len(killer.kills) >= FEWEST[operation], "the night was too quiet for this seed"
        assert killer.interrupted > 0, "no kill met an open operation"
        world, findings = played.judged()
        assert {name: finding.violations for name, finding in findings.items() if finding.violations} == {}
        assert findings["S2"].checked >= ASKING_BY_NIGHT
        parts = [snapshot.tag("slot") for snapshot in world.snapshots]
        assert parts.count(f"{played.scenario.start:%Y%m%d}T0200Z") >= 6
    counted(Count.KILLS, len(killer.kills))
    counted(Count.INTERRUPTED, killer.interrupted)
