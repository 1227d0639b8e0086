"""One call to Azure: tried again for seconds where that is safe, its failure named by what happens next.

Used by every adapter; the only user of tenacity and the only translator of SDK exceptions. SDK clients retry nothing
themselves (`retry_total=0`), so retries never multiply. It never waits longer than `BUDGET` in sum: a longer
Retry-After is raised as `Throttled`, and whoever keeps time in minutes or hours waits.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from shared.cloud.refusals import refusal, retry_after
from shared.errors import CloudError, OutcomeUnknown, Throttled, Unavailable
from shared.ports import Clock

Answer = TypeVar("Answer")
TRIES = 4
BUDGET = timedelta(seconds=8)
_JITTER = wait_random_exponential(multiplier=0.25, max=4)


class Calls:
    """Runs calls. Retry-After is slept through the clock, so it is honoured in whatever time the clock shows."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def repeatable(self, action: Callable[[], Answer]) -> Answer:
        """Run a read, or a write that may be done twice. A lost answer is only a reason to ask again."""
        try:
            return self._run(action, (Throttled, Unavailable, OutcomeUnknown))
        except OutcomeUnknown as lost:
            after = self._told(lost)
            if after:
                raise Throttled(lost.code, lost.message, after) from lost.__cause__
            raise Unavailable(lost.code, lost.message, lost.status) from lost.__cause__

    def once(self, action: Callable[[], Answer]) -> Answer:
        """Run a write that must not be done twice: tried again only while nothing can have reached Azure.

        A 429 is not slept through either: pacing and the ledger decide when its turn comes.
        """
        return self._run(action, (Unavailable,))

    def _run(self, action: Callable[[], Answer], again: tuple[type[CloudError], ...]) -> Answer:
        retrying = Retrying(
            retry=retry_if_exception_type(again), wait=self._wait, stop=_stop, sleep=self._clock.sleep, reraise=True
        )
        answer: Answer = retrying(self._translated, action)
        return answer

    def _translated(self, action: Callable[[], Answer]) -> Answer:
        from azure.core.exceptions import AzureError

        try:
            return action()
        except AzureError as error:
            raise refusal(error, self._clock.now()) from error

    def _wait(self, state: RetryCallState) -> float:
        assert state.outcome is not None
        error = state.outcome.exception()
        told = error.after if isinstance(error, Throttled) else self._told(error)
        return told.total_seconds() + _JITTER(state)

    def _told(self, error: BaseException | None) -> timedelta:
        """What a 503 said of when to come back; zero when it said nothing."""
        headers = getattr(getattr(error.__cause__ if error else None, "response", None), "headers", None)
        return (retry_after(headers, self._clock.now()) if headers else None) or timedelta(0)


def _stop(state: RetryCallState) -> bool:
    return state.attempt_number >= TRIES or state.idle_for + state.upcoming_sleep > BUDGET.total_seconds()
