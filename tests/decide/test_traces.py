"""What is told of an operation: ids that every process derives alike, spans with times, what is added up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide import traces
from shared.model.machine import Status
from shared.model.operation import Failure, State
from shared.model.telemetry import Call, Count, Waking
from tests.fleet import LAST_SLOT, NOW, capture, machine, point

SECOND = timedelta(seconds=1)
ONE = capture(machine(1, "web-1"))
TRACE = traces.trace_of(ONE.uid, ONE.id)
DENIED = Failure("AuthorizationFailed", "no", "grant the role")
PATH = "/subscriptions/s/resourcegroups/g/providers/microsoft.compute/snapshots/tb-1"


def call(method: str = "PUT", status: int = 202, path: str = PATH) -> Call:
    return Call(method, path, status, NOW, NOW + SECOND)


def test_a_trace_follows_from_the_operation_alone_and_two_operations_have_two() -> None:
    """W3C: 16 bytes in lower-case hex. The value is fixed: processes of two versions must agree on it."""
    assert TRACE == "060e4a90b98e06b51718d4087b4d370d"
    others = [traces.trace_of(ONE.uid, "other"), traces.trace_of("other", ONE.id)]
    assert len({TRACE, *others}) == 3


def test_an_operation_that_ended_is_one_span_from_intent_to_end() -> None:
    span = traces.whole(ONE)
    assert span is not None
    assert (span.trace, span.parent, span.name) == (TRACE, "", "capture")
    assert (span.began, span.ended) == (ONE.intended_at, ONE.ended_at)
    assert span.facts == {"vm": ONE.uid, "operation": ONE.id, "state": "succeeded", "attempts": 1}
    assert not span.failed


@pytest.mark.parametrize(
    "changed",
    [{"state": State.STARTED, "ended_at": None}, {"state": State.STARTED}, {"ended_at": None}, {"attempts": 0}],
    ids=["it runs", "it is looked at again", "it never ended", "it was never tried"],
)
def test_what_did_not_end_or_was_never_tried_has_none(changed: Mapping[str, object]) -> None:
    assert traces.whole(replace(ONE, **changed)) is None  # type: ignore[arg-type] # fields by name


def test_an_operation_that_was_given_up_says_why_and_one_that_succeeded_late_does_not() -> None:
    given_up = traces.whole(replace(ONE, state=State.GAVE_UP, failure=DENIED))
    late = traces.whole(replace(ONE, failure=DENIED))
    assert given_up is not None
    assert late is not None
    assert (given_up.failed, late.failed) == ("AuthorizationFailed", "")


def test_every_other_span_stands_under_the_operations_own() -> None:
    whole = traces.whole(ONE)
    assert whole is not None
    waking = Waking("vms", NOW, NOW - SECOND, NOW - 2 * SECOND)
    others = [traces.called(TRACE, call()), traces.looked(TRACE, [call("GET")]), *traces.begun_by(TRACE, waking)]
    assert {(span.trace, span.parent, span.failed) for span in others} == {(TRACE, whole.id, "")}
    assert len({span.id for span in (whole, *others)}) == 5
    assert all(len(span.id) == 16 and int(span.id, 16) for span in others)


def test_a_call_is_named_by_what_it_does_to_what() -> None:
    span = traces.called(TRACE, call())
    assert (span.name, span.facts, span.failed) == ("PUT snapshots", {"resource": "tb-1", "status": 202}, "")
    assert (span.began, span.ended) == (NOW, NOW + SECOND)


@pytest.mark.parametrize(
    ("path", "name", "resource"),
    [("/odd", "PUT ", "/odd"), ("/vaults/X", "PUT vaults", "X"), ("/a/b/vaults/v/", "PUT vaults", "v")],
)
def test_a_path_is_told_by_its_last_type_and_name(path: str, name: str, resource: str) -> None:
    span = traces.called(TRACE, call(path=path))
    assert (span.name, span.facts["resource"]) == (name, resource)


@pytest.mark.parametrize(
    ("status", "failed"), [(1, ""), (399, ""), (400, "400"), (429, "429"), (0, "NoAnswer"), (200, "")]
)
def test_a_call_that_was_refused_or_lost_says_so(status: int, failed: str) -> None:
    assert traces.called(TRACE, call(status=status)).failed == failed


@pytest.mark.parametrize(
    ("method", "status", "plain"),
    [
        ("GET", 200, True),
        ("HEAD", 204, True),
        ("GET", 399, True),
        ("GET", 1, True),
        ("GET", 400, False),
        ("GET", 404, False),
        ("GET", 0, False),
        ("PUT", 200, False),
        ("POST", 200, False),
    ],
)
def test_only_reads_that_went_well_are_told_together(method: str, status: int, plain: bool) -> None:
    assert traces.is_plain_read(call(method, status)) is plain


def test_reads_together_last_from_the_first_to_the_end_of_the_last() -> None:
    later = Call("GET", PATH, 200, NOW + 3 * SECOND, NOW + 4 * SECOND)
    span = traces.looked(TRACE, [later, call("GET", 200)])
    assert (span.name, span.began, span.ended, span.facts) == ("GET", NOW, NOW + 4 * SECOND, {"calls": 2})


def named(waking: Waking) -> list[tuple[str, timedelta]]:
    return [(span.name, span.ended - span.began) for span in traces.begun_by(TRACE, waking)]


def test_an_operation_says_how_long_its_event_and_its_message_took() -> None:
    waking = Waking("vms", NOW, NOW - SECOND, NOW - 3 * SECOND)
    assert named(waking) == [("event", 2 * SECOND), ("queue vms", SECOND)]
    assert named(replace(waking, heard=None)) == [("queue vms", SECOND)]
    assert named(replace(waking, queued=None)) == []


@pytest.mark.parametrize(
    ("away", "believed"),
    [
        (-2 * SECOND, False),
        (-SECOND, True),
        (timedelta(0), True),
        (timedelta(days=7), True),
        (timedelta(days=7, microseconds=1), False),
    ],
)
def test_a_time_that_cannot_be_is_not_told_and_one_that_is_a_second_off_is_now(away: timedelta, believed: bool) -> None:
    length = max(away, timedelta(0))
    assert named(Waking("vms", NOW, NOW - away)) == ([("queue vms", length)] if believed else [])
    by_event = named(Waking("vms", NOW, NOW, NOW - away))
    assert by_event == ([("event", length)] if believed else []) + [("queue vms", timedelta(0))]


def test_a_capture_is_known_by_the_point_it_makes() -> None:
    assert traces.capture_of(point(machine(1, "web-1"))) == (ONE.uid, ONE.id)


INTENDED = replace(ONE, state=State.INTENDED, attempts=0, ended_at=None)
TRIED = replace(INTENDED, attempts=1)
FAILED = replace(TRIED, state=State.FAILED, failure=DENIED)
AGAIN = replace(FAILED, attempts=2)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, INTENDED, [Count.DUE]),
        (None, replace(ONE, state=State.SUPERSEDED), []),
        (None, ONE, [Count.DONE]),
        (INTENDED, TRIED, []),
        (TRIED, ONE, [Count.DONE]),
        (ONE, ONE, []),
        (TRIED, FAILED, [Count.FAILED]),
        (FAILED, AGAIN, [Count.RETRIED]),
        (AGAIN, AGAIN, []),
        (AGAIN, replace(AGAIN, failure=replace(DENIED, times=2)), [Count.FAILED]),
        (AGAIN, replace(AGAIN, state=State.GAVE_UP, failure=replace(DENIED, times=2)), [Count.FAILED]),
        (TRIED, replace(FAILED, state=State.NEEDS_PERSON), [Count.FAILED]),
        (FAILED, replace(FAILED, state=State.STARTED), []),
        (None, FAILED, [Count.DUE, Count.FAILED]),
    ],
)
def test_what_is_added_up(before: object, after: object, told: list[Count]) -> None:
    assert traces.counts(before, after) == told  # type: ignore[arg-type] # operations, and None


def test_a_machines_age_is_that_of_its_newest_point_or_of_its_wish_for_one() -> None:
    known = machine(1, "web-1")
    assert traces.point_age(known, NOW) == NOW - LAST_SLOT
    assert traces.point_age(replace(known, last_point=None), NOW) == NOW - LAST_SLOT + timedelta(days=10)
    assert traces.point_age(known, LAST_SLOT - SECOND) == timedelta(0)


@pytest.mark.parametrize(
    "changed",
    [{"status": Status.GONE}, {"status": Status.EXCLUDED}, {"plan": ""}, {"last_point": None, "enrolled_at": None}],
    ids=["gone", "excluded", "without a plan", "never enrolled"],
)
def test_a_machine_that_asks_for_nothing_has_no_age(changed: Mapping[str, object]) -> None:
    assert traces.point_age(replace(machine(1, "web-1"), **changed), NOW) is None  # type: ignore[arg-type]


def test_a_share_of_the_traces_is_told_whole_and_every_failure() -> None:
    spans = [traces.called(traces.trace_of(str(number), "x"), call()) for number in range(2_000)]
    told = [span for span in spans if traces.is_told(span, 0.1)]
    assert 150 < len(told) < 250
    assert all(traces.is_told(span, 1) for span in spans)
    assert not any(traces.is_told(span, 0) for span in spans)
    assert all(traces.is_told(replace(span, failed="429"), 0) for span in spans)
    edge = replace(spans[0], trace="80000000" + "0" * 24)
    assert not traces.is_told(edge, 0.5)
    assert traces.is_told(replace(edge, trace="7fffffff" + "0" * 24), 0.5)
