"""What pace makes of the headers of Azure's answers, and that nobody overdraws a bucket of the simulator."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from shared.cloud.arm import Arm
from shared.cloud.identity import Identity
from shared.cloud.pace import GRAPH, HeardPace, Lane
from shared.model.draining import CallKind
from shared.model.identity import Shard
from tests.simulator.running import OTHER, SUBSCRIPTION, Running

HERE = Shard(SUBSCRIPTION, "westeurope")
THERE = Shard(SUBSCRIPTION, "northeurope")
ELSEWHERE = Shard(OTHER, "westeurope")
SNAPSHOT = Lane.of(HERE, CallKind.SNAPSHOT)
THREE_MINUTES = "Microsoft.Compute/HighCostSnapshotCreateHydrate3Min"
HALF_AN_HOUR = "Microsoft.Compute/HighCostSnapshotCreateHydrate30Min"
NONE = timedelta(0)
SECOND = timedelta(seconds=1)


class Still:
    """A clock that stands until it is told or slept on."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def still() -> Still:
    return Still()


@pytest.fixture
def pace(still: Still) -> HeardPace:
    return HeardPace(still, 0.3)


def burst(pace: HeardPace, shard: Shard, kind: CallKind) -> int:
    """How many calls may be sent at once."""
    sent = 0
    while not pace.wait(shard, kind):
        sent += 1
    return sent


@pytest.mark.parametrize(
    ("kind", "calls"), [("reads", 175), ("writes", 140), ("deletes", 140), ("snapshot-creates", 140)]
)
def test_before_azure_said_anything_its_documented_numbers_hold(pace: HeardPace, kind: str, calls: int) -> None:
    assert burst(pace, HERE, CallKind(kind)) == calls


def test_arm_counts_per_subscription_whatever_the_region(pace: HeardPace) -> None:
    assert burst(pace, HERE, CallKind.WRITE) == 140
    assert burst(pace, THERE, CallKind.WRITE) == 0
    assert burst(pace, ELSEWHERE, CallKind.WRITE) == 140


def test_a_snapshot_is_counted_as_a_write(pace: HeardPace) -> None:
    assert burst(pace, HERE, CallKind.WRITE) == 140
    assert pace.wait(HERE, CallKind.SNAPSHOT) > NONE
    assert pace.wait(HERE, CallKind.DELETE) == NONE


def test_what_others_took_of_arms_bucket_is_not_sent(pace: HeardPace) -> None:
    pace.answered(SNAPSHOT, {"X-Ms-Ratelimit-Remaining-Subscription-Writes": "70"})
    assert burst(pace, HERE, CallKind.SNAPSHOT) == 10


def test_a_providers_window_is_learned_from_its_name_and_its_largest_value(pace: HeardPace, still: Still) -> None:
    pace.answered(SNAPSHOT, {"x-ms-ratelimit-remaining-resource": f"{THREE_MINUTES};90,{HALF_AN_HOUR};7999"})
    assert burst(pace, HERE, CallKind.SNAPSHOT) == 63
    still.sleep(180)
    assert burst(pace, HERE, CallKind.SNAPSHOT) == 63
    assert burst(pace, THERE, CallKind.SNAPSHOT) > 63


def test_the_tighter_of_two_windows_holds(pace: HeardPace) -> None:
    pace.answered(SNAPSHOT, {"x-ms-ratelimit-remaining-resource": f"{THREE_MINUTES};999, {HALF_AN_HOUR};100"})
    assert burst(pace, HERE, CallKind.SNAPSHOT) == 70


@pytest.mark.parametrize(
    "header", ["", "nonsense", "Microsoft.Compute/UpdateVMResource;0", f"{THREE_MINUTES};x", ";;,"]
)
def test_a_header_that_says_nothing_usable_changes_nothing(pace: HeardPace, header: str) -> None:
    pace.answered(SNAPSHOT, {"x-ms-ratelimit-remaining-resource": header})
    assert burst(pace, HERE, CallKind.SNAPSHOT) == 140


def test_a_provider_that_refuses_closes_its_calls_in_that_region_alone(pace: HeardPace, still: Still) -> None:
    pace.refused(SNAPSHOT, 60 * SECOND, {"x-ms-ratelimit-remaining-resource": f"{THREE_MINUTES};0"})
    assert pace.closed(SNAPSHOT) == pace.wait(HERE, CallKind.SNAPSHOT) == 60 * SECOND
    assert pace.closed(Lane.of(HERE, CallKind.WRITE)) == NONE
    assert pace.wait(THERE, CallKind.SNAPSHOT) == NONE
    still.sleep(60)
    assert pace.closed(SNAPSHOT) == NONE
    assert pace.wait(HERE, CallKind.SNAPSHOT) == NONE


