"""What a cold start costs: the package as it is deployed, imported by a fresh process of the platform's Python."""

from __future__ import annotations

import json
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from local.package.build import SITE, interpreter

# What a worker does before the first event, and what it took: waiting, processor time, memory at its highest.
COLD = """
import json, re, sys, time
sys.path[:0] = [{site!r}, {app!r}]
began, busy = time.perf_counter(), time.process_time()
import function_app
names = [each.get_function_name() for each in function_app.app.get_functions()]
cost = {{"seconds": time.perf_counter() - began, "busy": time.process_time() - busy}}
cost["mb"] = int(re.search("VmHWM:[^0-9]*([0-9]+)", open("/proc/self/status").read())[1]) / 1024
"""
TELL = "print(json.dumps({**cost, 'functions': len(names)}))"
TRIES = 3


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds until the functions are known, processor seconds of them, megabytes, and how many functions."""

    seconds: float
    busy: float
    mb: float
    functions: int


def cold_start(archive: Path) -> Start:
    """The quickest of a few starts: whatever else the machine does only adds to it."""
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        return min((_started(Path(folder)) for _ in range(TRIES)), key=lambda start: start.busy)


def program(unpacked: Path) -> str:
    """The program that starts what was unpacked."""
    return COLD.format(site=str(unpacked / SITE), app=str(unpacked))


def _started(unpacked: Path) -> Start:
    command = [str(interpreter()), "-I", "-c", program(unpacked) + TELL]
    ran = subprocess.run(command, env={}, capture_output=True, text=True, check=True)
    return Start(**json.loads(ran.stdout))
