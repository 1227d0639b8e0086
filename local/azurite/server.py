"""Starts Azurite as a child process with a clock that can be moved ahead. Used by local.stack and by tests.

The emulator is the npm package as it is; clock.js, loaded into its Node process, offsets `Date` and writes the request
log. Ports are free ones unless told. It never touches a storage account or an emulator that is already running.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from local.process import Command, Leash, Part, PartFailed

HERE = Path(__file__).parent
PROGRAM = HERE / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
PRELOAD = HERE / "clock.js"
ACCOUNT = "devstoreaccount1"
# The emulator's public, documented account key.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
OLDEST_NODE = 20
SERVICES = ("blob", "queue", "table")
LISTENING = re.compile(
    r"^(?:Azurite (?P<service>Blob|Queue|Table) service is successfully listening|(?P<clock>clock) control) at "
    r"(?P<url>http://127\.0\.0\.1:\d+)\r?$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where Azurite listens (0 = any free port), where it keeps its log files, and the instant it starts at."""

    directory: Path
    blob: int = 0
    queue: int = 0
    table: int = 0
    now: datetime | None = None


class Azurite:
    """A running emulator."""

    def __init__(self, part: Part, urls: Mapping[str, str], requests: Path) -> None:
        self._part = part
        self.clock_url = urls["clock"]
        self.urls = {service: f"{urls[service]}/{ACCOUNT}" for service in SERVICES}
        self._services = {int(urls[service].rpartition(":")[2]): service for service in SERVICES}
        self._requests = requests

    @property
    def pid(self) -> int:
        return self._part.pid

    @property
    def connection_string(self) -> str:
        endpoints = "".join(f"{service.title()}Endpoint={url};" for service, url in self.urls.items())
        return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{endpoints}"

    def requests(self) -> Iterator[dict[str, object]]:
        """Every storage request answered so far, in order of completion."""
        with self._requests.open(encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                yield {"service": self._services[record.pop("port")], **record}

    def break_down(self, service: str, until: datetime) -> None:
        """Have `blob`, `queue` or `table` answer 503 ServerBusy until an instant of the emulator's own clock."""
        port = next(port for port, name in self._services.items() if name == service)
        control = urlsplit(self.clock_url)
        assert control.hostname is not None
        connection = http.client.HTTPConnection(control.hostname, control.port, timeout=10)
        try:
            connection.request("POST", "/outage", json.dumps({"port": port, "until": until.isoformat()}))
            connection.getresponse().read()
        finally:
            connection.close()

    def running(self) -> bool:
        return self._part.running()

    def stop(self) -> None:
        self._part.stop()


def start(wanted: Wanted, held: Leash) -> Azurite:
    """Start an emulator that keeps everything in memory, and wait until all three services answer."""
    node = _node()
    if not PROGRAM.exists():
        raise PartFailed("Azurite is not installed: run `make install`")
    for port in (wanted.blob, wanted.queue, wanted.table):
        refuse_taken(port, "Azurite")
    wanted.directory.mkdir(parents=True, exist_ok=True)
    requests = wanted.directory / "requests.jsonl"
    requests.write_text("")
    environment = {"AZURITE_REQUEST_LOG": str(requests)}
    if wanted.now is not None:
        environment["AZURITE_NOW"] = wanted.now.isoformat()
    words = [node, "--require", str(PRELOAD), str(PROGRAM), *options(wanted)]
    part = Part(Command("Azurite", words, wanted.directory / "azurite.log", environment, wanted.directory), held)
    found = part.await_lines(LISTENING, len(SERVICES) + 1)
    return Azurite(part, {(line["service"] or line["clock"]).lower(): line["url"] for line in found}, requests)


def _node() -> str:
    """The program that runs Azurite."""
    node = shutil.which("node")
    if node is None:
        raise PartFailed(f"Azurite needs Node {OLDEST_NODE} or newer: 'node' is not on the PATH")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = re.match(r"v(\d+)\.", version)
    if major is None or int(major[1]) < OLDEST_NODE:
        raise PartFailed(f"Azurite needs Node {OLDEST_NODE} or newer: {node} is {version or 'something else'}")
    return node


def options(wanted: Wanted) -> list[str]:
    ports = [f"--{service}Port={getattr(wanted, service)}" for service in SERVICES]
    # The SDKs send newer api-versions than any emulator knows; requests have a log of their own (clock.js).
    return ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent", *ports]


def refuse_taken(port: int, owner: str) -> None:
    """Say in one line that a port asked for is in use."""
    if not port:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            raise PartFailed(f"{owner} cannot use port {port}: {problem.strerror}") from None
