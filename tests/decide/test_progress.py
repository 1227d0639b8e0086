"""How far an operation came: parts counted, never more claimed than is ready, and what it waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.capture import opened
from shared.decide.progress import headway
from shared.model.operation import Operation, State
from shared.model.point import Origin, PartState, Point, PointState
from tests.decide.plans import NOW, at, machine
from tests.decide.points import part_of, point_of

SLOT = at("2027-03-10 02:00")
AGE = timedelta(hours=3)


def operation(state: State = State.STARTED) -> Operation:
    return replace(opened(machine(), SLOT, Origin.SLOT, "due", NOW - AGE), state=state, next_look=NOW)


def taking(*states: PartState) -> Point:
    parts = tuple(part_of(SLOT, 1, state, f"d{number}") for number, state in enumerate(states))
    return replace(point_of(SLOT, state=PointState.TAKING), parts=parts)


@pytest.mark.parametrize(
    ("states", "ready", "percent", "because"),
    [
        ((PartState.PLANNED, PartState.UNKNOWN, PartState.STARTED), 0, 0, "2 of 3 parts are still to be sent"),
        ((PartState.STARTED, PartState.READY, PartState.READY), 2, 66, "Azure is making 1 of 3 parts"),
        ((PartState.READY, PartState.PLANNED), 1, 50, "1 of 2 parts are still to be sent"),
        ((PartState.READY,), 1, 100, "Azure is making 0 of 1 parts"),
    ],
)
def test_parts_are_counted_and_percents_rounded_down(
    states: tuple[PartState, ...], ready: int, percent: int, because: str
) -> None:
    found = headway(operation(), taking(*states), NOW)
    assert (found.ready, found.parts, found.percent, found.because) == (ready, len(states), percent, because)
    assert found.age == AGE


def test_parts_of_earlier_attempts_are_not_counted() -> None:
    point = taking(PartState.ABANDONED)
    again = replace(point, attempt=2, parts=(*point.parts, part_of(SLOT, 2, PartState.READY)))
    assert (headway(operation(), again, NOW).ready, headway(operation(), again, NOW).parts) == (1, 1)


def test_before_its_parts_are_planned_it_stands_at_nothing() -> None:
    found = headway(operation(State.INTENDED), None, NOW)
    assert (found.parts, found.percent, found.because) == (0, 0, "its parts are not planned yet")


def test_an_operation_that_is_tried_again_says_when_and_one_for_a_person_says_so() -> None:
    assert headway(operation(State.FAILED), None, NOW).because == "tried again at 2027-03-10 12:00Z"
    assert headway(replace(operation(State.FAILED), next_look=None), None, NOW).because == "tried again"
    assert headway(operation(State.NEEDS_PERSON), taking(PartState.PLANNED), NOW).because == (
        "waits for a person; tried again at 2027-03-10 12:00Z"
    )


@pytest.mark.parametrize(
    ("state", "because"),
    [
        (State.SUCCEEDED, "done"),
        (State.GAVE_UP, "given up"),
        (State.SKIPPED, "skipped"),
        (State.SUPERSEDED, "superseded"),
    ],
)
def test_an_ended_operation_grows_no_older(state: State, because: str) -> None:
    ended = replace(operation(state), ended_at=NOW - timedelta(hours=1))
    found = headway(ended, taking(PartState.READY), NOW)
    assert (found.because, found.age) == (because, timedelta(hours=2))


def test_an_intent_from_a_clock_ahead_of_ours_is_not_of_negative_age() -> None:
    assert headway(operation(), None, NOW - 2 * AGE).age == timedelta(0)
