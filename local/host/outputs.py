"""Writes what a function returned or set to the queues its output bindings name.

Called by `execution` after a successful invocation. Never creates a message for an output that was not set.
"""

import base64
import json
from collections.abc import Callable
from typing import Any

from azure.functions.meta import Datum

from local.host.settings import AppSettings
from local.host.storage import Storage, send
from local.host.values import Binding, FunctionDefinition, FunctionInError, Outcome

RETURN = "$return"


def _text(value: Any) -> str:
    """One element as message text: JSON is written back indented, as the host's JSON library does."""
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        return json.dumps(value, indent=2, ensure_ascii=False)
    return "" if value is None else str(value)  # .NET writes True and False, and nothing for null


def messages(datum: Datum) -> list[bytes]:
    """The messages one output value becomes; a JSON array becomes one per element."""
    match datum.type:
        case None:
            return []
        case "bytes":
            return [bytes(datum.value)]
        case "int":
            return [str(int(datum.value)).encode()]
        case "json":
            return _elements(datum.value)
        case "dict" | "list":
            return _elements(_json(datum.value))
    text = str(datum.value)
    looks_like_json = text.strip()[:1] + text.strip()[-1:] in ("{}", "[]")
    return _elements(text) if looks_like_json else [text.encode()]


def _elements(text: str) -> list[bytes]:
    try:
        value = json.loads(text)
    except ValueError as error:  # the host parses what looks like JSON and fails the invocation if it is not
        raise FunctionInError(f"an output looks like JSON but is not: {error}") from error
    return [_text(element).encode() for element in (value if isinstance(value, list) else [value])]


def _json(value: Any) -> str:
    try:
        return json.dumps(value)
    except TypeError as error:
        raise FunctionInError(f"an output cannot be written as JSON: {error}") from error


class QueueOutputs:
    """The queue outputs of all functions."""

    def __init__(self, storage: Storage, settings: AppSettings, base64_encoded: bool) -> None:
        self._storage = storage
        self._settings = settings
        self._base64 = base64_encoded
        self.on_sent: Callable[[str], None] = lambda queue: None

    def encode(self, body: bytes) -> str:
        return base64.b64encode(body).decode() if self._base64 else body.decode()

    async def write(self, function: FunctionDefinition, outcome: Outcome) -> None:
        values = dict(outcome.outputs)
        if outcome.returned is not None:
            values[RETURN] = outcome.returned
        for binding in function.outputs:
            if binding.type == "queue" and binding.name in values:
                await self._write(binding, values[binding.name])

    async def _write(self, binding: Binding, datum: Datum) -> None:
        name = self._settings.resolve(binding.text("queueName")).lower()
        queue = self._storage.queue(self._settings.resolve(binding.text("connection")), name)
        for body in messages(datum):
            await send(queue, self.encode(body))
            self.on_sent(name)
