"""`python -m tests.host.restless`: asks whether the app is quiet again and again, while threads come and go.

Garbage is collected as often as can be. Ends with 0; it never ends where a collection meets a thread that begins.
"""

from __future__ import annotations

import gc
import threading
import time

from local.host.activity import Activity
from local.host.clock import Clock

LOOKS = 1500
NEIGHBOURS = 8


class Asleep(Clock):
    """A clock by which somebody always sleeps, so that a look has to go through all threads."""

    def sleeping_threads(self) -> frozenset[int]:
        return frozenset({-1})


class Circle:
    """Rubbish that lets go of the interpreter when it is collected, as much of an app's does."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        time.sleep(0.001)


def main() -> None:
    activity, over = Activity(Asleep()), threading.Event()
    activity.started("one")
    body = threading.Thread(target=activity.on_this_thread, args=("one", over.wait), daemon=True)
    body.start()

    def come_and_go() -> None:
        while not over.is_set():
            child = threading.Thread(target=list)
            child.start()
            child.join()

    for _ in range(NEIGHBOURS):
        threading.Thread(target=come_and_go, daemon=True).start()
    for number in range(LOOKS):
        gc.set_threshold(1 + number % 16)  # so that a collection begins now here, now there
        Circle()
        activity.is_quiet()
    over.set()
    assert gc.isenabled()


if __name__ == "__main__":
    main()
