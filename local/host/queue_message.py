"""One message as it travels from a storage queue to the worker and, if it cannot be handled, to the poison queue.

Used by `queue_listener`. Never decides what becomes of a message.
"""

import base64
import binascii
import json
from datetime import datetime

from azure.functions.meta import Datum
from azure.storage.queue import QueueMessage

POISON = "-poison"
LONGEST_QUEUE_NAME = 63


def poison_queue(queue: str) -> str | None:
    """Where messages of this queue go in the end; poison queues and too long names have none."""
    name = queue + POISON
    return None if queue.endswith(POISON) or len(name) > LONGEST_QUEUE_NAME else name


def decode(text: str, base64_encoded: bool) -> bytes:
    """The body of a message; ValueError when it is not what `messageEncoding` says."""
    if not base64_encoded:
        return text.encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the message is not valid base64") from error


def body_datum(body: bytes) -> Datum:
    try:
        return Datum(body.decode("utf-8"), "string")
    except UnicodeDecodeError:
        return Datum(body, "bytes")


def _moment(moment: datetime | None) -> Datum:
    return Datum(json.dumps(moment.isoformat() if moment else None), "json")


def metadata(message: QueueMessage, body: bytes) -> dict[str, Datum]:
    """The trigger metadata the queue extension gives beside the body."""
    return {
        "QueueTrigger": Datum(body.decode("utf-8", "replace"), "string"),
        "Id": Datum(message.id, "string"),
        "PopReceipt": Datum(message.pop_receipt, "string"),
        "DequeueCount": Datum(json.dumps(message.dequeue_count), "json"),
        "InsertionTime": _moment(message.inserted_on),
        "ExpirationTime": _moment(message.expires_on),
        "NextVisibleTime": _moment(message.next_visible_on),
    }
