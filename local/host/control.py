"""`/_host/clock` and `/_host/idle`: how a conductor moves this host through time.

Used by `front`. Needs no key: it listens on the loopback address only and has no counterpart in Azure.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from local.host.activity import Activity
from local.host.clock import Clock
from local.host.queue_census import QueueCensus
from local.host.queue_listener import Holds

LONGEST_WAIT = 1.0
BETWEEN_LOOKS = 0.005
BETWEEN_CENSUSES = 0.02
HIDDEN_STEP = timedelta(seconds=30)
NOTHING: frozenset[str] = frozenset()


def written(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def names(text: str | None) -> frozenset[str] | None:
    """The queues that hold something to be taken, as the asker says it (`vms,shards`); None when it does not say."""
    return None if text is None else frozenset(word for word in text.split(",") if word)


class Control:
    def __init__(self, clock: Clock, activity: Activity, census: QueueCensus) -> None:
        self._clock = clock
        self._activity = activity
        self._census = census

    async def handle(self, request: web.Request) -> web.StreamResponse:
        match request.method, request.path:
            case "GET", "/_host/clock":
                return web.json_response({"now": written(self._clock.now())})
            case "POST", "/_host/clock":
                return await self._move(request)
            case "GET", "/_host/idle":
                return web.json_response(await self._awaited(request.query))
        return web.Response(status=404)

    async def _move(self, request: web.Request) -> web.Response:
        try:
            to = datetime.fromisoformat(str((await request.json())["to"]))
        except (ValueError, KeyError, TypeError) as error:
            return web.json_response({"error": f'a body {{"to": ISO time}} is needed: {error}'}, status=400)
        if to.tzinfo is None:
            to = to.replace(tzinfo=UTC)
        return web.json_response({"now": written(self._clock.move_to(to))})

    def _is_quiet(self) -> bool:
        return self._activity.is_quiet() and not self._clock.is_due()

    async def _awaited(self, query: Mapping[str, str]) -> dict[str, Any]:
        """The answer, held back for at most `wait` seconds while the host is busy: cheaper than being asked again."""
        visible, began = names(query.get("visible")), time.monotonic()
        longest = min(float(query.get("wait", 0)), LONGEST_WAIT)
        answer = await self._idle(visible)
        while not answer["idle"] and time.monotonic() - began < longest:
            await asyncio.sleep(BETWEEN_CENSUSES if self._is_quiet() else BETWEEN_LOOKS)
            if self._is_quiet():
                answer = await self._idle(None if visible is None else NOTHING)  # what was said to be there is taken
        return answer

    async def _idle(self, visible: frozenset[str] | None) -> dict[str, Any]:
        """Idle only if no queue has anything to take and nothing happened while they were asked."""
        before = self._activity.count
        holds: frozenset[Holds] = frozenset()
        idle = self._is_quiet()
        if idle:
            holds = await self._census.take(visible)
            idle = Holds.VISIBLE not in holds and self._is_quiet() and self._activity.count == before
        upcoming = [moment for moment in (self._clock.next(),) if moment is not None]
        if Holds.HIDDEN in holds:
            upcoming.append(self._clock.now() + HIDDEN_STEP)
        return {
            "idle": idle,
            "activity": self._activity.count,
            "next": written(min(upcoming)) if upcoming else None,
        }
