"""`host.json` with its overrides from settings: the numbers the listeners work by.

Read once by `host`. Never guesses: a value out of range stops the host with its name.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from local.host.settings import AppSettings
from local.host.values import HostError

Value = TypeVar("Value")
# Core Tools run in Development, where a queue is looked at every 2 s unless host.json says otherwise.
DEVELOPMENT_POLLING = timedelta(seconds=2)
SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,7}))?")


@dataclass(frozen=True, slots=True)
class QueueOptions:
    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: timedelta = timedelta(0)
    max_polling_interval: timedelta = DEVELOPMENT_POLLING
    base64: bool = True


@dataclass(frozen=True, slots=True)
class HostOptions:
    queues: QueueOptions = QueueOptions()
    function_timeout: timedelta | None = timedelta(minutes=30)
    route_prefix: str = "api"
    allowed: frozenset[str] | None = None


def time_span(text: str) -> timedelta:
    """A .NET TimeSpan as host.json holds it: `[d.]hh:mm:ss[.f]`."""
    match = SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not of the form hh:mm:ss")
    days, hours, minutes, seconds, fraction = match.groups()
    if int(hours) > 23 or int(minutes) > 59 or int(seconds) > 59:
        raise ValueError(f"{text!r} is out of range")
    micro = int((fraction or "0").ljust(7, "0")) // 10
    return timedelta(int(days or 0), int(seconds), micro, minutes=int(minutes), hours=int(hours))


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = int(str(value))
        if not low <= number <= high:
            raise ValueError(f"{number} is not between {low} and {high}")
        return number

    return read


def _span(low: timedelta) -> Callable[[Any], timedelta]:
    def read(value: Any) -> timedelta:
        span = time_span(str(value))
        if span < low:
            raise ValueError(f"{value} is less than {low}")
        return span

    return read


class _Tree:
    """host.json below one path, overridden by `AzureFunctionsJobHost__a__b`."""

    def __init__(self, document: dict[str, Any], overrides: dict[tuple[str, ...], str]) -> None:
        self._document = document
        self._overrides = overrides

    def raw(self, path: str) -> Any:
        parts = tuple(path.lower().split("."))
        if parts in self._overrides:
            return self._overrides[parts]
        node: Any = self._document
        for part in parts:
            if not isinstance(node, dict):
                return None
            node = next((value for key, value in node.items() if key.lower() == part), None)
        return node

    def read(self, path: str, parse: Callable[[Any], Value], default: Value) -> Value:
        raw = self.raw(path)
        if raw is None or raw == "":
            return default
        try:
            return parse(raw)
        except ValueError as error:
            raise HostError(f"host.json: {path}: {error}", 2) from error


def _encoding(value: Any) -> bool:
    if str(value).lower() not in ("base64", "none"):
        raise ValueError(f"{value!r} is neither base64 nor none")
    return str(value).lower() == "base64"


def _queue_options(tree: _Tree) -> QueueOptions:
    batch = tree.read("extensions.queues.batchSize", _whole(1, 32), 16)
    return QueueOptions(
        batch_size=batch,
        new_batch_threshold=tree.read("extensions.queues.newBatchThreshold", _whole(0, 10**6), batch // 2),
        max_dequeue_count=tree.read("extensions.queues.maxDequeueCount", _whole(1, 10**6), 5),
        visibility_timeout=tree.read("extensions.queues.visibilityTimeout", _span(timedelta(0)), timedelta(0)),
        max_polling_interval=tree.read(
            "extensions.queues.maxPollingInterval", _span(timedelta(milliseconds=100)), DEVELOPMENT_POLLING
        ),
        base64=tree.read("extensions.queues.messageEncoding", _encoding, True),
    )


def _timeout(value: Any) -> timedelta | None:
    return None if str(value).strip() == "-1" else _span(timedelta(seconds=1))(value)


def _document(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {"version": "2.0"}
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise HostError(f"{path} is not JSON: {error}", 2) from error
    if not isinstance(document, dict) or document.get("version") != "2.0":
        raise HostError(f'{path}: "version" must be "2.0"', 2)
    return document


def read_options(app: Path, settings: AppSettings) -> HostOptions:
    """What host.json and its overrides ask for."""
    tree = _Tree(_document(app / "host.json"), settings.section("AzureFunctionsJobHost"))
    allowed = tree.raw("functions")
    return HostOptions(
        queues=_queue_options(tree),
        function_timeout=tree.read("functionTimeout", _timeout, _timeout("00:30:00")),
        route_prefix=str(
            tree.raw("extensions.http.routePrefix") if tree.raw("extensions.http.routePrefix") is not None else "api"
        ).strip("/"),
        allowed=frozenset(name.lower() for name in allowed) if isinstance(allowed, list) else None,
    )
