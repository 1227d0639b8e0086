"""What may be said of a point that was marked for deletion, each with its reason. Given by deletion.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Delete:
    """Nothing stands in the way."""

    because: str


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Time will do."""

    until: datetime
    because: str


@dataclass(frozen=True, slots=True)
class Held:
    """A person or Azure holds it: looked at again at `until`."""

    until: datetime
    because: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """Nothing of this kind is deleted now, whatever its date: people are told."""

    because: str


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """More than a day's budget, or of many that left at once: two people agree to it, or it waits."""

    because: str


@dataclass(frozen=True, slots=True)
class NotOurs:
    """What stands under this name is not what we made: never touched."""

    because: str


Verdict: TypeAlias = Delete | WaitUntil | Held | Frozen | NeedsApproval | NotOurs
