"""What an installation tells whoever watches it: the spans of an operation's trace, and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Fact = str | int


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of an operation's trace. Ids are hex as W3C has them; `parent` is empty for the operation itself.

    `failed` says in a code what went wrong; empty when nothing did.
    """

    trace: str
    id: str
    parent: str
    name: str
    began: datetime
    ended: datetime
    facts: Mapping[str, Fact]
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to Azure as it was answered; `status` is 0 where no answer came. `path` is in lower case."""

    method: str
    path: str
    status: int
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Waking:
    """What made a function run: the event, or a message that was put on its queue at `queued`.

    `heard` is when the event behind a message was received; None where no event is known to stand behind it.
    """

    queue: str
    began: datetime
    queued: datetime | None = None
    heard: datetime | None = None


class Count(StrEnum):
    """What is added up."""

    DUE = "operations.due"
    DONE = "operations.done"
    FAILED = "operations.failed"
    RETRIED = "operations.retried"
    THROTTLED = "calls.throttled"


class Level(StrEnum):
    """What stands at a value: the oldest newest point of a shard in seconds, and what is left of each budget."""

    POINT_AGE = "point.age"
    CALLS_LEFT = "calls.left"
    DELETIONS_LEFT = "deletions.left"
