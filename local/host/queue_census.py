"""What all queues the app listens to hold now, asked in as few requests as can be: a look costs a conductor each time.

Used by `control`. Anybody may write to a queue at any time, so an answer is remembered only for an asker who tells how
often each queue was written to: one that was empty is still empty while that number stays.
"""

import asyncio
from collections.abc import Mapping, Sequence

from azure.core.exceptions import AzureError

from local.host.queue_listener import Holds, QueueListener
from local.host.storage import Storage

WORTH_A_LIST = 3


class QueueCensus:
    def __init__(self, storage: Storage, listeners: Sequence[QueueListener]) -> None:
        self._storage = storage
        self._listeners = listeners
        self._empty: dict[QueueListener, int] = {}

    async def take(self, written: Mapping[str, int] | None) -> frozenset[Holds]:
        """Every listener's answer; queues that do not exist (most poison queues) are told apart by one list."""
        unsure = [listener for listener in self._listeners if not self._is_still_empty(listener, written)]
        absent = [listener.connection for listener in unsure if not listener.is_known_to_exist]
        missing = {connection for connection in absent if absent.count(connection) >= WORTH_A_LIST}
        names = dict(zip(missing, await asyncio.gather(*(self._names(name) for name in missing)), strict=True))
        asked = [
            listener
            for listener in unsure
            if (known := names.get(listener.connection)) is None or listener.queue_name in known
        ]
        held = dict(zip(asked, await asyncio.gather(*(listener.holds() for listener in asked)), strict=True))
        for listener in unsure:
            self._empty.pop(listener, None)
            if (
                written is not None
                and held.get(listener, Holds.NOTHING) is Holds.NOTHING
                and not listener.is_processing
            ):
                self._empty[listener] = written.get(listener.queue_name, 0)
        return frozenset(held.values())

    def _is_still_empty(self, listener: QueueListener, written: Mapping[str, int] | None) -> bool:
        if written is None or listener.is_processing or listener not in self._empty:
            return False
        return self._empty[listener] == written.get(listener.queue_name, 0)

    async def _names(self, connection: str) -> frozenset[str] | None:
        try:
            return await self._storage.queue_names(connection)
        except AzureError:
            return None
