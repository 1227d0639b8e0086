"""Events: one per change, under an id that is a hash of what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from shared.decide.events import MOST_UNTOLD, Change, next_alarm, told, untold, with_events
from shared.model.drill import Drill
from shared.model.event import Happening
from shared.model.machine import Machine, Status
from shared.model.operation import State
from shared.model.point import PointState
from tests.fleet import LAST_SLOT, NOW, capture, machine, point

BEFORE = replace(machine(1, "web-1"), status=Status.PENDING)


def types(row: Machine) -> list[Happening]:
    return [event.type for event in row.outbox]


def change(before: Machine | None, after: Machine) -> Change:
    return Change(before, after, (), ())


def test_what_waits_already_is_published_no_later_because_more_came() -> None:
    first = with_events(change(BEFORE, machine(1, "web-1")), NOW)
    second = with_events(change(first, replace(first, status=Status.DEGRADED)), NOW + timedelta(hours=1))
    assert (types(second), second.next_publish) == ([Happening.PROTECTED, Happening.DEGRADED], NOW)


def test_a_change_of_status_is_one_event_and_the_same_status_none() -> None:
    after = with_events(change(BEFORE, machine(1, "web-1")), NOW)
    assert types(after) == [Happening.PROTECTED]
    assert after.next_publish == NOW
    [event] = after.outbox
    assert (event.subject, event.at, event.details["status"], event.details["before"]) == (
        str(after.id),
        NOW,
        "protected",
        "pending",
    )
    assert with_events(change(after, after), NOW).outbox == after.outbox


def test_a_machine_that_asks_for_nothing_is_no_news_and_one_that_asks_is_registered() -> None:
    idle = machine(2, "jump", Status.EXCLUDED)
    assert with_events(change(None, idle), NOW) == idle
    [registered] = with_events(change(None, BEFORE), NOW).outbox
    assert (registered.type, registered.at) == (Happening.REGISTERED, NOW)
    asked_in_vain = replace(idle, status=Status.UNPROTECTED)
    [event] = with_events(change(None, asked_in_vain), NOW).outbox
    assert (event.type, event.details["before"]) == (Happening.UNPROTECTED, "")
    told_as = f"Tagback.Machine.Unprotected|{idle.shard}|{idle.uid}|2026-11-20T12:00:00+00:00"
    assert event.id == sha256(told_as.encode()).hexdigest()[:32]


def test_a_point_is_told_once_when_it_completes() -> None:
    row = machine(1, "web-1")
    taking, complete = point(row, state=PointState.TAKING), point(row)
    done = with_events(Change(row, row, (), [(taking, complete)]), NOW)
    assert types(done) == [Happening.POINT_COMPLETED]
    assert done.outbox[0].details["slot"] == "20261120T0200Z"
    assert with_events(Change(row, row, (), [(complete, complete)]), NOW).outbox == ()
    assert types(with_events(Change(row, row, (), [(None, taking), (None, complete)]), NOW)) == types(done)


def test_an_event_says_of_which_machine_it_is_and_what_became_of_it() -> None:
    row = replace(machine(1, "web-1"), because="all is well")
    shared = {
        "vm": "web-1",
        "uid": row.uid,
        "subscription": row.shard.subscription,
        "region": "westeurope",
        "plan": "silver",
        "status": "protected",
        "because": "all is well",
    }
    [of_status] = with_events(change(BEFORE, row), NOW).outbox
    assert of_status.details == {**shared, "before": "pending"}
    [of_point] = with_events(Change(row, row, (), [(None, point(row))]), NOW).outbox
    assert of_point.details == {
        **shared,
        "slot": "20261120T0200Z",
        "engine": "disk",
        "consistency": "per-disk",
        "keep_until": "20261127T0200Z",
        "parts": "2",
        "because": "first complete point of its day (daily), kept 7d",
    }
    waiting = capture(row, state=State.NEEDS_PERSON)
    [of_operation] = with_events(Change(row, row, [(None, waiting)], ()), NOW).outbox
    assert (of_operation.at, of_point.at, of_status.at) == (NOW, NOW, NOW)
    assert of_operation.details == {
        **shared,
        "operation": "slot-20261120T0200Z-disk",
        "kind": "capture",
        "slot": "20261120T0200Z",
        "because": "it needs-person",
        "code": "ScopeLocked",
        "remedy": "remove the lock",
    }
    [given_up] = with_events(
        Change(row, row, [(None, replace(waiting, state=State.GAVE_UP, failure=None))], ()), NOW
    ).outbox
    assert (given_up.details["code"], given_up.details["remedy"]) == ("", "")


@pytest.mark.parametrize(("proven", "happening"), [(True, Happening.DRILL_PROVEN), (False, Happening.DRILL_FAILED)])
def test_a_drill_is_told_once_with_what_it_took(proven: bool, happening: Happening) -> None:
    row = machine(1, "web-1")
    given = Drill("r-1", LAST_SLOT, NOW, NOW, proven, "it was tried", ("it runs",), 600, 3600)
    drilled = replace(row, drill=given)
    told_of = with_events(change(row, drilled), NOW)
    assert types(told_of) == [happening]
    [event] = told_of.outbox
    assert event.at == NOW
    named = {name: event.details[name] for name in ("drill", "slot", "because", "rto_seconds", "rpo_seconds")}
    assert list(named.values()) == ["r-1", "20261120T0200Z", "it was tried", "600", "3600"]
    assert with_events(change(drilled, drilled), NOW).outbox == ()
    again = replace(drilled, drill=replace(given, request="r-2", slot=None))
    assert with_events(change(drilled, again), NOW).outbox[0].details["slot"] == ""


def test_an_operation_that_needs_a_person_is_told_once_and_one_that_was_given_up_too() -> None:
    row = machine(1, "web-1")
    waiting, given_up = capture(row, state=State.NEEDS_PERSON), capture(row, state=State.GAVE_UP)
    first = with_events(Change(row, row, [(capture(row, state=State.INTENDED), waiting)], ()), NOW)
    assert types(first) == [Happening.NEEDS_PERSON]
    quiet = capture(row, state=State.STARTED)
    assert types(with_events(Change(row, row, [(None, quiet), (None, waiting)], ()), NOW)) == types(first)
    assert (first.outbox[0].details["code"], first.outbox[0].details["remedy"]) == ("ScopeLocked", "remove the lock")
    assert with_events(Change(row, row, [(waiting, waiting)], ()), NOW).outbox == ()
    assert types(with_events(Change(row, row, [(waiting, given_up)], ()), NOW)) == [Happening.GAVE_UP]


def test_the_id_of_a_point_repeats_and_that_of_a_status_does_not() -> None:
    row = machine(1, "web-1")
    done = Change(row, row, (), [(None, point(row))])
    later = NOW + timedelta(hours=1)
    assert with_events(done, NOW).outbox[0].id == with_events(done, later).outbox[0].id
    fell = change(row, replace(row, status=Status.DEGRADED))
    assert with_events(fell, NOW).outbox[0].id != with_events(fell, later).outbox[0].id


def test_what_was_told_leaves_and_what_was_not_stays() -> None:
    row = machine(1, "web-1")
    one = with_events(Change(row, row, (), [(None, point(row))]), NOW)
    both = with_events(Change(one, one, (), [(None, point(row, LAST_SLOT - timedelta(days=1)))]), NOW)
    assert told(both, one.outbox).outbox == both.outbox[1:]
    assert told(both, one.outbox).next_publish == NOW
    assert (told(both, both.outbox).outbox, told(both, both.outbox).next_publish) == ((), None)
    assert (untold(both).outbox, untold(both).next_publish) == ((), None)


def test_an_outbox_that_nobody_empties_keeps_the_newest() -> None:
    row = machine(1, "web-1")
    for hour in range(MOST_UNTOLD + 5):
        done = point(row, LAST_SLOT + timedelta(hours=hour))
        row = with_events(Change(row, row, (), [(None, done)]), NOW)
    assert len(row.outbox) == MOST_UNTOLD
    assert row.outbox[-1].details["slot"] == f"{LAST_SLOT + timedelta(hours=MOST_UNTOLD + 4):%Y%m%dT%H%MZ}"


@pytest.mark.parametrize(
    ("status", "happening"),
    [
        (Status.DEGRADED, Happening.DEGRADED),
        (Status.UNPROTECTED, Happening.UNPROTECTED),
        (Status.EXCLUDED, Happening.EXCLUDED),
        (Status.GONE, Happening.GONE),
    ],
)
def test_every_status_that_a_machine_comes_to_is_told_under_its_own_name(status: Status, happening: Happening) -> None:
    row = machine(1, "web-1")
    assert types(with_events(change(row, replace(row, status=status)), NOW)) == [happening]


def misnamed(alarmed: timedelta | None = None, **changes: object) -> Machine:
    """A machine whose tag stopped naming a plan at NOW, told so `alarmed` after that."""
    row = replace(
        machine(1, "web-1", Status.DEGRADED), grace_from=NOW, alarmed_at=None if alarmed is None else NOW + alarmed
    )
    return replace(row, **changes)  # type: ignore[arg-type] # a test names the fields it changes


HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("row", "at"),
    [
        (misnamed(), NOW),
        (misnamed(HOUR), NOW + DAY),
        (misnamed(DAY), NOW + 2 * DAY),
        (misnamed(5 * DAY + HOUR), NOW + 6 * DAY),
        (misnamed(6 * DAY), None),
        (misnamed(-DAY), NOW),
        (misnamed(grace_from=None), None),
        (misnamed(plan=""), None),
        (misnamed(status=Status.PROTECTED), NOW),
        (misnamed(status=Status.PENDING), NOW),
        (misnamed(status=Status.UNPROTECTED), NOW),
        (misnamed(status=Status.GONE), None),
        (misnamed(status=Status.EXCLUDED), None),
    ],
)
def test_a_tag_that_names_no_plan_is_told_daily_while_the_last_good_plan_is_kept(
    row: Machine, at: datetime | None
) -> None:
    assert next_alarm(row) == at


def test_an_alarm_is_told_when_it_is_due_and_the_next_is_waited_for() -> None:
    after = with_events(change(misnamed(), misnamed()), NOW)
    assert (types(after), after.alarmed_at, after.next_publish) == ([Happening.MISNAMED], NOW, NOW)
    assert (after.outbox[0].at, after.outbox[0].details["ends"]) == (NOW, "20261127T1200Z")
    silent = told(after, after.outbox)
    assert (silent.outbox, silent.next_publish) == ((), NOW + DAY)
    again = with_events(change(silent, silent), NOW + HOUR)
    assert (again.outbox, again.next_publish) == ((), NOW + DAY)
    later = with_events(change(silent, silent), NOW + DAY)
    assert (types(later), later.next_publish) == ([Happening.MISNAMED], NOW + DAY)
    assert later.outbox[0].id != after.outbox[0].id


def test_news_do_not_wait_for_tomorrows_alarm() -> None:
    silent = misnamed(HOUR, next_publish=NOW + DAY)
    after = with_events(change(silent, replace(silent, status=Status.PROTECTED)), NOW + 2 * HOUR)
    assert (types(after), after.next_publish) == ([Happening.PROTECTED], NOW + 2 * HOUR)
