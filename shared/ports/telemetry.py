"""How the product tells what it does. Nothing is decided by it, and it may be lost."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Protocol

from shared.model.telemetry import Count, Level, Span


class Telemetry(Protocol):
    """Takes what is told, without ever raising and without waiting for anybody. Safe to use from several threads."""

    def spans(self, spans: Sequence[Span]) -> None: ...

    def count(self, count: Count, about: str) -> None:
        """One more of something, by a word that has few values."""

    def level(self, level: Level, about: str, value: float) -> None:
        """Where something stands now."""

    def woken(self, queue: str, text: str, queued: datetime | None) -> AbstractContextManager[None]:
        """While the block runs, what is begun was made to by this message, or by an event where `queue` is empty."""


class Silent:
    """Tells nobody: how an installation is that was not asked for telemetry."""

    def spans(self, spans: Sequence[Span]) -> None:
        return

    def count(self, count: Count, about: str) -> None:
        return

    def level(self, level: Level, about: str, value: float) -> None:
        return

    def woken(self, queue: str, text: str, queued: datetime | None) -> AbstractContextManager[None]:
        return nullcontext()
