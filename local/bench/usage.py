"""What a fleet used in a stretch of time: calls to Azure, executions, storage operations; read from the logs of a play.

Counters are plain numbers by name, so that two fleets can be set side by side. Used by days.py.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from local.bench.executions import Length, Span, executed, lengths
from local.bench.fleets import SNAPSHOTS, Play, at, is_product

INSTANCE_GB = 0.5  # the smallest Flex instance
CORE = 0.25  # of a processor: an instance's share is in proportion to its memory, 2,048 MB being one core (documented)
LEAST_BILLED, STEP = 1.0, 0.1  # seconds
# Until storage answers: most reads by a function in the same region took less (Azure/Azure-Functions issue 1238).
STORAGE_LATENCY = 0.01
TIMERS = frozenset({"sweep", "expire", "drill", "report"})
HOSTS = "/azure-webjobs-hosts/"  # locks and timers of the host itself
# What goes through all machines of a shard names the row before them, what goes through its operations when they ended.
SCANS = ("m%7B", "ended_at")
DUE, COLUMNS = "wanted_at", "select="  # what is due is read whole, and of each slice its operations too


def used(play: Play, span: Span, leaps: Sequence[Span], host_seconds: float) -> dict[str, float]:
    """Every counter of the span, in which the functions host used so many seconds of a whole processor.

    What Azurite and the simulator compute is Azure's business: instead, storage is waited for here, ARM in days.py.
    """
    found = Counter(arm(call for call in play.calls() if is_product(call) and span.holds(at(call))))
    found.update(_storage(request for request in play.stack.azurite.requests() if span.holds(at(dict(request)))))
    runs = [*executed(play.stack.wanted.run / "logs" / "host.log", span, play.log_begins)]
    work = host_seconds / CORE + STORAGE_LATENCY * found["requests"]
    counted = {name: float(count) for name, count in found.items()}
    return {**counted, "host_seconds": host_seconds, **_ran(lengths(runs, leaps, work))}


def _ran(runs: Iterable[Length]) -> dict[str, float]:
    """Executions and what is billed for them; of timers the unrounded seconds, as they grow with the fleet."""
    runs = [*runs]
    timers = [run.seconds for run in runs if run.function in TIMERS]
    others = [run.seconds for run in runs if run.function not in TIMERS]
    return {
        "timers": len(timers),
        "timer_seconds": sum(timers),
        "executions": len(others),
        "gb_s": INSTANCE_GB * sum(max(LEAST_BILLED, math.ceil(seconds / STEP) * STEP) for seconds in others),
    }


def arm(calls: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What each call to ARM counts as; every call that is neither a read nor a deletion is a write."""
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
            yield "requests"
            yield from ["scans"] * scans(str(request["path"]))
            yield from ["table"] * len(request.get("operations") or [request])
        elif service == "blob":
            changes = "host_writes" if HOSTS in str(request["path"]) else "blob_write"
            yield "blob_read" if method in ("GET", "HEAD") else changes
            yield from ["requests"] if HOSTS not in str(request["path"]) else []
        elif method in ("POST", "DELETE") and "/messages" in str(request["path"]):
            yield from ["queue"] if method == "POST" else ["queue", "queue"]  # a deleted message was also fetched


def scans(path: str) -> int:
    """How many requests more to each further slice this one means where a shard's ledger is in slices."""
    if not any(one in path for one in SCANS):
        return 0
    return 2 if DUE in path and COLUMNS not in path else 1
