"""Ends process groups when the process that started them is gone, however it went. local.process starts this file.

Reads `+ID` (watch this group) and `-ID` (no longer) line by line on standard input. The end of input means that the
owner has gone: what is still watched is asked to stop and, five seconds later, killed. It never outlives that.
"""

import os
import signal
import sys
import time

GRACE = 5.0
PROBE = 0


def send(group: int, number: int) -> bool:
    """Signal one group; false when nothing of it is left."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def watch() -> None:
    """Follow the owner's list until the owner is gone, then end what is on it."""
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    groups = {group for group in groups if send(group, signal.SIGTERM)}
    deadline = time.monotonic() + GRACE
    while groups and time.monotonic() < deadline:
        time.sleep(0.02)
        groups = {group for group in groups if send(group, PROBE)}
    for group in groups:
        send(group, signal.SIGKILL)


if __name__ == "__main__":
    watch()
