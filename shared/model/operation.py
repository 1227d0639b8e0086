"""Operations: what we meant to do and how far it came: one row `o|uid|id`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model.identity import VmUid
from shared.model.point import Engine, Origin
from shared.model.vault import VaultTask


class Kind(StrEnum):
    """What an operation does: a capture is ours, the others are done by Azure Backup."""

    CAPTURE = "capture"
    PROTECT = "protect"
    BACK_UP = "back-up"
    STOP = "stop-protection"
    UNDELETE = "undelete"
    EMPTY = "delete-data"


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

    @property
    def unresolved(self) -> bool:
        """Whether the status of its machine depends on it: it is open, or was given up."""
        return self.open or self is State.GAVE_UP


@dataclass(frozen=True, slots=True)
class Failure:
    """The last error of an operation, for people: Azure's code and message, and what the reader can do.

    `since` is when this code was first answered, `times` how often in a row since then: whoever alarms people does it
    when `times` is 1. `waits_for` names what must come true. A code that no rule knows is not `known`.
    """

    code: str
    message: str
    remedy: str
    since: datetime | None = None
    times: int = 1
    waits_for: str = ""
    known: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """One piece of work on one VM. Its id is derived from what and when, so two workers collide instead of doubling.

    `slot_from` is only set on a superseded range: the oldest of the slots it answers for.
    `failed` is open: it is tried again at `next_look`. `task` is what it does at a vault.
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
    task: VaultTask | None = None
