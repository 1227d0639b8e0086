"""A service that answers exactly as recorded, in today's names and with made-up parts of its own.

Called by the harness's test: an undisturbed echo must score everything, and every planted deviation must show.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from uuid import NAMESPACE_OID, uuid5

from tests.simulator.replay.comparison import Answer
from tests.simulator.replay.forms import GUID, NIL, is_made, is_path
from tests.simulator.replay.player import Request, symbols_for
from tests.simulator.replay.recordings import Session

Disturbance = Callable[[int, Answer], Answer]
_HEX = re.compile(r"(?<![0-9a-fA-F-])[0-9a-fA-F]{32}(?![0-9a-fA-F-])")


def undisturbed(_: int, answer: Answer) -> Answer:
    """Leave the answer as it is."""
    return answer


class Echo:
    """Plays the recording back; `disturb` may change the answer to a recorded exchange (by number)."""

    def __init__(self, session: Session, *, renamed: bool, disturb: Disturbance = undisturbed) -> None:
        self._symbols = symbols_for(session, renamed=renamed)
        self._disturb = disturb
        self._own = {self._symbols.subscription(found) for found in _guids_in(session)}

    def send(self, request: Request) -> Answer:
        if request.step is None:
            return Answer(200, {}, None)
        exchange = request.step.exchange
        headers = {name: self._fresh(self._symbols.text(value)) for name, value in exchange.headers.items()}
        answer = Answer(exchange.status, headers, self._body(exchange.body))
        return self._disturb(exchange.number, answer)

    def advance(self) -> bool:
        return False

    def wait(self, seconds: float) -> None:
        raise AssertionError(f"an echo is never behind, but was waited for ({seconds} s)")

    def begin(self, moment: datetime | None) -> None:
        """An echo is of its own time."""

    def plant(self, resources: list[dict[str, Any]]) -> None:
        """An echo has everything."""

    def ready(self) -> None:
        """An echo always is."""

    def _body(self, recorded: Any, key: str = "") -> Any:
        if isinstance(recorded, dict):
            return {name: self._body(value, name) for name, value in recorded.items()}
        if isinstance(recorded, list):
            return [self._body(value, key) for value in recorded]
        return self._fresh(self._symbols.text(recorded, key)) if isinstance(recorded, str) else recorded

    def _fresh(self, text: str) -> str:
        """Put other guids and other made-up names in the place of the recorded ones."""
        if is_path(text):
            parts = [self._symbols.made_name(unquote(each)) if is_made(each) else each for each in text.split("/")]
            text = "/".join(parts)
        elif is_made(text):
            text = self._symbols.made_name(text)
        text = GUID.sub(self._guid, text)
        return _HEX.sub(lambda found: uuid5(NAMESPACE_OID, found.group().lower()).hex, text)

    def _guid(self, found: re.Match[str]) -> str:
        guid = found.group().lower()
        return found.group() if guid in self._own or guid == NIL else str(uuid5(NAMESPACE_OID, guid))


def _guids_in(session: Session) -> set[str]:
    found = set[str]()
    for exchange in session.exchanges:
        for text in (exchange.target, str(exchange.request), str(exchange.body)):
            found.update(guid.lower() for guid in GUID.findall(text))
    return found
