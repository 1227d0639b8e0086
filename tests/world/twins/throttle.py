"""Azure's buckets as callers meet them: a 429 closes one kind of calls of one scope until its Retry-After has passed.

The adapters feed what they are told to Pace, per process; so does this twin. Whether somebody calls earlier is for the
witness to judge.
"""

from __future__ import annotations

from datetime import timedelta

from shared.errors import Throttled
from tests.world.scheduler import Scheduler
from tests.world.steps import Bucket
from tests.world.twins.witness import Witness


class Throttle:
    """Who was told to wait, until when."""

    def __init__(self, scheduler: Scheduler, witness: Witness) -> None:
        self._scheduler = scheduler
        self._witness = witness

    def admit(self, bucket: Bucket) -> None:
        """A call is being sent."""
        worker = self._scheduler.current
        self._witness.sent(bucket, worker.invocation if worker else None)

    def close(self, bucket: Bucket, after: timedelta) -> Throttled:
        """Azure says 429: the process that asked knows, and so does its Pace."""
        worker = self._scheduler.current
        until = self._scheduler.now + after
        if worker is not None:
            known = worker.invocation.process.closed_until
            known[bucket] = max(until, known.get(bucket, until))
        self._witness.told_to_wait(bucket, until, worker.invocation if worker else None)
        return Throttled("TooManyRequests", f"{bucket[1]} of {bucket[0]}", after)
