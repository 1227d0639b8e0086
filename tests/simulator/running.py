"""Starts simulators for tests and talks to their control routes; leaves nothing behind."""

import asyncio
import base64
import http.client
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.simulator.buckets import Limits
from local.simulator.clock import Clock, Mode, parse_time
from local.simulator.exchanges import asked_for
from local.simulator.journal import Journal
from local.simulator.seed import plant
from local.simulator.server import Server
from local.simulator.world import build
from tests.leashed import leashed, let_go

REPOSITORY = Path(__file__).resolve().parents[2]
SUBSCRIPTION = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER = "aaaaaaaa-0000-4000-8000-000000000002"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/web"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
TENANT = "11111111-1111-1111-1111-111111111111"
START = "2026-11-20T00:00:00Z"
UNFINISHED = ("Creating", "Updating", "Provisioning")
PATIENCE = 120.0  # seconds for an answer: only a machine that is busy with other things takes so long
TRIES = 20  # minutes; the longest of the recorded creations took six

SEED = f"""
[[subscription]]
id = "{SUBSCRIPTION}"

[[subscription]]
id = "{OTHER}"

[[group]]
subscription = "{SUBSCRIPTION}"
name = "web"
location = "westeurope"
tags = {{ team = "shop" }}

[[group]]
subscription = "{SUBSCRIPTION}"
name = "backups"
location = "westeurope"

[[vm]]
subscription = "{SUBSCRIPTION}"
group = "web"
name = "vm1"
size = "Standard_D2s_v5"
zone = "1"
tags = {{ backup = "silver" }}
disks = [
  {{ name = "vm1-os", gib = 30, sku = "Premium_LRS", os = "Linux" }},
  {{ name = "vm1-data", gib = 64, sku = "Premium_LRS", lun = 3, caching = "ReadOnly" }},
]
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request came back with."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The code of an ARM error."""
        return str(self.body["error"]["code"])


@dataclass(slots=True)
class Running:
    """A simulator that runs, and one connection to it that is kept open: threads that share it take turns."""

    url: str
    ca: Path | None = None
    process: subprocess.Popen[str] | None = None
    connection: http.client.HTTPConnection = field(init=False)
    turn: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        split = urlsplit(self.url)
        host, port = str(split.hostname), split.port
        self.connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
        if self.ca is not None:
            context = ssl.create_default_context(cafile=str(self.ca))
            self.connection = http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=context)

    def ask(self, method: str, path: str, body: Any = None, principal: str = "test", **headers: str) -> Answer:
        """Send one request; a path without an api-version gets one."""
        target = path.removeprefix(self.url)
        if "api-version=" not in target and "/_sim/" not in target:
            target += ("&" if "?" in target else "?") + "api-version=2026-03-02"
        sent = {"Authorization": f"Bearer {bearer(principal)}", "Content-Type": "application/json"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        with self.turn:
            try:
                self.connection.request(method, target, None if body is None else json.dumps(body).encode(), sent)
                answer = self.connection.getresponse()
                return _answer(answer.status, dict(answer.getheaders()), answer.read())
            except (OSError, http.client.HTTPException):
                self.connection.close()
                raise

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Send a control request and return what it says."""
        answer = self.ask(method, f"/_sim/{path}", body)
        assert answer.status < 300, answer
        return answer.body

    def advance(self, seconds: float) -> dict[str, Any]:
        """Let virtual time pass."""
        moved: dict[str, Any] = self.control("POST", "clock", {"advance": seconds})
        return moved

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def put_done(self, path: str, body: Any, principal: str = "test") -> Any:
        """Create something and let time pass until it is made, which can take minutes; return the finished resource."""
        answer = self.ask("PUT", path, body, principal)
        assert answer.status in (200, 201, 202), answer
        for _ in range(TRIES):
            self.advance(60)
            made = self.ask("GET", path).body
            if made.get("properties", {}).get("provisioningState") not in UNFINISHED:
                return made
        raise AssertionError(f"not made after {TRIES} minutes: {made}")


def _answer(status: int, headers: dict[str, str], raw: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, json.loads(raw) if raw else None)


def bearer(principal: str) -> str:
    """Return a token that speaks for a principal."""
    middle = base64.urlsafe_b64encode(json.dumps({"oid": principal}).encode()).decode().rstrip("=")
    return f"e30.{middle}.x"


@contextmanager
def simulator(directory: Path, *arguments: str, seed: str | None = SEED, clock: str = "manual") -> Iterator[Running]:
    """Run a simulator as a process of its own until the block ends."""
    command = [sys.executable, "-m", "local.simulator", "--clock", clock, *arguments]
    if clock != "real":
        command += ["--now", START]
    if seed is not None:
        path = directory / "seed.toml"
        path.write_text(seed, encoding="utf-8")
        command += ["--seed", str(path)]
    started = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, start_new_session=True)
    with leashed(started) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "the simulator did not start"
            tls = Path(arguments[arguments.index("--tls-dir") + 1]) / "ca.pem" if "--tls-dir" in arguments else None
            with closing(Running(json.loads(line)["url"], tls, process)) as running:
                yield running
        finally:
            process.terminate()
            process.wait()
            let_go(process)


@contextmanager
def inside(directory: Path, seed: str = SEED, limits: Limits | None = None) -> Iterator[Running]:
    """Run a simulator on a thread of this process: the same server and sockets, without the start of a process."""
    path = directory / "seed.toml"
    path.write_text(seed, encoding="utf-8")
    world = build(Clock(Mode.MANUAL, parse_time(START)), Journal(None), "0", limits or Limits())
    plant(world, path)
    loop = asyncio.new_event_loop()
    server = Server(world, None, asked_for(None))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        url = asyncio.run_coroutine_threadsafe(server.start("127.0.0.1", 0), loop).result(PATIENCE)
        with closing(Running(url)) as running:
            yield running
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


def snapshot_body(disk: str = "vm1-os", **properties: Any) -> dict[str, Any]:
    """Return the body of an incremental snapshot of a seeded disk."""
    creation = {"createOption": "Copy", "sourceResourceId": f"{COMPUTE}/disks/{disk}"}
    return {"location": "westeurope", "properties": {"incremental": True, "creationData": creation, **properties}}


def snapshot_path(name: str, group: str = "backups") -> str:
    """Return the id of a snapshot."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute/snapshots/{name}"
