"""One part of the local stack as a child process: started, awaited until ready, stopped, and never left behind.

Used by local.azurite and local.stack. Every child is the head of a process group of its own, its output goes to a
file, and a leash (local.leash) ends it even when this process dies by kill -9. Nothing here knows what the parts do.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")
READY_SECONDS = 120.0
STOP_SECONDS = 5.0


class PartFailed(Exception):
    """A part of the stack did not start or is gone; the message is one line for the person at the terminal."""


class Leash:
    """Holds parts so that they end with the block they were started in, or when this process is killed."""

    def __init__(self) -> None:
        self._parts: dict[int, Part] = {}
        self._watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LEASH)], stdin=subprocess.PIPE, start_new_session=True
        )

    def hold(self, part: Part) -> None:
        self._parts[part.pid] = part
        self.watch(part.pid)

    def release(self, part: Part) -> None:
        if self._parts.pop(part.pid, None) is not None:
            self.forget(part.pid)

    def watch(self, group: int) -> None:
        """End this process group when the owner of the leash is gone."""
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """The group has ended: its number may soon be another's."""
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        assert self._watcher.stdin is not None
        self._watcher.stdin.write(line.encode())
        self._watcher.stdin.flush()

    def close(self) -> None:
        """End everything still held, the latest first, and the watcher."""
        for part in reversed(list(self._parts.values())):
            part.stop()
        assert self._watcher.stdin is not None
        self._watcher.stdin.close()
        self._watcher.wait()


@contextlib.contextmanager
def leash() -> Iterator[Leash]:
    """A leash for the length of a block."""
    held = Leash()
    try:
        yield held
    finally:
        held.close()


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: the words, what is added to the environment, and where the output goes."""

    name: str
    words: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    directory: Path | None = None


class Part:
    """A running child process."""

    def __init__(self, command: Command, held: Leash) -> None:
        self.name = command.name
        self._log = command.log
        self._held = held
        command.log.parent.mkdir(parents=True, exist_ok=True)
        self._from = command.log.stat().st_size if command.log.exists() else 0
        try:
            with command.log.open("ab") as output:
                self._process = subprocess.Popen(
                    list(command.words),
                    cwd=command.directory,
                    env={**os.environ, "PYTHONUNBUFFERED": "1", **command.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except FileNotFoundError:
            raise PartFailed(f"{command.name} cannot start: '{command.words[0]}' is not there") from None
        held.hold(self)

    @property
    def pid(self) -> int:
        return self._process.pid

    def output(self) -> str:
        """What it has written since it was started."""
        with self._log.open("rb") as written:
            written.seek(self._from)
            return written.read().decode(errors="replace")

    def await_lines(self, pattern: re.Pattern[str], count: int) -> list[re.Match[str]]:
        """Wait until so many lines match; a part that ends first has failed, and its last line says why."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            ended = self._process.poll()
            found = list(pattern.finditer(self.output()))
            if len(found) >= count:
                return found
            if ended is not None:
                self.stop()
                raise PartFailed(f"{self.name} ended with code {ended} before it was ready: {self._last_words()}")
            time.sleep(0.01)
        self.stop()
        raise PartFailed(f"{self.name} was not ready after {READY_SECONDS:.0f} s: {self._last_words()}")

    def _last_words(self) -> str:
        lines = [line.strip() for line in self.output().splitlines() if line.strip()]
        return lines[-1] if lines else f"it said nothing (log: {self._log})"

    def running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """kill -9 of the whole group, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._held.release(self)

    def stop(self) -> None:
        """Ask it to end; kill it when it does not within a few seconds. Safe to repeat."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self.kill()


def processor_seconds(pid: int) -> float:
    """User and system time of a process, where the system tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
