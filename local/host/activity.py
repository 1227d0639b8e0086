"""What the app is doing: invocations under way, and whether all of them only wait for virtual time.

Counted by `execution` and the front, read by `control`. Never stops or starts anything.
"""

import contextlib
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from local.host.clock import Clock

# A thread whose innermost Python frame is in one of these waits for another thread.
WAITING_FILES = ("threading.py", "concurrent/futures/thread.py", "concurrent/futures/_base.py", "queue.py")


class Activity:
    """The counter others compare, and the judgement whether something can still happen without time passing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count = 0
        self._steps = 0
        self._running: dict[str, int | None] = {}
        self._lock = threading.Lock()
        self._host_threads = {threading.get_ident()}

    @property
    def count(self) -> int:
        return self._count

    @property
    def running(self) -> int:
        return len(self._running)

    def happened(self) -> None:
        with self._lock:
            self._count += 1

    def adopt_thread(self) -> None:
        """The calling thread belongs to the host, not to the app."""
        self._host_threads.add(threading.get_ident())

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """The host itself is on its way from one state to the next (a message taken, a status written)."""
        self._steps += 1
        try:
            yield
        finally:
            self._steps -= 1

    def started(self, invocation: str) -> None:
        with self._lock:
            self._count += 1
            self._running[invocation] = None

    def ended(self, invocation: str) -> None:
        with self._lock:
            self._count += 1
            self._running.pop(invocation, None)

    def on_this_thread(self, invocation: str, call: Callable[[], Any]) -> Any:
        """Run the body of an invocation and remember where it runs."""
        with self._lock:
            if invocation in self._running:
                self._running[invocation] = threading.get_ident()
        return call()

    def is_quiet(self) -> bool:
        """No invocation runs, or all of them and their helper threads wait for a virtual sleep to end."""
        if self._steps:
            return False
        if not self._running:
            return True
        asleep = self._clock.sleeping_threads()
        if not asleep:
            return False
        with self._lock:
            bodies = set(self._running.values())
        if None in bodies:  # still queued, or an async function, whose waits are not virtual
            return False
        frames = _frames()
        others = (set(frames) | bodies) - self._host_threads - asleep
        return all(_waits_for_a_thread(frames.get(thread)) for thread in others if thread is not None)


def _frames() -> dict[int, FrameType]:
    """Where every thread is. Nothing is collected meanwhile: a collection lets go of the interpreter while its list of
    threads is locked, and a thread that begins just then has both stand still for ever (cpython#106883, until 3.11.8).
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return sys._current_frames()
    finally:
        if collecting:
            gc.enable()


def _waits_for_a_thread(frame: FrameType | None) -> bool:
    return frame is None or frame.f_code.co_filename.endswith(WAITING_FILES)
