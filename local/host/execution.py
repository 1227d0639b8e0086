"""Runs one invocation to its end: worker, time limit, retries, outputs.

Called by every listener and by the admin route. Never lets an exception of user code out: it becomes an Outcome.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from azure.core.exceptions import AzureError
from azure.functions.meta import Datum

from local.host.activity import Activity
from local.host.clock import Clock
from local.host.outputs import QueueOutputs
from local.host.values import FunctionDefinition, FunctionInError, Invocation, Outcome
from local.host.worker import Worker

log = logging.getLogger("host")


class Execution:
    """What it takes to run a function."""

    def __init__(
        self, worker: Worker, outputs: QueueOutputs, clock: Clock, activity: Activity, timeout: timedelta | None
    ) -> None:
        self._worker = worker
        self._outputs = outputs
        self._clock = clock
        self._activity = activity
        self._timeout = timeout

    async def run(
        self, function: FunctionDefinition, datum: Datum, metadata: Mapping[str, Datum] | None = None
    ) -> Outcome:
        """Invoke, and again as often as the function's retry policy says."""
        retry = function.retry
        limit = retry.max_count if retry else 0
        invocation = Invocation(
            str(uuid.uuid4()), function.id, ((function.trigger.name, datum),), metadata or {}, 0, limit
        )
        while True:
            outcome = await self._once(function, invocation)
            if outcome.ok or retry is None or invocation.retry_count == retry.max_count:
                return outcome
            invocation = replace(invocation, id=str(uuid.uuid4()), retry_count=invocation.retry_count + 1)
            log.info("Waiting to retry '%s' (%d of %d).", function.name, invocation.retry_count, retry.max_count)
            await self._clock.until(self._clock.now() + retry.delay(invocation.retry_count))

    async def _once(self, function: FunctionDefinition, invocation: Invocation) -> Outcome:
        log.info("Executing 'Functions.%s' (Id=%s)", function.name, invocation.id)
        self._activity.started(invocation.id)
        started = self._clock.now()
        try:
            outcome = await self._limited(function, invocation)
            if outcome.ok:
                await self._outputs.write(function, outcome)
        except (AzureError, FunctionInError) as error:
            outcome = Outcome(False, error=f"error while writing an output binding: {error}")
        finally:
            self._activity.ended(invocation.id)
        took = (self._clock.now() - started) / timedelta(milliseconds=1)
        if outcome.ok:
            log.info("Executed 'Functions.%s' (Succeeded, Id=%s, Duration=%.0fms)", function.name, invocation.id, took)
        else:
            form = "Executed 'Functions.%s' (Failed, Id=%s, Duration=%.0fms) %s\n%s"
            log.error(form, function.name, invocation.id, took, outcome.error, outcome.traceback)
        return outcome

    async def _limited(self, function: FunctionDefinition, invocation: Invocation) -> Outcome:
        if self._timeout is None:
            return await self._worker.invoke(invocation)
        work = asyncio.ensure_future(self._worker.invoke(invocation))
        alarm = asyncio.ensure_future(self._clock.until(self._clock.now() + self._timeout))
        try:
            await asyncio.wait((work, alarm), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            self._worker.recycle()
            return Outcome(False, error=f"Timeout value of {self._timeout} exceeded by function: {function.name}")
        finally:
            alarm.cancel()
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await alarm
