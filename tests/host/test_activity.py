"""Whether the app is quiet can be asked at any moment, whatever its threads are about."""

from __future__ import annotations

import subprocess
import sys

LONGEST = 60  # seconds; it takes three


def test_looking_at_threads_never_stands_still_when_one_begins_while_garbage_is_collected() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.host.restless"], check=False, timeout=LONGEST)
    assert done.returncode == 0
