"""The host process's wall clock, which can be moved forward, and everything that waits on it.

Listeners wait with `until`; app code waits with `time.sleep`, which becomes a virtual wait. `monotonic` never moves,
and as long as nobody calls `move_to` nothing but `time.sleep` is patched.
"""

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, SupportsIndex

if TYPE_CHECKING:
    import time_machine

REAL_SLEEP = time.sleep
# One wait of the event loop; a clock that somebody sets by hand is noticed within this time.
LONGEST_WAIT = 60.0


class Clock:
    """Wall clock of this process."""

    def __init__(self) -> None:
        self._traveller: time_machine.Traveller | None = None
        self._moved = threading.Condition()
        self._sleepers: dict[int, float] = {}
        self._waits: dict[object, float] = {}
        self._wakers: set[asyncio.Event] = set()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def move_to(self, when: datetime) -> datetime:
        """Move the wall clock forward and wake whoever waited for it; a time already passed is left alone."""
        ahead = when - self.now()
        if ahead > timedelta(0):
            with self._moved:
                self._shift(ahead)
                self._moved.notify_all()
            for waker in self._wakers:
                waker.set()
        return self.now()

    def _shift(self, ahead: timedelta) -> None:
        import time_machine  # loads pytest where that is installed, so only a host that travels pays for it

        if self._traveller is None:
            self._traveller = time_machine.travel(time.time() + ahead.total_seconds(), tick=True).start()
        else:
            self._traveller.shift(ahead)

    def install_sleep(self) -> None:
        """Let `time.sleep` of every thread but this one wait for the virtual clock."""
        host_thread = threading.get_ident()

        def sleep(seconds: SupportsIndex | float, /) -> None:
            if threading.get_ident() == host_thread or not isinstance(seconds, (int, float)) or not seconds > 0:
                REAL_SLEEP(seconds)
            else:
                self.sleep(seconds)

        time.sleep = sleep

    def sleep(self, seconds: float) -> None:
        """Return once the wall clock has passed now + seconds, by itself or by a move."""
        thread = threading.get_ident()
        wake = time.time() + seconds
        with self._moved:
            self._sleepers[thread] = wake
            try:
                while (remaining := wake - time.time()) > 0:
                    self._moved.wait(min(remaining, threading.TIMEOUT_MAX))
            finally:
                del self._sleepers[thread]

    def sleeping_threads(self) -> frozenset[int]:
        """Threads in a virtual sleep that is not over yet."""
        now = time.time()
        with self._moved:
            return frozenset(thread for thread, wake in self._sleepers.items() if wake > now)

    @contextlib.contextmanager
    def _announced(self, when: float) -> Iterator[asyncio.Event]:
        token, waker = object(), asyncio.Event()
        self._waits[token] = when
        self._wakers.add(waker)
        try:
            yield waker
        finally:
            self._waits.pop(token)
            self._wakers.discard(waker)

    async def until(self, when: datetime) -> None:
        """Wait for a wall-clock time, and announce it as the next thing that will happen."""
        wake = when.timestamp()
        with self._announced(wake) as waker:
            while (remaining := wake - time.time()) > 0:
                waker.clear()
                # wait_for would lose a cancellation that comes as the clock moves (Python 3.11)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(remaining, LONGEST_WAIT)):
                        await waker.wait()

    def is_due(self) -> bool:
        """Has somebody's time come who has not run yet?"""
        upcoming = self.next()
        return upcoming is not None and upcoming <= self.now()

    def next(self) -> datetime | None:
        """The earliest wall-clock time anything waits for, rounded up so that reaching it is enough."""
        with self._moved:
            waits = [*self._sleepers.values(), *self._waits.values()]
        if not waits:
            return None
        return datetime.fromtimestamp(math.ceil(min(waits) * 1e6) / 1e6, UTC)
