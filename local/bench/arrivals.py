"""How soon an event is in the ledger: changes of tags over two subscriptions, each followed to its row.

An event counts as registered when the machine's row was written after a GET that came after the event. The event and
the GET are seen by the simulator, the row by Azurite; the product is not asked. What Event Grid itself takes from the
change to its first attempt at delivery is the simulator's assumption, and has a figure of its own.
"""

from __future__ import annotations

import bisect
import math
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
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
BURST, REFILL = 200, 10  # writes that Azure lets one person make in a subscription at once, and a second
AWAKE, SELDOM = timedelta(seconds=15), 2  # so long before the storm comes a change now and then, so many a second


@dataclass(frozen=True, slots=True)
class Storm:
    """So many events a second, for so many seconds, on a fleet of so many machines."""

    rate: int = 50
    seconds: int = 60
    machines: int = 200

    @property
    def events(self) -> int:
        return self.rate * self.seconds

    @property
    def owners(self) -> int:
        """How many people it takes to make so many changes without being refused any."""
        return self.events // (len(SUBSCRIPTIONS) * (BURST + REFILL * self.seconds)) + 2

    def instants(self, begins: datetime) -> Sequence[datetime]:
        """When each change is made; those that keep the queue's listener awake come before."""
        early = int(AWAKE.total_seconds() * SELDOM)
        waking = [begins - AWAKE + timedelta(seconds=number / SELDOM) for number in range(early)]
        return [*waking, *(begins + timedelta(seconds=number / self.rate) for number in range(self.events))]


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a machine's tags, when Event Grid first brought it to the app, and when it was in the ledger."""

    changed: datetime
    arrived: datetime
    registered: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """Every event of a storm, and the processor seconds that the functions host took for all."""

    events: Sequence[Event]
    host_seconds: float


def figures(storm: Storm) -> Iterator[Row]:
    """`event_to_registered_p99_s`, the median, the same from the change on, and what an event costs the host."""
    heard = _heard(storm)
    waits = sorted((event.registered - event.arrived).total_seconds() for event in heard.events)
    whole = sorted((event.registered - event.changed).total_seconds() for event in heard.events)
    setup = (
        f"{storm.rate} changes of tags a second for {storm.seconds} s after {AWAKE.seconds} s of {SELDOM} a second, "
        f"{storm.machines} machines in 2 subscriptions, from Event Grid's first attempt to the row in the ledger"
    )
    yield Row("event_to_registered_p99_s", _p99(waits), GOAL, None, "s", setup)
    yield Row("event_to_registered_median_s", waits[len(waits) // 2], None, None, "s", setup)
    told = f"{setup}; Event Grid's own time before it, assumed to be 0.3 to 2 s, included"
    yield Row("change_to_registered_p99_s", _p99(whole), None, None, "s", told)
    each = heard.host_seconds / storm.events
    needed = math.ceil(AIM * each / CORE)
    told = f"{setup}: of the functions host; {AIM} a second keep {needed} instances of {CORE} of a core busy"
    yield Row("processor_seconds_per_event", each, None, None, "s", told)


def _p99(waits: Sequence[float]) -> float:
    return waits[math.ceil(len(waits) * 0.99) - 1]


def absorbed(storm: Storm) -> Iterator[Row]:
    """How long a burst takes to be in the ledger, over the least time in which its reads can be made."""
    heard = _heard(storm)
    taken = (
        max(event.registered for event in heard.events) - min(event.changed for event in heard.events)
    ).total_seconds()
    bound = seconds(storm.events // len(SUBSCRIPTIONS), [READS], SHARE)
    setup = (
        f"{storm.events:,} changes of tags as fast as {storm.owners} people's programs make them, "
        f"{storm.machines:,} machines in 2 subscriptions, a read for each; {taken:.0f} s, of which the functions host "
        f"computed {heard.host_seconds:.0f} s"
    )
    yield Row("burst_over_bound", taken / bound, 1.1, 1.0, "x bound", setup)


def _heard(storm: Storm) -> Heard:
    """Live through the storm, until everything about it is in the ledger."""
    with playing(Fleet(storm.machines, 2, 1, window="1h")) as play:
        begins = play.began + ENROLLED_BY
        play.stack.subscribe_events()
        play.conductor.run(begins - AWAKE)
        before = play.stack.cpu_seconds()["host"]
        instants = storm.instants(begins)
        for number in range(storm.owners):
            owner = Owner(play, number)
            turns = list(enumerate(instants))[number :: storm.owners]
            play.conductor.stage.at(begins - AWAKE, f"owner {number}", partial(owner.change, turns))
        play.conductor.run(begins + timedelta(seconds=storm.seconds) + CALM_AFTER)
        heard = Heard([*followed(play.deliveries(), _traces(play), begins)], play.stack.cpu_seconds()["host"] - before)
    assert len(heard.events) == storm.events, f"{len(heard.events)} of {storm.events} events reached the ledger"
    return heard


class Owner:
    """One of those who change the tags of one machine after the other, by turns."""

    def __init__(self, play: Play, number: int) -> None:
        self._now = play.conductor.stage.now
        self._url, self._verify = play.stack.simulator_url, str(play.stack.bundle)
        self._machines = sorted(str(vm["id"]) for vm in play.state(VM))
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {Person(f'owner-{number}').get_token('').token}"

    def change(self, turns: Sequence[tuple[int, datetime]]) -> None:
        """Make each change at its instant; time is not jumped over meanwhile."""
        with self._session:
            for number, instant in turns:
                time.sleep(max(0.0, (instant - self._now()).total_seconds()))
                self._keep(self._machines[number % len(self._machines)], f"{8 + number}d")

    def _keep(self, machine: str, keep: str) -> None:
        """Another keep for a machine: its row has to change."""
        tags: Any = {"operation": "Merge", "properties": {"tags": {"backup-keep": keep}}}
        url = f"{self._url}{machine}/providers/Microsoft.Resources/tags/default?api-version={TAGS_API}"
        self._session.patch(url, json=tags, verify=self._verify, timeout=60).raise_for_status()


@dataclass(frozen=True, slots=True)
class Trace:
    """When a machine was looked at, and when its row was written."""

    looks: list[datetime]
    writes: list[datetime]


def followed(deliveries: Iterable[Mapping[str, Any]], traces: Mapping[str, Trace], since: datetime) -> Iterator[Event]:
    """Each event of a change since an instant, with the row that tells of it: the first after the first look."""
    for delivery in deliveries:
        event, attempts = delivery["event"], delivery["attempts"]
        changed = datetime.fromisoformat(event["eventTime"])
        if changed < since or not attempts:
            continue
        arrived = datetime.fromisoformat(attempts[0]["at"])
        trace = traces[str(event["subject"]).lower().partition("/providers/microsoft.resources/tags/")[0]]
        looked = _next(trace.looks, arrived)
        written = looked and _next(trace.writes, looked)
        if written:
            yield Event(changed, arrived, written)


def _traces(play: Play) -> Mapping[str, Trace]:
    """What was seen of each machine, by its id in lower case."""
    looks: defaultdict[str, list[datetime]] = defaultdict(list)
    for call in play.calls():
        if str(call["operation"]).lower() == f"{VM}/read" and is_product(call):
            looks[str(call["path"]).partition("?")[0].lower()].append(at(call))
    writes = _writes(play)
    machines = {str(vm["id"]).lower(): str(vm["properties"]["vmId"]).lower() for vm in play.state(VM)}
    return {machine: Trace(looks[machine], writes[uid]) for machine, uid in machines.items()}


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
