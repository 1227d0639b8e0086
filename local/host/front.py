"""The HTTP face of the host: which part answers which path.

Made by `host`. Knows the paths, nothing of what happens behind them.
"""

import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from local.host.activity import Activity
from local.host.admin import Admin
from local.host.control import Control
from local.host.event_grid import EventGridWebhook
from local.host.http_trigger import HttpTriggers

BODY_LIMIT = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Parts:
    """Who answers what."""

    control: Control
    admin: Admin
    event_grid: EventGridWebhook
    http: HttpTriggers
    route_prefix: str


class Front:
    def __init__(self, parts: Parts, activity: Activity) -> None:
        self._parts = parts
        self._activity = activity
        application = web.Application(client_max_size=BODY_LIMIT)
        application.router.add_route("*", "/{path:.*}", self._dispatch)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)

    async def start(self, listening: socket.socket) -> None:
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/_host/"):
            return await self._parts.control.handle(request)
        self._activity.happened()
        return await self._answerer(request)(request)

    def _answerer(self, request: web.Request) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        path = request.path.lower()
        if path == "/runtime/webhooks/eventgrid":
            return self._parts.event_grid.handle
        if path.startswith("/admin/"):
            return self._parts.admin.handle
        prefix = self._parts.route_prefix.lower()
        if not prefix or path == f"/{prefix}" or path.startswith(f"/{prefix}/"):
            return self._trigger
        return self._home if path == "/" else self._unknown

    async def _trigger(self, request: web.Request) -> web.StreamResponse:
        raw = request.rel_url.raw_path.lstrip("/")
        prefix = self._parts.route_prefix
        return await self._parts.http.handle(request, raw[len(prefix) :] if prefix else raw)

    @staticmethod
    async def _home(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="Your Azure Function App is up and running.")

    @staticmethod
    async def _unknown(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=404)
