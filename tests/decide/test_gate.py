"""Gates as values: a denied scope costs a few calls, one now and then finds out, and a grant opens it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from shared.decide import gate
from shared.decide.gate import DENIALS, FIRST, MOST, TO_ANSWER, Gate

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
NONE = timedelta(0)


def shut() -> Gate:
    found = Gate()
    for number in range(DENIALS):
        found = gate.denied(found, f"vm-{number}", START)
    return found


def test_a_scope_is_shut_when_three_things_in_it_were_denied() -> None:
    assert gate.wait(shut(), START) == FIRST
    two = gate.denied(gate.denied(Gate(), "a", START), "b", START)
    assert gate.wait(two, START) == NONE


def test_one_thing_denied_again_and_again_says_nothing_of_the_scope() -> None:
    found = Gate()
    for _ in range(10):
        found = gate.denied(found, "vm-1", START)
    assert not found.is_shut


def test_one_call_at_a_time_finds_out_whether_it_is_permitted_now() -> None:
    later = START + FIRST
    assert gate.wait(shut(), later) == NONE
    probing = gate.let_through(shut(), later)
    assert gate.wait(probing, later) == TO_ANSWER
    assert gate.wait(probing, later + TO_ANSWER) == NONE


def test_an_open_gate_counts_nothing() -> None:
    assert gate.let_through(Gate(), START) == Gate()


def test_the_longer_it_is_shut_the_longer_it_stays_so() -> None:
    found, waits = shut(), []
    for _ in range(4):
        waits.append(gate.wait(found, START))
        found = gate.denied(gate.let_through(found, START), "another", START)
    assert waits == [FIRST, 2 * FIRST, MOST, MOST]
    assert found.denied == {"vm-0", "vm-1", "vm-2"}


@given(some.lists(some.integers(0, 3000), min_size=1, max_size=40))
def test_a_shut_gate_waits_longer_and_longer_up_to_a_bound_and_lets_somebody_through_in_the_end(
    gaps: list[int],
) -> None:
    found, now = shut(), START
    for seconds in gaps:
        now += timedelta(seconds=seconds)
        wait = gate.wait(found, now)
        assert NONE <= wait <= MOST
        now += wait
        found = gate.denied(gate.let_through(found, now), "vm-9", now)
        assert FIRST <= gate.wait(found, now) <= MOST
    assert len(found.denied) == DENIALS
