"""What is stopped now, and by whom: a person's pause, and the mass brake once it was noticed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Stops(StrEnum):
    """What a brake stops: captures and deletions by a person's word, unplanned deletions by the mass brake."""

    CAPTURES = "captures"
    DELETES = "deletes"
    UNPLANNED = "unplanned-deletes"


@dataclass(frozen=True, slots=True)
class Brake:
    """One brake. `scope` is the subscription that it is about; empty for the whole installation.

    `by` is a person's object id; empty for the mass brake, which is on by itself and of which this only takes note.
    `told` says that people were told of it as it is now. One that was released stays until they were.
    """

    stops: Stops
    by: str
    since: datetime
    because: str
    scope: str = ""
    released_by: str = ""
    released_at: datetime | None = None
    told: bool = False

    @property
    def on(self) -> bool:
        return self.released_at is None


@dataclass(frozen=True, slots=True)
class Braking:
    """Every brake of the installation, as last read. `etag` is empty where nothing was ever stopped."""

    brakes: tuple[Brake, ...] = ()
    etag: str = ""
