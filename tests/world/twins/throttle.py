"""Azure's buckets as callers meet them: a 429 closes a bucket until its Retry-After has passed.

ARM counts per subscription and a provider per subscription and region. The adapters remember what their process was
told, and send nothing before its time; so does this twin. Whether somebody sent earlier is for the witness to judge.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.errors import Throttled
from shared.model.draining import CallKind
from shared.model.identity import Shard
from tests.world.scheduler import Scheduler
from tests.world.steps import Bucket
from tests.world.twins.scopes import Scopes
from tests.world.twins.witness import Witness

NOTHING = timedelta(0)


def counted_as(bucket: Bucket) -> tuple[Bucket, Bucket]:
    """The provider's own bucket of a call, and ARM's, where the creation of a snapshot or restore point is a write."""
    shard, kind = bucket
    creation = kind in (CallKind.SNAPSHOT, CallKind.RESTORE_POINT)
    return bucket, (Shard(shard.subscription, ""), CallKind.WRITE if creation else kind)


class Throttle:
    """Who was told to wait, until when; and which scopes are denied to whom."""

    def __init__(self, scheduler: Scheduler, witness: Witness) -> None:
        self._scheduler = scheduler
        self._witness = witness
        self.scopes = Scopes(scheduler)

    def wait(self, bucket: Bucket) -> timedelta:
        """How long the current process was told to wait before a call."""
        known = self._known()
        until = [known[one] for one in counted_as(bucket) if one in known]
        return max((moment - self._scheduler.now for moment in until), default=NOTHING)

    def admit(self, bucket: Bucket) -> None:
        """A call is about to be sent: refused here while the process knows better."""
        wait = self.wait(bucket)
        if wait > NOTHING:
            raise Throttled("NotBefore", f"{bucket[1]} of {bucket[0]}", wait)
        worker = self._scheduler.current
        for one in counted_as(bucket):
            self._witness.sent(one, worker.invocation if worker else None)

    def close(self, bucket: Bucket, after: timedelta) -> Throttled:
        """Azure says 429: the process that asked knows from now on."""
        worker = self._scheduler.current
        known, until = self._known(), self._scheduler.now + after
        known[bucket] = max(until, known.get(bucket, until))
        self._witness.told_to_wait(bucket, until, worker.invocation if worker else None)
        return Throttled("TooManyRequests", f"{bucket[1]} of {bucket[0]}", after)

    def _known(self) -> dict[Bucket, datetime]:
        worker = self._scheduler.current
        return worker.invocation.process.closed_until if worker else {}
