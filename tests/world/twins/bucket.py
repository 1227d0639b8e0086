"""A token bucket of Azure's, as it meets a caller over the wire: what is left in a header, or a 429 with Retry-After.

It is the truth of pacing tests: the product sees only its answers, and others may take from it too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil


@dataclass
class TwinBucket:
    """`capacity` tokens, `refill` per second. A refusal names whole seconds, at least one [azure-facts 4.1]."""

    now: Callable[[], datetime]
    capacity: float
    refill: float
    header: str
    level: float = field(init=False)
    refused: int = 0
    served: int = 0
    _at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.level, self._at = self.capacity, self.now()

    def taken_by_others(self, tokens: float) -> None:
        """Somebody else's calls: what there is of so many."""
        self._fill()
        self.level = max(self.level - tokens, 0)

    def call(self) -> tuple[dict[str, str], timedelta | None]:
        """The headers of an answer, and what Retry-After said when it is a 429."""
        self._fill()
        if self.level < 1:
            self.refused += 1
            seconds = max(1, ceil((1 - self.level) / self.refill)) if self.refill >= 1 else 1
            return {self.header: "0", "Retry-After": str(seconds)}, timedelta(seconds=seconds)
        self.level -= 1
        self.served += 1
        return {self.header: str(int(self.level))}, None

    def _fill(self) -> None:
        passed = (self.now() - self._at).total_seconds()
        self.level, self._at = min(self.capacity, self.level + passed * self.refill), self.now()
