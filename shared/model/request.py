"""What people ask for: one row per request, and a message that names it. And messages that nobody could serve."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model.identity import Shard, VmUid


class Asked(StrEnum):
    """The kinds of requests."""

    BACKUP = "backup"
    REBUILD = "rebuild"
    RETRY = "retry"
    HOLD = "hold"


class Progress(StrEnum):
    """How far a request came: `taken` means that an operation in the ledger answers for it, `done` that all is done."""

    ASKED = "asked"
    TAKEN = "taken"
    REFUSED = "refused"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `by` is the asker's object id as their token states it. `operation` answers for it once taken; a
    request to try again names it from the beginning.

    A request to hold says until when in `hold`, in the words of the tag, and which point in `slot`: None means all.
    A request about a whole shard has no `uid`; `reached` is the last machine that it is done with.
    """

    id: str
    asked: Asked
    shard: Shard
    uid: VmUid
    by: str
    at: datetime
    progress: Progress
    because: str = ""
    operation: str = ""
    reached: str = ""
    hold: str = ""
    slot: datetime | None = None


@dataclass(frozen=True, slots=True)
class PoisonedMessage:
    """A message that failed as often as its queue allows: which queue, what it said, when it was given up."""

    queue: str
    text: str
    at: datetime
