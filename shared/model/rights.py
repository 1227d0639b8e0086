"""What an installation needs of Azure, and what it was found to have: rights, providers, quotas."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reach(StrEnum):
    """Where a right is needed."""

    SUBSCRIPTION = "subscription"
    RECOVERY = "recovery"
    TARGETS = "targets"


@dataclass(frozen=True, slots=True)
class Need:
    """One action that one role needs, and what for."""

    role: str
    scope: Reach
    action: str
    because: str


@dataclass(frozen=True, slots=True)
class Permission:
    """What one role gives: actions with wildcards, but for some."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of something a subscription has used in a region."""

    name: str
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was looked at: whether it is as it should be, in words."""

    scope: str
    subject: str
    well: bool
    because: str
