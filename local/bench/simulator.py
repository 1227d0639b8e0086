"""`python -m local.bench.simulator`: how fast and how large the simulator is, against its goals.

The server is a process of its own; a rate is requests per second of *its* processor time, so that what else this
machine does hardly matters. Prints a table; `--json` prints rows for bench.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from local.bench.estate import COMPUTE, snapshot

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOTS = 200_000
CONNECTIONS = 4
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its goal; `bound` says on which side of the goal it must lie."""

    figure: str
    value: float
    goal: float
    bound: str
    unit: str
    setup: str

    def met(self) -> bool:
        """Tell whether the goal is reached."""
        return self.value >= self.goal if self.bound == "at least" else self.value <= self.goal


@dataclass(slots=True)
class Server:
    """The server process: where it listens, what it costs."""

    process: subprocess.Popen[str]
    port: int
    filled: int

    def processor_seconds(self) -> float:
        """Return the processor time it used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _server(snapshots: int) -> Iterator[Server]:
    command = [sys.executable, "-m", "local.bench.estate", str(snapshots)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        filled = json.loads(process.stdout.readline())["filled"]
        url = json.loads(process.stdout.readline())["url"]
        yield Server(process, int(url.rsplit(":", 1)[1]), filled)
        process.communicate("")


class Caller:
    """One open connection that sends the same request again and again."""

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._request = (
            f"GET {path}{'&' if '?' in path else '?'}api-version=2026-03-02 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            "Authorization: Bearer e30.eyJvaWQiOiJiZW5jaCJ9.x\r\nAccept: application/json\r\n\r\n"
        ).encode()

    def ask(self) -> bytes:
        """Send the request and read the whole answer."""
        self._socket.sendall(self._request)
        found = b""
        while b"\r\n\r\n" not in found:
            found += self._socket.recv(65536)
        head, _, body = found.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        parts, got = [body], len(body)
        while got < length:
            parts.append(self._socket.recv(1 << 20))
            got += len(parts[-1])
        return b"".join(parts)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def _rate(server: Server, path: str, seconds: float) -> tuple[float, float]:
    """Return GETs per second of processor time and of real time."""
    counts, end = [0] * CONNECTIONS, time.monotonic() + seconds

    def call(at: int) -> None:
        caller = Caller(server.port, path)
        while time.monotonic() < end:
            caller.ask()
            counts[at] += 1
        caller.close()

    before, start = server.processor_seconds(), time.monotonic()
    threads = [threading.Thread(target=call, args=(at,)) for at in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = sum(counts)
    return total / (server.processor_seconds() - before), total / (time.monotonic() - start)


def _page(server: Server, pages: int) -> tuple[float, int]:
    """Return the milliseconds a page of 1,000 snapshots takes (median), and how many were on it."""
    caller = Caller(server.port, f"{COMPUTE}/snapshots")
    times, found = [], 0
    for _ in range(pages):
        start = time.perf_counter()
        body = caller.ask()
        times.append((time.perf_counter() - start) * 1000)
        found = len(json.loads(body)["value"])
    caller.close()
    return statistics.median(times), found


def _start() -> tuple[float, float]:
    """Return the seconds from nothing to the ready line, real and of the processor, each at best of three."""
    real, processor = [], []
    for _ in range(3):
        begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "local.simulator"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["ready"]
            real.append(time.monotonic() - begun)
            process.terminate()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(real), min(processor)


def rows(seconds: float, snapshots: int) -> list[Row]:
    """Measure everything."""
    started, worked = _start()
    with _server(snapshots) as server:
        one = f"{COMPUTE}/snapshots/{snapshot(snapshots // 2)['name']}"
        processor, real = _rate(server, one, seconds)
        page, size = _page(server, 20)
    assert size == min(1000, snapshots)
    setup = f"{snapshots} snapshots, HTTP, {CONNECTIONS} connections"
    return [
        Row("simulator_gets_per_core_second", processor, 1500, "at least", "GET/s", setup),
        Row("simulator_gets_per_second", real, 1500, "at least", "GET/s", f"{setup}, the caller on the same machine"),
        Row("simulator_page_ms", page, 30, "at most", "ms", f"median of 20 pages of {size}"),
        Row("simulator_mib", server.filled / MIB, 600, "at most", "MiB", f"{snapshots} snapshots, peak"),
        Row("simulator_start_s", started, 1, "at most", "s", "to the ready line, best of three"),
        Row("simulator_start_core_s", worked, 1, "at most", "s", "processor time of a start, best of three"),
    ]


def main() -> int:
    """Print the table; 1 means that a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.simulator", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each rate is measured")
    parser.add_argument("--snapshots", type=int, default=SNAPSHOTS)
    parser.add_argument("--json", action="store_true", help="rows for bench.json instead of a table")
    chosen = parser.parse_args()
    found = rows(chosen.seconds, chosen.snapshots)
    if chosen.json:
        print(json.dumps([asdict(row) for row in found]))
    else:
        for row in found:
            mark = "ok" if row.met() else "MISSED"
            print(f"{row.figure:32} {row.value:10.2f} {row.unit:6} {row.bound} {row.goal:6g}  {mark:7} {row.setup}")
    return 0 if all(row.met() for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
