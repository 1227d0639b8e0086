"""Queue messages. Built by wiring; the only sender besides the Functions host."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from math import ceil

from shared.cloud.storage import Storage

LONGEST_DELAY = timedelta(days=7) - timedelta(minutes=1)  # Azure refuses a message hidden for its whole life


class StorageQueue:
    """Sends messages; a lost answer sends it again, as messages are keys. A message never comes before its delay."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def send(self, queue: str, text: str, delay: timedelta = timedelta(0)) -> None:
        client = self._storage.queue(queue)
        hidden = ceil(min(max(delay, timedelta(0)), LONGEST_DELAY).total_seconds())
        send = partial(client.send_message, text, visibility_timeout=hidden or None)
        self._storage.existing(lambda: self._storage.calls.repeatable(send), client.create_queue)
