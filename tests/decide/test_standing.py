"""What a reader may say of a row that nobody has touched for a while: never better than the row, and worse in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.standing import absence, all_is_well, at_read_time, is_job, is_of_today, refusal
from shared.model.machine import Machine, Status
from shared.model.operation import State
from shared.model.rules import Mode, Rules
from tests.decide import plans
from tests.fleet import DAY, LAST_SLOT, NOW, RULES, capture, machine

SECOND = timedelta(seconds=1)
OBSERVED = replace(plans.RULES, subscriptions={plans.SUBSCRIPTION: Mode.OBSERVE})


def test_a_row_that_is_still_true_is_shown_as_it_is() -> None:
    well = machine(1, "web-1")
    assert at_read_time(well, [capture(well)], RULES, NOW) is well


@pytest.mark.parametrize("status", [Status.EXCLUDED, Status.GONE])
def test_time_makes_nothing_of_a_machine_outside_worse(status: Status) -> None:
    outside = machine(1, "web-1", status)
    assert at_read_time(outside, [], RULES, NOW + 30 * DAY) is outside


def test_a_degraded_row_is_not_made_better_by_reading_it() -> None:
    degraded = machine(1, "web-1", Status.DEGRADED)
    assert at_read_time(degraded, [], RULES, NOW) is degraded


TYPO = "its tag backup = 'slver' names no plan; allowed: gold, silver, on, off"


@pytest.mark.parametrize(
    ("changes", "rules", "because"),
    [
        ({"tags": {"backup": "off"}}, plans.RULES, "its tag backup is off"),
        ({"tags": {"backup": "slver"}, "grace_from": plans.NOW - 7 * DAY}, plans.RULES, TYPO),
        ({}, OBSERVED, "its subscription is only observed; plan silver would be enforced"),
        ({"disks": ()}, plans.RULES, "none of its disks can be captured: it has none"),
    ],
)
def test_it_is_said_why_no_plan_takes_a_machine(changes: dict[str, object], rules: Rules, because: str) -> None:
    assert refusal(plans.machine(**changes), rules, plans.NOW) == because


def test_a_machine_that_may_be_gone_is_taken_by_no_plan() -> None:
    missing = plans.machine(absent_since=plans.NOW)
    assert refusal(missing, plans.RULES, plans.NOW) == absence(missing) != ""


def test_protection_fades_when_no_point_comes() -> None:
    well = machine(1, "web-1")
    shown = [at_read_time(well, [], RULES, LAST_SLOT + age * timedelta(hours=12)).status for age in range(5)]
    assert shown == [Status.PROTECTED] * 4 + [Status.DEGRADED]


def test_pending_ends_with_the_first_slot_and_its_window() -> None:
    pending = replace(machine(1, "web-1", Status.PENDING), enrolled_at=LAST_SLOT - timedelta(hours=1))
    assert at_read_time(pending, [], RULES, LAST_SLOT + timedelta(hours=1)).status is Status.PENDING
    late = at_read_time(pending, [], RULES, LAST_SLOT + timedelta(hours=2))
    assert (late.status, late.because in late.problems) == (Status.UNPROTECTED, True)


@pytest.mark.parametrize("state", State)
def test_what_ends_without_work_is_no_job_and_what_needs_somebody_is_not_well(state: State) -> None:
    operation = capture(machine(1, "web-1"), LAST_SLOT, state)
    assert is_job(operation) is (state not in (State.SKIPPED, State.SUPERSEDED))
    assert all_is_well([], [operation]) is (state not in (State.GAVE_UP, State.NEEDS_PERSON))


def test_a_row_that_would_be_outside_by_now_is_shown_as_it_is() -> None:
    unasked = replace(machine(1, "web-1"), tags={})
    assert at_read_time(unasked, [], RULES, NOW) is unasked


@pytest.mark.parametrize(
    ("state", "intended", "ended", "shown"),
    [
        (State.STARTED, 9 * DAY, None, True),
        (State.SUCCEEDED, 9 * DAY, DAY - SECOND, True),
        (State.SUCCEEDED, 9 * DAY, DAY, False),
        (State.SUCCEEDED, DAY - SECOND, None, True),
        (State.SUCCEEDED, DAY, None, False),
        (State.GAVE_UP, 9 * DAY, 9 * DAY, True),
    ],
)
def test_a_job_is_shown_while_it_goes_on_and_for_a_day_after(
    state: State, intended: timedelta, ended: timedelta | None, shown: bool
) -> None:
    job = capture(machine(1, "web-1"), LAST_SLOT, state)
    job = replace(job, intended_at=NOW - intended, ended_at=None if ended is None else NOW - ended)
    assert is_of_today(job, None, NOW) is shown


def test_a_newer_complete_point_makes_up_for_what_was_given_up_and_for_nothing_else() -> None:
    well = machine(1, "web-1")
    before, after = LAST_SLOT - timedelta(days=1), LAST_SLOT + timedelta(hours=6)
    assert all_is_well([well], [capture(well, before, State.GAVE_UP)])
    assert not all_is_well([well], [capture(well, after, State.GAVE_UP)])
    assert not all_is_well([well], [capture(well, before, State.NEEDS_PERSON)])
    assert not all_is_well([replace(well, last_point=None)], [capture(well, before, State.GAVE_UP)])


@pytest.mark.parametrize(
    ("status", "fine"),
    [
        (Status.PROTECTED, True),
        (Status.PENDING, True),
        (Status.EXCLUDED, True),
        (Status.GONE, True),
        (Status.DEGRADED, False),
        (Status.UNPROTECTED, False),
    ],
)
def test_somebody_has_to_act_where_protection_is_asked_for_and_lacks_something(status: Status, fine: bool) -> None:
    assert all_is_well([machine(1, "web-1", status)], []) is fine


WORSE = [Status.PROTECTED, Status.PENDING, Status.DEGRADED, Status.UNPROTECTED]


@pytest.mark.parametrize("row", WORSE)
@pytest.mark.parametrize("now", WORSE)
def test_only_what_is_worse_than_the_row_is_shown_instead_of_it(row: Status, now: Status) -> None:
    shown = at_read_time(replace(standing_as(now), status=row), [], RULES, NOW)
    assert shown.status is (now if WORSE.index(now) > WORSE.index(row) else row)


def standing_as(status: Status) -> Machine:
    """A machine that the clock alone makes stand so at NOW, whatever its row says."""
    well = machine(1, "web-1")
    match status:
        case Status.PROTECTED:
            return well
        case Status.PENDING:
            return replace(well, last_point=None, enrolled_at=NOW)
        case Status.DEGRADED:
            return replace(well, last_point=NOW - 9 * DAY)
        case _:
            return replace(well, last_point=None, enrolled_at=NOW - 9 * DAY)
