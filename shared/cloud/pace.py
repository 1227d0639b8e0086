"""What Azure lets us send: one bucket per thing that Azure counts, fed by the headers of every answer.

Built once per process by wiring. Drainers ask `wait` before they send; `arm.py` reports every answer and asks `closed`
before every call, so that nobody calls before Retry-After has passed (promise S9).

ARM counts reads, writes and deletes per subscription, whatever the region of the resource; a provider counts its own
policies per subscription and region [azure-facts 4.1, 4.2]. ARM's numbers are documented. A provider's are learned: a
policy's capacity is the largest value seen in `x-ms-ratelimit-remaining-resource`, its window is in its name.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.decide import pace as decide
from shared.decide.pace import Bucket
from shared.model.draining import CallKind
from shared.model.identity import Shard
from shared.ports import Clock

ARM_SIZES: Mapping[CallKind, tuple[int, timedelta]] = {
    CallKind.READ: (250, timedelta(seconds=10)),
    CallKind.WRITE: (200, timedelta(seconds=20)),
    CallKind.DELETE: (200, timedelta(seconds=20)),
}
POLICIES = "x-ms-ratelimit-remaining-resource"
GRAPH_SIZE = (15, timedelta(seconds=5))
UNLIMITED = (10**6, timedelta(seconds=1))
# How a policy's name ends, and the time in which it refills [realdata; azure-facts 4.2 for the last].
WINDOWS: Mapping[str, timedelta] = {
    "3Min": timedelta(minutes=3),
    "30Min": timedelta(minutes=30),
    "SubscriptionMaximum": timedelta(minutes=3),
}
# ARM counts the creation of a snapshot as a write.
COUNTED_AS: Mapping[CallKind, CallKind] = {
    CallKind.SNAPSHOT: CallKind.WRITE,
    CallKind.RESTORE_POINT: CallKind.WRITE,
}


@dataclass(frozen=True, slots=True)
class Lane:
    """What a call is counted as: the subscription it goes to, the region of its resource where known, and its kind."""

    subscription: str
    region: str
    kind: CallKind

    @classmethod
    def of(cls, shard: Shard, kind: CallKind) -> Lane:
        return cls(shard.subscription, shard.region, kind)


# Resource Graph counts queries per caller, in no subscription.
GRAPH = Lane("", "", CallKind.READ)


@dataclass(frozen=True, slots=True)
class Key:
    """One bucket: ARM's own have no region, a provider's gate no policy."""

    subscription: str
    region: str
    kind: CallKind
    policy: str = ""


class HeardPace:
    """Every bucket this process knows of. `share` of each is left to others. Safe to use from several threads."""

    def __init__(self, clock: Clock, share: float) -> None:
        self._clock = clock
        self._share = share
        self._buckets: dict[Key, Bucket] = {}
        self._lock = threading.Lock()

    def wait(self, shard: Shard, kind: CallKind, *, gives_way: bool = False) -> timedelta:
        return self._wait(Lane.of(shard, kind), gives_way)

    def wait_for_graph(self) -> timedelta:
        """As `wait`, for one Resource Graph query."""
        return self._wait(GRAPH, gives_way=False)

    def closed(self, lane: Lane) -> timedelta:
        """How long Azure said that no call of this lane may be sent; zero when it said nothing."""
        with self._lock:
            now = self._clock.now()
            until = [self._bucket(key, now).closed_until for key in self._keys(lane)]
            return max((moment - now for moment in until if moment and moment > now), default=timedelta(0))

    def answered(self, lane: Lane, headers: Mapping[str, str]) -> None:
        """An answer came: remember what its headers say of the buckets."""
        folded = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            now = self._clock.now()
            arm = _arm_key(lane)
            remaining = _number(folded.get(_remaining_header(lane), ""))
            if remaining is not None:
                self._buckets[arm] = decide.heard(self._bucket(arm, now), remaining, now)
            # A provider counts by region: what cannot be told to belong to one is left to its refusals.
            policies = folded.get(POLICIES, "") if lane.region else ""
            for policy, window, left in _policies(policies):
                key = Key(lane.subscription, lane.region, lane.kind, policy)
                known = self._buckets.get(key) or decide.full(left, window, self._share, now)
                self._buckets[key] = decide.learned(known, left, now)

    def refused(self, lane: Lane, after: timedelta, headers: Mapping[str, str]) -> None:
        """Azure said Retry-After: close the provider's gate where the provider said it, else ARM's own bucket.

        It was the provider when it names its policies, or when ARM says that it has room.
        """
        folded = {name.lower(): value for name, value in headers.items()}
        has_room = (_number(folded.get(_remaining_header(lane), "")) or 0) >= 1
        with self._lock:
            now = self._clock.now()
            if lane.region and (POLICIES in folded or has_room):
                gate = _gate_key(lane)
                self._buckets[gate] = decide.contested(self._bucket(gate, now), after, now)
            else:
                arm = _arm_key(lane)
                self._buckets[arm] = decide.refused(self._bucket(arm, now), after, now)

    def accepted(self, lane: Lane) -> None:
        """A call was not refused: what the provider's gate remembers of refusals fades."""
        with self._lock:
            gate = _gate_key(lane)
            if gate in self._buckets:
                self._buckets[gate] = decide.accepted(self._buckets[gate])

    def _wait(self, lane: Lane, gives_way: bool) -> timedelta:
        """The longest wait of the lane's buckets; when there is none, one call is counted in each."""
        with self._lock:
            now = self._clock.now()
            buckets = {key: self._bucket(key, now) for key in self._keys(lane)}
            longest = max(decide.wait(bucket, now, gives_way=gives_way) for bucket in buckets.values())
            if not longest:
                self._buckets.update({key: decide.spent(bucket, now) for key, bucket in buckets.items()})
            return longest

    def _keys(self, lane: Lane) -> list[Key]:
        scope = (lane.subscription, lane.region, lane.kind)
        policies = [key for key in self._buckets if key.policy and (key.subscription, key.region, key.kind) == scope]
        return [_arm_key(lane), _gate_key(lane), *policies]

    def _bucket(self, key: Key, now: datetime) -> Bucket:
        """The bucket, or a full one where nothing is known of it yet."""
        if key not in self._buckets:
            size, window = UNLIMITED if key.region else GRAPH_SIZE if not key.subscription else ARM_SIZES[key.kind]
            return decide.full(size, window, self._share, now)
        return self._buckets[key]


def _arm_key(lane: Lane) -> Key:
    return Key(lane.subscription, "", COUNTED_AS.get(lane.kind, lane.kind))


def _gate_key(lane: Lane) -> Key:
    return Key(lane.subscription, lane.region, lane.kind)


def _remaining_header(lane: Lane) -> str:
    if lane == GRAPH:
        return "x-ms-user-quota-remaining"
    return f"x-ms-ratelimit-remaining-subscription-{COUNTED_AS.get(lane.kind, lane.kind)}"


def _policies(header: str) -> Iterator[tuple[str, timedelta, float]]:
    """`Microsoft.Compute/PutVM3Min;744,…`: the policies whose window is known, and what is left of each."""
    for entry in header.split(","):
        policy, _, left = entry.strip().partition(";")
        remaining = _number(left)
        window = next((window for ending, window in WINDOWS.items() if policy.endswith(ending)), None)
        if window is not None and remaining is not None:
            yield policy, window, remaining


def _number(text: str) -> float | None:
    return float(text.strip()) if text.strip().isdigit() else None
