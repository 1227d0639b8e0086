"""How long a restore waits for its turn beside a drain that wants every call there is: at most a minute in all.

Both go through the very slice and the very pace of the product, in one process; only Azure's bucket is a twin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from shared.cloud.pace import HeardPace, Lane
from shared.errors import Throttled
from shared.flows.slicing import Slice
from shared.model.draining import CallKind
from shared.model.identity import Shard
from tests.fleet import RULES
from tests.world.scheduler import Invocation, Process
from tests.world.stage import Stage, stage
from tests.world.twins.bucket import TwinBucket
from tests.world.twins.witness import Witness

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHARD = Shard("sub-one", "westeurope")
HEADER = "x-ms-ratelimit-remaining-subscription-writes"
SECOND = timedelta(seconds=1)
DRAINED = 3000  # far more than a bucket of 200 holds: there is always one that waits
RESTORED = 24  # a machine of ten disks: each is made and tagged, and what is around it
ALLOWED = timedelta(seconds=60)


@dataclass
class Rivals:
    """A drain of thousands of snapshots, and a restore that begins when the bucket is down."""

    stage: Stage
    bucket: TwinBucket
    pace: HeardPace
    left: list[int] = field(default_factory=lambda: list(range(DRAINED)))
    waited: timedelta = timedelta(0)
    made: int = 0

    def drain(self) -> None:
        while self.left and self.made < RESTORED:
            calls: list[Callable[[], None]] = [partial(self._snapshot, number) for number in self.left]
            self._slice(timedelta(seconds=180), gives_way=True).each(CallKind.SNAPSHOT, calls)

    def restore(self) -> None:
        clock = self.stage.world.clock
        while self.made < RESTORED:
            slice_, before = self._slice(timedelta(seconds=60), gives_way=False), clock.now()
            admitted = slice_.admitted(CallKind.WRITE)
            self.waited += clock.now() - before
            if admitted:
                self._call(CallKind.WRITE)
                self.made += 1

    def _slice(self, long: timedelta, *, gives_way: bool) -> Slice:
        now, world = self.stage.scheduler.now, replace(self.stage.world, pace=self.pace)
        return Slice(world, RULES, SHARD, now + long, now + long, gives_way)

    def _snapshot(self, number: int) -> None:
        self._call(CallKind.SNAPSHOT)
        self.left.remove(number)

    def _call(self, kind: CallKind) -> None:
        lane = Lane.of(SHARD, kind)
        if closed := self.pace.closed(lane):
            raise Throttled("NotBefore", "", closed)
        headers, after = self.bucket.call()
        self.pace.answered(lane, headers)
        if after is not None:
            self.pace.refused(lane, after, headers)
            raise Throttled("SubscriptionRequestsThrottled", "", after)
        self.stage.world.clock.sleep(0.2)


@pytest.mark.parametrize("refill", [10.0, 1.0, 0.5], ids=["as documented", "a tenth of that", "a twentieth of that"])
def test_a_restore_beside_a_drain_waits_for_less_than_a_minute(refill: float) -> None:
    made = stage(seed=1, start=START, witness=Witness())
    bucket = TwinBucket(lambda: made.scheduler.now, 200, refill, HEADER)
    rivals = Rivals(made, bucket, HeardPace(made.world.clock, 0.3))
    made.scheduler.spawn(Invocation("drain", Process("host0")), rivals.drain)

    def begin() -> None:
        made.scheduler.spawn(Invocation("restore", Process("host0")), rivals.restore)

    made.scheduler.at(START + timedelta(minutes=2), begin)
    made.scheduler.run(START + timedelta(hours=1))
    assert rivals.made == RESTORED
    assert len(rivals.left) < DRAINED - 100, "the drain goes on beside it"
    assert rivals.waited <= ALLOWED
