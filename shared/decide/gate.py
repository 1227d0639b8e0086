"""Whether a call about a scope is worth sending after others about it were denied. Asked by `cloud/gates.py`.

Three denials in a row, each about something else inside a scope, say that the permission is missing for the scope as a
whole: then nobody sends anything, except one call now and then that would find out that it was granted. A scope is a
resource group with its resources, or a subscription with its groups. It never sleeps and never reads a clock.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

DENIALS = 3
FIRST = timedelta(minutes=5)  # roles take some minutes until they are seen everywhere [azure-facts 3.9]
MOST = timedelta(minutes=15)
TO_ANSWER = timedelta(minutes=1)  # while one call finds out, the others wait


@dataclass(frozen=True, slots=True)
class Gate:
    """What was denied in one scope since a call about it last got through; `shut_until` while nobody may send."""

    denied: Set[str] = field(default_factory=frozenset)
    shut_until: datetime | None = None
    shut_for: timedelta = timedelta(0)

    @property
    def is_shut(self) -> bool:
        return self.shut_until is not None


def wait(gate: Gate, now: datetime) -> timedelta:
    """How long until a call may find out; zero when one may be sent now."""
    return max(gate.shut_until - now, timedelta(0)) if gate.shut_until else timedelta(0)


def let_through(gate: Gate, now: datetime) -> Gate:
    """The gate after a call was sent: a shut one lets no other through until that one is answered."""
    return Gate(gate.denied, now + TO_ANSWER, gate.shut_for) if gate.is_shut else gate


def denied(gate: Gate, inside: str, now: datetime) -> Gate:
    """The gate after something inside the scope was denied."""
    refused = gate.denied if gate.is_shut else gate.denied | {inside}
    if len(refused) < DENIALS:
        return Gate(refused)
    shut_for = min(gate.shut_for * 2 if gate.is_shut else FIRST, MOST)
    return Gate(refused, now + shut_for, shut_for)
