"""Sends the calls of a large drain through the product's own slice and pace, and says how long that took.

`CALLS BUCKETS SHARE`, as in `20000 [["ARM", 200, 10], ["Window3Min", 1000, 5.6]] 0.3`, prints JSON; used by
local/bench/pacing.py. Azure is a twin, and so is time: what the product computes takes none. The first bucket is ARM's,
the others are windows of the provider.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil

from shared.cloud.pace import HeardPace, Lane
from shared.errors import CloudError, Throttled
from shared.flows.draining import AT_ONCE, BATCH
from shared.flows.slicing import Slice
from shared.model.draining import CallKind
from shared.model.identity import Shard
from shared.model.rules import Rules
from shared.settings import SHIPPED_PLANS, plans_of
from tests.world.scheduler import Invocation, Process
from tests.world.stage import Stage, stage
from tests.world.twins.bucket import TwinBucket
from tests.world.twins.witness import Witness

START = datetime(2027, 6, 8, 2, tzinfo=UTC)
SHARD = Shard("a0000000-0000-4000-8000-000000000001", "westeurope")
DISKS = 2
PROCESS = Process("host0")
LATENCY = 0.2  # seconds until Azure accepts a snapshot, at the median (recorded)
FOREVER = timedelta(days=2)
WRITES, POLICIES = "x-ms-ratelimit-remaining-subscription-writes", "x-ms-ratelimit-remaining-resource"


@dataclass
class Drain:
    """So many snapshots, asked for in batches and slices as the drainer does."""

    stage: Stage
    buckets: list[TwinBucket]
    pace: HeardPace
    left: int
    rules: Rules
    sent: int = 0
    refused: int = 0
    took: timedelta = timedelta(0)

    def slice(self) -> None:
        """One invocation; the next follows at once while something is left."""
        world, clock = replace(self.stage.world, pace=self.pace), self.stage.world.clock
        until = clock.now() + self.rules.drain_for
        slice_ = Slice(world, self.rules, SHARD, until, until, gives_way=True)
        while self.left and not slice_.is_over():
            batch = [partial(self._create)] * min(self.left, BATCH * DISKS)
            answers = slice_.each(CallKind.SNAPSHOT, batch)
            self.left -= sum(answer is not None and not isinstance(answer, CloudError) for answer in answers)
            if answers[-1] is None:
                break
        self.took = clock.now() - START
        if self.left:
            later = max(slice_.opens(CallKind.SNAPSHOT), clock.now() + AT_ONCE)
            self.stage.scheduler.at(later, self.begin)

    def begin(self) -> None:
        self.stage.scheduler.spawn(Invocation("drain", PROCESS), self.slice)

    def _create(self) -> datetime:
        """As the adapter does it: nothing while it is closed, every answer reported to the pace."""
        lane = Lane.of(SHARD, CallKind.SNAPSHOT)
        if closed := self.pace.closed(lane):
            raise Throttled("NotBefore", "", closed)
        self.sent += 1
        headers, after = self._charge()
        self.pace.answered(lane, headers)
        if after:
            self.refused += 1
            self.pace.refused(lane, after, headers)
            raise Throttled("OperationNotAllowed", "", after)
        self.pace.accepted(lane)
        self.stage.world.clock.sleep(LATENCY)
        return self.stage.world.clock.now()

    def _charge(self) -> tuple[dict[str, str], timedelta]:
        """One token of each bucket or of none: what is left of them, or how long until there is one."""
        for bucket in self.buckets:
            bucket.taken_by_others(0)
        waits = [ceil((1 - one.level) / one.refill) for one in self.buckets if one.level < 1]
        if waits:
            return {}, timedelta(seconds=max(waits))
        for bucket in self.buckets:
            bucket.level -= 1
        arm, *windows = self.buckets
        left = ",".join(f"Microsoft.Compute/{one.header};{int(one.level)}" for one in windows)
        told = {POLICIES: left} if windows else {}
        return {WRITES: str(int(arm.level)), **told}, timedelta(0)


def drained(calls: int, buckets: Sequence[tuple[str, float, float]], share: float) -> Drain:
    """The drain of so many snapshots through buckets (name, size, refill a second) that are full when it begins."""
    made = stage(seed=1, start=START, witness=Witness())
    twins = [TwinBucket(lambda: made.scheduler.now, size, refill, name) for name, size, refill in buckets]
    rules = Rules(plans_of(SHIPPED_PLANS), {}, "bench")
    running = Drain(made, twins, HeardPace(made.world.clock, share), calls, rules)
    running.begin()
    made.scheduler.run(START + FOREVER)
    return running


def main(words: Sequence[str]) -> None:
    done = drained(int(words[0]), json.loads(words[1]), float(words[2]))
    found = {"seconds": done.took.total_seconds(), "sent": done.sent, "refused": done.refused, "left": done.left}
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
