"""How long executions take on a machine of their own, whatever else this one is doing. Used by usage.py.

In jumping time an execution that waits is jumped over, and one that computes takes real time: on a busy machine more
than it needs, and with emulators in the place of Azure's services. Waited time counts as it is. The rest of an
execution is scaled so that all of them together last as long as the same work would in Azure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.clock.conductor import Statistics
from local.clock.order import Jump

EXECUTED = re.compile(
    r"^\[(?P<at>[\d -]+:[\d:]+,\d+)\] host Executed 'Functions\.(?P<function>\w+)' \(.*Duration=(?P<ms>\d+)ms\)"
)
NONE = timedelta()


@dataclass(frozen=True, slots=True)
class Span:
    """From an instant to another."""

    since: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        return self.until - self.since

    def holds(self, moment: datetime) -> bool:
        return self.since <= moment < self.until

    def shared(self, other: Span) -> timedelta:
        """How much of it lies in another."""
        return max(min(self.until, other.until) - max(self.since, other.since), NONE)


@dataclass
class Leaps(Statistics):
    """The conductor's statistics with every stretch of time that was jumped over."""

    made: list[Span] = field(default_factory=list)

    def count(self, jump: Jump, skipped: timedelta) -> None:
        super().count(jump, skipped)
        self.made.append(Span(jump.to - skipped, jump.to))


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of a function, in virtual time."""

    function: str
    span: Span

    def waited(self, leaps: Iterable[Span]) -> timedelta:
        """How much of it was jumped over."""
        return sum((self.span.shared(leap) for leap in leaps), NONE)


@dataclass(frozen=True, slots=True)
class Length:
    """How long a function ran in one execution, in seconds, on a machine of its own."""

    function: str
    seconds: float


def lengths(executions: Sequence[Execution], leaps: Sequence[Span], work_seconds: float) -> list[Length]:
    """The length of each, given how long in Azure all that they did without waiting takes, one after the other."""
    waits = [one.waited(leaps) for one in executions]
    busy = sum((one.span.length - wait for one, wait in zip(executions, waits, strict=True)), NONE)
    share = work_seconds / busy.total_seconds() if busy else 1.0
    return [
        Length(one.function, (wait + share * (one.span.length - wait)).total_seconds())
        for one, wait in zip(executions, waits, strict=True)
    ]


def executed(log: Path, span: Span, begin: int = 0) -> Iterator[Execution]:
    """The executions that ended within a span, by the host's own lines from a byte of its log on.

    Earlier measurements lived through the same days, and their lines are in the same log.
    """
    with log.open(encoding="utf-8") as lines:
        lines.seek(begin)
        for line in lines:
            if found := EXECUTED.match(line):
                ended = datetime.strptime(found["at"], "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC)
                if span.holds(ended):
                    took = timedelta(milliseconds=int(found["ms"]))
                    yield Execution(found["function"], Span(ended - took, ended))
