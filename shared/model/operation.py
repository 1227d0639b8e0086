"""Operations: what we meant to do and how far it came: one row `o|uid|id`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model.identity import VmUid
from shared.model.point import Engine, Origin


class Kind(StrEnum):
    """What an operation does."""

    CAPTURE = "capture"


class State(StrEnum):
    """How far an operation came. The first two are open; `skipped` and `superseded` end a slot with a reason."""

    INTENDED = "intended"
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    GAVE_UP = "gave-up"
    NEEDS_PERSON = "needs-person"
    SKIPPED = "skipped"
    SUPERSEDED = "superseded"

    @property
    def open(self) -> bool:
        return self in (State.INTENDED, State.STARTED, State.FAILED, State.NEEDS_PERSON)


class Trouble(StrEnum):
    """What kind of answer ended an act, named like the classes of `shared/errors.py`."""

    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    OUTCOME_UNKNOWN = "outcome-unknown"
    CONFLICT = "conflict"
    BLOCKED = "blocked"
    DENIED = "denied"
    MISSING = "missing"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Failure:
    """The last error of an operation, for people: Azure's code and message, and what the reader can do."""

    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One capture of one VM. Its id is derived from what and when, so two workers collide instead of doubling.

    `slot_from` is only set on a superseded range: the oldest of the slots it answers for.
    `failed` is open: it is tried again at `next_look`.
    """

    uid: VmUid
    id: str
    kind: Kind
    origin: Origin
    engine: Engine
    slot: datetime
    state: State
    because: str
    intended_at: datetime
    attempts: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    next_look: datetime | None = None
    slot_from: datetime | None = None
    failure: Failure | None = None
