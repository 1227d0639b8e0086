"""What travels inside the functions host: definitions, invocations and their outcomes.

Made by the workers (`worker`, `runtime_worker`), used by every listener. Never touches the network or a clock.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from azure.functions.meta import Datum

IN, OUT = 0, 1


class HostError(Exception):
    """The host cannot start or go on; the message is one line for a person."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class LoadError(HostError):
    """The worker refused the app, so no function of it loads."""


class FunctionInError(Exception):
    """One function cannot be listened for (bad schedule, unresolved name); the others go on."""


class Threads(Protocol):
    """Told by a worker which threads are its own and on which one an invocation runs."""

    def adopt_thread(self) -> None: ...

    def on_this_thread(self, invocation: str, call: Callable[[], Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Binding:
    """One line of what a function.json would hold."""

    name: str
    type: str
    direction: int
    properties: Mapping[str, Any]

    def text(self, key: str, default: str = "") -> str:
        value = self.properties.get(key)
        return default if value is None else str(value)

    @classmethod
    def parse(cls, raw: str) -> "Binding":
        properties: dict[str, Any] = json.loads(raw)
        direction = {"IN": IN, "OUT": OUT}.get(str(properties["direction"]).upper(), 2)
        return cls(properties["name"], properties["type"], direction, properties)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`@app.retry`: how often and how far apart a failed invocation is repeated; -1 is without end."""

    max_count: int
    minimum: timedelta
    maximum: timedelta

    def delay(self, attempt: int) -> timedelta:
        if self.minimum == self.maximum:
            return self.minimum
        grown: timedelta = self.minimum * 2 ** min(attempt - 1, 30)
        return min(grown, self.maximum)


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A function as the host sees it: its name, its bindings and how it is retried."""

    name: str
    id: str
    bindings: tuple[Binding, ...]
    retry: RetryPolicy | None = None

    @property
    def trigger(self) -> Binding:
        return next(binding for binding in self.bindings if binding.type.lower().endswith("trigger"))

    @property
    def outputs(self) -> tuple[Binding, ...]:
        return tuple(binding for binding in self.bindings if binding.direction == OUT)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of one function, still encoded."""

    id: str
    function_id: str
    inputs: tuple[tuple[str, Datum], ...]
    metadata: Mapping[str, Datum] = field(default_factory=dict)
    retry_count: int = 0
    max_retry_count: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an invocation: what it returned and set, or why it failed."""

    ok: bool
    returned: Datum | None = None
    outputs: tuple[tuple[str, Datum], ...] = ()
    error: str = ""
    traceback: str = ""
