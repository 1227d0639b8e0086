"""A functions host as a process, its storage, and the questions tests ask both."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import Any

from azure.storage.queue import QueueClient, QueueServiceClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from local.azurite.server import Azurite
from tests.leashed import leashed, let_go

ROOT = Path(__file__).resolve().parents[2]
EVERYTHING = Path(__file__).with_name("apps") / "everything"
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str
    headers: Message

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def request(url: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, dict(headers or {}), method=method)
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as response:
            return Answer(response.status, response.read().decode(), response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode(), error.headers)


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "local.host", *options]


class HostProcess:
    """A host that has printed its ready line."""

    def __init__(self, app: Path, log: Path, settings: Mapping[str, str], *options: str) -> None:
        self.log = log
        with log.open("a") as output:
            self._process = leashed(
                subprocess.Popen(
                    command("--port", "0", "--app", str(app), *options),
                    stdout=subprocess.PIPE,
                    stderr=output,
                    cwd=ROOT,
                    env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
                    start_new_session=True,
                )
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.end(signal.SIGKILL)
            raise AssertionError(f"the host did not start: {log.read_text()[-2000:]}")
        self.ready: dict[str, Any] = json.loads(line)
        self.keys: dict[str, str] = self.ready["keys"]

    def call(
        self, path: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return request(self.ready["url"] + path, method, body, headers)

    def admin(self, path: str, method: str = "GET", body: Any = None) -> Answer:
        return self.call(path, method, body, {"x-functions-key": self.keys["master"]})

    def events(self, function: str, events: Any, kind: str = "Notification") -> Answer:
        path = f"/runtime/webhooks/eventgrid?functionName={function}&code={self.keys['eventgrid_extension']}"
        return self.call(path, "POST", events, {"aeg-event-type": kind})

    def idle(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.call("/_host/idle").json
        return answer

    def now(self) -> datetime:
        return datetime.fromisoformat(self.call("/_host/clock").json["now"])

    def logged(self, text: str) -> int:
        return self.log.read_text().count(text)

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Its exit code and how long it took to end."""
        began = time.monotonic()
        self._process.send_signal(how)
        code = self._process.wait(PATIENCE)
        let_go(self._process)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code, time.monotonic() - began


class Store:
    """The queues of one host under test; every host has a prefix of its own."""

    def __init__(self, azurite: Azurite, prefix: str) -> None:
        self.azurite = azurite
        self.prefix = prefix
        self.service = QueueServiceClient.from_connection_string(azurite.connection_string)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "AzureWebJobsStorage": self.azurite.connection_string,
            "AzureFunctionsWebHost__hostid": f"test-{self.prefix}",
            "PREFIX": self.prefix,
            "HOURLY": "0 0 * * * *",
            "AzureWebJobs.switched_off.Disabled": "true",
            "WEBSITE_TIME_ZONE": "UTC",
        }

    def queue(self, name: str, *, raw: bool = False) -> QueueClient:
        encode = None if raw else TextBase64EncodePolicy()
        decode = None if raw else TextBase64DecodePolicy()
        full = self.prefix + name
        return self.service.get_queue_client(full, message_encode_policy=encode, message_decode_policy=decode)

    def create(self, *names: str) -> None:
        for name in names:
            self.queue(name).create_queue()

    def send(self, name: str, *texts: str) -> None:
        for text in texts:
            self.queue(name).send_message(text)

    def taken(self, name: str) -> list[str]:
        """Everything visible in a queue; it is gone afterwards."""
        queue, texts = self.queue(name), []
        for message in queue.receive_messages(max_messages=None):
            texts.append(message.content)
            queue.delete_message(message)
        return texts

    def count(self, name: str) -> int:
        return self.queue(name).get_queue_properties().approximate_message_count or 0

    def seen(self, **wanted: object) -> dict[str, Any]:
        """Wait for the first line that has these values; lines before it are dropped."""
        found = [line for line in self.lines_until(lambda line: _fits(line, wanted)) if _fits(line, wanted)]
        return found[0]

    def lines_until(self, last: Any) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = []
        end = time.monotonic() + PATIENCE
        while not any(last(line) for line in lines):
            assert time.monotonic() < end, f"not seen; but {lines}"
            lines += [json.loads(text.removeprefix("seen ")) for text in self.taken("seen")]
            time.sleep(0.02)
        return lines

    def close(self) -> None:
        self.service.close()


def _fits(line: dict[str, Any], wanted: Mapping[str, object]) -> bool:
    return all(line.get(key) == value for key, value in wanted.items())


def move(azurite: Azurite, host: HostProcess, to: datetime) -> None:
    """Storage first, then the host, which may act at once."""
    request(azurite.clock_url + "/clock", "POST", {"to": to.isoformat()})
    assert host.call("/_host/clock", "POST", {"to": to.isoformat()}).status == 200


def settle(host: HostProcess) -> dict[str, Any]:
    """Wait until the host is idle twice with nothing done in between."""
    end, before = time.monotonic() + PATIENCE, -1
    while time.monotonic() < end:
        look = host.idle()
        if look["idle"] and look["activity"] == before:
            return look
        before = look["activity"] if look["idle"] else -1
        time.sleep(0.005)
    raise AssertionError(f"never idle: {look}")


def live(azurite: Azurite, host: HostProcess, length: timedelta) -> int:
    """Let virtual time pass, jumping whenever nothing is left to do; the number of jumps."""
    until, jumps = host.now() + length, 0
    while (look := settle(host))["next"] is not None and host.now() < until:
        upcoming = datetime.fromisoformat(look["next"])
        move(azurite, host, min(upcoming, until))
        jumps += 1
    return jumps


@contextmanager
def running(store: Store, log: Path, *options: str, **settings: str) -> Iterator[HostProcess]:
    host = HostProcess(EVERYTHING, log, {**store.settings, **settings}, *options)
    try:
        yield host
    finally:
        host.end(signal.SIGKILL)
