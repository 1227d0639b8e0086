"""Listens to one storage queue and hands its messages to a function, as the queue extension does.

Made by `host`, one per queue-triggered function; asked by `control` whether its queue is empty. Never loses a message:
what is not deleted or moved to the poison queue becomes visible again.
"""

import asyncio
import contextlib
import logging
import random
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
from local.host.storage import send
from local.host.values import FunctionDefinition

log = logging.getLogger("host.queues")
MESSAGE_VISIBILITY = timedelta(minutes=10)
SHORTEST_RENEWAL = timedelta(minutes=1)
FIRST_DELAY = 0.1
HIDDEN_STEP = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """Which function listens to which queue, and where its failures go."""

    function: FunctionDefinition
    queue: QueueClient
    poison: QueueClient | None


@dataclass(slots=True)
class Backoff:
    """How long to wait before the next look: grows while nothing is found."""

    longest: float
    empty_looks: int = 0

    def reset(self) -> None:
        self.empty_looks = 0

    def next(self) -> float:
        self.empty_looks += 1
        if self.empty_looks == 1:
            return FIRST_DELAY
        grown: float = 2 ** min(self.empty_looks - 2, 30) * FIRST_DELAY * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
        return min(FIRST_DELAY + grown, self.longest)


@dataclass(slots=True)
class Held:
    """A message we took; its receipt changes with every renewal."""

    message: QueueMessage
    receipt: str = field(init=False)

    def __post_init__(self) -> None:
        self.receipt = self.message.pop_receipt or ""


class QueueListener:
    """Polls, runs, deletes, poisons."""

    def __init__(
        self, trigger: QueueTrigger, options: QueueOptions, execution: Execution, activity: Activity, clock: Clock
    ) -> None:
        self._trigger = trigger
        self._options = options
        self._execution = execution
        self._activity = activity
        self._clock = clock
        self._backoff = Backoff(options.max_polling_interval.total_seconds())
        self._processing: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._askers: list[asyncio.Future[bool]] = []
        self._exists = False
        self.on_poisoned: Callable[[str], None] = lambda queue: None

    @property
    def queue_name(self) -> str:
        return self._trigger.queue.queue_name

    def notify(self) -> None:
        """Look again now: a message was written here, or time has jumped."""
        self._backoff.reset()
        self._wake.set()

    async def is_empty_now(self) -> bool:
        """Poll once from now on; a listener at its limit cannot take a message and counts as empty."""
        if self._at_limit():
            return True
        asker: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._askers.append(asker)
        self._wake.set()
        return await asker

    async def holds_hidden(self) -> bool:
        """Does the queue hold messages that neither we nor anyone can see now?"""
        try:
            properties = await self._trigger.queue.get_queue_properties()
        except AzureError:
            return False
        return (properties.approximate_message_count or 0) > len(self._processing)

    async def run(self) -> None:
        try:
            while True:
                if await self._poll():
                    self._backoff.reset()
                    await self._below_limit()
                else:
                    await self._wait()
        finally:
            for task in self._processing:
                task.cancel()

    def _at_limit(self) -> bool:
        return len(self._processing) > self._options.new_batch_threshold

    async def _below_limit(self) -> None:
        while self._at_limit():
            await asyncio.wait(self._processing, return_when=asyncio.FIRST_COMPLETED)

    async def _wait(self) -> None:
        if self._askers:  # asked while we were polling: look again at once
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), self._backoff.next())

    async def _poll(self) -> bool:
        self._wake.clear()
        askers, self._askers = self._askers, []
        found = False
        try:
            messages = await self._receive()
            found = bool(messages)
            for message in messages:
                self._activity.happened()
                task = asyncio.ensure_future(self._process(Held(message)))
                self._processing.add(task)
                task.add_done_callback(self._processing.discard)
        finally:
            for asker in askers:
                if not asker.done():
                    asker.set_result(not found)
        return found

    async def _receive(self) -> list[QueueMessage]:
        queue = self._trigger.queue
        seconds = int(MESSAGE_VISIBILITY.total_seconds())
        try:
            if not self._exists:
                await queue.get_queue_properties()
                self._exists = True
            pages = queue.receive_messages(
                messages_per_page=self._options.batch_size,
                max_messages=self._options.batch_size,
                visibility_timeout=seconds,
            )
            return [message async for message in pages]
        except AzureError as error:
            self._exists = False
            if not isinstance(error, HttpResponseError) or error.status_code != 404:
                log.warning("%s: %s", self.queue_name, str(error).partition("\n")[0])
            return []

    async def _process(self, held: Held) -> None:
        try:
            with self._activity.step():
                if (held.message.dequeue_count or 0) > self._options.max_dequeue_count:
                    await self._to_poison(held)
                    return
                try:
                    body = decode(held.message.content, self._options.base64)
                except ValueError as error:
                    log.warning("%s: message %s: %s", self.queue_name, held.message.id, error)
                    await self._to_poison(held)
                    return
            renewal = asyncio.ensure_future(self._renew(held))
            try:
                outcome = await self._execution.run(
                    self._trigger.function, body_datum(body), metadata(held.message, body)
                )
            finally:
                renewal.cancel()
            with self._activity.step():
                await (self._delete(held) if outcome.ok else self._failed(held))
        except AzureError as error:
            log.warning("%s: message %s: %s", self.queue_name, held.message.id, str(error).partition("\n")[0])

    async def _renew(self, held: Held) -> None:
        interval = MESSAGE_VISIBILITY / 2
        while True:
            await self._clock.until(self._clock.now() + interval)
            try:
                await self._hide(held, MESSAGE_VISIBILITY)
                interval = MESSAGE_VISIBILITY / 2
            except AzureError as error:
                log.warning("%s: visibility not renewed: %s", self.queue_name, str(error).partition("\n")[0])
                interval = max(interval / 2, SHORTEST_RENEWAL)

    async def _hide(self, held: Held, how_long: timedelta) -> None:
        seconds = int(how_long.total_seconds())
        updated = await self._trigger.queue.update_message(held.message.id, held.receipt, visibility_timeout=seconds)
        held.receipt = updated.pop_receipt or held.receipt

    async def _failed(self, held: Held) -> None:
        if self._trigger.poison is None:
            return  # stays invisible, so that it does not come back in a tight loop
        if (held.message.dequeue_count or 0) >= self._options.max_dequeue_count:
            await self._to_poison(held)
        else:
            await _unless_gone(self._hide(held, self._options.visibility_timeout))
            self._wake.set()

    async def _to_poison(self, held: Held) -> None:
        poison = self._trigger.poison
        if poison is None:
            return
        log.warning("%s: moving message %s to '%s'", self.queue_name, held.message.id, poison.queue_name)
        await send(poison, held.message.content)
        self.on_poisoned(poison.queue_name)
        await self._delete(held)

    async def _delete(self, held: Held) -> None:
        await _unless_gone(self._trigger.queue.delete_message(held.message.id, held.receipt))


async def _unless_gone(call: Awaitable[None]) -> None:
    """Somebody else took the message over, or it is gone: theirs to finish."""
    try:
        await call
    except HttpResponseError as error:
        mismatch = error.status_code == 400 and "PopReceiptMismatch" in str(getattr(error, "error_code", ""))
        if not mismatch and error.status_code not in (404, 409):
            raise
