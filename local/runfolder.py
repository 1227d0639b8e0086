"""What a running stack leaves in its folder (local/.run): addresses, shell settings, and the lock that makes it one.

Used by local.stack. The lock is the operating system's and goes with the process that holds it, so files that a killed
stack left behind are recognised as stale and replaced. The files' form is pinned: others read them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.process import PartFailed

PARTS = ("azurite", "simulator", "host")


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold the folder for one stack; another one that runs there is named, leftovers of a dead one are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise PartFailed(f"a local stack already runs here (process {lock.read().strip() or 'unknown'})") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        withdraw(folder)
        try:
            yield
        finally:
            withdraw(folder)


def withdraw(folder: Path) -> None:
    """Remove the addresses, so that nobody takes a stack that is gone for a running one."""
    for name in (*(f"{part}.json" for part in PARTS), "env"):
        (folder / name).unlink(missing_ok=True)


def announce(folder: Path, part: str, fields: Mapping[str, object]) -> None:
    """Write a part's address."""
    (folder / f"{part}.json").write_text(json.dumps(fields) + "\n")


def write_environment(folder: Path, settings: Mapping[str, str]) -> None:
    """Write the settings as shell lines to be sourced."""
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in sorted(settings.items()))
    (folder / "env").write_text("".join(lines))
