"""When a call may be sent: token buckets as values. Asked by `cloud/pace.py` with the bucket and now.

A bucket fills to `capacity` within `window`. `share` of it is left to others: we never take the last of it. What runs
by itself leaves a little more, to what people asked for: a restore does not wait behind a night's snapshots. Where
others take more than their share, or Azure gives less than it says, refusals slow us down, until the bucket is seen to
fill faster than believed.
It never sleeps and never reads a clock; a `now` before the bucket's own counts as the bucket's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

_NEARLY_ONE = 1 - 1e-6
# Two machines never agree on the last digit of a token; what is waited too long is credited to the next call.
_MARGIN = timedelta(milliseconds=1)
# What is left to requests: what comes into a bucket within so many seconds, and never more than this part of it.
_REQUESTS, _PART = 0.5, 0.1
_SLOWER = 0.5  # of the rate, after a refusal
_FASTER = 1.25
_SLOWEST = 1 / 32
_SURPLUS = 10  # more than calls in flight explain
_PAUSE = timedelta(seconds=15)  # after a second refusal in a row; twice as long after each further one
_LONGEST = timedelta(minutes=4)


@dataclass(frozen=True, slots=True)
class Bucket:
    """`level` tokens were there at `at`; nothing may be sent before `closed_until`.

    `slowed` is the part of the rate that is believed in, after refusals; `refusals` is how many came in a row, less one
    for each call that was accepted since.
    """

    capacity: float
    window: timedelta
    share: float
    level: float
    at: datetime
    closed_until: datetime | None = None
    slowed: float = 1.0
    refusals: int = 0

    @property
    def refill(self) -> float:
        """Tokens per second."""
        return self.slowed * self.capacity / self.window.total_seconds()

    @property
    def kept_back(self) -> float:
        """What is left to others; a full bucket always allows one call."""
        return min(self.share * self.capacity, self.capacity - 1)

    @property
    def kept_for_requests(self) -> float:
        """What is left to others and to requests."""
        ours = min(_REQUESTS * self.refill, _PART * self.capacity)
        return min(self.kept_back + ours, self.capacity - 1)


def full(capacity: float, window: timedelta, share: float, now: datetime) -> Bucket:
    """A bucket that nobody has used yet."""
    return Bucket(max(capacity, 1), window, share, max(capacity, 1), now)


def wait(bucket: Bucket, now: datetime, *, gives_way: bool = False) -> timedelta:
    """How long until one call may be sent; zero means now. Whoever `gives_way` leaves their share to requests."""
    kept = bucket.kept_for_requests if gives_way else bucket.kept_back
    closed = max(bucket.closed_until - now, timedelta(0)) if bucket.closed_until else timedelta(0)
    refilled = _refilled(bucket, now)
    lacking = 1 - (refilled.level - kept)
    if lacking <= 1 - _NEARLY_ONE:
        return closed
    return max(closed, refilled.at - now + timedelta(microseconds=math.ceil(lacking / bucket.refill * 1e6)) + _MARGIN)


def spent(bucket: Bucket, now: datetime) -> Bucket:
    """The bucket after one call was sent, whatever it held."""
    refilled = _refilled(bucket, now)
    return replace(refilled, level=max(refilled.level - 1, 0))


def heard(bucket: Bucket, remaining: float, now: datetime) -> Bucket:
    """The bucket after an answer named what remains: others may have taken more than we know of."""
    refilled = _refilled(bucket, now)
    surplus = remaining > refilled.level + _SURPLUS
    slowed = min(refilled.slowed * _FASTER, 1.0) if surplus else refilled.slowed
    return replace(refilled, level=min(refilled.level, max(remaining, 0)), slowed=slowed)


def learned(bucket: Bucket, remaining: float, now: datetime) -> Bucket:
    """As `heard`, for a bucket whose capacity nobody told: it is at least the largest value seen."""
    if remaining > bucket.capacity:
        return replace(bucket, capacity=remaining, level=remaining, at=max(now, bucket.at))
    return heard(bucket, remaining, now)


def refused(bucket: Bucket, after: timedelta, now: datetime) -> Bucket:
    """The bucket after a refusal: closed for `after`, then one call may go; what it held was an illusion.

    Refusals of calls that were in flight together are one refusal.
    """
    again = _is_closed(bucket, now)
    slowed = bucket.slowed if again else max(bucket.slowed * _SLOWER, _SLOWEST)
    refusals = bucket.refusals if again else bucket.refusals + 1
    until = max(now + after, bucket.closed_until or now)
    return replace(bucket, level=bucket.kept_back + 1, at=until, closed_until=until, slowed=slowed, refusals=refusals)


def contested(bucket: Bucket, after: timedelta, now: datetime) -> Bucket:
    """As `refused`, where others take what comes back as soon as it is there: asking again only adds refusals.

    For a bucket that others share, whose Retry-After says when the next token comes and not who gets it.
    """
    first = not bucket.refusals or _is_closed(bucket, now)
    pause = timedelta(0) if first else min(_PAUSE * 2 ** (bucket.refusals - 1), _LONGEST)
    return refused(bucket, max(after, pause), now)


def accepted(bucket: Bucket) -> Bucket:
    """The bucket after a call was accepted."""
    return replace(bucket, refusals=bucket.refusals - 1) if bucket.refusals else bucket


def _is_closed(bucket: Bucket, now: datetime) -> bool:
    return bucket.closed_until is not None and now < bucket.closed_until


def _refilled(bucket: Bucket, now: datetime) -> Bucket:
    passed = (now - bucket.at).total_seconds()
    if passed <= 0:
        return bucket
    return replace(bucket, level=min(bucket.level + passed * bucket.refill, bucket.capacity), at=now)
