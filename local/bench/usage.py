"""What a fleet used in a stretch of time: calls to Azure, executions, storage operations; read from the logs of a play.

Counters are plain numbers by name, so that two fleets can be set side by side. Used by days.py.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.bench.fleets import SNAPSHOTS, Play, at, is_product

INSTANCE_GB = 0.5  # the smallest Flex instance
LEAST_BILLED, STEP = 1.0, 0.1  # seconds
EXECUTED = re.compile(r"^\[(?P<at>[\d -]+:[\d:]+,\d+)\] host Executed 'Functions\.(\w+)' \(.*Duration=(?P<ms>\d+)ms\)")


@dataclass(frozen=True, slots=True)
class Span:
    """From an instant to another."""

    since: datetime
    until: datetime

    def holds(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


def used(play: Play, span: Span) -> dict[str, float]:
    """Every counter of the span."""
    found = Counter(_arm(call for call in play.calls() if is_product(call) and span.holds(at(call))))
    found.update(_storage(request for request in play.stack.azurite.requests() if span.holds(at(dict(request)))))
    lengths = [*executions(play.stack.wanted.run / "logs" / "host.log", span)]
    billed = sum(max(LEAST_BILLED, math.ceil(seconds / STEP) * STEP) for seconds in lengths)
    return {
        **{name: float(count) for name, count in found.items()},
        "executions": len(lengths),
        "gb_s": INSTANCE_GB * billed,
    }


def _arm(calls: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for call in calls:
        operation = str(call["operation"]).lower()
        if operation.endswith("/read"):
            yield "reads"
            yield "graph" if "resourcegraph" in operation else "gets"
        else:
            yield "deletes" if call["method"] == "DELETE" else "writes"
        if int(call["status"]) == 429:
            yield "refused"
        if operation == f"{SNAPSHOTS}/write" and call["method"] == "PUT":
            yield "snapshots"


def _storage(requests: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Operations as Azure bills them. Polls of an empty queue are left out: how often depends on the host alone."""
    for request in requests:
        service, method = str(request["service"]), str(request["method"])
        if service == "table":
            yield from ["table"] * len(request.get("operations") or [request])
        elif service == "blob":
            yield "blob_read" if method in ("GET", "HEAD") else "blob_write"
        elif method in ("POST", "DELETE") and "/messages" in str(request["path"]):
            yield from ["queue"] if method == "POST" else ["queue", "queue"]  # a deleted message was also fetched


def executions(log: Path, span: Span) -> Iterator[float]:
    """The seconds of each execution."""
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            if found := EXECUTED.match(line):
                moment = datetime.strptime(found["at"], "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC)
                if span.holds(moment):
                    yield int(found["ms"]) / 1000
