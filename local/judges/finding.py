"""What a judge found: how much was looked at, and what is not as promised. Used by every judge."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that is not as promised."""

    what: str
    where: str
    at: str


@dataclass(slots=True)
class Finding:
    """The count and the violations of one promise. `note` says why nothing could be looked at, where that is so."""

    checked: int = 0
    violations: list[Violation] = field(default_factory=list)
    note: str = ""

    def expect(self, holds: bool, what: str, where: str, at: datetime | str = "") -> None:
        """Count one look, and keep the violation when it does not hold."""
        self.checked += 1
        if not holds:
            moment = at if isinstance(at, str) else f"{at:%Y-%m-%dT%H:%M:%SZ}"
            self.violations.append(Violation(what, where, moment))
