"""The admin routes: list functions, start one by hand, host status. All but ping need the master key.

Used by `front`. Never changes anything but by running a function.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from azure.functions.meta import Datum

from local.host import schedule
from local.host.event_grid import event_datum
from local.host.execution import Execution
from local.host.http_trigger import request_key
from local.host.keys import Keys, Level
from local.host.timer_listener import timer_datum
from local.host.values import FunctionDefinition


@dataclass(frozen=True, slots=True)
class HostState:
    """What the status route tells."""

    id: str
    started: float
    errors: Mapping[str, str]
    uptime: Callable[[], float]


def _http_datum(text: str) -> Datum:
    return Datum(
        {
            "method": Datum("POST", "string"),
            "url": Datum("http://localhost/", "string"),
            "headers": {"content-type": Datum("application/json", "string")},
            "query": {},
            "params": {},
            "body": Datum(text.encode(), "bytes"),
        },
        "http",
    )


def manual_input(
    function: FunctionDefinition, text: str, resolved: Callable[[str], str]
) -> tuple[Datum, dict[str, Datum]]:
    """The `input` of an admin request as the trigger of this function takes it."""
    match function.trigger.type:
        case "eventGridTrigger":
            return event_datum(json.loads(text))
        case "timerTrigger":
            parsed = schedule.parse(resolved(function.trigger.text("schedule")))
            return timer_datum(parsed, None, False), {}
        case "httpTrigger":
            return _http_datum(text), {}
        case _:
            return Datum(text, "string"), {"QueueTrigger": Datum(text, "string")}


@dataclass(slots=True)
class Admin:
    functions: Mapping[str, FunctionDefinition]
    keys: Keys
    execution: Execution
    state: HostState
    resolved: Callable[[str], str]
    is_disabled: Callable[[str], bool]
    _started: set[asyncio.Task[Any]] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        parts = [part for part in request.path.split("/") if part][1:]
        if parts == ["host", "ping"]:
            return web.Response(status=200)
        if self.keys.level(request_key(request)) is not Level.ADMIN:
            return web.Response(status=401)
        match request.method, parts:
            case "GET", ["host", "status"]:
                return web.json_response(self._status())
            case "GET", ["host", "keys"]:
                shown = [{"name": name, "value": value} for name, value in self.keys.shown().items()]
                return web.json_response({"keys": shown})
            case "GET", ["functions"]:
                return web.json_response([self._described(function) for function in self.functions.values()])
            case "GET", ["functions", name] if name.lower() in self.functions:
                return web.json_response(self._described(self.functions[name.lower()]))
            case "POST", ["functions", name] if name.lower() in self.functions:
                return await self._invoke(self.functions[name.lower()], request)
        return web.Response(status=404)

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = {
            "id": self.state.id,
            "state": "Running",
            "version": "4.0",
            "versionDetails": "local.host",
            "processUptime": int(self.state.uptime() * 1000),
        }
        if self.state.errors:
            status["errors"] = [f"The '{name}' function is in error: {why}" for name, why in self.state.errors.items()]
        return status

    def _described(self, function: FunctionDefinition) -> dict[str, Any]:
        return {
            "name": function.name,
            "isDisabled": self.is_disabled(function.name),
            "language": "python",
            "config": {"bindings": [dict(binding.properties) for binding in function.bindings]},
        }

    async def _invoke(self, function: FunctionDefinition, request: web.Request) -> web.StreamResponse:
        try:
            document = json.loads(await request.text() or "null")
            if not isinstance(document, dict):
                return web.Response(status=400)
            given = document.get("input")
            text = given if isinstance(given, str) else json.dumps(given) if given is not None else ""
            datum, metadata = manual_input(function, text, self.resolved)
        except ValueError as error:
            return web.Response(status=400, text=str(error))
        if function.name in self.state.errors:
            return web.Response(status=404)
        task = asyncio.ensure_future(self.execution.run(function, datum, metadata))
        self._started.add(task)
        task.add_done_callback(self._started.discard)
        return web.Response(status=202)
