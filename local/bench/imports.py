"""What it costs to import the app: seconds and memory of a process that does nothing else. Best of several runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from local.bench.rows import Row

ROOT = Path(__file__).resolve().parents[2]
RUNS = 5
# Processor time, so that what else runs on this machine hardly matters; the interpreter's own start is in it.
# Memory is VmHWM: what getrusage says of a new process begins with what its parent had used.
PROGRAM = """
import json, resource, function_app
used = resource.getrusage(resource.RUSAGE_SELF)
most = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([used.ru_utime + used.ru_stime, int(most) / 1024]))
"""
SETTINGS = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "TAGBACK_SUBSCRIPTIONS": "a0000000-0000-4000-8000-000000000001",
}


def figures() -> Iterator[Row]:
    """`import_seconds` and `import_mb`."""
    with tempfile.TemporaryDirectory() as compiled:
        _run(compiled)  # leaves the .pyc files that a deployed package brings along
        runs = [_run(compiled) for _ in range(RUNS)]
    setup = f"import function_app in a fresh process with warm .pyc, processor time, best of {RUNS}"
    yield Row("import_seconds", min(run[0] for run in runs), 0.5, None, "s", setup)
    yield Row("import_mb", min(run[1] for run in runs), 70, None, "MB", setup)


def _run(compiled: str) -> tuple[float, float]:
    environment = {**os.environ, **SETTINGS, "PYTHONPYCACHEPREFIX": compiled}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    seconds, megabytes = json.loads(done.stdout.splitlines()[-1])
    return float(seconds), float(megabytes)
