"""HTTP-triggered functions: which one a request is for, whether it may, and what goes back.

Used by `front`. Levels and shapes as the Functions host has them with keys enforced.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from aiohttp import web
from azure.functions.meta import Datum
from multidict import CIMultiDict, MultiMapping

from local.host.execution import Execution
from local.host.keys import Keys, Level, allows
from local.host.routes import Route, compile_route
from local.host.values import FunctionDefinition, Outcome


@dataclass(frozen=True, slots=True)
class HttpFunction:
    definition: FunctionDefinition
    route: Route
    methods: frozenset[str]
    level: Level
    disabled: bool


def http_function(definition: FunctionDefinition, disabled: bool) -> HttpFunction:
    trigger = definition.trigger
    methods = trigger.properties.get("methods") or ()
    return HttpFunction(
        definition,
        compile_route(trigger.text("route", definition.name)),
        frozenset(str(method).upper() for method in methods),
        Level(trigger.text("authLevel", "function").lower()),
        disabled,
    )


def request_key(request: web.Request) -> str | None:
    return request.headers.get("x-functions-key") or request.query.get("code")


def _joined(values: MultiMapping[str]) -> dict[str, str]:
    """Repeated names become one comma-separated value; empty values are left out."""
    grouped: dict[str, list[str]] = {}
    for name, value in values.items():
        if value:
            grouped.setdefault(name, []).append(value)
    return {name: ",".join(several) for name, several in grouped.items()}


def _strings(values: Mapping[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


async def request_datum(request: web.Request, parameters: Mapping[str, str]) -> Datum:
    """The request as it travels to the worker."""
    headers = {name.lower(): value for name, value in _joined(request.headers).items()}
    return Datum(
        {
            "method": Datum(request.method, "string"),
            "url": Datum(str(request.url), "string"),
            "headers": _strings(headers),
            "query": _strings(_joined(request.query)),
            "params": _strings(parameters),
            "body": Datum(await request.read(), "bytes"),
        },
        "http",
    )


class HttpTriggers:
    """All HTTP functions of the app."""

    def __init__(self, functions: Iterable[HttpFunction], keys: Keys, execution: Execution) -> None:
        self._functions = sorted(functions, key=lambda function: function.route.rank)
        self._keys = keys
        self._execution = execution

    async def handle(self, request: web.Request, path: str) -> web.StreamResponse:
        for function in self._functions:
            parameters = function.route.match(path)
            if parameters is not None and (not function.methods or request.method in function.methods):
                return await self._invoke(function, request, parameters)
        return web.Response(status=404)

    async def _invoke(
        self, function: HttpFunction, request: web.Request, parameters: Mapping[str, str]
    ) -> web.StreamResponse:
        level = self._keys.level(request_key(request), function.definition.name)
        if function.disabled and level is not Level.ADMIN:
            return web.Response(status=404)
        if not allows(level, function.level):
            return web.Response(status=401)
        outcome = await self._execution.run(function.definition, await request_datum(request, parameters))
        return response(function.definition, outcome)


def response(function: FunctionDefinition, outcome: Outcome) -> web.StreamResponse:
    """What the caller gets: the function's response, 500 with no body for a failure, 204 for no response at all."""
    if not outcome.ok:
        return web.Response(status=500)
    values = dict(outcome.outputs)
    if outcome.returned is not None:
        values["$return"] = outcome.returned
    datum = next((values[b.name] for b in function.outputs if b.type == "http" and b.name in values), None)
    if datum is None or datum.type is None:
        return web.Response(status=204)
    if datum.type == "http":
        return _from_http(datum.value)
    return _from_plain(datum)


def _from_http(value: Mapping[str, Any]) -> web.Response:
    headers: CIMultiDict[str] = CIMultiDict((name, datum.value) for name, datum in value["headers"].items())
    for cookie in value.get("cookies") or ():
        if isinstance(cookie, SimpleCookie):
            for morsel in cookie.values():
                headers.add("Set-Cookie", morsel.OutputString())
    for framing in ("content-length", "transfer-encoding", "connection"):
        headers.popall(framing, None)
    return web.Response(status=int(value["status_code"].value), headers=headers, body=value["body"].value)


def _from_plain(datum: Datum) -> web.Response:
    """A bare string; JSON with a `body` member is taken for a response object."""
    if datum.type == "bytes":
        return web.Response(body=datum.value, content_type="application/octet-stream")
    text = datum.value if isinstance(datum.value, str) else json.dumps(datum.value)
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not any(key.lower() == "body" for key in document):
        return web.Response(text=text)
    members = {key.lower(): value for key, value in document.items()}
    status = int(members.get("statuscode") or members.get("status") or 200)
    headers = CIMultiDict((str(name), str(value)) for name, value in (members.get("headers") or {}).items())
    body = members["body"]
    plain = isinstance(body, str)
    headers.setdefault("Content-Type", "text/plain; charset=utf-8" if plain else "application/json; charset=utf-8")
    return web.Response(status=status, headers=headers, body=(body if plain else json.dumps(body)).encode())
