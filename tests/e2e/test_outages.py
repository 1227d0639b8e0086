"""Storage out of order for a minute, again and again: no transition is lost, and everything converges (fault F22)."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest

from tests.counts import Count
from tests.e2e.night import Night, night

# `make soak` asks for more nights, in each of which another service is the first to break down.
NIGHTS = int(os.environ.get("OUTAGE_NIGHTS", "1"))
OUTAGE = timedelta(seconds=60)
BETWEEN = timedelta(minutes=5)
AHEAD = timedelta(seconds=15)  # of the sweeps, one every quarter of an hour: every third outage meets one
ORDER = (
    "queue",
    "blob",
    "table",
    "blob",
    "table",
    "queue",
    "table",
    "queue",
    "blob",
)  # each meets one
OVER = timedelta(minutes=20)  # before the end of the night, so that there is time to converge


def plan_outages(played: Night, first: int) -> list[str]:
    """Have one service after the other break down; the names of those that did are added as the night goes on."""
    fell: list[str] = []

    def fall(service: str) -> None:
        played.stack.azurite.break_down(service, played.conductor.stage.now() + OUTAGE)
        fell.append(service)

    at, services = played.scenario.start + BETWEEN - AHEAD, cycle(ORDER[first:] + ORDER[:first])
    while at < played.end - OVER:
        service = next(services)
        played.conductor.stage.at(at, f"{service} breaks down", lambda service=service: fall(service))  # type: ignore[misc]
        at += BETWEEN
    return fell


@pytest.mark.parametrize("first", range(NIGHTS))
def test_minutes_without_tables_queues_or_blobs_leave_every_promise_intact(
    tmp_path: Path, first: int, counted: Callable[[Count, int], None]
) -> None:
    with night(tmp_path, ["web-1", "data-1", "phoenix-1", "leaver-1"]) as played:
        fell = plan_outages(played, first)
        played.conductor.run(played.end)
        assert min(fell.count(service) for service in ("table", "queue", "blob")) >= 7
        refused = [one for one in played.stack.azurite.requests() if one["status"] == 503]
        assert {one["service"] for one in refused} == {"table", "queue", "blob"}
        _, findings = played.judged()
        assert {name: finding.violations for name, finding in findings.items() if finding.violations} == {}
        assert findings["S2"].checked >= 3
        assert played.tagback.run("status", "--output", "json").code == 0
    counted(Count.OUTAGES, len(fell))
