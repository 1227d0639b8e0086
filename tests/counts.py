"""How much a test run tested: what tests counted, added up over all of its processes and said at the end of the run.

A test takes the fixture `counted` and names what it counted. Registered by tests/conftest.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from enum import StrEnum

import pytest

COUNTED = "counted"


class Count(StrEnum):
    """What is counted, in the words and the order of the summary."""

    SEEDS = "seeds of ten days under faults, no promise broken"
    ONCE_FAILED = "seeds that once failed, lived through again"
    BLOWS = "kills and lost answers dealt at port calls, one at a time"
    CELLS = "cells of faults and flows that met, none empty without a reason"
    IMPOSSIBLE = "cells that can never meet, each with its reason"
    DIGESTS = "processes of other hash seeds with the same digest"
    SEQUENCES = "sequences of an attacker, nothing wrongly deleted"
    DELETED = "snapshots deleted in them, each rightly"
    STARVED = "deletions through a starved bucket, none lost"
    UPDATES = "updates raced for under ETags over 64 rows on Azurite, none lost"
    RACES = "of their commits were refused and made again"
    KILLS = "kills of the functions host under load (kill -9)"
    INTERRUPTED = "operations that were open when it was killed"
    OUTAGES = "minutes without tables, queues or blobs on Azurite"
    POISON = "messages that nobody can serve, each set aside and shown"
    MUTANTS = "planted bugs that fit the code (make mutants plants them)"


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Callable[[Count, int], None]:
    """Say how many of something this test has tested, once for each."""
    return lambda what, number: record_property(COUNTED, [what.value, number])


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every count of this run."""
    ended = (report for kind, reports in terminalreporter.stats.items() if kind != "rerun" for report in reports)
    total = added(ended)
    if total:
        terminalreporter.section("how much was tested")
        for what in Count:
            if what in total:
                terminalreporter.line(f"{total[what]:>9,} {what}")


def added(reports: Iterable[object]) -> Counter[str]:
    """The counts of the reports of calls. A test that was run again has what its last run counted."""
    total: Counter[str] = Counter()
    for report in reports:
        if getattr(report, "when", "") == "call":
            total.update(dict(value for name, value in getattr(report, "user_properties", ()) if name == COUNTED))
    return total
