"""What all queues the app listens to hold now, asked in as few requests as can be: a look costs a conductor each time.

Used by `control`. An asker who knows which queues hold something to be taken has only those polled, and no others.
"""

import asyncio
from collections.abc import Sequence

from azure.core.exceptions import AzureError

from local.host.queue_listener import Holds, QueueListener
from local.host.storage import Storage

WORTH_A_LIST = 3


class QueueCensus:
    def __init__(self, storage: Storage, listeners: Sequence[QueueListener]) -> None:
        self._storage = storage
        self._listeners = listeners

    async def take(self, visible: frozenset[str] | None) -> frozenset[Holds]:
        """Every listener's answer."""
        if visible is None:
            return await self._asked()
        polled = [listener for listener in self._listeners if listener.queue_name in visible]
        for listener in self._listeners:
            listener.told()
        return frozenset(await asyncio.gather(*(listener.polled() for listener in polled)))

    async def _asked(self) -> frozenset[Holds]:
        """As the queues say it; those that do not exist (most poison queues) are told apart by one list."""
        absent = [listener.connection for listener in self._listeners if not listener.is_known_to_exist]
        missing = {connection for connection in absent if absent.count(connection) >= WORTH_A_LIST}
        names = dict(zip(missing, await asyncio.gather(*(self._names(name) for name in missing)), strict=True))
        asked = [
            listener
            for listener in self._listeners
            if (known := names.get(listener.connection)) is None or listener.queue_name in known
        ]
        return frozenset(await asyncio.gather(*(listener.holds() for listener in asked)))

    async def _names(self, connection: str) -> frozenset[str] | None:
        try:
            return await self._storage.queue_names(connection)
        except AzureError:
            return None
