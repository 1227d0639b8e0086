"""What would become of one machine: effect, reasons, calls, and the points that would go earlier."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.capture import opened
from shared.decide.whatif import Calls, Death, Effect, Prospect, Side, calls, deaths, per_day, prospect, side
from shared.model.machine import Machine, Status
from shared.model.operation import State
from shared.model.plan import Age, Keep, Plan, Plans, Unit
from shared.model.point import Origin
from shared.model.rules import Mode, Rules
from tests.decide.plans import GOLD, NOW, RULES, SILVER, SUBSCRIPTION, at, disk, machine
from tests.decide.points import point_of
from tests.decide.test_vaulting import plan_of

OBSERVED = replace(RULES, subscriptions={SUBSCRIPTION: Mode.OBSERVE})
OUT = machine(tags={}, plan="", enrolled_at=None, settled=None, last_point=None, status=Status.EXCLUDED)
NEWEST = at("2027-03-10 02:00")
DAY = timedelta(days=1)


def of(row: Machine, rules: Rules = RULES) -> Side:
    return side(row, [opened(row, NEWEST, Origin.SLOT, "due", NEWEST)], rules, NOW)


def asked(tags: dict[str, str], row: Machine | None = None, rules: Rules = RULES) -> Prospect:
    return prospect(of(row or machine()), tags, rules, NOW)


def changed(**fields: object) -> Rules:
    """The rules with another silver."""
    silver = replace(SILVER, **fields)  # type: ignore[arg-type]  # a test names the fields it changes
    return replace(RULES, plans=Plans({"silver": silver, "gold": GOLD}, "silver", {}))


def test_a_row_is_compared_as_it_would_be_written_now() -> None:
    stale = of(machine(status=Status.PENDING, because="old words"))
    assert (stale.machine.status, stale.plan) == (Status.PROTECTED, SILVER)
    assert stale.machine.because.startswith("its tag backup asks for plan silver")
    assert (len(stale.operations), stale.rules) == (1, RULES)


def test_a_row_that_nobody_enrolled_is_taken_by_no_plan() -> None:
    assert of(machine(enrolled_at=None, settled=None)).plan is None


def test_the_same_again_is_no_effect() -> None:
    found = asked({"backup": "silver"})
    assert (found.effect, found.because, found.harms, found.keeps_otherwise(NOW)) == (Effect.SAME, (), False, False)


def test_another_plan_is_told_line_by_line_in_the_words_of_the_plans_file() -> None:
    found = asked({"backup": "gold"})
    assert found.effect is Effect.CHANGES
    assert found.because[:2] == (
        "plan: silver becomes gold",
        f"points: at 02:00 UTC becomes {GOLD.schedule}",
    )
    assert found.after.plan == GOLD


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        (changed(schedule=replace(SILVER.schedule, window=timedelta(0))), "window: 1:00:00 becomes 0:00:00"),
        (changed(keep=Keep((Age(2, Unit.DAY),))), "keep: 7d4w becomes 2d"),
        (changed(keep_floor=2 * DAY), "keep_floor: 1 day, 0:00:00 becomes 2 days, 0:00:00"),
    ],
    ids=["window", "keep", "floor"],
)
def test_every_field_of_a_plan_that_changes_is_told(rules: Rules, line: str) -> None:
    found = asked({"backup": "silver"}, rules=rules)
    assert (found.effect, found.because[0], len(found.because)) == (Effect.CHANGES, line, 2)
    assert found.after.rules is rules


def with_vault(keep: str = "") -> Plan:
    return replace(SILVER, vault=plan_of(at="22:00", keep=keep).vault if keep else None)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("", "30d", "engines: snapshots becomes snapshots and vault"),
        ("30d", "", "engines: snapshots and vault becomes snapshots"),
        ("30d", "60d", "vault: its policy becomes another one"),
    ],
)
def test_a_vault_that_a_plan_gains_loses_or_keeps_otherwise_is_told_in_one_line(
    before: str, after: str, line: str
) -> None:
    sides = [replace(RULES, plans=Plans({"silver": with_vault(keep)}, "silver", {})) for keep in (before, after)]
    found = prospect(of(machine(), sides[0]), {"backup": "silver"}, sides[1], NOW)
    assert [told for told in found.because if told.startswith(("engines", "vault"))] == [line]
    same = prospect(of(machine(), sides[0]), {"backup": "silver"}, sides[0], NOW)
    assert (same.effect, same.because) == (Effect.SAME, ())


def test_a_machine_that_gains_protection_is_told_its_plan_and_its_first_point() -> None:
    found = asked({"backup": "silver"}, OUT)
    assert (found.effect, found.harms) == (Effect.GAINS, False)
    assert found.because[1:] == (
        "plan silver takes a point at 02:00 UTC and keeps 7d4w",
        "its first point is taken at once",
    )
    assert [one.origin for one in found.after.operations] == [Origin.SLOT, Origin.ENROLMENT]
    assert found.after.machine.next_look == NEWEST


def test_a_machine_that_loses_protection_is_harmed_and_its_open_work_ends() -> None:
    found = asked({})
    assert (found.effect, found.harms, found.because) == (Effect.LOSES, True, ("it has no tag 'backup'",))
    assert [one.state for one in found.after.operations] == [State.SKIPPED]
    assert found.keeps_otherwise(NOW)


def test_a_machine_that_would_need_attention_is_harmed_although_it_keeps_its_plan() -> None:
    found = asked({"backup": "slver"})
    assert (found.effect, found.after.machine.status, found.harms) == (Effect.CHANGES, Status.DEGRADED, True)
    assert not found.keeps_otherwise(NOW)
    again = prospect(found.after, {"backup": "slvr"}, RULES, NOW)
    assert (again.effect, again.harms) == (Effect.CHANGES, False)


def test_a_hold_alone_means_that_points_go_otherwise() -> None:
    found = asked({"backup": "silver", "backup-hold": "2027-12-31"})
    assert found.keeps_otherwise(NOW)


def test_only_points_that_go_earlier_are_deaths() -> None:
    points = [point_of(NEWEST - age * DAY) for age in range(3)]
    lost = asked({})
    assert deaths(lost, points, NOW) == (
        Death(
            points[0],
            NOW + timedelta(days=92),
            None,
            "the last complete point of a machine that left 90 days before",
        ),
    )
    assert deaths(asked({"backup": "gold"}), points, NOW) == ()


def test_a_point_that_would_have_gone_later_is_told_with_both_dates() -> None:
    row = machine(tags={"backup": "silver", "backup-hold": "2027-12-31"})
    points = [point_of(NEWEST - age * DAY) for age in range(2)]
    (death,) = deaths(asked({"backup": "silver"}, row), points, NOW)
    assert (death.point, death.at) == (points[1], NEWEST + 6 * DAY)
    assert death.otherwise is not None
    assert death.otherwise > death.at
    assert death.because == points[1].because


def test_calls_are_a_write_and_a_delete_for_each_disk_of_each_point() -> None:
    two = machine(disks=(disk("os"), disk("data", 0), disk("scratch", 1, "is tagged backup = off")))
    assert calls(of(two), NOW) == Calls(2.0, 2.0)
    assert calls(of(replace(two, tags={"backup": "gold"})), NOW) == Calls(8.0, 8.0)
    assert calls(of(OUT), NOW) == Calls(0.0, 0.0)
    assert Calls(1, 2) + Calls(3, 5) == Calls(4, 7)


def test_an_ordinary_day_is_counted_over_whole_weeks() -> None:
    assert (per_day(SILVER.schedule, NOW), per_day(GOLD.schedule, NOW)) == (1.0, 4.0)


def test_observing_takes_no_points_and_costs_no_calls() -> None:
    watched = side(machine(), [], OBSERVED, NOW)
    assert (watched.plan, calls(watched, NOW)) == (None, Calls(0.0, 0.0))
