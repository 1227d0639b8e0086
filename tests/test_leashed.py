"""A test run that is killed leaves nothing of what its harnesses started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STARTER = """
import subprocess, sys, time
from tests.leashed import leashed
child = leashed(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True))
print(child.pid, flush=True)
time.sleep(600)
"""


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=lambda how: how.name)
def test_what_a_killed_run_started_ends_with_it(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as run:
        assert run.stdout is not None
        child = int(run.stdout.readline())
        assert is_there(child)
        run.send_signal(how)
        run.wait(30)
        deadline = time.monotonic() + 30
        while is_there(child) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_there(child)
