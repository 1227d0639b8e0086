"""How often one caller may ask the API: a bucket of requests for each caller and use. Asked by `cloud/callers.py`.

What is spent at once fills again evenly. It never reads a clock; a request that is turned away takes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from shared.decide import pace
from shared.decide.pace import Bucket
from shared.model.caller import Use


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many requests at once, and as many again within a time."""

    most: int
    within: timedelta


ALLOWANCES: Mapping[Use, Allowance] = {
    Use.READ: Allowance(1200, timedelta(minutes=1)),  # each reads the ledger; a dashboard asks a few times a minute
    Use.WRITE: Allowance(120, timedelta(minutes=2)),  # each files a request that an app then works on
}
Buckets: TypeAlias = Mapping[tuple[str, Use], Bucket]


def asked(bucket: Bucket | None, use: Use, now: datetime) -> tuple[Bucket, timedelta]:
    """The bucket after one more request, and zero; or the bucket as it was, and how long until there is room."""
    allowance = ALLOWANCES[use]
    known = bucket or pace.full(allowance.most, allowance.within, 0, now)
    wait = pace.wait(known, now)
    return (known, wait) if wait else (pace.spent(known, now), wait)


def remembered(buckets: Buckets, now: datetime) -> Buckets:
    """The buckets that are not full again: the others say nothing."""
    return {about: bucket for about, bucket in buckets.items() if now - bucket.at < bucket.window}
