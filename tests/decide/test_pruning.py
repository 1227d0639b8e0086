"""Ended operations leave after a month, a week's worth together; the reason why a machine is unprotected stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.decide.pruning import KEPT, MOST, TOGETHER, is_made_up_for, next_prune, outlived
from shared.model.operation import Kind, Operation, State
from shared.model.vault import Protection, Standing
from tests.fleet import DAY, NOW, capture, machine

ROW = machine(1, "web-1")


def ended(days_ago: int, state: State = State.SUCCEEDED) -> Operation:
    return replace(capture(ROW, NOW - days_ago * DAY, state), ended_at=NOW - days_ago * DAY)


def test_what_ended_a_month_ago_leaves_and_what_is_open_never_does() -> None:
    old, new = ended(30), ended(29)
    waiting = replace(capture(ROW, NOW - 90 * DAY, State.NEEDS_PERSON), ended_at=None)
    assert outlived(ROW, [new, old, waiting], NOW) == [old]


def test_the_newest_that_was_given_up_stays_until_a_newer_point_is_complete() -> None:
    older, newest = ended(60, State.GAVE_UP), ended(50, State.GAVE_UP)
    never = replace(ROW, last_point=None)
    assert outlived(never, [older, newest], NOW) == [older]
    assert outlived(ROW, [older, newest], NOW) == [older, newest]
    assert is_made_up_for(newest, ROW)
    assert not is_made_up_for(newest, never)
    assert not is_made_up_for(newest, replace(ROW, last_point=newest.slot))


def test_they_leave_a_week_after_the_oldest_could_and_only_so_many_at_once() -> None:
    assert next_prune([ended(3), ended(1)]) == NOW - 3 * DAY + KEPT + TOGETHER
    assert next_prune([capture(ROW, state=State.STARTED)]) is None
    many = [replace(ended(40), id=f"slot-{number}") for number in range(MOST + 5)]
    assert len(outlived(ROW, many, NOW)) == MOST


def test_a_record_without_an_end_counts_from_its_intent() -> None:
    endless = replace(ended(40), ended_at=None)
    assert outlived(ROW, [endless], endless.intended_at + KEPT - timedelta(seconds=1)) == []
    assert outlived(ROW, [endless], endless.intended_at + KEPT) == [endless]


def test_a_backup_that_was_given_up_stays_until_its_vault_has_a_newer_point() -> None:
    gave_up = replace(ended(50, State.GAVE_UP), kind=Kind.BACK_UP)
    stood = Protection(Standing.PROTECTED, "", NOW - 60 * DAY)
    held = replace(ROW, last_point=NOW, protection=replace(stood, last_point=gave_up.slot))
    newer = replace(held, protection=replace(stood, last_point=gave_up.slot + timedelta(seconds=1)))
    assert outlived(held, [gave_up], NOW) == []
    assert outlived(newer, [gave_up], NOW) == [gave_up]
