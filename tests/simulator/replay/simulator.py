"""Starts the simulator as a process of its own and speaks HTTP to it. Called by the entry point and the tests."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.simulator.replay.comparison import Answer
from tests.simulator.replay.forms import decoded
from tests.simulator.replay.player import Request

REPOSITORY = Path(__file__).resolve().parents[3]
_NOTICED = 90.0  # Resource Graph sees a change within half a minute
_SOON = timedelta(hours=2)


class Simulator:
    """One connection to a running simulator; a player's service."""

    def __init__(self, url: str) -> None:
        split = urlsplit(url)
        self._connection = http.client.HTTPConnection(str(split.hostname), split.port, timeout=120)

    def send(self, request: Request) -> Answer:
        status, headers, body = self._exchange(request.method, request.target, request.body)
        return Answer(status, headers, body)

    def advance(self) -> bool:
        _, _, clock = self._exchange("GET", "/_sim/clock", None)
        if not clock["next"]:
            return False
        now, then = datetime.fromisoformat(clock["now"]), datetime.fromisoformat(clock["next"])
        if then - now > _SOON:
            return False
        self._exchange("POST", "/_sim/clock", {"to": clock["next"]} if then > now else {"advance": 0.2})
        return True

    def wait(self, seconds: float) -> None:
        self._exchange("POST", "/_sim/clock", {"advance": seconds})

    def begin(self, moment: datetime | None) -> None:
        if moment is not None:
            self._exchange("POST", "/_sim/clock", {"to": moment.isoformat()})

    def plant(self, resources: list[dict[str, Any]]) -> None:
        for resource in resources:
            status, _, body = self._exchange("POST", "/_sim/resources", resource)
            assert status in (200, 201), body

    def ready(self) -> None:
        self.wait(_NOTICED)

    def close(self) -> None:
        self._connection.close()

    def _exchange(self, method: str, target: str, body: Any) -> tuple[int, dict[str, str], Any]:
        headers = {"Authorization": "Bearer replay", "Accept": "application/json"}
        content = None
        if body is not None:
            content = json.dumps(body).encode() if not isinstance(body, str) else body.encode()
            headers["Content-Type"] = "application/json"
        elif method in ("PUT", "POST", "PATCH"):
            content = b""
        self._connection.request(method, target.replace(" ", "%20"), body=content, headers=headers)
        response = self._connection.getresponse()
        answered = decoded(response.read())
        return response.status, {name.lower(): value for name, value in response.getheaders()}, answered


@contextmanager
def running_simulator(seed: Path, now: datetime) -> Iterator[Simulator]:
    """Run one simulator until the block ends; its clock begins at a time and goes on only when told."""
    arguments = [sys.executable, "-m", "local.simulator", "--port", "0", "--clock", "manual", "--seed", str(seed)]
    arguments += ["--now", now.isoformat()]
    with subprocess.Popen(arguments, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            simulator = Simulator(json.loads(line)["url"])
            try:
                yield simulator
            finally:
                simulator.close()
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
