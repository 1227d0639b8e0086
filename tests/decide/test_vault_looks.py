"""What is kept of a look at a machine's vault, and when the next look is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.decide.vault_looks import observed, on_grid
from shared.decide.vault_wish import Undecided, Unwanted, Want, late_at
from shared.decide.vaulting import Begin, Rest, Step, View, opened
from shared.model.operation import Kind
from shared.model.vault import ItemState, Protection, Standing, VaultTask
from tests.decide.test_vaulting import DAY, HOUR, KNOWN, MINUTE, ROW, VAULT, item, want, wanted
from tests.fleet import NOW

POLICY = wanted().policy.name
UNWANTED = Unwanted("nobody asks")
LAST = NOW - DAY
ITEM = item(last_point=LAST)


@pytest.mark.parametrize(
    ("view", "of", "state"),
    [
        (View(), None, Standing.WANTED),
        (View(), UNWANTED, Standing.NONE),
        (View(ITEM), None, Standing.ELSEWHERE),
        (View(item(soft_deleted=True), ours=True), None, Standing.DELETED),
        (View(item(ItemState.STOPPED), ours=True), None, Standing.STOPPED),
        (View(item(ItemState.PAUSED), ours=True), None, Standing.STOPPED),
        (View(item(ItemState.SUSPENDED), ours=True), None, Standing.STOPPED),
        (View(item(ItemState.PENDING), ours=True), None, Standing.PENDING),
        (View(ITEM, ours=True), None, Standing.PROTECTED),
        (View(item(ItemState.ERROR), ours=True), None, Standing.PROTECTED),
    ],
)
def test_how_a_machine_stands_with_its_vault(view: View, of: Want | None, state: Standing) -> None:
    assert observed(ROW, of or want(), view, Rest("x"), NOW).state is state


def kept(view: View, of: Want, found: Step, known: Protection | None = None) -> Protection:
    """What a look leaves behind, but for when the next one is."""
    return replace(observed(replace(ROW, protection=known), of, view, found, NOW), next_look=None)


def test_what_a_look_leaves_behind() -> None:
    asked = wanted().asked
    assert kept(View(), want(), Rest("why", "trouble")) == Protection(
        Standing.WANTED, "why", NOW, asked=asked, problem="trouble"
    )
    held = View(ITEM, ours=True)
    begun = Begin(opened(ROW, Kind.PROTECT, "it begins", VaultTask(VAULT), NOW))
    fresh = Protection(Standing.PROTECTED, "it begins", NOW, asked=asked, vault=VAULT, policy=POLICY, last_point=LAST)
    assert kept(held, want(), begun) == fresh
    troubled = replace(KNOWN, problem="trouble", last_point=LAST - DAY)
    assert kept(held, want(), begun, troubled) == replace(fresh, since=KNOWN.since)
    assert kept(held, want(), begun, replace(troubled, state=Standing.WANTED)) == fresh
    assert kept(View(), UNWANTED, Rest("why"), replace(troubled, policy="p")) == Protection(
        Standing.NONE, "why", NOW, vault=VAULT, last_point=LAST - DAY
    )


def test_the_newest_point_is_remembered_until_its_item_is_deleted() -> None:
    older, newer = replace(KNOWN, last_point=LAST - DAY), replace(KNOWN, last_point=NOW)
    assert kept(View(ITEM, ours=True), want(), Rest("x"), older).last_point == LAST
    assert kept(View(ITEM, ours=True), want(), Rest("x"), newer).last_point == NOW
    deleted = View(item(last_point=LAST, soft_deleted=True), ours=True)
    assert kept(deleted, want(), Rest("x"), newer).last_point is None


def look(view: View, of: Want | None = None, known: Protection | None = KNOWN, now: datetime = NOW) -> timedelta | None:
    """How long until the next look."""
    found = observed(replace(ROW, protection=known), of or want(), view, Rest("x"), now).next_look
    return found - now if found else None


STOPPED = View(item(ItemState.STOPPED), ours=True)


@pytest.mark.parametrize(
    ("view", "of", "pause"),
    [
        (View(), None, HOUR),
        (STOPPED, None, HOUR),
        (View(ITEM), None, DAY),
        (STOPPED, UNWANTED, 7 * DAY),
        (STOPPED, Undecided("not now"), None),
        (View(), UNWANTED, None),
    ],
)
def test_a_machine_that_its_vault_does_not_hold_is_looked_at_now_and_then(
    view: View, of: Want | None, pause: timedelta | None
) -> None:
    assert look(view, of) == pause


@pytest.mark.parametrize(
    ("view", "of", "leaves", "pause"),
    [
        (View(), UNWANTED, -DAY, 7 * DAY),
        (View(), UNWANTED, 7 * DAY, 7 * DAY),
        (View(), UNWANTED, 8 * DAY, 8 * DAY),
        (View(), UNWANTED, 8 * DAY + MINUTE, 8 * DAY + 5 * MINUTE),
        (View(ITEM), UNWANTED, 9 * DAY, 9 * DAY),
        (STOPPED, UNWANTED, 9 * DAY, 7 * DAY),
        (View(), Undecided("not now"), DAY, None),
        (View(), None, 9 * DAY, HOUR),
    ],
)
def test_while_a_point_may_leave_a_vault_the_machine_is_looked_at_from_its_date_on(
    view: View, of: Want | None, leaves: timedelta, pause: timedelta | None
) -> None:
    known = replace(ROW, protection=KNOWN)
    found = observed(known, of or want(), view, Rest("x"), NOW, NOW + leaves).next_look
    assert (found - NOW if found else None) == pause


SLOT = NOW.replace(hour=22) - DAY  # the last one; the next is ten hours ahead


@pytest.mark.parametrize(
    ("last", "since", "now", "pause"),
    [
        (SLOT, LAST - DAY, NOW, 11 * HOUR),
        (SLOT + HOUR, LAST - DAY, NOW, 11 * HOUR),
        (None, SLOT, NOW, 11 * HOUR),
        (None, SLOT + HOUR, NOW, 11 * HOUR),
        (None, SLOT - MINUTE, NOW + HOUR, 45 * MINUTE),
        (SLOT - DAY, LAST - DAY, NOW + HOUR, 45 * MINUTE),
        (SLOT - DAY, LAST - DAY, SLOT, HOUR),
        (SLOT - DAY, LAST - DAY, SLOT + 10 * MINUTE, 50 * MINUTE),
        (SLOT - DAY, LAST - DAY, SLOT + 30 * MINUTE, 45 * MINUTE),
    ],
)
def test_a_machine_that_is_held_is_looked_at_after_its_slots_and_soon_while_a_point_is_missing(
    last: datetime | None, since: datetime, now: datetime, pause: timedelta
) -> None:
    known = replace(KNOWN, since=since)
    assert look(View(item(last_point=last), ours=True), known=known, now=now) == pause


def test_the_look_that_finds_a_point_overdue_comes_right_after_it_is() -> None:
    known = replace(KNOWN, last_point=SLOT - DAY, since=LAST - DAY)
    late = late_at(wanted().part, known)
    view = View(item(last_point=SLOT - DAY), ours=True)
    pauses = [look(view, known=known, now=on_grid(late) + minutes * MINUTE) for minutes in (-45, -40, -35, 0, 5)]
    assert pauses == [45 * MINUTE, 45 * MINUTE, 40 * MINUTE, 5 * MINUTE, 45 * MINUTE]


@pytest.mark.parametrize(
    ("ahead", "grid"),
    [
        ({}, 0),
        ({"microseconds": 1}, 5),
        ({"seconds": 1}, 5),
        ({"minutes": 5}, 5),
        ({"minutes": 5, "microseconds": 1}, 10),
    ],
)
def test_looks_fall_on_a_grid_of_five_minutes(ahead: dict[str, Any], grid: int) -> None:
    assert on_grid(NOW + timedelta(**ahead)) == NOW + grid * MINUTE
