"""The local stack: Azurite, simulator and functions host, started in this order and stopped in the other.

`running` is used by local.up, local.demo and the end-to-end tests. Everything listens on free ports of 127.0.0.1
unless told, is described in the run folder (local.runfolder), and is gone on any exit. The product gets ordinary
settings; it is not told that it runs locally.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TypeAlias

import certifi

from local.azurite import server as emulator
from local.azurite.server import Azurite, refuse_taken
from local.clock.conductor import Conductor
from local.clock.followers import AzuriteClock, Follower, FollowerFailed, HostClock, SimulatorClock
from local.eventgrid import subscribe
from local.process import Command, Leash, Part, PartFailed, leash, processor_seconds
from local.runfolder import announce, claimed, write_environment

ROOT = Path(__file__).parent.parent
RUN = ROOT / "local" / ".run"
READY = re.compile(r'^\{"ready": ?true.*\}\r?$', re.MULTILINE)
IDENTITY_HEADER = "local"
TOPIC = "tagback"
AUDIENCE = "api://tagback"
TENANT = "11111111-1111-1111-1111-111111111111"  # the simulator's
APP_ROLES = ("Tagback.Request", "Tagback.Approve")
AppRole: TypeAlias = tuple[str, str, str]
EVENT_FUNCTION = "on_resource_event"
# What a deployment sets because triggers name it: `%TAGBACK_SWEEP%` has no default in Azure.
# One for each message that host.json lets the host hand over at once, and some for timers and HTTP; held together by
# tests/test_function_app.py.
THREADS = 48
SCHEDULES = {
    "TAGBACK_SWEEP": "0 */15 * * * *",
    "TAGBACK_EXPIRE": "0 5 * * * *",
    "TAGBACK_DRILL": "0 0 4 * * *",
}


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports asked for; 0 is any free one."""

    host: int = 0
    simulator: int = 0
    blob: int = 0
    queue: int = 0
    table: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A stack to be started: at an instant in jumping time, or without one on the machine's clock.

    `simulator` are further options of the simulator; of one that is given twice the last counts. `estate` is what else
    is in Azure from the start, as sections of a seed file. `app_roles` are what the authority writes into tokens: for
    which app, which role, of whom (`*` is everybody).
    """

    subscriptions: Sequence[str]
    start: datetime | None = None
    seed: int = 0
    run: Path = RUN
    app: Path = ROOT
    ports: Ports = field(default_factory=Ports)
    settings: Mapping[str, str] = field(default_factory=dict)
    simulator: Sequence[str] = ()
    estate: str = ""
    app_roles: Sequence[AppRole] = tuple((AUDIENCE, role, "*") for role in APP_ROLES)


class Stack:
    """The three parts, running."""

    def __init__(self, wanted: Wanted, held: Leash) -> None:
        self.wanted = wanted
        self._held = held
        self._ahead = 0.0 if wanted.start is None else (wanted.start - datetime.now(UTC)).total_seconds()
        self._simulator = self._launch_simulator()
        self.azurite = self._start_azurite()
        self.simulator_url = self._simulator_ready()
        self.ca = wanted.run / "tls" / "ca.pem"
        self.bundle = write_bundle(self.ca)
        self.settings = self._settings()
        write_environment(wanted.run, self.settings)
        self._host_port = wanted.ports.host
        self._host, self.host_url, self.keys = self._start_host()
        called = {"TAGBACK_API_ENDPOINT": self.host_url, "TAGBACK_API_KEY": self.keys["default"]}
        write_environment(wanted.run, {**self.settings, **called})
        self._storage_clock = AzuriteClock(self.azurite.clock_url)
        self._conductor: Conductor | None = None
        self._killed: dict[str, float] = {}

    def _start_azurite(self) -> Azurite:
        ports = self.wanted.ports
        folder = self.wanted.run / "azurite"
        azurite = emulator.start(
            emulator.Wanted(folder, ports.blob, ports.queue, ports.table, self.wanted.start), self._held
        )
        fields = {"pid": azurite.pid, **azurite.urls, "connection_string": azurite.connection_string}
        announce(self.wanted.run, "azurite", fields)
        return azurite

    def _launch_simulator(self) -> Part:
        refuse_taken(self.wanted.ports.simulator, "the simulator")
        seed = self.wanted.run / "seed.toml"
        lines = [f'[[subscription]]\nid = "{name}"\n' for name in self.wanted.subscriptions]
        for audience, role, principal in self.wanted.app_roles:
            lines.append(f'[[app_role]]\naudience = "{audience}"\nrole = "{role}"\nprincipal = "{principal}"\n')
        seed.write_text("".join([*lines, self.wanted.estate]))
        words = ["-m", "local.simulator", "--port", str(self.wanted.ports.simulator), "--chance", str(self.wanted.seed)]
        if self.wanted.start is not None:
            words += ["--clock", "jump", "--now", self.wanted.start.isoformat()]
        words += ["--tls-dir", str(self.wanted.run / "tls"), "--seed", str(seed), *self.wanted.simulator]
        return self._launch("simulator", words, {})

    def _simulator_ready(self) -> str:
        url = str(ready(self._simulator)["url"])
        announce(self.wanted.run, "simulator", {"pid": self._simulator.pid, "url": url})
        return url

    def _start_host(self) -> tuple[Part, str, Mapping[str, str]]:
        refuse_taken(self._host_port, "the functions host")
        words = ["-m", "local.host", "--port", str(self._host_port), "--app", str(self.wanted.app)]
        if self._ahead:
            words = ["-m", "local.clock", "--ahead", repr(self._ahead), "--", *words]
        part = self._launch("host", words, self.settings)
        said = ready(part)
        url, keys = str(said["url"]), said["keys"]
        assert isinstance(keys, dict)
        self._host_port = int(url.rpartition(":")[2])
        announce(self.wanted.run, "host", {"pid": part.pid, "url": url})
        return part, url, keys

    def _launch(self, name: str, words: Sequence[str], settings: Mapping[str, str]) -> Part:
        log = self.wanted.run / "logs" / f"{name}.log"
        environment = {"PYTHONPATH": str(ROOT), **settings}
        return Part(Command(name, [sys.executable, *words], log, environment, ROOT), self._held)

    def _settings(self) -> dict[str, str]:
        url = self.simulator_url
        return {
            "AzureWebJobsStorage": self.azurite.connection_string,
            "PYTHON_THREADPOOL_THREAD_COUNT": str(THREADS),
            "TAGBACK_SUBSCRIPTIONS": ",".join(self.wanted.subscriptions),
            "TAGBACK_ARM_ENDPOINT": url,
            "TAGBACK_AUTHORITY": url,
            "TAGBACK_API_AUDIENCE": AUDIENCE,
            "TAGBACK_API_TENANT": TENANT,
            "TAGBACK_TOPIC_ENDPOINT": f"{url}/_sim/topics/{TOPIC}/api/events",
            "IDENTITY_ENDPOINT": f"{url}/msi/token",
            "IDENTITY_HEADER": IDENTITY_HEADER,
            "REQUESTS_CA_BUNDLE": str(self.bundle),
            "SSL_CERT_FILE": str(self.bundle),
            "WEBSITE_TIME_ZONE": "UTC",  # as in Azure; a host elsewhere takes the machine's own
            **SCHEDULES,
            **self.wanted.settings,
        }

    @property
    def event_endpoint(self) -> str:
        """Where Event Grid delivers: the function's own webhook, with the host's system key."""
        key = self.keys["eventgrid_extension"]
        return f"{self.host_url}/runtime/webhooks/eventgrid?functionName={EVENT_FUNCTION}&code={key}"

    def subscribe_events(self) -> None:
        """Create the Event Grid subscription of every Azure subscription, as a deployment would."""
        for subscription in self.wanted.subscriptions:
            subscribe(self.simulator_url, self.bundle, subscription, self.event_endpoint)

    def conductor(self) -> Conductor:
        """The one clock of this stack; only one that was started at an instant has it."""
        assert self.wanted.start is not None, "this stack runs on the machine's clock"
        if self._conductor is None:
            followers: list[Follower] = [
                self._storage_clock,
                SimulatorClock(self.simulator_url, self.ca),
                HostClock(self.host_url, self._storage_clock.queues),
            ]
            self._conductor = Conductor(followers, datetime.fromtimestamp(time.time() + self._ahead, UTC))
        return self._conductor

    def close(self) -> None:
        """Let go of the clock; the parts are ended by the leash."""
        if self._conductor is not None:
            self._conductor.close()

    def cpu_seconds(self) -> dict[str, float]:
        """The processor time that each part has used so far, hosts that were killed included."""
        parts = {"azurite": self.azurite.pid, "simulator": self._simulator.pid, "host": self._host.pid}
        used = {name: processor_seconds(pid) for name, pid in parts.items()}
        return {name: round(used[name] + self._killed.get(name, 0.0), 1) for name in used}

    def kill_host(self) -> None:
        """kill -9, as a platform that loses a machine does."""
        self._killed["host"] = self._killed.get("host", 0.0) + processor_seconds(self._host.pid)
        self._host.kill()

    def restart_host(self) -> None:
        """Start the host again on the same port and storage, at the stack's present instant."""
        if self._conductor is not None:
            self._ahead = self._conductor.ahead().total_seconds()
        self._host, self.host_url, self.keys = self._start_host()
        if self._conductor is not None:
            self._conductor.replace(HostClock(self.host_url, self._storage_clock.queues))

    def check(self) -> None:
        """Raise when a part has ended by itself."""
        parts = {
            "Azurite": self.azurite.running(),
            "simulator": self._simulator.running(),
            "host": self._host.running(),
        }
        gone = [name for name, alive in parts.items() if not alive]
        if gone:
            raise PartFailed(f"{', '.join(gone)} ended by itself; see {self.wanted.run / 'logs'}")


def ready(part: Part) -> dict[str, object]:
    """What a part says of itself in its ready line."""
    said = json.loads(part.await_lines(READY, 1)[0].group())
    assert isinstance(said, dict)
    return said


def write_bundle(ca: Path) -> Path:
    """The usual authorities plus the simulator's, so that a shell with these settings still reaches the world."""
    bundle = ca.with_name("bundle.pem")
    bundle.write_text(certifi.contents() + "\n" + ca.read_text())
    return bundle


@contextlib.contextmanager
def running(wanted: Wanted) -> Iterator[Stack]:
    """Run a stack for the length of a block; whatever ends the block ends the stack."""
    with ending_on_signals(), claimed(wanted.run), leash() as held:
        stack = Stack(wanted, held)
        try:
            yield stack
        except FollowerFailed as problem:
            stack.check()
            raise PartFailed(str(problem)) from problem
        finally:
            stack.close()


@contextlib.contextmanager
def ending_on_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an ordinary exit, and SIGINT into Ctrl-C, so that everything started is stopped.

    What a script starts in the background (`make up &`) is started deaf to SIGINT; it hears it here all the same. What
    `nohup` has made deaf to SIGHUP stays so: it is to outlive its terminal.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    ends = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, leave) for number in ends}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
