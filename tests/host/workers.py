"""The two workers as subprocesses, for tests that hold one to the other."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LINES = Path(__file__).with_name("worker_lines.py")
RUNTIME_PYTHON = ROOT / ".venv-runtime" / "bin" / "python"


class WorkerProcess:
    """`own` in this Python, or `runtime` in the one azure-functions-runtime is installed for."""

    def __init__(self, kind: str) -> None:
        python = str(RUNTIME_PYTHON) if kind == "runtime" else sys.executable
        self._process = subprocess.Popen(
            [python, str(LINES), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHON_THREADPOOL_THREAD_COUNT": "2"},
        )
        self._verdicts: dict[str, dict[str, Any]] = {}

    def load(self, source: str) -> dict[str, Any]:
        return self._ask({"load": source})

    def invoke(self, call: dict[str, Any]) -> dict[str, Any]:
        return self._ask({"invoke": call})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