@pytest.mark.parametrize(("left", "others"), [("190", NONE), ("0", 60 * SECOND)])
def test_who_refused_without_naming_a_policy_is_told_by_the_room_that_arm_has(
    pace: HeardPace, left: str, others: timedelta
) -> None:
    pace.refused(SNAPSHOT, 60 * SECOND, {"x-ms-ratelimit-remaining-subscription-writes": left})
    assert pace.closed(SNAPSHOT) == 60 * SECOND
    assert pace.closed(Lane.of(HERE, CallKind.WRITE)) == others


def test_a_provider_that_refuses_again_and_again_is_asked_ever_less_until_it_accepts(
    pace: HeardPace, still: Still
) -> None:
    def pause() -> float:
        pace.refused(SNAPSHOT, SECOND, {"x-ms-ratelimit-remaining-resource": f"{THREE_MINUTES};0"})
        closed = pace.closed(SNAPSHOT).total_seconds()
        still.sleep(closed)
        return closed

    assert [pause() for _ in range(4)] == [1, 15, 30, 60]
    for _ in range(4):
        pace.accepted(SNAPSHOT)
    assert [pause() for _ in range(2)] == [1, 15]


def test_arm_that_refuses_closes_the_kind_in_the_whole_subscription(pace: HeardPace) -> None:
    pace.refused(SNAPSHOT, 17 * SECOND, {})
    for shard in (HERE, THERE):
        for kind in (CallKind.WRITE, CallKind.SNAPSHOT):
            assert pace.wait(shard, kind) == 17 * SECOND
        assert pace.wait(shard, CallKind.READ) == NONE
    assert pace.wait(ELSEWHERE, CallKind.WRITE) == NONE


def test_a_longer_refusal_is_not_shortened_by_a_later_one(pace: HeardPace) -> None:
    pace.refused(SNAPSHOT, 300 * SECOND, {})
    pace.refused(SNAPSHOT, SECOND, {})
    assert pace.closed(SNAPSHOT) == 300 * SECOND


def test_the_graph_has_a_bucket_of_its_own(pace: HeardPace, still: Still) -> None:
    sent = 0
    while not pace.wait_for_graph():
        sent += 1
    assert sent == 10
    still.sleep(5)
    pace.answered(GRAPH, {"x-ms-user-quota-remaining": "0"})
    assert pace.wait_for_graph() > NONE
    assert pace.wait(HERE, CallKind.READ) == NONE


def test_a_wait_that_is_slept_is_enough(pace: HeardPace, still: Still) -> None:
    burst(pace, HERE, CallKind.SNAPSHOT)
    for _ in range(50):
        still.sleep(pace.wait(HERE, CallKind.SNAPSHOT).total_seconds())
        assert pace.wait(HERE, CallKind.SNAPSHOT) == NONE


class Leading(Still):
    """A clock that takes the simulator along when it is slept on."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self.time = datetime.fromisoformat(running.control("GET", "clock")["now"])

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._running.advance(seconds)


def test_paced_writes_meet_no_refusal_and_take_no_longer_than_the_bucket_asks(
    simulated: Running, identity: Identity
) -> None:
    simulated.advance(3600)
    simulated.control("DELETE", "calls")
    clock = Leading(simulated)
    pace, started, writes = HeardPace(clock, 0), clock.now(), 230
    with closing(Arm(simulated.url, identity, clock, pace)) as arm:
        for number in range(writes):
            while wait := pace.wait(HERE, CallKind.WRITE):
                clock.sleep(wait.total_seconds())
            path = f"/subscriptions/{HERE.subscription}/resourcegroups/paced-{number % 3}"
            arm.put(Lane.of(HERE, CallKind.WRITE), path, "2024-11-01", {"location": "westeurope"})
    calls = [call for call in simulated.control("GET", "calls") if "/paced-" in call["path"]]
    assert (len(calls), {call["status"] for call in calls}) == (writes, {200, 201})
    bound = (writes - 200) / 10 * SECOND
    assert bound <= clock.now() - started <= 1.05 * bound
