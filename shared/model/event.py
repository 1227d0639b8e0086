"""What others are told: one event per change, as it is published to the custom topic. `docs/events.md` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Happening(StrEnum):
    """The kinds of events, in the words that subscribers filter by."""

    REGISTERED = "Tagback.Machine.Registered"
    PROTECTED = "Tagback.Machine.Protected"
    DEGRADED = "Tagback.Machine.Degraded"
    UNPROTECTED = "Tagback.Machine.Unprotected"
    EXCLUDED = "Tagback.Machine.Excluded"
    GONE = "Tagback.Machine.Gone"
    MISNAMED = "Tagback.Machine.Misnamed"
    POINT_COMPLETED = "Tagback.Point.Completed"
    NEEDS_PERSON = "Tagback.Operation.NeedsPerson"
    GAVE_UP = "Tagback.Operation.GaveUp"
    DRILL_PROVEN = "Tagback.Drill.Proven"
    DRILL_FAILED = "Tagback.Drill.Failed"
    PAUSED = "Tagback.Work.Paused"
    RESUMED = "Tagback.Work.Resumed"
    FROZEN = "Tagback.Deletions.Frozen"
    UNFROZEN = "Tagback.Deletions.Unfrozen"


@dataclass(frozen=True, slots=True)
class Event:
    """One change. The id is a hash of what changed, so that telling it again is telling the same.

    `subject` is the ARM id of the machine, or what a brake is about; `details` are flat texts.
    """

    id: str
    type: Happening
    subject: str
    at: datetime
    details: Mapping[str, str]
