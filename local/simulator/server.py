"""Sockets and time: receives requests, sends answers, and lets happenings fire when their time comes."""

import asyncio
import contextlib
import ssl
from pathlib import Path

from local.simulator import providers
from local.simulator.clock import Mode, http_date
from local.simulator.control import Control
from local.simulator.courier import Courier
from local.simulator.exchanges import Exchanges
from local.simulator.front import Asked, Front
from local.simulator.transport import web
from local.simulator.world import World


class Server:
    """One simulator on one port."""

    def __init__(self, world: World, tls_dir: Path | None, exchanges: Exchanges | None = None) -> None:
        self._world = world
        self._exchanges = exchanges
        self._tls_dir = tls_dir
        providers.install(world)
        self.front = Front(world, providers.routes())
        self.courier = Courier(world)
        self._control = Control(world, lambda: world.requests > 0 or self.courier.busy)
        self._runner: web.ServerRunner | None = None
        self._pump: asyncio.Task[None] | None = None
        self._scheme = "http" if tls_dir is None else "https"

    async def start(self, host: str, port: int) -> str:
        """Listen and return the URL."""
        self._runner = web.ServerRunner(web.Server(self._handle), access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=self._context())
        await site.start()
        bound = self._runner.addresses[0][1]
        self._world.url = f"{self._scheme}://{'localhost' if self._tls_dir else host}:{bound}"
        await self.courier.start()
        self._pump = asyncio.get_running_loop().create_task(self._run())
        return self._world.url

    def _context(self) -> ssl.SSLContext | None:
        if self._tls_dir is None:
            return None
        from local.simulator import certificates  # a sixth of a second to import, needed with TLS only

        certificate, key = certificates.ensure(self._tls_dir)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context

    async def close(self) -> None:
        """Stop listening and let go of everything."""
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
        await self.courier.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._world.journal.close()
        if self._exchanges is not None:
            self._exchanges.close()

    async def _run(self) -> None:
        """Fire what is due, at least every tenth of a second; requests fire it as well."""
        while True:
            now = self._world.settle()
            due = self._world.schedule.next_due()
            wait = 0.1 if due is None or self._world.clock.mode is Mode.MANUAL else min(0.1, max(0.001, due - now))
            await asyncio.sleep(wait)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = await request.content.read() if request.body_exists else b""
        target = request.raw_path
        path = target.partition("?")[0]
        if path.startswith("/_sim/"):
            reply = self._control.answer(request.method, path, dict(request.query), raw)
            return web.Response(status=reply.status, body=reply.body, headers=self._headers(reply.body, reply.headers))
        headers = {name.lower(): value for name, value in request.headers.items()}
        base = f"{self._scheme}://{headers.get('host') or self._world.url.split('://', 1)[1]}"
        self._world.requests += 1
        try:
            answered = await self.front.answer(Asked(request.method, target, base, headers, raw))
        finally:
            self._world.requests -= 1
        if self._exchanges is not None:
            self._exchanges.keep(request.method, target, raw, answered)
        if answered.cut and request.transport is not None:
            request.transport.abort()
            return web.Response(status=500)
        reply = answered.reply
        return web.Response(status=reply.status, body=reply.body, headers=self._headers(reply.body, reply.headers))

    def _headers(self, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        found = {"Date": http_date(self._world.clock.now()), **headers}
        if body:
            found.setdefault("Content-Type", "application/json; charset=utf-8")
        return found
