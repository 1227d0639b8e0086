"""The product's pacing against a bucket that Azure fills slower than it says, and beside a hungry neighbour.

Scenario B of the reliability goals: 260 deletions, a bucket of 200 that fills by 0.5 per second, Retry-After of one
second. What a purge tool without pacing loses there (23 to 26 of 260) must not be lost here. The calls run through the
very slice and the very pace of the product; only Azure is a twin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil

import pytest

from shared.cloud.pace import HeardPace, Lane
from shared.errors import CloudError, Throttled
from shared.flows.slicing import Slice
from shared.model.draining import CallKind
from shared.model.identity import Shard
from tests.counts import Count
from tests.fleet import RULES
from tests.world.scheduler import Invocation, Process
from tests.world.stage import Stage, stage
from tests.world.twins.bucket import TwinBucket
from tests.world.twins.witness import Witness

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHARD = Shard("sub-one", "westeurope")
HEADER = "x-ms-ratelimit-remaining-subscription-deletes"
SLICE = timedelta(seconds=180)
SECOND = timedelta(seconds=1)


@dataclass
class Purge:
    """Deletes things one by one, through slices like those of the product, until all are gone."""

    stage: Stage
    bucket: TwinBucket
    pace: HeardPace
    left: list[int]
    took: timedelta = timedelta(0)
    too_early: int = 0
    sent: int = 0
    _told: datetime = START
    gone: set[int] = field(default_factory=set)

    def run(self) -> None:
        world = replace(self.stage.world, pace=self.pace)
        while self.left:
            now = self.stage.scheduler.now
            slice_ = Slice(world, RULES, SHARD, now + SLICE, now + SLICE, gives_way=True)
            self._one(slice_)
        self.took = self.stage.scheduler.now - START

    def _one(self, slice_: Slice) -> None:
        """One slice: what was not sent, or refused, stays to be done."""
        calls: list[Callable[[], int]] = [partial(self._delete, number) for number in self.left]
        answers = slice_.each(CallKind.DELETE, calls)
        done = {number for number, answer in zip(self.left, answers, strict=True) if answer is not None}
        failed = {n for n, a in zip(self.left, answers, strict=True) if isinstance(a, CloudError)}
        self.left = [number for number in self.left if number not in done - failed]
        if failed and len(failed) == len(self.left):
            self.stage.world.clock.sleep(1)

    def _delete(self, number: int) -> int:
        """As the adapter does it: nothing while it is closed, every answer reported to the pace."""
        lane = Lane.of(SHARD, CallKind.DELETE)
        closed = self.pace.closed(lane)
        if closed:
            raise Throttled("NotBefore", "", closed)
        now = self.stage.scheduler.now
        self.too_early += now < self._told
        self.sent += 1
        headers, after = self.bucket.call()
        self.pace.answered(lane, headers)
        if after is not None:
            self.pace.refused(lane, after, headers)
            self._told = max(self._told, now + after)
            raise Throttled("SubscriptionRequestsThrottled", "", after)
        self.stage.world.clock.sleep(0.02)
        assert number not in self.gone, "deleted twice"
        self.gone.add(number)
        return number


def purge(count: int, refill: float, share: float, neighbour: float = 0.0) -> Purge:
    """The purge of `count` things, beside somebody who takes so many tokens per second."""
    made = stage(seed=1, start=START, witness=Witness())
    bucket = TwinBucket(lambda: made.scheduler.now, 200, refill, HEADER)
    running = Purge(made, bucket, HeardPace(made.world.clock, share), list(range(count)))

    def hungry() -> None:
        bucket.taken_by_others(neighbour)
        if running.left:
            made.scheduler.at(made.scheduler.now + SECOND, hungry)

    if neighbour:
        hungry()
    made.scheduler.spawn(Invocation("purge", Process("host0")), running.run)
    made.scheduler.run(START + timedelta(hours=2))
    return running


def test_a_starved_bucket_loses_nothing_and_is_emptied_near_its_bound(counted: Callable[[Count, int], None]) -> None:
    done = purge(260, refill=0.5, share=0.0)
    assert (len(done.gone), done.left, done.too_early) == (260, [], 0)
    bound = (260 - 200) / 0.5 * SECOND
    assert bound <= done.took <= 1.5 * bound
    assert done.bucket.refused <= 0.05 * done.sent
    counted(Count.STARVED, len(done.gone))


def test_a_bucket_that_is_as_documented_is_used_to_its_bound_without_a_refusal() -> None:
    done = purge(600, refill=10, share=0.0)
    assert (len(done.gone), done.bucket.refused) == (600, 0)
    bound = (600 - 200) / 10 * SECOND
    assert bound <= done.took <= 1.05 * bound


def test_the_share_of_others_stays_in_the_bucket() -> None:
    done = purge(600, refill=10, share=0.3)
    assert (len(done.gone), done.bucket.refused) == (600, 0)
    assert done.took >= (600 - 140) / 10 * SECOND


def test_beside_a_neighbour_who_takes_half_nothing_is_lost_and_few_calls_are_refused() -> None:
    done = purge(600, refill=10, share=0.0, neighbour=5)
    assert (len(done.gone), done.too_early) == (600, 0)
    assert done.bucket.refused <= 0.10 * done.sent
    bound = (600 - 200) / 5 * SECOND
    assert done.took <= 2 * bound


def test_a_neighbour_who_takes_almost_everything_only_delays() -> None:
    done = purge(300, refill=10, share=0.3, neighbour=9.5)
    assert (len(done.gone), done.left, done.too_early) == (300, [], 0)
    assert done.took >= 0.9 * 160 / 0.5 * SECOND
    assert done.bucket.refused <= 0.10 * done.sent


WINDOWS = (("3Min", 1000, 180), ("30Min", 8000, 1800))
POLICY = "Microsoft.Compute/HighCostSnapshotCreateHydrate"
WRITES = {"x-ms-ratelimit-remaining-subscription-writes": "190"}


@dataclass
class Hydration:
    """Snapshots through the provider's windows, beside a neighbour who wants as many and asks as soon as he may."""

    stage: Stage
    windows: list[TwinBucket]
    pace: HeardPace
    left: list[int]
    his: int
    sent: int = 0
    refused: int = 0
    took: timedelta = timedelta(0)

    def run(self) -> None:
        world, clock = replace(self.stage.world, pace=self.pace), self.stage.world.clock
        while self.left:
            slice_ = Slice(world, RULES, SHARD, clock.now() + SLICE, clock.now() + SLICE, gives_way=True)
            before = len(self.left)
            slice_.each(CallKind.SNAPSHOT, [partial(self._create, number) for number in self.left[:40]])
            if len(self.left) == before:
                clock.sleep(max((slice_.opens(CallKind.SNAPSHOT) - clock.now()).total_seconds(), 1))
        self.took = clock.now() - START

    def _create(self, number: int) -> None:
        lane = Lane.of(SHARD, CallKind.SNAPSHOT)
        if closed := self.pace.closed(lane):
            raise Throttled("NotBefore", "", closed)
        self.sent += 1
        remaining, after = self._charge()
        self.pace.answered(lane, {**WRITES, **remaining})
        if after:
            self.refused += 1
            self.pace.refused(lane, after, WRITES)
            raise Throttled("OperationNotAllowed", "", after)
        self.pace.accepted(lane)
        self.stage.world.clock.sleep(0.02)
        self.left.remove(number)

    def neighbour(self) -> None:
        if self.his:
            _, after = self._charge()
            self.his -= not after
            scheduler = self.stage.scheduler
            scheduler.at(scheduler.now + (after or SECOND / 30), self.neighbour)

    def _charge(self) -> tuple[dict[str, str], timedelta]:
        """One token of each window or of none: what is left of them, or how long until there is one."""
        for window in self.windows:
            window.taken_by_others(0)
            if window.level < 1:
                return {}, ceil((1 - window.level) / window.refill) * SECOND
        for window in self.windows:
            window.level -= 1
        left = ",".join(f"{window.header};{int(window.level)}" for window in self.windows)
        return {"x-ms-ratelimit-remaining-resource": left}, timedelta(0)


def hydration(count: int, share: float) -> Hydration:
    """So many snapshots for each side, through windows so small that they are wanted as much as by 1,000 machines."""
    made = stage(seed=1, start=START, witness=Witness())
    scale = count / 2000
    windows = [
        TwinBucket(lambda: made.scheduler.now, size * scale, size * scale / seconds, f"{POLICY}{name}")
        for name, size, seconds in WINDOWS
    ]
    running = Hydration(made, windows, HeardPace(made.world.clock, share), list(range(count)), count)
    for _ in range(8):
        running.neighbour()
    made.scheduler.spawn(Invocation("hydration", Process("host0")), running.run)
    made.scheduler.run(START + timedelta(hours=2))
    return running


@pytest.mark.parametrize(("count", "share"), [(80, 0.3), (80, 0.0), (200, 0.3), (2000, 0.3)])
def test_beside_a_hungry_neighbour_in_the_providers_windows_few_calls_are_refused(count: int, share: float) -> None:
    done = hydration(count, share)
    assert done.left == []
    assert done.refused <= 0.08 * done.sent
    window = done.windows[0]
    assert done.took <= 1.15 * (2 * count - (1 - share) * window.capacity) / window.refill * SECOND
