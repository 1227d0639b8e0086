"""Starts simulators for tests and talks to their control routes; leaves nothing behind."""

import base64
import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
SUBSCRIPTION = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER = "aaaaaaaa-0000-4000-8000-000000000002"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/web"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
TENANT = "11111111-1111-1111-1111-111111111111"
START = "2026-11-20T00:00:00Z"

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
    """A simulator that runs."""

    url: str
    process: subprocess.Popen[str]
    ca: Path | None = None
    context: ssl.SSLContext | None = field(default=None)

    def ask(self, method: str, path: str, body: Any = None, principal: str = "test", **headers: str) -> Answer:
        """Send one request; a path without an api-version gets one."""
        url = path if "://" in path else self.url + path
        if "api-version=" not in url and "/_sim/" not in url:
            url += ("&" if "?" in url else "?") + "api-version=2022-09-01"
        sent = {"Authorization": f"Bearer {bearer(principal)}", "Content-Type": "application/json"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        raw = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=raw, method=method, headers=sent)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=20) as answer:
                return _answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, dict(error.headers), error.read())

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Send a control request and return what it says."""
        answer = self.ask(method, f"/_sim/{path}", body)
        assert answer.status < 300, answer
        return answer.body

    def advance(self, seconds: float) -> dict[str, Any]:
        """Let virtual time pass."""
        moved: dict[str, Any] = self.control("POST", "clock", {"advance": seconds})
        return moved

    def put_done(self, path: str, body: Any, principal: str = "test") -> Any:
        """Create something and let a minute pass; return the finished resource."""
        answer = self.ask("PUT", path, body, principal)
        assert answer.status in (200, 201, 202), answer
        self.advance(60)
        return self.ask("GET", path).body


def _answer(status: int, headers: dict[str, str], raw: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, json.loads(raw) if raw else None)


def bearer(principal: str) -> str:
    """Return a token that speaks for a principal."""
    middle = base64.urlsafe_b64encode(json.dumps({"oid": principal}).encode()).decode().rstrip("=")
    return f"e30.{middle}.x"


@contextmanager
def simulator(directory: Path, *arguments: str, seed: str | None = SEED, clock: str = "manual") -> Iterator[Running]:
    """Run a simulator until the block ends."""
    command = [sys.executable, "-m", "local.simulator", "--clock", clock, *arguments]
    if clock != "real":
        command += ["--now", START]
    if seed is not None:
        path = directory / "seed.toml"
        path.write_text(seed, encoding="utf-8")
        command += ["--seed", str(path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "the simulator did not start"
            running = Running(json.loads(line)["url"], process)
            if "--tls-dir" in arguments:
                running.ca = Path(arguments[arguments.index("--tls-dir") + 1]) / "ca.pem"
                running.context = ssl.create_default_context(cafile=str(running.ca))
            yield running
        finally:
            process.terminate()


def snapshot_body(disk: str = "vm1-os", **properties: Any) -> dict[str, Any]:
    """Return the body of an incremental snapshot of a seeded disk."""
    creation = {"createOption": "Copy", "sourceResourceId": f"{COMPUTE}/disks/{disk}"}
    return {"location": "westeurope", "properties": {"incremental": True, "creationData": creation, **properties}}


def snapshot_path(name: str, group: str = "backups") -> str:
    """Return the id of a snapshot."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute/snapshots/{name}"
