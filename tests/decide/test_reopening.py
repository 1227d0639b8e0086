"""What a person's retry makes of an operation: tried at once, begun anew, or refused with what to do instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.reopening import NotSensible, Reopened, reopened
from shared.model.machine import Machine
from shared.model.operation import Failure, Kind, Operation, State
from shared.model.point import Origin, PartState, Point, PointState, Removal
from shared.model.vault import VaultTask
from tests.fleet import LAST_SLOT, NOW, capture, machine, point

MACHINE = machine(1, "web-1")


def failed(state: State) -> Operation:
    failure = Failure("ScopeLocked", "a lock", "remove the lock", LAST_SLOT, 7)
    return replace(capture(MACHINE, LAST_SLOT, state), attempts=9, failure=failure, next_look=NOW + timedelta(days=1))


def incomplete() -> Point:
    return point(MACHINE, LAST_SLOT, PointState.INCOMPLETE)


@pytest.mark.parametrize("state", [State.FAILED, State.NEEDS_PERSON, State.INTENDED])
def test_what_is_open_is_tried_at_once_with_short_delays(state: State) -> None:
    verdict = reopened(failed(state), None, MACHINE, NOW)
    assert isinstance(verdict, Reopened)
    operation = verdict.operation
    assert (operation.state, operation.next_look, operation.attempts) == (state, NOW, 0)
    assert operation.failure is not None
    assert (operation.failure.times, operation.failure.since) == (0, LAST_SLOT)
    assert verdict.point is None


def test_what_was_given_up_begins_anew_and_looks_for_its_parts_first() -> None:
    verdict = reopened(failed(State.GAVE_UP), incomplete(), MACHINE, NOW)
    assert isinstance(verdict, Reopened)
    assert (verdict.operation.state, verdict.operation.ended_at) == (State.INTENDED, None)
    assert verdict.point is not None
    assert verdict.point.state is PointState.TAKING
    assert {part.state for part in verdict.point.live_parts} == {PartState.UNKNOWN}


@pytest.mark.parametrize(
    ("state", "planned", "because"),
    [
        (State.FAILED, None, "it is tried at once instead of later"),
        (State.GAVE_UP, None, "it begins anew"),
        (State.GAVE_UP, incomplete(), "it begins anew: its parts are looked for, then sent again"),
    ],
)
def test_people_are_told_what_becomes_of_it(state: State, planned: Point | None, because: str) -> None:
    verdict = reopened(failed(state), planned, MACHINE, NOW)
    assert isinstance(verdict, Reopened)
    assert (verdict.because, verdict.operation.next_look) == (because, NOW)
    assert verdict.operation.state is (State.INTENDED if state is State.GAVE_UP else state)


def test_a_point_that_begins_anew_has_not_ended() -> None:
    ended = replace(incomplete(), ended_at=LAST_SLOT)
    verdict = reopened(replace(failed(State.GAVE_UP), failure=None), ended, MACHINE, NOW)
    assert isinstance(verdict, Reopened)
    assert verdict.operation.failure is None
    assert verdict.point is not None
    assert (verdict.point.because, verdict.point.ended_at) == ("asked for again", None)


NEW_POINT = "`tagback backup` takes a new point"
LATER = replace(MACHINE, settled=LAST_SLOT + timedelta(days=1))


@pytest.mark.parametrize(
    ("operation", "planned", "row", "because"),
    [
        (failed(State.GAVE_UP), None, LATER, f"a newer slot has begun since it was given up; {NEW_POINT}"),
        (failed(State.GAVE_UP), point(MACHINE), MACHINE, f"its point is complete, taken at slot; {NEW_POINT}"),
        (
            failed(State.GAVE_UP),
            replace(incomplete(), removal=Removal(NOW, NOW, "due", claimed_at=NOW)),
            MACHINE,
            f"what is left of it is being deleted; {NEW_POINT}",
        ),
        (
            replace(failed(State.NEEDS_PERSON), kind=Kind.EMPTY),
            None,
            MACHINE,
            "two people have to agree to it: `tagback delete-data` asks anew, `tagback approve` agrees",
        ),
    ],
)
def test_what_is_not_tried_again_says_why(
    operation: Operation, planned: Point | None, row: Machine, because: str
) -> None:
    assert reopened(operation, planned, row, NOW) == NotSensible(because)


def test_what_is_done_at_a_vault_is_asked_for_anew_and_its_job_is_a_former_one() -> None:
    task = VaultTask(policy="p", tracking="t", job="j", sent_at=LAST_SLOT)
    verdict = reopened(replace(failed(State.FAILED), task=task), None, MACHINE, NOW)
    assert isinstance(verdict, Reopened)
    assert verdict.operation.task == VaultTask(policy="p", former=("j",))


def test_what_was_given_up_before_anything_was_planned_begins_anew() -> None:
    verdict = reopened(failed(State.GAVE_UP), None, MACHINE, NOW)
    assert isinstance(verdict, Reopened)
    assert verdict.point is None


def test_parts_of_earlier_attempts_stay_abandoned() -> None:
    first = incomplete()
    renewed = replace(first.parts[0], attempt=2, id=replace(first.parts[0].id, name="tb-2"))
    second = replace(first, attempt=2, parts=(*first.parts, renewed))
    verdict = reopened(failed(State.GAVE_UP), second, MACHINE, NOW)
    assert isinstance(verdict, Reopened)
    assert verdict.point is not None
    assert [part.state for part in verdict.point.parts] == [PartState.ABANDONED, PartState.ABANDONED, PartState.UNKNOWN]


def test_a_part_that_is_ready_stays_so() -> None:
    first = incomplete()
    ready = replace(first, parts=(replace(first.parts[0], state=PartState.READY), *first.parts[1:]))
    verdict = reopened(failed(State.GAVE_UP), ready, MACHINE, NOW)
    assert isinstance(verdict, Reopened)
    assert verdict.point is not None
    assert [part.state for part in verdict.point.parts] == [PartState.READY, PartState.UNKNOWN]


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (State.SUCCEEDED, "it succeeded"),
        (State.STARTED, "it is running"),
        (State.SKIPPED, "it was skipped"),
        (State.SUPERSEDED, "a newer slot took its place"),
    ],
)
def test_what_did_not_fail_is_not_tried_again(state: State, why: str) -> None:
    verdict = reopened(failed(state), None, MACHINE, NOW)
    assert isinstance(verdict, NotSensible)
    assert verdict.because == f"{why}; `tagback backup` takes a new point"


def test_a_slot_that_a_newer_one_overtook_is_not_taken_late() -> None:
    later = replace(MACHINE, settled=LAST_SLOT + timedelta(days=1))
    assert isinstance(reopened(failed(State.GAVE_UP), incomplete(), later, NOW), NotSensible)


def test_a_point_that_is_complete_or_anothers_or_being_deleted_is_left_alone() -> None:
    gave_up = failed(State.GAVE_UP)
    removal = Removal(NOW, NOW, "its attempt can no longer complete")
    others = replace(incomplete(), origin=Origin.REQUEST)
    claimed = replace(incomplete(), removal=replace(removal, claimed_at=NOW))
    for one in (point(MACHINE), others, claimed):
        assert isinstance(reopened(gave_up, one, MACHINE, NOW), NotSensible)
    marked = reopened(gave_up, replace(incomplete(), removal=removal), MACHINE, NOW)
    assert isinstance(marked, Reopened)
    assert marked.point is not None
    assert marked.point.removal is None
