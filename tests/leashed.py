"""Processes that tests start and that end with them, even when a test run is killed: used by the harnesses."""

from __future__ import annotations

import atexit
import subprocess
from functools import cache
from typing import AnyStr

from local.process import Leash


@cache
def _leash() -> Leash:
    held = Leash()
    atexit.register(held.close)
    return held


def leashed(process: subprocess.Popen[AnyStr]) -> subprocess.Popen[AnyStr]:
    """The same process, which is the head of a session of its own; `let_go` once it has ended."""
    _leash().watch(process.pid)
    return process


def let_go(process: subprocess.Popen[AnyStr]) -> None:
    _leash().forget(process.pid)
