"""How soon a change of tags is in the ledger: events at a steady rate over two subscriptions, each followed to its row.

An event counts as registered when the machine's row was written after a GET that came after the change. The change and
the GET are seen by the simulator, the row by Azurite; the product is not asked.
"""

from __future__ import annotations

import bisect
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import requests

from local.bench.bounds import READS, seconds
from local.bench.drains import SHARE
from local.bench.fleets import SUBSCRIPTIONS, Fleet, Play, at, is_product, playing
from local.bench.rows import Row
from local.bench.usage import CORE
from local.demo.fleet import Person

TAGS_API = "2024-11-01"
VM = "microsoft.compute/virtualmachines"
ENROLLED_BY = timedelta(hours=1)
CALM_AFTER = timedelta(minutes=15)
ROW = re.compile(r"RowKey='m%7C([0-9a-f-]+)'|RowKey='m\|([0-9a-f-]+)'")
GOAL, AIM = 2.0, 50  # seconds, at so many events a second


@dataclass(frozen=True, slots=True)
class Storm:
    """So many events a second, for so many seconds, on a fleet of so many machines."""

    rate: int = 50
    seconds: int = 60
    machines: int = 200

    @property
    def events(self) -> int:
        return self.rate * self.seconds


@dataclass(frozen=True, slots=True)
class Heard:
    """Each change and when it was in the ledger, and the processor seconds that the functions host took for all."""

    changes: Sequence[tuple[datetime, datetime]]
    host_seconds: float

    @property
    def waits(self) -> Sequence[float]:
        return sorted((registered - changed).total_seconds() for changed, registered in self.changes)


def figures(storm: Storm) -> Iterator[Row]:
    """`event_to_registered_p99_s`, the median beside it, and what an event costs the functions host."""
    heard = _heard(storm)
    waits, each = heard.waits, heard.host_seconds / storm.events
    setup = (
        f"{storm.rate} changes of tags a second for {storm.seconds} s, {storm.machines} machines in 2 subscriptions, "
        f"from the change in Azure to the row in the ledger, delivery by Event Grid included"
    )
    yield Row("event_to_registered_p99_s", waits[math.ceil(len(waits) * 0.99) - 1], GOAL, None, "s", setup)
    yield Row("event_to_registered_median_s", waits[len(waits) // 2], None, None, "s", setup)
    needed = math.ceil(AIM * each / CORE)
    told = f"{setup}: of the functions host; {AIM} a second keep {needed} instances of {CORE} of a core busy"
    yield Row("processor_seconds_per_event", each, None, None, "s", told)


def absorbed(storm: Storm) -> Iterator[Row]:
    """How long a burst takes to be in the ledger, over the least time in which its reads can be made."""
    heard = _heard(storm)
    taken = (max(end for _, end in heard.changes) - min(begin for begin, _ in heard.changes)).total_seconds()
    bound = seconds(storm.events // len(SUBSCRIPTIONS), [READS], SHARE)
    setup = (
        f"{storm.events:,} changes of tags at once, {storm.machines:,} machines in 2 subscriptions, a read for each; "
        f"{taken:.0f} s, of which the functions host computed {heard.host_seconds:.0f} s"
    )
    yield Row("burst_over_bound", taken / bound, 1.1, 1.0, "x bound", setup)


def _heard(storm: Storm) -> Heard:
    """Live through the storm, until everything about it is in the ledger."""
    with playing(Fleet(storm.machines, 2, 1, window="1h")) as play:
        begins = play.began + ENROLLED_BY
        play.stack.subscribe_events()
        play.conductor.run(begins - timedelta(seconds=1))
        changes, before = Changes(play), play.stack.cpu_seconds()["host"]
        for number in range(storm.events):
            moment = begins + timedelta(seconds=number / storm.rate)
            play.conductor.stage.at(moment, f"change {number}", partial(changes.make, number))
        play.conductor.run(begins + timedelta(seconds=storm.seconds) + CALM_AFTER)
        heard = Heard([*_registered(play, begins)], play.stack.cpu_seconds()["host"] - before)
    assert len(heard.changes) == storm.events, f"{len(heard.changes)} of {storm.events} changes reached the ledger"
    return heard


class Changes:
    """An owner who changes the tags of one machine after the other."""

    def __init__(self, play: Play) -> None:
        self._url, self._verify = play.stack.simulator_url, str(play.stack.bundle)
        self._machines = sorted(str(vm["id"]) for vm in play.state(VM))
        self._token = Person("owner").get_token("").token
        self._numbers = count(8)

    def make(self, number: int) -> None:
        """Another keep for a machine: its row has to change."""
        machine = self._machines[number % len(self._machines)]
        tags: Any = {"operation": "Merge", "properties": {"tags": {"backup-keep": f"{next(self._numbers)}d"}}}
        url = f"{self._url}{machine}/providers/Microsoft.Resources/tags/default?api-version={TAGS_API}"
        answer = requests.patch(
            url, json=tags, headers={"Authorization": f"Bearer {self._token}"}, verify=self._verify, timeout=60
        )
        answer.raise_for_status()


def _registered(play: Play, since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Each change with the instant of the row that tells of it."""
    uids = {str(vm["id"]).lower(): str(vm["properties"]["vmId"]).lower() for vm in play.state(VM)}
    changes: list[tuple[str, datetime]] = []
    looks: defaultdict[str, list[datetime]] = defaultdict(list)
    for call in play.calls():
        path, operation = str(call["path"]).partition("?")[0].lower(), str(call["operation"]).lower()
        if operation == "microsoft.resources/tags/write" and at(call) >= since:
            changes.append((path.partition("/providers/microsoft.resources/")[0], at(call)))
        elif operation == f"{VM}/read" and is_product(call):
            looks[path].append(at(call))
    writes = _writes(play)
    for machine, changed in changes:
        looked = _next(looks[machine], changed)
        written = looked and _next(writes[uids[machine]], looked)
        if written:
            yield changed, written


def _writes(play: Play) -> defaultdict[str, list[datetime]]:
    """When each machine's row was written."""
    found: defaultdict[str, list[datetime]] = defaultdict(list)
    for request in play.stack.azurite.requests():
        operations: Any = request.get("operations") or [request]
        for operation in operations if request["service"] == "table" else ():
            row = ROW.search(str(operation["path"])) if operation["method"] != "GET" else None
            if row:
                found[row[1] or row[2]].append(at(dict(request)))
    return found


def _next(moments: list[datetime], after: datetime) -> datetime | None:
    place = bisect.bisect_left(moments, after)
    return moments[place] if place < len(moments) else None
