"""What becomes of one message: run, renewed while it runs, then deleted, released or moved to the poison queue.

Used by `queue_listener`. Never loses a message: what is neither deleted nor moved becomes visible again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from local.host.activity import Activity
from local.host.clock import Clock
from local.host.execution import Execution
from local.host.options import QueueOptions
from local.host.queue_message import body_datum, decode, metadata
from local.host.storage import first_line, send
from local.host.values import FunctionDefinition

log = logging.getLogger("host.queues")
MESSAGE_VISIBILITY = timedelta(minutes=10)
SHORTEST_RENEWAL = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """Which function listens to which queue, and where its failures go."""

    function: FunctionDefinition
    queue: QueueClient
    poison: QueueClient | None
    connection: str


@dataclass(slots=True)
class Held:
    """A message we took; its receipt changes with every renewal."""

    message: QueueMessage
    receipt: str = field(init=False)

    def __post_init__(self) -> None:
        self.receipt = self.message.pop_receipt or ""

    @property
    def times_taken(self) -> int:
        return self.message.dequeue_count or 0


@dataclass(slots=True)
class QueueProcessor:
    trigger: QueueTrigger
    options: QueueOptions
    execution: Execution
    activity: Activity
    clock: Clock
    on_poisoned: Callable[[str], None] = lambda queue: None

    async def process(self, message: QueueMessage) -> None:
        held = Held(message)
        try:
            with self.activity.step():
                body = await self._begin(held)
            if body is None:
                return
            renewal = asyncio.ensure_future(self._renew(held))
            try:
                outcome = await self.execution.run(self.trigger.function, body_datum(body), metadata(message, body))
            finally:
                renewal.cancel()
            with self.activity.step():
                await (self._delete(held) if outcome.ok else self._failed(held))
        except AzureError as error:
            log.warning("%s: message %s: %s", self.trigger.queue.queue_name, message.id, first_line(error))

    async def _begin(self, held: Held) -> bytes | None:
        """The body to run with; None if the message is not to be run at all."""
        if held.times_taken > self.options.max_dequeue_count:
            await self._to_poison(held)
            return None
        try:
            return decode(held.message.content, self.options.base64)
        except ValueError as error:
            log.warning("%s: message %s: %s", self.trigger.queue.queue_name, held.message.id, error)
            await self._to_poison(held)
            return None

    async def _renew(self, held: Held) -> None:
        interval = MESSAGE_VISIBILITY / 2
        while True:
            await self.clock.until(self.clock.now() + interval)
            try:
                await self._hide(held, MESSAGE_VISIBILITY)
                interval = MESSAGE_VISIBILITY / 2
            except AzureError as error:
                log.warning("%s: visibility not renewed: %s", self.trigger.queue.queue_name, first_line(error))
                interval = max(interval / 2, SHORTEST_RENEWAL)

    async def _hide(self, held: Held, how_long: timedelta) -> None:
        seconds = int(how_long.total_seconds())
        updated = await self.trigger.queue.update_message(held.message.id, held.receipt, visibility_timeout=seconds)
        held.receipt = updated.pop_receipt or held.receipt

    async def _failed(self, held: Held) -> None:
        if self.trigger.poison is None:
            return  # stays invisible, so that it does not come back in a tight loop
        if held.times_taken >= self.options.max_dequeue_count:
            await self._to_poison(held)
        else:
            await _unless_gone(self._hide(held, self.options.visibility_timeout))

    async def _to_poison(self, held: Held) -> None:
        poison = self.trigger.poison
        if poison is None:
            return
        log.warning(
            "moving message %s of '%s' to '%s'", held.message.id, self.trigger.queue.queue_name, poison.queue_name
        )
        await send(poison, held.message.content)
        self.on_poisoned(poison.queue_name)
        await self._delete(held)

    async def _delete(self, held: Held) -> None:
        await _unless_gone(self.trigger.queue.delete_message(held.message.id, held.receipt))


async def _unless_gone(call: Awaitable[None]) -> None:
    """Somebody else took the message over, or it is gone: theirs to finish."""
    try:
        await call
    except HttpResponseError as error:
        mismatch = error.status_code == 400 and "PopReceiptMismatch" in str(getattr(error, "error_code", ""))
        if not mismatch and error.status_code not in (404, 409):
            raise
