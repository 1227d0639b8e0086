"""Listens to one storage queue and hands its messages to a processor, as the queue extension does.

Made by `host`, one per queue-triggered function; asked by `control` what its queue holds now. Never takes more than
`batchSize` messages at once, nor any while more than `newBatchThreshold` are being processed.
"""

import asyncio
import logging
import random
import time
from dataclasses import dataclass
from enum import Enum

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueMessage

from local.host.queue_processor import MESSAGE_VISIBILITY, QueueProcessor
from local.host.storage import first_line

log = logging.getLogger("host.queues")
FIRST_DELAY = 0.1
BELIEVED = 5.0  # seconds for which a listener goes by what it was told instead of looking for itself


class Holds(Enum):
    """What a queue holds beside the messages being processed."""

    NOTHING = "nothing"
    HIDDEN = "hidden"
    VISIBLE = "visible"
    UNKNOWN = "unknown"


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


class QueueListener:
    """Polls one queue for as long as it is run.

    Whoever moves the clock asks afterwards what the queue holds, so a jump by itself makes nobody poll sooner. While
    somebody says what it holds, it is polled when there is something to be had, and seldom otherwise.
    """

    def __init__(self, processor: QueueProcessor) -> None:
        self._processor = processor
        self._queue = processor.trigger.queue
        self._options = processor.options
        self._backoff = Backoff(self._options.max_polling_interval.total_seconds())
        self._processing: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._poll_at_once = False
        self._askers: list[asyncio.Future[bool]] = []
        self._exists = False
        self._told_at = -BELIEVED

    @property
    def queue_name(self) -> str:
        return self._queue.queue_name

    @property
    def connection(self) -> str:
        return self._processor.trigger.connection

    @property
    def is_known_to_exist(self) -> bool:
        return self._exists

    def notify(self) -> None:
        """A message was written here: look at once."""
        self._backoff.reset()
        self._poll_at_once = True
        self._wake.set()

    async def holds(self) -> Holds:
        """Ask the queue now, and poll it if it holds more than is being processed.

        A listener at its limit cannot take a message before one of its own ends, so it says nothing is to be had.
        """
        if self._at_limit():
            return Holds.NOTHING
        try:
            properties = await self._queue.get_queue_properties()
        except AzureError as error:
            self._exists = False
            self._wake.set()
            return Holds.NOTHING if isinstance(error, ResourceNotFoundError) else Holds.UNKNOWN
        if (properties.approximate_message_count or 0) <= len(self._processing):
            self._wake.set()  # this was an empty look like any other: wait anew, and longer
            return Holds.NOTHING
        return Holds.VISIBLE if await self._found_by_poll() else Holds.HIDDEN

    def told(self) -> None:
        """Somebody knows what the queue holds, and will say so again within moments."""
        if not self._is_told:
            self._wake.set()
        self._told_at = time.monotonic()

    @property
    def _is_told(self) -> bool:
        return time.monotonic() - self._told_at < BELIEVED

    async def polled(self) -> Holds:
        """Take what the queue is said to hold."""
        if self._at_limit():
            return Holds.NOTHING
        return Holds.VISIBLE if await self._found_by_poll() else Holds.HIDDEN

    async def run(self) -> None:
        try:
            while True:
                found = await self._poll()
                if found:
                    self._backoff.reset()
                    await self._below_limit()
                if not found or self._is_told:
                    await self._wait()
        finally:
            for task in self._processing:
                task.cancel()

    async def _found_by_poll(self) -> bool:
        if self._at_limit():
            return False
        asker: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._askers.append(asker)
        self._wake.set()
        return await asker

    def _at_limit(self) -> bool:
        return len(self._processing) > self._options.new_batch_threshold

    async def _below_limit(self) -> None:
        """Who asked while the messages that fill it were being fetched is told that there is nothing more to be had."""
        if self._at_limit():
            askers, self._askers = self._askers, []
            _tell(askers, found=False)
        while self._at_limit():
            await asyncio.wait(self._processing, return_when=asyncio.FIRST_COMPLETED)

    async def _wait(self) -> None:
        """Back off until the delay is over, a message was announced, or somebody asks."""
        woken = True
        while woken and not self._askers and not self._poll_at_once:
            self._wake.clear()
            try:
                async with asyncio.timeout(self._delay()):
                    await self._wake.wait()
            except TimeoutError:
                woken = False
        self._poll_at_once = False

    def _delay(self) -> float:
        return self._backoff.longest if self._is_told else self._backoff.next()

    async def _poll(self) -> bool:
        askers, self._askers = self._askers, []
        messages: list[QueueMessage] = []
        try:
            messages = await self._receive()
            for message in messages:
                self._start(message)
        finally:
            _tell(askers, bool(messages))
        return bool(messages)

    def _start(self, message: QueueMessage) -> None:
        self._processor.activity.happened()
        task = asyncio.ensure_future(self._processor.process(message))
        self._processing.add(task)
        task.add_done_callback(self._processing.discard)

    async def _receive(self) -> list[QueueMessage]:
        batch, seconds = self._options.batch_size, int(MESSAGE_VISIBILITY.total_seconds())
        try:
            if not self._exists:
                await self._queue.get_queue_properties()
                self._exists = True
            pages = self._queue.receive_messages(
                messages_per_page=batch, max_messages=batch, visibility_timeout=seconds
            )
            return [message async for message in pages]
        except AzureError as error:
            self._exists = False
            if not isinstance(error, HttpResponseError) or error.status_code != 404:
                log.warning("%s: %s", self.queue_name, first_line(error))
            return []


def _tell(askers: list[asyncio.Future[bool]], found: bool) -> None:
    for asker in askers:
        if not asker.done():
            asker.set_result(found)
