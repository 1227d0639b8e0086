"""Rows judged anew: what follows from other tags, other plans or another mode, and when the sweep must ask."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest
from hypothesis import given, strategies

from shared.decide.capture import opened
from shared.decide.enrolment import (
    UNPROTECTED,
    carried_on,
    ends_unprotected,
    first_capture,
    outdated,
    rejudged,
)
from shared.decide.protection import next_due, settled_row
from shared.decide.protection import plan_of as plan_of_row
from shared.decide.schedule import lateness
from shared.model.machine import GroupSeen, Machine, Status
from shared.model.operation import State
from shared.model.plan import Plans
from shared.model.point import Engine, Origin
from shared.model.rules import Mode, Rules
from tests.decide.plans import GOLD, NOW, PLANS, RULES, SILVER, SUBSCRIPTION, at, disk, machine
from tests.decide.test_vaulting import plan_of

OBSERVED = replace(RULES, subscriptions={SUBSCRIPTION: Mode.OBSERVE})
ONLY_GOLD = replace(RULES, plans=Plans({"gold": GOLD}, "gold", {}))
LATER = replace(
    RULES, plans=Plans({"silver": replace(SILVER, schedule=replace(SILVER.schedule, at=(time(14),)))}, "", {})
)
HOUR = timedelta(hours=1)


def written(row: Machine, rules: Rules) -> Machine:
    """The row as a look under these rules leaves it."""
    return settled_row(rejudged(row, row.tags, rules, NOW), (), rules, NOW)


def test_a_row_that_follows_from_its_tags_is_not_outdated() -> None:
    row = written(machine(), RULES)
    assert outdated(row, RULES, NOW) == ""
    assert settled_row(rejudged(row, row.tags, RULES, NOW), (), RULES, NOW) == row


def test_an_instance_of_a_scale_set_stays_one() -> None:
    row = machine(tags={}, scale_set=True, group=GroupSeen({"backup": "gold"}))
    assert rejudged(row, row.tags, replace(RULES, inherit_group_tags=True), NOW).scale_set is True


def test_a_row_in_its_grace_follows_from_its_tags_too() -> None:
    misspelt = written(machine(tags={"backup": "slver"}, grace_from=NOW - HOUR), RULES)
    assert misspelt.plan == "silver"
    assert outdated(misspelt, RULES, NOW) == ""


def test_a_row_that_left_follows_from_its_tags_too() -> None:
    out = written(machine(tags={"backup": "off"}, enrolled_at=None, settled=None, left_at=NOW - HOUR), RULES)
    assert out.left_at == NOW - HOUR
    assert outdated(out, RULES, NOW) == ""


@pytest.mark.parametrize(
    ("row", "before", "after"),
    [
        (machine(), OBSERVED, RULES),
        (machine(), RULES, OBSERVED),
        (machine(tags={"backup": "silver"}), ONLY_GOLD, RULES),
        (machine(tags={"backup": "on"}), RULES, replace(RULES, plans=replace(PLANS, default="gold"))),
        (machine(), RULES, LATER),
    ],
    ids=["enforced at last", "only observed again", "its plan exists at last", "another default", "another time"],
)
def test_a_row_is_outdated_when_plans_or_mode_changed_under_it(row: Machine, before: Rules, after: Rules) -> None:
    stood = written(row, before)
    assert outdated(stood, before, NOW + HOUR) == ""
    assert outdated(stood, after, NOW) == "its plans or their mode changed"
    assert outdated(written(stood, after), after, NOW) == ""


@pytest.mark.parametrize(
    "row", [machine(status=Status.GONE), machine(absent_since=NOW - HOUR)], ids=["gone", "perhaps gone"]
)
def test_a_machine_that_may_be_gone_is_not_looked_at_in_thought(row: Machine) -> None:
    assert rejudged(row, {}, RULES, NOW) is row
    assert outdated(row, OBSERVED, NOW) == ""


def test_other_tags_are_judged_as_if_they_were_seen() -> None:
    inherits = replace(machine(), group=GroupSeen({"backup": "gold"}))
    assert rejudged(inherits, {}, replace(RULES, inherit_group_tags=True), NOW).plan == "gold"
    moved = rejudged(machine(), {"backup": "gold", "env": "test"}, RULES, NOW)
    assert (moved.plan, moved.tags, moved.disks) == ("gold", {"backup": "gold"}, machine().disks)
    assert (moved.name, moved.id, moved.uid) == (machine().name, machine().id, machine().uid)
    assert moved.as_of == machine().as_of
    out = rejudged(machine(), {}, RULES, NOW)
    assert (out.plan, out.enrolled_at) == ("", None)


def test_a_group_that_was_kept_with_more_than_its_opt_in_tags_is_judged_and_kept_without_them() -> None:
    inherit = replace(RULES, inherit_group_tags=True)
    row = written(replace(machine(), group=GroupSeen({"backup": "gold"})), inherit)
    assert outdated(row, inherit, NOW) == ""
    more = replace(row, group=GroupSeen({"Backup": "gold", "env": "x"}))
    assert outdated(more, inherit, NOW) == "its plans or their mode changed"
    assert rejudged(more, more.tags, inherit, NOW).group == row.group


def fresh(**changes: object) -> Machine:
    return machine(enrolled_at=NOW, last_point=None, **changes)


def test_a_machine_enrolled_just_now_gets_its_first_point_at_the_minute() -> None:
    now = NOW + timedelta(seconds=42, microseconds=5)
    found = first_capture(replace(fresh(), enrolled_at=now), [], SILVER, now)
    assert found is not None
    assert (found.slot, found.origin, found.intended_at, found.state) == (NOW, Origin.ENROLMENT, now, State.INTENDED)
    assert found.because == "the first point of a machine just enrolled"
    as_one = first_capture(replace(fresh(), enrolled_at=now), [], replace(SILVER, engine=Engine.RESTORE_POINT), now)
    assert as_one is not None
    assert (found.engine, as_one.engine) == (Engine.DISK, Engine.RESTORE_POINT)


def test_a_machine_enrolled_before_gets_no_first_point_again() -> None:
    assert first_capture(machine(enrolled_at=NOW - HOUR, last_point=None), [], SILVER, NOW) is None


def test_a_machine_whose_plan_takes_no_snapshots_gets_no_first_one() -> None:
    assert first_capture(fresh(), [], plan_of(at="22:00", keep="30d"), NOW) is None


@pytest.mark.parametrize(("newest", "wanted"), [("2027-03-10 01:59", True), ("2027-03-10 02:00", False)])
def test_a_point_that_no_slot_has_passed_since_is_fresh_enough(newest: str, wanted: bool) -> None:
    assert (first_capture(replace(fresh(), last_point=at(newest)), [], SILVER, NOW) is not None) is wanted


def test_a_first_point_that_is_recorded_is_not_wanted_twice() -> None:
    first = first_capture(fresh(), [], SILVER, NOW)
    assert first is not None
    assert first_capture(fresh(), [first], SILVER, NOW) is None


def test_operations_end_with_protection_unless_azure_has_accepted_them() -> None:
    due = opened(machine(), at("2027-03-10 02:00"), Origin.SLOT, "due", NOW)
    states = {state: replace(due, state=state) for state in State}
    ending = {state for state, one in states.items() if ends_unprotected(one)}
    assert ending == {State.INTENDED, State.FAILED, State.NEEDS_PERSON}
    out = rejudged(machine(), {}, RULES, NOW)
    skipped, started = carried_on(out, [due, states[State.STARTED]], RULES, NOW)
    assert (skipped.state, skipped.because, skipped.ended_at, skipped.next_look) == (
        State.SKIPPED,
        UNPROTECTED,
        NOW,
        None,
    )
    assert started == states[State.STARTED]


def test_operations_of_a_machine_that_stays_go_on_and_an_enrolled_one_gets_its_first() -> None:
    due = opened(machine(), at("2027-03-10 02:00"), Origin.SLOT, "due", NOW)
    assert carried_on(machine(), [due], RULES, NOW) == (due,)
    assert [one.origin for one in carried_on(fresh(), [due], RULES, NOW)] == [Origin.SLOT, Origin.ENROLMENT]


TAGS = ("silver", "gold", "on", "off", "goldd")
MOMENTS = (None, NOW - timedelta(days=8), at("2027-03-10 02:00"), NOW)
RULES_OF_A_DAY = (RULES, OBSERVED, ONLY_GOLD, LATER, replace(RULES, inherit_group_tags=True))
ROWS = strategies.builds(
    machine,
    tags=strategies.dictionaries(
        strategies.sampled_from(("backup", "backup-at", "Backup")), strategies.sampled_from(TAGS)
    ),
    plan=strategies.sampled_from(("", "silver", "gold")),
    disks=strategies.sampled_from(((), (disk("os"),), (disk("os", left_out="its tag says off"),))),
    group=strategies.sampled_from((None, GroupSeen({"backup": "gold"}), GroupSeen({"Backup": "gold", "env": "x"}))),
    **{
        name: strategies.sampled_from(MOMENTS)
        for name in ("enrolled_at", "settled", "grace_from", "left_at", "next_due")
    },
)


@given(row=ROWS, judged=strategies.booleans(), before=strategies.sampled_from(RULES_OF_A_DAY), now=strategies.data())
def test_a_row_is_outdated_exactly_when_a_look_would_change_more_than_its_status(
    row: Machine, judged: bool, before: Rules, now: strategies.DataObject
) -> None:
    stood = written(row, before) if judged else row
    rules = now.draw(strategies.sampled_from(RULES_OF_A_DAY))
    moment = NOW + now.draw(strategies.sampled_from((timedelta(0), HOUR, timedelta(days=8))))
    after = rejudged(stood, stood.tags, rules, moment)
    looked_at = replace(after, status=stood.status, next_due=next_due(after, rules, moment))
    assert (outdated(stood, rules, moment) == "") is (looked_at == stood)


@pytest.mark.parametrize("tags", [{"backup": "silver"}, {"backup": "silver", "backup-at": "14:00"}])
def test_a_row_that_says_protected_is_outdated_from_the_moment_a_point_is_overdue(tags: dict[str, str]) -> None:
    newest = at("2027-03-10 02:00")
    seen = machine(tags=tags, plan="silver", enrolled_at=newest, last_point=newest, settled=newest)
    stood = settled_row(rejudged(seen, tags, RULES, newest), (), RULES, newest)
    plan = plan_of_row(stood, RULES, newest)
    assert (stood.status, plan is None) == (Status.PROTECTED, False)
    assert plan
    since = lateness(plan.schedule, newest).since
    assert outdated(stood, RULES, since) == ""
    assert outdated(stood, RULES, since + timedelta(seconds=1)) == "a point of it is overdue by now"
    told = settled_row(stood, (), RULES, since + timedelta(seconds=1))
    assert told.status is Status.DEGRADED
    assert outdated(told, RULES, since + HOUR) == "", "it is asked about once"


def test_a_row_whose_plan_is_no_more_is_not_late_by_it() -> None:
    newest = at("2027-03-10 02:00")
    row = machine(tags={}, plan="", last_point=newest, status=Status.PROTECTED, enrolled_at=None)
    assert outdated(row, RULES, newest + timedelta(days=30)) == "its plans or their mode changed"
