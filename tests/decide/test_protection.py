"""Registration and status: every verdict with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.decide.capture import opened
from shared.decide.protection import GRACE, plan_of, settled_row, standing
from shared.decide.registration import gone, may_be_gone, missed, registered
from shared.decide.schedule import start_of
from shared.model.machine import Machine, Status
from shared.model.operation import Failure, Operation, State
from shared.model.point import Origin
from shared.model.rules import Mode
from tests.decide.plans import DAILY, GOLD, NOW, RULES, SILVER, SUBSCRIPTION, UID, at, disk, machine, sighting

HOUR = timedelta(hours=1)


def fresh(tags: dict[str, str] | None = None) -> Machine:
    return registered(None, sighting(tags), RULES, NOW)


def status(row: Machine, *operations: Operation, now: object = NOW) -> tuple[Status, str]:
    verdict = standing(row, operations, RULES, now)  # type: ignore[arg-type]  # tests pass datetimes
    return verdict.status, verdict.because


def test_a_new_machine_that_asks_is_enrolled_and_owes_nothing_of_the_past() -> None:
    row = fresh()
    assert (row.plan, row.enrolled_at, row.settled) == ("silver", NOW, NOW)
    assert settled_row(row, [], RULES, NOW).next_due == start_of(at("2027-03-11 02:00"), DAILY, UID)


def test_a_machine_without_the_tag_is_registered_as_excluded() -> None:
    row = settled_row(fresh({}), [], RULES, NOW)
    assert (row.status, row.because, row.next_due) == (Status.EXCLUDED, "it has no tag 'backup'", None)


def test_opting_out_ends_enrolment_and_opting_in_again_begins_it_anew() -> None:
    out = registered(machine(), sighting({"backup": "off"}), RULES, NOW)
    assert (out.plan, out.enrolled_at, out.settled) == ("", None, None)
    again = registered(out, sighting(), RULES, NOW + HOUR)
    assert again.enrolled_at == NOW + HOUR


def test_a_typo_keeps_the_last_good_plan_for_its_grace_and_is_a_problem() -> None:
    row = registered(machine(), sighting({"backup": "slver"}), RULES, NOW)
    assert plan_of(row, RULES, NOW + GRACE - HOUR) == SILVER
    verdict = standing(row, [], RULES, NOW)
    assert verdict.status is Status.DEGRADED
    assert "names no plan" in verdict.because
    after = NOW + GRACE
    assert plan_of(row, RULES, after) is None
    assert status(row, now=after)[0] is Status.UNPROTECTED


def test_a_second_typo_does_not_restart_the_grace_and_a_good_name_ends_it() -> None:
    typo = registered(machine(), sighting({"backup": "slver"}), RULES, NOW)
    second = registered(typo, sighting({"backup": "sivler"}), RULES, NOW + HOUR)
    assert second.grace_from == NOW
    assert registered(second, sighting(), RULES, NOW + HOUR).grace_from is None


def test_a_typo_from_the_start_is_unprotected_with_what_is_allowed() -> None:
    state, because = status(fresh({"backup": "slver"}))
    assert state is Status.UNPROTECTED
    assert "allowed: gold, silver, on, off" in because


def test_an_observed_subscription_is_only_told_about() -> None:
    rules = replace(RULES, subscriptions={SUBSCRIPTION: Mode.OBSERVE})
    row = registered(None, sighting(), rules, NOW)
    assert plan_of(row, rules, NOW) is None
    verdict = standing(row, [], rules, NOW)
    assert verdict.status is Status.UNPROTECTED
    assert "only observed" in verdict.because


def test_a_machine_none_of_whose_disks_can_be_captured_says_which_and_why() -> None:
    row = replace(fresh(), disks=(disk("d", 1, "is tagged backup = off"),), unsupported=("OS disk is ephemeral",))
    assert plan_of(row, RULES, NOW) == SILVER
    assert plan_of(replace(row, disks=()), RULES, NOW) is None
    assert status(row) == (
        Status.UNPROTECTED,
        "none of its disks can be captured: OS disk is ephemeral; LUN 1 is tagged backup = off",
    )


def test_a_first_point_is_pending_until_its_slot_window_and_settling_have_passed() -> None:
    row = fresh()
    deadline = at("2027-03-11 03:30")
    assert status(row, now=deadline) == (Status.PENDING, "its first point is due by 2027-03-11 03:30Z")
    assert status(row, now=deadline + HOUR) == (Status.UNPROTECTED, "no point was completed by 2027-03-11 03:30Z")


def test_a_machine_with_a_fresh_point_is_protected_and_a_stale_one_is_degraded() -> None:
    row = machine()
    assert status(row, now=at("2027-03-11 02:59"))[0] is Status.PROTECTED
    state, because = status(row, now=at("2027-03-11 15:01"))
    assert state is Status.DEGRADED
    assert "and that of 2027-03-11 02:00Z is overdue" in because


def test_a_disk_that_cannot_be_captured_degrades_the_machine() -> None:
    assert status(machine(unsupported=("OS disk is ephemeral",))) == (Status.DEGRADED, "OS disk is ephemeral")


def test_a_capture_that_needs_a_person_is_told_with_its_remedy_until_a_newer_point_exists() -> None:
    row = machine()
    slot = at("2027-03-11 02:00")
    denied = replace(
        opened(row, slot, Origin.SLOT, "", slot),
        state=State.NEEDS_PERSON,
        failure=Failure("AuthorizationFailed", "no snapshots/write", "grant it"),
    )
    state, because = status(row, denied, now=slot + HOUR)
    assert state is Status.DEGRADED
    assert because.endswith("AuthorizationFailed: no snapshots/write; grant it")
    assert status(replace(row, last_point=None), denied, now=slot + HOUR)[0] is Status.UNPROTECTED
    newer = replace(row, last_point=slot)
    assert status(newer, denied, now=slot + HOUR)[0] is Status.PROTECTED


def test_one_404_changes_no_status_and_a_second_one_soon_after_neither() -> None:
    row = missed(machine(), NOW)
    assert row.status is Status.PROTECTED
    assert missed(row, NOW + HOUR).absent_since == NOW
    assert not may_be_gone(row, NOW + timedelta(minutes=9))
    assert may_be_gone(row, NOW + timedelta(minutes=10))
    assert plan_of(row, RULES, NOW) is None
    assert status(gone(row))[0] is Status.GONE


def test_a_machine_that_is_seen_again_is_no_longer_missed() -> None:
    row = registered(missed(machine(), NOW), sighting(), RULES, NOW)
    assert row.absent_since is None
    assert row.enrolled_at == machine().enrolled_at


def test_moving_the_start_owes_nothing_of_today_but_never_forgets_what_is_owed() -> None:
    moved = registered(machine(), sighting({"backup": "silver", "backup-at": "09:00"}), RULES, NOW)
    assert moved.settled == NOW
    behind = machine(settled=at("2027-03-09 02:00"))
    late = registered(behind, sighting({"backup": "gold"}), RULES, NOW)
    assert late.settled == at("2027-03-09 02:00")
    assert plan_of(late, RULES, NOW) == GOLD


def test_disks_keep_what_an_examination_found_until_the_next_one() -> None:
    known = disk("os", left_out="is tagged backup = off")
    seen_by_look = replace(known, uid="", left_out="")  # type: ignore[arg-type]  # a look has no uids
    row = registered(machine(disks=(known,)), sighting(disks=(seen_by_look,)), RULES, NOW)
    assert row.disks == (known,)
