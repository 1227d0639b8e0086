"""The three followers of the conductor over HTTP: storage emulator, simulator, functions host.

Each can be asked what is left to do and moved ahead; the answer to a move is its acknowledgement. Used by local.stack.
Nothing here decides when to move.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from local.clock.order import Look

PATIENCE = 60.0
HELD_BACK = 0.5  # seconds for which a busy host holds its answer back: asking again and again would keep it busy


class FollowerFailed(Exception):
    """A follower could not be asked or moved."""


class Follower(Protocol):
    """Something with a clock of its own that can be put ahead, never back."""

    @property
    def name(self) -> str: ...

    def look(self) -> Look:
        """Say what is left to do at its present instant."""

    def move(self, to: datetime) -> None:
        """Put its clock on `to`, or leave it where it is when it is there already; return when that is done."""

    def close(self) -> None:
        """Ask and move it no more."""


class Peer:
    """JSON over one kept connection, opened anew when the other side closed it in between."""

    def __init__(self, url: str, ca: Path | None = None) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._url = url
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            trust = ssl.create_default_context(cafile=None if ca is None else str(ca))
            self._connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=PATIENCE, context=trust)
        else:
            self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)

    def get(self, path: str) -> dict[str, object]:
        return self._exchange("GET", path, None)

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        return self._exchange("POST", path, json.dumps(body))

    def _exchange(self, method: str, path: str, body: str | None) -> dict[str, object]:
        try:
            return self._once(method, path, body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._connection.close()
        except OSError as problem:
            raise FollowerFailed(f"{method} {self._url}{path}: {problem}") from problem
        try:
            return self._once(method, path, body)
        except (OSError, http.client.HTTPException) as problem:
            self._connection.close()
            raise FollowerFailed(f"{method} {self._url}{path}: {problem}") from problem

    def _once(self, method: str, path: str, body: str | None) -> dict[str, object]:
        self._connection.request(method, path, body, {"content-type": "application/json"})
        response = self._connection.getresponse()
        text = response.read()
        if response.status >= 300:
            raise FollowerFailed(f"{method} {self._url}{path}: {response.status} {text[:200]!r}")
        answer = json.loads(text)
        if not isinstance(answer, dict):
            raise FollowerFailed(f"{method} {self._url}{path}: expected an object, got {text[:200]!r}")
        return answer

    def close(self) -> None:
        self._connection.close()


def instant(value: object) -> datetime:
    """Read an ISO instant; one without a zone is refused."""
    parsed = datetime.fromisoformat(str(value))
    if parsed.tzinfo is None:
        raise FollowerFailed(f"an instant without a zone: {value}")
    return parsed


def instant_or_none(value: object) -> datetime | None:
    return None if value is None else instant(value)


@dataclass(frozen=True, slots=True)
class Queue:
    """How many messages of a queue may be taken now, and when the next of those that are hidden may."""

    visible: int
    next: datetime | None


class AzuriteClock:
    """The storage emulator: wholly passive, so never busy and never due. Its activity changes with what is stored."""

    name = "azurite"

    def __init__(self, url: str) -> None:
        self._peer = Peer(url)
        self._queues: Mapping[str, Queue] = {}

    def now(self) -> datetime:
        return instant(self._peer.get("/clock")["now"])

    def queues(self) -> Mapping[str, Queue]:
        """Every queue that held messages at the latest look."""
        return self._queues

    def look(self) -> Look:
        answer = self._peer.get("/clock")
        queues = answer["queues"]
        assert isinstance(queues, dict)
        self._queues = {
            name: Queue(int(queue["visible"]), instant_or_none(queue["next"])) for name, queue in queues.items()
        }
        return Look(idle=True, activity=int(str(answer["writes"])), next=None)

    def move(self, to: datetime) -> None:
        self._peer.post("/clock", {"to": to.isoformat()})

    def close(self) -> None:
        self._peer.close()


class SimulatorClock:
    """The simulator: busy while a request or a delivery runs; due at the ends of its operations and deliveries."""

    name = "simulator"

    def __init__(self, url: str, ca: Path | None = None) -> None:
        self._peer = Peer(url, ca)

    def now(self) -> datetime:
        return instant(self._peer.get("/_sim/clock")["now"])

    def look(self) -> Look:
        answer = self._peer.get("/_sim/clock")
        return Look(not answer["busy"], int(str(answer["activity"])), instant_or_none(answer["next"]))

    def move(self, to: datetime) -> None:
        self._peer.post("/_sim/clock", {"to": to.isoformat()})

    def close(self) -> None:
        self._peer.close()


class HostClock:
    """The functions host: idle when every queue is empty now and all that runs in it is asleep.

    Where it is known what queues hold, the host is told, and need not ask: it is due when a hidden message appears.
    """

    name = "host"

    def __init__(self, url: str, queues: Callable[[], Mapping[str, Queue]] | None = None) -> None:
        self._peer = Peer(url)
        self._queues = queues

    def look(self) -> Look:
        queues = {} if self._queues is None else self._queues()
        answer = self._peer.get("/_host/idle" if self._queues is None else f"/_host/idle?{told(queues)}")
        hidden = [queue.next for queue in queues.values()]
        due = [moment for moment in (*hidden, instant_or_none(answer["next"])) if moment is not None]
        return Look(bool(answer["idle"]), int(str(answer["activity"])), min(due, default=None))

    def move(self, to: datetime) -> None:
        self._peer.post("/_host/clock", {"to": to.isoformat()})

    def close(self) -> None:
        self._peer.close()


def told(queues: Mapping[str, Queue]) -> str:
    """What the host is told: how long to hold a busy answer back, and which queues hold something to be taken."""
    visible = ",".join(name for name, queue in queues.items() if queue.visible)
    return f"wait={HELD_BACK}&visible={visible}"
