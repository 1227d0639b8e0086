"""A world with telemetry looking on, where the settings ask for it and its library is there; else as it is.

Built by wiring.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.pipeline.policies import SansIOHTTPPolicy

from shared.model.account import Telling
from shared.ports import Clock, World

log = logging.getLogger("tagback")


class Unwatched:
    """Nobody looks on."""

    calls: SansIOHTTPPolicy[Any, Any] | None = None

    def over(self, world: World) -> World:
        return world

    def close(self) -> None:
        return


class Watched(Unwatched):
    """Telemetry looks on at calls to ARM, at the ledger and at the queue. ImportError where its library is missing."""

    def __init__(self, telling: Telling, credential: TokenCredential, clock: Clock) -> None:
        from shared.cloud import telemetry
        from shared.cloud.traces import Traces
        from shared.cloud.watched import WatchedCalls

        self._telemetry = telemetry.opened(telling, credential, clock)
        self._traces = Traces(self._telemetry, clock)
        self.calls = WatchedCalls(self._traces, self._telemetry, clock)

    def over(self, world: World) -> World:
        from shared.cloud.watched import WatchedLedger, WatchedQueue

        ledger, queue = WatchedLedger(world.ledger, self._traces), WatchedQueue(world.queue)
        return replace(world, ledger=ledger, queue=queue, telemetry=self._telemetry)

    def close(self) -> None:
        self._telemetry.close()


def watch(telling: Telling, credential: TokenCredential, clock: Clock) -> Unwatched:
    """Whoever looks on, as it was asked for. That nobody can is said once and stops nothing."""
    if not (telling.file or telling.connection):
        return Unwatched()
    try:
        return Watched(telling, credential, clock)
    except ImportError as error:
        log.warning("telemetry.off because=%r", f"{error}: it comes with tagback[telemetry]")
        return Unwatched()
