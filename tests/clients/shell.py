"""A person's shell with az in it: commands go to one long-lived az process, or to the `az` executable itself.

Used by test_az.py. Its home, its configuration and its environment are its own; nothing of the machine's is touched.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.clients.installed import AZ

WORKER = Path(__file__).with_name("az_worker.py")
PATIENCE = 600.0  # seconds for one command: half a minute where nothing else runs, minutes on a busy machine


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one command ended."""

    exit: int
    stdout: str
    stderr: str


class Stuck(Exception):
    """A command did not end in time, or ended az with it."""


@dataclass(slots=True)
class Shell:
    """Where commands are typed."""

    environment: Mapping[str, str]
    _process: subprocess.Popen[str] | None = field(default=None, init=False)

    def run(self, words: Sequence[str]) -> Outcome:
        """Run one az command in the process that is kept."""
        return Outcome(**self._exchange({"run": list(words)}))

    def run_executable(self, words: Sequence[str]) -> Outcome:
        """Run one command with the `az` executable, as a shell does."""
        done = subprocess.run(
            [AZ, *words],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def search(self, document: Any, expressions: Sequence[str]) -> dict[str, Any]:
        """Evaluate JMESPath expressions with the library that az's own --query uses."""
        return self._exchange({"document": document, "ask": list(expressions)})

    def _exchange(self, task: Mapping[str, Any]) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        deadline = threading.Timer(PATIENCE, process.kill)
        deadline.start()
        try:
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        finally:
            deadline.cancel()
        if not line:
            raise Stuck(f"no answer within {PATIENCE:.0f} s, or az is gone: {task}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [AZ.with_name("python"), WORKER],
                env=dict(self.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self._process

    def close(self) -> None:
        """End the process that is kept."""
        if self._process is not None:
            with self._process as process:
                process.kill()


@contextmanager
def shell(environment: Mapping[str, str]) -> Iterator[Shell]:
    """Open a shell for the length of a block."""
    opened = Shell(environment)
    try:
        yield opened
    finally:
        opened.close()


def plain_environment(home: Path, **more: str) -> dict[str, str]:
    """What any client gets: a home of its own, no telemetry, no proxy but the one given."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "NO_PROXY": "localhost,127.0.0.1",
        **more,
    }
