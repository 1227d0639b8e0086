"""Registration and status: every verdict with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decide.capture import opened
from shared.decide.plan import read_plans
from shared.decide.protection import (
    GRACE,
    Standing,
    hold_of,
    is_wanted_otherwise,
    newest_point,
    plan_of,
    settled_row,
    standing,
    wish_of,
)
from shared.decide.registration import gone, may_be_gone, missed, registered
from shared.decide.schedule import interval, lateness, start_of
from shared.decide.tag_values import FOREVER
from shared.decide.tags import OptedIn
from shared.model import vault
from shared.model.machine import GroupSeen, Machine, Status
from shared.model.operation import Failure, Kind, Operation, State
from shared.model.plan import Schedule
from shared.model.point import Engine, Origin, PointState
from shared.model.rules import Mode, Rules
from tests.decide.plans import DAILY, GOLD, NOW, PLANS, RULES, SILVER, SUBSCRIPTION, UID, at, disk, machine, sighting
from tests.decide.points import point_of

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


def test_a_row_begins_with_what_a_look_showed() -> None:
    seen = replace(sighting({}), disks=(), unsupported=("LUN 1 is unmanaged",), scale_set=True)
    assert registered(None, seen, RULES, NOW) == Machine(
        uid=UID,
        id=seen.id,
        name="web-1",
        shard=seen.shard,
        tags={},
        disks=(),
        unsupported=("LUN 1 is unmanaged",),
        plan="",
        status=Status.PENDING,
        because="",
        problems=(),
        as_of=NOW,
        scale_set=True,
    )


def test_a_row_is_what_a_later_look_shows_of_it() -> None:
    place = replace(machine().id, name="web-2")
    seen = replace(sighting(when=NOW + HOUR), id=place, name="WEB-2")
    row = registered(machine(status=Status.GONE), seen, RULES, NOW + HOUR)
    assert (row.id, row.name, row.as_of, row.status) == (place, "WEB-2", NOW + HOUR, Status.PENDING)


def test_enrolment_begins_anew_where_a_row_does_not_know_what_it_owes() -> None:
    row = registered(machine(settled=None), sighting(), RULES, NOW)
    assert (row.enrolled_at, row.settled) == (NOW, NOW)


def test_a_grace_runs_from_the_first_look_that_found_no_plan_whatever_follows() -> None:
    typo = sighting({"backup": "slver"})
    never = registered(None, typo, RULES, NOW)
    assert (never.plan, never.grace_from, never.left_at) == ("", NOW, None)
    over = registered(machine(grace_from=NOW - 2 * GRACE), typo, RULES, NOW)
    assert (over.plan, over.enrolled_at, over.grace_from) == ("silver", None, NOW - 2 * GRACE)
    late = registered(machine(enrolled_at=None, grace_from=NOW - HOUR), typo, RULES, NOW)
    assert (late.plan, late.enrolled_at, late.grace_from) == ("silver", NOW, NOW - HOUR)


def test_a_machine_that_never_asked_has_not_left() -> None:
    assert registered(None, sighting({"backup": "off"}), RULES, NOW).left_at is None


def test_what_is_gone_is_owed_nothing_and_has_left_when_it_was_missed() -> None:
    left = gone(machine(absent_since=NOW - HOUR))
    assert left == replace(
        machine(absent_since=NOW - HOUR), status=Status.GONE, enrolled_at=None, settled=None, left_at=NOW - HOUR
    )
    assert gone(machine(absent_since=NOW, left_at=NOW - HOUR)).left_at == NOW - HOUR
    again = registered(gone(machine(absent_since=NOW)), sighting({"backup": "off"}), RULES, NOW + HOUR)
    assert again.left_at == NOW


def test_who_left_before_has_left_since_then() -> None:
    out = machine(tags={"backup": "off"}, enrolled_at=None, settled=None, left_at=NOW - HOUR)
    assert registered(out, sighting({"backup": "off"}), RULES, NOW).left_at == NOW - HOUR
    assert registered(machine(), sighting({"backup": "off"}), RULES, NOW).left_at == NOW


def test_a_machine_without_the_tag_is_registered_as_excluded() -> None:
    row = settled_row(fresh({}), [], RULES, NOW)
    assert (row.status, row.because, row.next_due) == (Status.EXCLUDED, "it has no tag 'backup'", None)


def test_nothing_else_is_wanted_of_a_vault_where_none_is_and_none_is_asked_for() -> None:
    assert not is_wanted_otherwise(machine(), RULES, NOW)
    assert not is_wanted_otherwise(registered(None, sighting({}), RULES, NOW), RULES, NOW)


def test_a_plan_that_gained_a_vault_wants_one() -> None:
    plans, _ = read_plans({"default": "v", "plans": {"v": {"vault": {"at": "22:00", "keep": "30d"}}}})
    rules = replace(RULES, plans=plans)
    row = registered(None, sighting({"backup": "v"}), rules, NOW)
    assert is_wanted_otherwise(row, rules, NOW)
    settled = settled_row(row, [], rules, NOW)
    assert settled.next_look == NOW
    assert not is_wanted_otherwise(settled, rules, NOW)
    protected = vault.Protection(vault.Standing.PROTECTED, "", NOW, asked="a policy")
    assert is_wanted_otherwise(replace(settled, tags={"backup": "off"}, protection=protected), rules, NOW)


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
    assert standing(fresh({"backup": "slver", "backup-at": "25"}), (), RULES, NOW).problems == (
        because,
        "its tag backup-at = '25' is not a start time; allowed: 02:00 or 02:00 Europe/Berlin",
    )


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
    misspelt = replace(row, disks=(), unsupported=(), tags={"backup": "silver", "backup-at": "25"})
    verdict = standing(misspelt, [], RULES, NOW)
    assert (verdict.because, verdict.problems[0]) == ("none of its disks can be captured: it has none", verdict.because)
    assert verdict.problems[1:] == (
        "its tag backup-at = '25' is not a start time; allowed: 02:00 or 02:00 Europe/Berlin",
    )
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
    since = lateness(DAILY, at("2027-03-10 02:00")).since
    assert [status(row, now=now)[0] for now in (since, since + timedelta(microseconds=1))] == [
        Status.PROTECTED,
        Status.DEGRADED,
    ]
    state, because = status(row, now=at("2027-03-11 15:01"))
    assert state is Status.DEGRADED
    assert "and that of 2027-03-11 02:00Z is overdue" in because


UNCAPTURED = "OS disk is ephemeral"


@pytest.mark.parametrize(
    ("row", "now", "found"),
    [
        (
            machine(status=Status.GONE, absent_since=NOW),
            NOW,
            Standing(Status.GONE, "no VM of this vmId exists since 2027-03-10 12:00Z", ()),
        ),
        (
            machine(),
            NOW,
            Standing(
                Status.PROTECTED,
                "its tag backup asks for plan silver; newest complete point of 2027-03-10 02:00Z",
                (),
            ),
        ),
        (machine(unsupported=(UNCAPTURED,)), NOW, Standing(Status.DEGRADED, UNCAPTURED, (UNCAPTURED,))),
        (
            machine(unsupported=(UNCAPTURED,), last_point=None, enrolled_at=NOW),
            NOW,
            Standing(Status.PENDING, "its first point is due by 2027-03-11 03:30Z", (UNCAPTURED,)),
        ),
        (
            machine(unsupported=(UNCAPTURED,), last_point=None, enrolled_at=NOW),
            at("2027-03-11 03:31"),
            Standing(
                Status.UNPROTECTED,
                "no point was completed by 2027-03-11 03:30Z",
                ("no point was completed by 2027-03-11 03:30Z", UNCAPTURED),
            ),
        ),
    ],
    ids=["gone", "protected", "degraded", "pending", "unprotected"],
)
def test_a_status_is_told_with_its_reason_and_every_problem(row: Machine, now: datetime, found: Standing) -> None:
    assert standing(row, (), RULES, now) == found


def test_a_machine_that_falls_behind_is_told_with_what_else_is_wrong() -> None:
    found = standing(machine(unsupported=(UNCAPTURED,)), (), RULES, at("2027-03-11 15:01"))
    assert (found.status, found.problems) == (Status.DEGRADED, (found.because, UNCAPTURED))


def test_a_code_that_no_rule_knows_is_a_trouble_while_it_is_tried_and_one_that_is_known_is_not() -> None:
    row, slot = machine(), at("2027-03-11 02:00")
    failing = replace(opened(row, slot, Origin.SLOT, "", slot), state=State.FAILED)
    for known in (True, False):
        failed = replace(failing, failure=Failure("Code", "words", "", known=known))
        assert (status(row, failed, now=slot)[0] is Status.DEGRADED) is not known
    cut = replace(failed, failure=Failure("X1", "no X", "", known=False))
    assert status(row, cut, now=slot)[1] == "the point of 2027-03-11 02:00Z is failed: X1: no X"
    waiting = replace(failing, kind=Kind.EMPTY, state=State.NEEDS_PERSON)
    assert status(row, waiting, now=slot)[0] is Status.PROTECTED


def test_the_next_look_is_the_earliest_of_what_is_open() -> None:
    slot = at("2027-03-11 02:00")
    later, ended = (
        replace(opened(machine(), slot, Origin.SLOT, "", slot), state=each) for each in (State.STARTED, State.SUCCEEDED)
    )
    row = settled_row(machine(), [replace(later, next_look=NOW + HOUR), replace(ended, next_look=NOW)], RULES, NOW)
    assert row.next_look == NOW + HOUR
    assert settled_row(machine(), [replace(later, next_look=None)], RULES, NOW).next_look is None


def test_a_machine_is_measured_by_its_own_points_unless_its_plan_takes_none() -> None:
    ours, vaulted = point_of(at("2027-03-09 02:00")), point_of(at("2027-03-10 04:00"))
    points = [ours, replace(vaulted, engine=Engine.VAULT), point_of(NOW, state=PointState.TAKING)]
    row = machine(last_point=None)
    assert newest_point(row, points, RULES, NOW) == ours.slot
    only_vault = replace(SILVER, takes_snapshots=False)
    by_vault = replace(RULES, plans=replace(PLANS, by_name={"silver": only_vault}))
    assert newest_point(row, points, by_vault, NOW) == vaulted.slot
    assert newest_point(replace(row, last_point=NOW), points, RULES, NOW) == NOW
    assert newest_point(row, [], RULES, NOW) is None
    misspelt = replace(row, tags={"backup": "slver"}, grace_from=NOW - GRACE)
    graces = [newest_point(misspelt, points, by_vault, moment) for moment in (NOW - HOUR, NOW)]
    assert graces == [vaulted.slot, ours.slot]


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
    assert (
        because == "the point of 2027-03-11 02:00Z is needs-person: AuthorizationFailed: no snapshots/write; grant it"
    )
    of_vault = replace(denied, kind=Kind.BACK_UP, failure=None, because="it waits")
    told = "Azure Backup: back-up of 2027-03-11 02:00Z is needs-person: it waits"
    assert status(row, of_vault, now=slot + HOUR) == (Status.DEGRADED, told)
    assert told in settled_row(row, [of_vault], RULES, slot + HOUR).problems
    stood = vault.Protection(vault.Standing.PROTECTED, "", NOW, last_point=slot + HOUR)
    assert status(replace(row, protection=stood), of_vault, now=slot + HOUR)[0] is Status.PROTECTED
    assert status(replace(row, last_point=None), denied, now=slot + HOUR)[0] is Status.UNPROTECTED
    first = standing(replace(row, last_point=None), [denied], RULES, slot + HOUR)
    assert (first.because, first.problems) == (because, (because,))
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
    examined = replace(known, left_out="")
    assert registered(machine(disks=(known,)), sighting(disks=(examined,)), RULES, NOW).disks == (examined,)
    moved = registered(machine(disks=(known,)), sighting(disks=(replace(seen_by_look, lun=3),)), RULES, NOW)
    assert moved.disks == (replace(known, lun=3),)


INHERITING = replace(RULES, inherit_group_tags=True)
GROUP = GroupSeen({"Backup": "gold", "team": "x"})


def inherited(
    before: Machine | None, own: dict[str, str], group: GroupSeen | None, rules: Rules = INHERITING
) -> Machine:
    return registered(before, replace(sighting(own), group=group), rules, NOW)


def test_a_machine_is_enrolled_by_the_tag_of_its_resource_group() -> None:
    row = inherited(None, {}, GROUP)
    assert (row.plan, row.tags, row.group) == ("gold", {}, GroupSeen({"backup": "gold"}))
    assert plan_of(row, INHERITING, NOW) == GOLD
    assert plan_of(row, RULES, NOW) is None


def test_a_group_that_cannot_be_seen_for_once_takes_no_machine_its_plan() -> None:
    row = inherited(inherited(None, {}, GROUP), {}, None)
    assert plan_of(row, INHERITING, NOW) == GOLD


def test_a_new_machine_whose_group_cannot_be_seen_has_none() -> None:
    assert registered(None, sighting(), INHERITING, NOW).group is None


def test_a_group_whose_tag_is_taken_away_ends_protection_and_switching_it_off_does_too() -> None:
    row = inherited(None, {}, GROUP)
    assert inherited(row, {}, GroupSeen({})).plan == ""
    off = inherited(row, {}, None, RULES)
    assert (off.plan, off.group, off.enrolled_at) == ("", None, None)


def test_an_instance_of_a_scale_set_is_excluded_with_its_reason() -> None:
    row = registered(None, replace(sighting({}), group=GROUP, scale_set=True), INHERITING, NOW)
    assert row.scale_set
    verdict = standing(row, [], INHERITING, NOW)
    assert (verdict.status, verdict.problems) == (Status.EXCLUDED, ())
    assert verdict.because.endswith("because it is an instance of a scale set")


def test_mistakes_of_a_machine_that_is_not_protected_are_told() -> None:
    row = registered(None, sighting({"backup": "off", "backup-hold": "soon"}), RULES, NOW)
    verdict = standing(row, [], RULES, NOW)
    assert verdict.status is Status.EXCLUDED
    assert verdict.problems == (
        "its tag backup-hold = 'soon' is not a hold and holds for ever; allowed: a date such as 2027-01-31, or forever",
    )


def test_a_hold_counts_whatever_else_the_tags_ask_for() -> None:
    held = machine(tags={"backup": "off", "backup-hold": "2027-06-30"})
    assert hold_of(held, RULES) == at("2027-07-01 00:00")
    assert hold_of(machine(tags={"backup-hold": "x"}), RULES) == FOREVER
    assert hold_of(machine(), RULES) is None
    by_group = machine(group=GroupSeen({"backup-hold": "forever"}, "/clusters/one"))
    assert hold_of(by_group, INHERITING) == FOREVER


def test_a_plan_that_is_no_longer_allowed_is_kept_until_the_next_look_and_from_then_on_for_its_grace() -> None:
    rules = replace(RULES, plans=replace(PLANS, allowed={SUBSCRIPTION: frozenset({"gold"})}))
    assert plan_of(machine(), rules, NOW) == SILVER
    looked = registered(machine(), sighting(), rules, NOW)
    assert looked.grace_from == NOW
    verdict = standing(looked, [], rules, NOW)
    assert verdict.status is Status.DEGRADED
    assert verdict.because == "plan silver is not allowed in this subscription; allowed: gold"
    assert plan_of(looked, rules, NOW + GRACE) is None


def test_the_grace_says_until_when_it_lasts() -> None:
    typo = registered(machine(), sighting({"backup": "slver", "backup-at": "x"}), RULES, NOW)
    wish = wish_of(typo, RULES, NOW)
    assert isinstance(wish, OptedIn)
    assert wish.because == "its last good plan silver is kept until 2027-03-17 12:00Z"
    assert [problem.split(" = ")[0] for problem in wish.problems] == ["its tag backup", "its tag backup-at"]


def test_a_plan_for_working_days_is_not_late_over_the_week_end_and_late_on_the_next_working_day() -> None:
    work = replace(SILVER, schedule=Schedule((), None, "UTC", HOUR, "0 2 * * 1-5"))
    rules = replace(RULES, plans=replace(PLANS, by_name={"silver": work}))
    friday, thursday = at("2027-03-12 02:00"), at("2027-03-11 02:00")
    row = machine(last_point=friday, settled=friday)
    assert standing(row, [], rules, at("2027-03-15 01:59")).status is Status.PROTECTED
    assert standing(row, [], rules, at("2027-03-15 15:01")).status is Status.DEGRADED
    late = standing(replace(row, last_point=thursday), [], rules, at("2027-03-12 15:01"))
    assert late.because == (
        "its newest complete point is of 2027-03-11 02:00Z, and that of 2027-03-12 02:00Z is overdue"
    )


def test_a_subscription_that_is_not_ours_is_said() -> None:
    verdict = standing(machine(), [], replace(RULES, subscriptions={}), NOW)
    assert verdict.because == "its subscription is not among TAGBACK_SUBSCRIPTIONS"


WORDS = st.sampled_from(["silver", "gold", "on", "slver", "", "0ff", "none", "03:00", "30d", "forever"])
VALUES = WORDS | st.text(max_size=6)
MODIFIERS = ["backup-at", "backup-keep", "backup-hold", "backup-group", "backup-kep", "x"]
EDITS = st.dictionaries(st.sampled_from(MODIFIERS), VALUES)


@given(VALUES.filter(lambda value: value.strip().lower() != "off"), EDITS, st.integers(0, 6))
def test_no_edit_but_off_or_removal_leaves_less_than_the_plan_there_was(
    value: str, edits: dict[str, str], days: int
) -> None:
    row = registered(machine(), sighting({"backup": value, **edits}), RULES, NOW)
    plan = plan_of(row, RULES, NOW + timedelta(days=days))
    assert plan is not None
    named = PLANS.by_name.get(value.strip().lower(), SILVER)
    counts = {age.unit: age.count for age in plan.keep.ages}
    assert all(counts[age.unit] >= age.count for age in named.keep.ages)
    assert interval(plan.schedule) == interval(named.schedule)
    assert (row.enrolled_at, row.left_at) == (machine().enrolled_at, None)


@given(
    st.sampled_from([{}, {"backup": "off"}, {"backup": "silver"}, {"backup": "slver"}, {"backup": "gold"}]),
    EDITS,
    st.sampled_from([RULES, INHERITING, replace(RULES, subscriptions={SUBSCRIPTION: Mode.OBSERVE})]),
    st.sampled_from([None, GROUP, GroupSeen({"backup": "silver"}, "/clusters/one")]),
    st.integers(0, 400),
)
def test_every_verdict_has_its_reason_and_every_flaw_its_problem(
    tags: dict[str, str], edits: dict[str, str], rules: Rules, group: GroupSeen | None, hours: int
) -> None:
    seen = replace(sighting({**tags, **edits}), group=group, scale_set=bool(hours % 2))
    row = settled_row(registered(None, seen, rules, NOW), [], rules, NOW)
    for verdict in (standing(row, [], rules, NOW), standing(row, [], rules, NOW + timedelta(hours=hours))):
        assert verdict.because
        assert verdict.problems or verdict.status not in (Status.DEGRADED, Status.UNPROTECTED)
        assert len(set(verdict.problems)) == len(verdict.problems)
    assert (row.next_due is None) == (plan_of(row, rules, NOW) is None)
