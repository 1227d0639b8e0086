"""One failed act as it was told: what Azure answered, about which work. What follows is for `decide/failure.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Trouble(StrEnum):
    """What kind of answer ended an act, named like the classes of `shared/errors.py`: what is known of any code."""

    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    OUTCOME_UNKNOWN = "outcome-unknown"
    CONFLICT = "conflict"
    BLOCKED = "blocked"
    DENIED = "denied"
    MISSING = "missing"
    REFUSED = "refused"


class Area(StrEnum):
    """Whose codes are spoken. A vault also passes on what ARM said."""

    ARM = "arm"
    VAULT = "vault"


class Task(StrEnum):
    """What was being done, where a message without a code means something only there."""

    ANY = "any"
    DISCOVER = "discover"
    REGISTER = "register"
    BACK_UP = "back-up"
    RESTORE = "restore"
    POLICY = "policy"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Fault:
    """`status` is 0 where no HTTP answer came, or where a job told it; `after` is what Retry-After said."""

    trouble: Trouble
    code: str
    message: str
    status: int = 0
    after: timedelta = timedelta(0)
    area: Area = Area.ARM
    task: Task = Task.ANY
