"""Budgets of deletions: never more than was gained, few of what nobody planned; and the brake on mass opt-outs."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decide.deletion_brake import braked
from shared.decide.deletion_budgets import Room, room, spent
from shared.model.identity import VmUid
from shared.model.machine import Machine
from shared.model.spending import Hour, Spending
from tests.decide.plans import NOW, SHARD, machine

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
NOTHING = Spending(SHARD)


@pytest.mark.parametrize(("gained", "may_go"), [(0, 0), (1, 2), (2, 3), (3, 5), (10, 15)])
def test_planned_deletions_follow_what_was_gained(gained: int, may_go: int) -> None:
    assert room(NOTHING, [NOW - HOUR] * gained, 0, NOW).planned == may_go


def test_what_was_gained_more_than_a_day_ago_counts_no_more_and_what_lies_ahead_not_yet() -> None:
    assert room(NOTHING, [NOW - DAY, NOW + MINUTE], 0, NOW).planned == 0
    assert room(NOTHING, [NOW - DAY + MINUTE, NOW], 0, NOW).planned == 3


@pytest.mark.parametrize(("machines", "may_go"), [(0, 10), (200, 10), (219, 10), (220, 11), (1000, 50)])
def test_unplanned_deletions_are_ten_or_a_twentieth(machines: int, may_go: int) -> None:
    assert room(NOTHING, [], machines, NOW).unplanned == may_go


def test_what_was_spent_within_a_day_is_not_there_any_more() -> None:
    spending = spent(NOTHING, 2, 3, NOW)
    assert room(spending, [NOW] * 2, 0, NOW) == Room(1, 7)
    assert room(spending, [NOW + DAY] * 2, 0, NOW + DAY) == Room(1, 7)
    assert room(spending, [NOW + DAY + HOUR] * 2, 0, NOW + DAY + HOUR) == Room(3, 10)


def test_room_is_never_negative() -> None:
    assert room(spent(NOTHING, 9, 99, NOW), [NOW], 0, NOW) == Room(0, 0)


def test_hours_add_up_and_old_ones_are_forgotten() -> None:
    first = spent(NOTHING, 1, 0, NOW)
    assert spent(first, 2, 1, NOW + 59 * MINUTE).hours == (Hour(NOW, 3, 1),)
    assert spent(first, 2, 1, NOW + timedelta(minutes=59, seconds=59, microseconds=7)).hours == (Hour(NOW, 3, 1),)
    assert spent(first, 2, 1, NOW + 2 * DAY).hours == (Hour(NOW + 2 * DAY, 2, 1),)


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 4)), max_size=60))
def test_within_any_day_no_more_is_claimed_than_the_gains_of_that_day_allow(asked: list[tuple[int, int]]) -> None:
    """A point is gained every two hours; whoever asks gets at most the room there is."""
    gains = [NOW + 2 * HOUR * n for n in range(60)]
    spending, claims = NOTHING, []
    for minute, count in sorted(asked):
        now = NOW + minute * MINUTE
        granted = min(count, room(spending, gains, 0, now).planned)
        spending = spent(spending, granted, 0, now)
        claims += [now] * granted
    for end in claims:
        within = sum(end - DAY < claim <= end for claim in claims)
        gained = sum(end - DAY < gain <= end for gain in gains)
        assert within <= -(-3 * gained // 2)


def fleet(protected: int, left: list[datetime]) -> list[Machine]:
    staying = [machine(uid=VmUid(f"stays-{n}"), enrolled_at=NOW - 30 * DAY) for n in range(protected)]
    return staying + [machine(uid=VmUid(f"left-{n}"), enrolled_at=None, left_at=at) for n, at in enumerate(left)]


@pytest.mark.parametrize(
    ("protected", "left", "stopped"),
    [
        pytest.param(100, [NOW] * 5, 0, id="five of a hundred"),
        pytest.param(20, [NOW] * 5, 0, id="a fifth is allowed"),
        pytest.param(19, [NOW] * 5, 5, id="more than a fifth"),
        pytest.param(0, [NOW] * 4, 0, id="fewer than five"),
        pytest.param(0, [NOW] * 5, 5, id="all of five"),
        pytest.param(10, [NOW + n * 16 * MINUTE for n in range(5)], 0, id="slower than within an hour"),
        pytest.param(10, [NOW + n * 15 * MINUTE for n in range(5)], 5, id="just within an hour"),
        pytest.param(10, [NOW - DAY, *[NOW] * 5, NOW + DAY], 5, id="only those who left together"),
    ],
)
def test_the_brake_stops_those_who_left_at_once(protected: int, left: list[datetime], stopped: int) -> None:
    found = braked(fleet(protected, left), "the shard")
    assert len(found) == stopped
    assert all("lost their protection" in because for because in found.values())


def test_machines_that_were_enrolled_later_do_not_make_the_scope_larger() -> None:
    late = [machine(uid=VmUid(f"late-{n}"), enrolled_at=NOW + HOUR) for n in range(100)]
    assert len(braked([*fleet(10, [NOW] * 5), *late], "the shard")) == 5


def test_a_machine_that_was_enrolled_in_that_very_instant_belongs_to_the_scope() -> None:
    fresh = [machine(uid=VmUid(f"fresh-{n}"), enrolled_at=NOW) for n in range(20)]
    assert braked([*fleet(0, [NOW] * 5), *fresh], "the shard") == {}


def test_a_machine_that_asks_again_loosens_the_brake() -> None:
    assert braked(fleet(11, [NOW] * 4), "the shard") == {}
