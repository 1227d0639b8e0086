"""What follows a failed act: when to look again, when to ask a person, when to stop.

Delays grow and are spread by a hash of the machine, so that a region that comes back is not stormed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from shared.model.operation import Trouble

MAX_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class Retry:
    """Look again after a while."""

    after: timedelta
    because: str


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Only a person can mend it; look again now and then, so that nobody has to tell us when it is mended."""

    after: timedelta
    remedy: str
    because: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The same act would fail again."""

    because: str


Next: TypeAlias = Retry | AskPerson | GiveUp


@dataclass(frozen=True, slots=True)
class _Rule:
    first: timedelta
    most: timedelta
    because: str
    remedy: str = ""
    ends: bool = False


# Classes and remedies follow azure-facts 3.9; the delays are ours.
_RULES = {
    Trouble.THROTTLED: _Rule(timedelta(seconds=15), timedelta(minutes=5), "Azure asked for fewer calls"),
    Trouble.UNAVAILABLE: _Rule(timedelta(seconds=30), timedelta(minutes=15), "Azure did not answer"),
    Trouble.OUTCOME_UNKNOWN: _Rule(timedelta(seconds=20), timedelta(minutes=5), "the answer was lost: look, then act"),
    Trouble.CONFLICT: _Rule(timedelta(minutes=1), timedelta(minutes=15), "another operation is running on it"),
    Trouble.MISSING: _Rule(timedelta(minutes=1), timedelta(minutes=30), "what it needs was not there"),
    Trouble.BLOCKED: _Rule(
        timedelta(hours=1),
        timedelta(hours=6),
        "a lock, a quota or a limit stands in the way",
        "remove the lock from the recovery group, or raise the quota named in the message",
    ),
    Trouble.DENIED: _Rule(
        timedelta(minutes=15),
        timedelta(hours=1),
        "a permission or a policy forbids it",
        "grant the action named in the message to this app's identity, or exempt the recovery group from the policy",
    ),
    Trouble.REFUSED: _Rule(timedelta(0), timedelta(0), "Azure refuses the request itself", ends=True),
}


def follow_up(trouble: Trouble, attempts: int, key: str) -> Next:
    """What to do after attempt number `attempts` (from 1) failed; `key` spreads the delay."""
    rule = _RULES[trouble]
    if rule.ends:
        return GiveUp(rule.because)
    after = _spread(min(rule.most, rule.first * 2 ** min(attempts - 1, 16)), f"{key}|{attempts}")
    if rule.remedy:
        return AskPerson(after, rule.remedy, rule.because)
    if attempts >= MAX_ATTEMPTS:
        return GiveUp(f"{rule.because}, {attempts} times")
    return Retry(after, rule.because)


def _spread(delay: timedelta, key: str) -> timedelta:
    """Between the delay and a quarter more, always the same for the same key, whole seconds."""
    share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32
    return timedelta(seconds=round(delay.total_seconds() * (1 + share / 4)))
