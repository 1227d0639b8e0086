"""Events to the installation's custom topic in Event Grid, as the app's identity. Built by wiring.

The SDK is imported with the first event. Sending is repeatable: an event keeps its id, and who hears it twice knows it.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.cloud.call import Calls
from shared.model.event import Event

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.eventgrid import EventGridPublisherClient

log = logging.getLogger("tagback")

TOGETHER_BYTES = 512 * 1024  # Event Grid takes 1 MB at a time [eg-lim]
# One owner of retries (cloud/call.py); a token goes to the topic and nowhere else.
OPTIONS: dict[str, Any] = {"retry_total": 0, "permit_redirects": False, "connection_timeout": 5, "read_timeout": 30}
DATA_VERSION = "1"


class TopicEvents:
    """One custom topic. Without an endpoint there is nobody to tell, and nothing happens."""

    def __init__(self, endpoint: str, credential: TokenCredential, calls: Calls) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._calls = calls
        self._open = ExitStack()
        self._lock = threading.Lock()
        self._client: EventGridPublisherClient | None = None

    def close(self) -> None:
        self._open.close()

    def publish(self, events: Sequence[Event]) -> None:
        if self._endpoint:
            for batch in _batches([_written(event) for event in events]):
                self._calls.repeatable(partial(self._topic().send, batch, **OPTIONS))
        for event in events:
            log.info("event.told type=%s subject=%s id=%s", event.type, event.subject, event.id)

    def _topic(self) -> EventGridPublisherClient:
        from azure.eventgrid import EventGridPublisherClient

        with self._lock:
            if self._client is None:
                self._client = self._open.enter_context(EventGridPublisherClient(self._endpoint, self._credential))
            return self._client


def _written(event: Event) -> dict[str, Any]:
    """The event in Event Grid's own schema, which a custom topic takes unless told otherwise."""
    return {
        "id": event.id,
        "eventType": event.type.value,
        "subject": event.subject,
        "eventTime": event.at.isoformat(),
        "data": dict(event.details),
        "dataVersion": DATA_VERSION,
    }


def _batches(events: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for event in events:
        length = len(json.dumps(event))
        if batch and size + length > TOGETHER_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += length
    if batch:
        yield batch
