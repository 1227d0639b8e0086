"""What people ask for: one row per request, and a message that names it. And messages that nobody could serve."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model.identity import Shard, VmUid
from shared.model.restore import Restore, RestoreOrder


class Asked(StrEnum):
    """The kinds of requests."""

    BACKUP = "backup"
    REBUILD = "rebuild"
    RETRY = "retry"
    CANCEL = "cancel"
    HOLD = "hold"
    PAUSE = "pause"
    RESUME = "resume"
    RESTORE = "restore"
    UNDO = "undo"
    TIDY = "tidy"
    DELETE_DATA = "delete-data"
    DRILL = "drill"


class Progress(StrEnum):
    """How far a request came: `taken` means that an operation in the ledger answers for it, `done` that all is done.

    `failed`: it was begun and could not be carried out.
    """

    ASKED = "asked"
    TAKEN = "taken"
    REFUSED = "refused"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `by` is the asker's object id as their token states it. `operation` answers for it once taken; a
    request to try again, or to cancel, names it from the beginning.

    A request to hold says until when in `hold`, in the words of the tag, and which point in `slot`: None means all.
    A request about a whole shard has no `uid`; `reached` is the last machine that it is done with.
    A restore, or a drill, says what is wanted in `order`; `restore` is how far it came, None before a point is chosen.
    One that is to undo another, or to tidy up after it, names it in `operation`. `revision` counts the changes: a write
    that comes second is refused.
    One to pause or resume is about every shard; it says what in `stops`, and why in `reason`, as does one to delete
    what a vault has of a machine.
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
    order: RestoreOrder | None = None
    restore: Restore | None = None
    revision: int = 0
    stops: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PoisonedMessage:
    """A message that failed as often as its queue allows: which queue, what it said, when it was given up."""

    queue: str
    text: str
    at: datetime
