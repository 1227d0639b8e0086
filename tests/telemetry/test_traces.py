"""What a process knows of the operations under way, so that calls are told as parts of the right ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.cloud.traces import Traces, marked, woken
from shared.cloud.vault_items import path_of
from shared.cloud.watched import WatchedLedger, WatchedQueue
from shared.decide.traces import trace_of
from shared.errors import LostRace
from shared.messages import VMS, VmKey, parse_vm
from shared.model.identity import ResourceId
from shared.model.operation import Kind, State
from shared.model.telemetry import Call, Count, Level, Span
from shared.model.transition import Transition, Write
from tests.fleet import LAST_SLOT, NOW, SHARD, capture, empty_fleet, machine, point

MACHINE = machine(1, "web-1")
STARTED = capture(MACHINE, state=State.STARTED)
POINT = point(MACHINE)
TRACE = trace_of(STARTED.uid, STARTED.id)
SECOND = timedelta(seconds=1)


class Heard:
    """ports.Telemetry that remembers."""

    def __init__(self) -> None:
        self.told: list[Span] = []
        self.counts: list[tuple[Count, str]] = []
        self.levels: list[tuple[Level, str, float]] = []

    def spans(self, spans: Sequence[Span]) -> None:
        self.told += spans

    def count(self, count: Count, about: str) -> None:
        self.counts.append((count, about))

    def level(self, level: Level, about: str, value: float) -> None:
        self.levels.append((level, about, value))

    def woken(self, queue: str, text: str, queued: datetime | None) -> AbstractContextManager[None]:
        return nullcontext()

    def names(self, trace: str = TRACE) -> list[str]:
        return [span.name for span in self.told if span.trace == trace]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def traces(heard: Heard) -> Traces:
    return Traces(heard, empty_fleet().world.clock)


def call(place: object, method: str = "PUT", status: int = 202) -> Call:
    return Call(method, str(place).lower(), status, NOW, NOW + SECOND)


PART = POINT.parts[0].id


@pytest.mark.parametrize(
    "place",
    [MACHINE.id, MACHINE.disks[0].id, PART, f"{PART}/begingetaccess", f"{MACHINE.id}/extensions/x"],
    ids=["machine", "disk", "part", "act on a part", "within the machine"],
)
def test_a_call_is_for_the_operation_whose_rows_name_its_place(traces: Traces, heard: Heard, place: object) -> None:
    traces.seen([MACHINE, STARTED])
    traces.seen([POINT])
    traces.called(call(place))
    assert [span.trace for span in heard.told] == [TRACE]


def test_a_call_to_a_vault_is_for_the_machine_that_it_names(traces: Traces, heard: Heard) -> None:
    backup = replace(STARTED, kind=Kind.BACK_UP, id="back-up-1")
    traces.seen([MACHINE, backup])
    vault = ResourceId(SHARD.subscription, "tagback-westeurope", "microsoft.recoveryservices/vaults", "v")
    traces.called(call(f"{path_of(vault, MACHINE.id)}/backup", "POST"))
    traces.called(call(vault, "PUT"))
    assert [span.trace for span in heard.told] == [trace_of(backup.uid, backup.id)]


def test_a_call_that_no_known_operation_is_about_is_not_told(traces: Traces, heard: Heard) -> None:
    traces.seen([MACHINE, STARTED])
    for place in ("/", "", "/subscriptions/s", f"{MACHINE.id}x", machine(2, "other").id, "/a/vm;iaasvmcontainerv2;g"):
        traces.called(call(place))
    assert heard.told == []


def test_what_happens_to_a_point_after_its_operation_ended_is_not_told_of_it(traces: Traces, heard: Heard) -> None:
    traces.seen([MACHINE, STARTED])
    traces.seen([POINT])
    traces.written([(MACHINE, False), (capture(MACHINE), False), (POINT, False)])
    traces.called(call(PART, "DELETE"))
    traces.called(call(MACHINE.id))
    assert heard.names() == ["capture"]


def test_of_a_machines_operations_the_open_one_is_meant(traces: Traces, heard: Heard) -> None:
    older = replace(capture(MACHINE, LAST_SLOT - timedelta(days=1)), state=State.GAVE_UP)
    traces.seen([MACHINE, STARTED, older])
    traces.called(call(MACHINE.id))
    assert heard.names() == ["PUT virtualmachines"]


def test_reads_that_went_well_are_told_together_before_what_follows_them(traces: Traces, heard: Heard) -> None:
    traces.seen([MACHINE, STARTED])
    for _ in range(5):
        traces.called(call(MACHINE.id, "GET", 200))
    assert heard.told == []
    traces.called(call(MACHINE.id, "GET", 404))
    traces.called(call(MACHINE.id, "GET", 200))
    traces.written([(MACHINE, False), (capture(MACHINE), False)])
    assert heard.names() == ["GET", "GET virtualmachines", "GET", "capture"]
    assert [span.facts.get("calls") for span in heard.told] == [5, None, 1, None]


def test_an_operation_that_an_event_began_says_so_with_what_was_looked_at_before(traces: Traces, heard: Heard) -> None:
    intended = replace(STARTED, state=State.INTENDED, attempts=0)
    text = json.dumps({"vm": str(MACHINE.id), "heard": (NOW - 3 * SECOND).isoformat()})
    with woken(VMS, text, NOW - SECOND, NOW):
        traces.called(call(MACHINE.id, "GET", 200))
        traces.written([(MACHINE, True), (intended, True)])
        traces.written([(MACHINE, False), (replace(intended, id="second"), True)])
    assert heard.names() == ["event", "queue vms", "GET virtualmachines"]
    assert heard.names(trace_of(intended.uid, "second")) == ["event", "queue vms"]
    assert heard.counts == [(Count.DUE, "capture")] * 2


def test_what_begins_without_a_message_says_nothing_of_one(traces: Traces, heard: Heard) -> None:
    traces.written([(MACHINE, True), (replace(STARTED, state=State.INTENDED), True)])
    assert heard.told == []


def test_an_operation_is_told_once_and_counted_by_what_changed(traces: Traces, heard: Heard) -> None:
    traces.seen([MACHINE, STARTED])
    traces.written([(MACHINE, False), (replace(STARTED, attempts=2), False)])
    for _ in range(2):
        traces.written([(MACHINE, False), (replace(capture(MACHINE), attempts=2), False)])
    assert heard.names() == ["capture"]
    assert heard.counts == [(Count.RETRIED, "capture"), (Count.DONE, "capture")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '"x"',
        '{"heard": 5}',
        '{"heard": "soon"}',
        '{"heard": "2026-11-20T12:00:00"}',
        '{"heard": "1999-01-01T00:00:00+00:00"}',
        '{"heard": "9999-12-31T23:59:59-14:00"}',
        "[" * 9_000,
    ],
    ids=repr,
)
def test_a_message_that_lies_about_its_event_is_told_without_one(traces: Traces, heard: Heard, text: str) -> None:
    with woken(VMS, text, NOW, NOW):
        traces.written([(MACHINE, True), (replace(STARTED, state=State.INTENDED), True)])
    assert heard.names() == ["queue vms"]


def test_a_message_says_when_its_event_was_heard_and_older_code_reads_it_all_the_same() -> None:
    fleet, key = empty_fleet(), VmKey(MACHINE.id)
    queue = WatchedQueue(fleet.world.queue)
    queue.send(VMS, key.text())
    with woken("", "", None, NOW):
        queue.send(VMS, key.text())
    with woken(VMS, "{}", NOW, NOW):
        assert marked(key.text()) == key.text()
    texts = [message.text for message in fleet.stage.queues.messages.values()]
    assert [json.loads(text).get("heard") for text in texts] == [None, NOW.isoformat()]
    assert [parse_vm(text) for text in texts] == [key, key]


def test_a_ledger_that_is_watched_is_the_same_ledger(traces: Traces, heard: Heard) -> None:
    fleet = empty_fleet()
    plain, watched = fleet.world.ledger, WatchedLedger(fleet.world.ledger, traces)
    rows = (replace(MACHINE, next_look=NOW), STARTED, POINT)
    transition = Transition(SHARD, MACHINE.uid, tuple(Write(row, None) for row in rows))
    watched.commit(transition)
    with pytest.raises(LostRace):
        watched.commit(transition)
    assert heard.counts == [(Count.DUE, "capture")], "what was not written is not told"
    assert watched.record(SHARD, MACHINE.uid) == plain.record(SHARD, MACHINE.uid) is not None
    assert [*watched.machines(SHARD)] == [*plain.machines(SHARD)] != []
    assert [*watched.operations(SHARD)] == [*plain.operations(SHARD)] != []
    assert watched.due(SHARD, NOW) == plain.due(SHARD, NOW) != []
    assert watched.points(SHARD, MACHINE.uid) == plain.points(SHARD, MACHINE.uid) != ()
    assert [*watched.expiring(SHARD, NOW)] == [*plain.expiring(SHARD, NOW)]
    there = [*plain.machines(SHARD)]
    assert [*watched.with_points(SHARD, there, 20)] == [*plain.with_points(SHARD, there, 20)] != []
    assert watched.next_wanted(SHARD, NOW) == plain.next_wanted(SHARD, NOW) == NOW
    assert (watched.snapshots(SHARD), watched.shards()) == (plain.snapshots(SHARD), plain.shards())
    assert watched.record(SHARD, machine(2, "other").uid) is None


def test_a_walk_over_a_shard_tells_the_age_of_its_oldest_newest_point(traces: Traces, heard: Heard) -> None:
    fleet = empty_fleet()
    late = replace(machine(2, "late-1"), last_point=LAST_SLOT - timedelta(days=3))
    for one in (machine(1, "web-1"), late, machine(3, "web-3")):
        fleet.put(one)
    assert len([*WatchedLedger(fleet.world.ledger, traces).machines(SHARD)]) == 3
    assert heard.levels == [(Level.POINT_AGE, str(SHARD), (NOW - LAST_SLOT + timedelta(days=3)).total_seconds())]
