"""The Event Grid trigger's webhook: handshake, notifications, one invocation per event, all in parallel.

Used by `front`. Never retries: a batch with one failure is answered 500 and Event Grid delivers the whole batch again.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from azure.functions.meta import Datum

from local.host.execution import Execution
from local.host.http_trigger import request_key
from local.host.keys import Keys, Level, allows
from local.host.values import FunctionDefinition, Outcome

TRUSTED_ORIGINS = ("eventgrid.azure.net", "eventgrid.azure.us", "eventgrid.azure.cn")


def event_datum(event: Any) -> tuple[Datum, dict[str, Datum]]:
    """An event and its metadata as they travel to the worker."""
    data = event.get("data") if isinstance(event, dict) else None
    return Datum(json.dumps(event), "json"), {"data": Datum(json.dumps(data), "json")}


class EventGridWebhook:
    """All functions with an Event Grid trigger, by their exact name."""

    def __init__(self, functions: Mapping[str, FunctionDefinition], keys: Keys, execution: Execution) -> None:
        self._functions = functions
        self._keys = keys
        self._execution = execution

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if not allows(self._keys.level(request_key(request)), Level.SYSTEM):
            return web.Response(status=401)
        name = request.query.get("functionName", "")
        function = self._functions.get(name)
        if function is None:
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        if request.method == "OPTIONS":
            return self._cloud_events_handshake(request)
        kind = request.headers.get("aeg-event-type", "").lower()
        if kind == "unsubscribe":
            return web.Response(status=202)
        if kind not in ("subscriptionvalidation", "notification"):
            return web.Response(status=400)
        return await self._with_body(function, kind, await request.text())

    @staticmethod
    def _cloud_events_handshake(request: web.Request) -> web.Response:
        asked = request.headers.get("WebHook-Request-Origin", "")
        origin = asked if asked in TRUSTED_ORIGINS else TRUSTED_ORIGINS[0]
        return web.Response(status=200, headers={"Webhook-Allowed-Origin": origin})

    async def _with_body(self, function: FunctionDefinition, kind: str, text: str) -> web.Response:
        try:
            document = json.loads(text)
            if not isinstance(document, (list, dict)):
                raise ValueError("neither a JSON object nor an array")
            if kind == "subscriptionvalidation":
                return web.json_response({"validationResponse": _validation_code(document)})
        except (ValueError, KeyError, IndexError, TypeError) as error:
            return web.Response(status=500, text=str(error))  # an unhandled exception of the extension
        return await self._notify(function, document if isinstance(document, list) else [document])

    async def _notify(self, function: FunctionDefinition, events: list[Any]) -> web.Response:
        outcomes: list[Outcome] = await asyncio.gather(
            *(self._execution.run(function, *event_datum(event)) for event in events)
        )
        failed = next((outcome for outcome in outcomes if not outcome.ok), None)
        if failed is not None:
            return web.Response(status=500, text=f"Exception while executing function: Functions.{function.name}")
        return web.Response(status=202)


def _validation_code(document: Any) -> str:
    if isinstance(document, list):
        return str(document[0]["data"]["validationCode"])
    data = document["data"]  # CloudEvents carry it as JSON within a string
    return str((json.loads(data) if isinstance(data, str) else data)["validationCode"])
