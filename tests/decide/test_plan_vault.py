"""The vault part of plans: what it means, and everything that a policy cannot express."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import available_timezones

import pytest

from shared.decide.limits import too_many
from shared.decide.plan import read_plans
from shared.decide.schedule import slots
from shared.decide.tags import OptedIn, asked, judge
from shared.decide.vault_plan import rhythm_of, start_of, starts
from shared.decide.windows_zones import WINDOWS_NAMES
from shared.model.identity import VmUid
from shared.model.plan import Plan, Plans, PolicyType, Schedule, VaultPart, VaultSchedule
from shared.model.rules import Mode, Rules
from tests.decide.plans import SUBSCRIPTION

SNAPSHOTS = {"at": ["02:00"], "keep": "7d"}


def read(vault: dict[str, Any], **parts: Any) -> tuple[Plan, tuple[str, ...]]:
    given = {"at": "22:00", "keep": "30d", **vault}
    fields = {name: value for name, value in given.items() if value is not None}
    plans, problems = read_plans({"default": "p", "plans": {"p": {"vault": fields, **parts}}})
    return plans.by_name["p"], problems


def part_of(**vault: Any) -> VaultPart:
    plan, problems = read(vault)
    assert problems == ()
    assert plan.vault is not None
    return plan.vault


def test_a_plan_may_have_a_vault_beside_its_snapshots() -> None:
    plan, problems = read({}, snapshots=SNAPSHOTS)
    assert problems == ()
    assert plan.takes_snapshots
    assert (str(plan.keep), plan.schedule.at) == ("7d", (time(2),))
    assert plan.vault is not None
    assert str(plan.vault.keep) == "30d"


def test_a_plan_without_snapshots_is_measured_by_its_vault() -> None:
    plan, problems = read({"zone": "Europe/Berlin"})
    assert problems == ()
    assert plan.takes_snapshots is False
    assert (str(plan.keep), plan.schedule.at, plan.schedule.zone) == ("30d", (time(22),), "Europe/Berlin")
    assert plan.schedule.window == timedelta(hours=2)
    spread, _ = read({"window": "90min"})
    assert spread.schedule.window == timedelta(hours=3, minutes=30)
    weekly, _ = read({"days": ["monday"], "keep": "4w", "zone": "Europe/Berlin"})
    assert weekly.schedule == Schedule((), None, "Europe/Berlin", timedelta(hours=2), "0 22 * * 1")


def test_the_number_of_snapshots_limits_no_vault() -> None:
    plan, problems = read({"keep": "9999d"})
    assert problems == ()
    assert too_many(plan, plan.keep) == ""


MANY = {  # what is allowed where that is said again and again
    "keep": "7d to 9999d for daily points, and w, m, y as wanted; w first for points of single weekdays",
    "zone": ", ".join(sorted(WINDOWS_NAMES)),
}


@pytest.mark.parametrize(
    ("vault", "told"),
    [
        ({"at": "22:15"}, "at: 22:15 is not on the half hour; allowed: 00:00, 00:30 and so on to 23:30"),
        ({"at": "25:00"}, "at: '25:00' is not a time of day; allowed: 00:00 to 23:59"),
        ({"zone": "Antarctica/Troll"}, "zone: 'Antarctica/Troll' has no name that Azure Backup knows"),
        ({"zone": "Mars/Olympus"}, "zone: 'Mars/Olympus' has no name that Azure Backup knows"),
        ({"keep": "6d"}, "keep: '6d' is not what a policy can keep"),
        ({"keep": "48h"}, "keep: '48h' is not what a policy can keep"),
        ({"keep": "7d last=3"}, "keep: '7d last=3' is not what a policy can keep"),
        ({"keep": "12m"}, "keep: '12m' is not what a policy can keep"),
        ({"keep": "soon"}, "keep: 'soon' is not what a policy can keep"),
        ({"days": ["saturday"], "keep": "30d4w"}, "keep: '30d4w' is not what a policy can keep"),
        ({"days": ["saturday"], "keep": "12m"}, "keep: '12m' is not what a policy can keep"),
        (
            {"days": ["caturday"]},
            "days: 'caturday' is no weekday; allowed: monday, tuesday, wednesday, thursday, friday, saturday, sunday",
        ),
        ({"every": "4h"}, 'every: a standard policy cannot do that; allowed: policy = "enhanced"'),
        ({"every": "5h", "policy": "enhanced"}, "every: '5h' is not an interval; allowed: 4h, 6h, 8h, 12h"),
        ({"every": "4h", "for": "2h", "policy": "enhanced"}, "for: '2h' is out of range; allowed: 4h to 24h"),
        ({"every": "4h", "for": "25h", "policy": "enhanced"}, "for: '25h' is out of range; allowed: 4h to 24h"),
        (
            {"every": "4h", "for": "270min", "policy": "enhanced"},
            "for: 270min is not in whole hours; allowed: 4h to 24h",
        ),
        (
            {"for": "12h"},
            "for: it is the length of an hourly schedule's day, and there is no every; allowed: every with it",
        ),
        (
            {"every": "4h", "days": ["monday"], "policy": "enhanced", "keep": "4w"},
            "it says when by days and every; allowed: one of them, or neither for every day",
        ),
        ({"consistency": "crash"}, 'consistency: a standard policy cannot do that; allowed: policy = "enhanced"'),
        ({"instant_days": 6}, "instant_days: 6 is out of range; allowed: 1 to 5"),
        ({"instant_days": 31, "policy": "enhanced"}, "instant_days: 31 is out of range; allowed: 1 to 30"),
        ({"instant_days": 2, "days": ["monday"], "keep": "4w"}, "instant_days: 2 is out of range; allowed: 5 to 5"),
        ({"window": "2h"}, "window: '2h' is out of range; allowed: 0h to 90min"),
        ({"window": "45min"}, "window: 45min is not in half hours; allowed: 0s, 30min, 1h, 90min"),
        (
            {"at": "23:30", "window": "30min", "days": ["monday"], "keep": "4w"},
            "window: it reaches into the next day; allowed: a start and a window within the day",
        ),
    ],
    ids=str,
)
def test_what_a_policy_cannot_express_is_refused_and_never_rounded(vault: dict[str, Any], told: str) -> None:
    [problem] = read(vault)[1]
    first = told if "; allowed: " in told else f"{told}; allowed: {MANY[told.partition(':')[0]]}"
    assert problem.startswith((f"plans.p.vault.{first}", f"plans.p.vault: {first}"))


@pytest.mark.parametrize(
    ("vault", "times"),
    [
        ({}, ["22:00"]),
        ({"at": "08:00", "every": "4h", "for": "12h", "policy": "enhanced"}, ["08:00", "12:00", "16:00"]),
        ({"at": "08:30", "every": "6h", "for": "12h", "policy": "enhanced"}, ["08:30", "14:30"]),
        ({"at": "22:00", "every": "12h", "policy": "enhanced"}, ["10:00", "22:00"]),
        ({"at": "04:00", "days": ["friday", "sunday"], "keep": "4w"}, ["04:00"]),
    ],
    ids=["daily", "hourly within a day", "on the half hour", "hourly around the clock", "on weekdays"],
)
def test_the_rhythm_of_a_vault_is_when_its_points_are_due(vault: dict[str, Any], times: list[str]) -> None:
    monday = datetime(2026, 11, 16, tzinfo=UTC)
    due = [*slots(rhythm_of(part_of(**vault)), monday - timedelta(minutes=1), monday + timedelta(days=7, minutes=-1))]
    days = [4, 6] if "days" in vault else range(7)
    assert [f"{slot:%w %H:%M}" for slot in due] == [f"{(day + 1) % 7} {at}" for day in days for at in times]


def test_machines_share_the_start_times_of_the_window_and_keep_theirs() -> None:
    part = part_of(at="23:30", window="90min")
    assert starts(part) == (time(23, 30), time(0), time(0, 30), time(1))
    uids = [VmUid(f"uid-{number}") for number in range(400)]
    found = [start_of(part, uid) for uid in uids]
    index = int.from_bytes(sha256(b"uid-7").digest()[:4], "big") % 4
    assert found[7] == starts(part)[index]
    assert all(60 < found.count(start) < 140 for start in starts(part))
    assert [start_of(part, uid) for uid in uids] == found


def test_usual_values_of_both_kinds_of_policies() -> None:
    standard, enhanced = part_of(), part_of(policy="enhanced", consistency="crash")
    assert (standard.type, standard.instant_days, standard.agentless) == (PolicyType.STANDARD, 2, False)
    assert (enhanced.type, enhanced.instant_days, enhanced.agentless) == (PolicyType.ENHANCED, 7, True)
    assert part_of(days=["monday"], keep="4w").instant_days == 5


def test_a_weekday_is_known_by_its_number_from_monday_on() -> None:
    week = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    assert [part_of(days=[day], keep="4w").schedule.weekdays for day in week] == [(number,) for number in range(7)]


@pytest.mark.parametrize("hours", [4, 6, 8, 12])
def test_an_hourly_schedule_has_one_of_the_intervals_that_azure_offers(hours: int) -> None:
    part = part_of(every=f"{hours}h", policy="enhanced")
    assert part.schedule.every == timedelta(hours=hours)


@pytest.mark.parametrize("hours", [1, 3, 5, 7, 10, 24])
def test_an_interval_that_azure_does_not_offer_is_refused(hours: int) -> None:
    [problem] = read({"every": f"{hours}h", "policy": "enhanced"})[1]
    assert f"every: '{hours}h' is not an interval; allowed: 4h, 6h, 8h, 12h" in problem


def test_of_what_the_schema_refuses_nothing_is_said_again() -> None:
    odd = {"at": 7, "keep": 7, "days": "monday", "window": 3, "policy": 1, "instant_days": True, "zone": 1, "every": 1}
    plan, problems = read(odd)
    assert problems == ()
    assert plan.vault is not None
    assert plan.vault.instant_days == 2
    assert read_plans({"default": "p", "plans": {"p": {"vault": 1}}})[1] == ()


def test_a_time_that_is_none_is_taken_for_midnight_until_it_is_mended() -> None:
    plan, _ = read({"at": "25:00"})
    assert plan.vault is not None
    assert plan.vault.schedule.start == time(0)


def test_a_keep_that_is_none_is_a_usual_one_until_it_is_mended() -> None:
    daily, _ = read({"keep": "soon"})
    weekly, _ = read({"keep": "soon", "days": ["monday"]})
    assert daily.vault is not None
    assert weekly.vault is not None
    assert (str(daily.vault.keep), str(weekly.vault.keep)) == ("30d", "4w")


def test_a_zone_that_azure_does_not_know_is_utc_until_it_is_mended() -> None:
    plan, _ = read({"zone": "Antarctica/Troll"})
    assert plan.vault is not None
    assert plan.vault.schedule.zone == "UTC"


def test_an_interval_that_azure_does_not_offer_is_four_hours_until_it_is_mended() -> None:
    plan, _ = read({"every": "5h", "policy": "enhanced"})
    assert plan.vault is not None
    assert plan.vault.schedule.every == timedelta(hours=4)


def test_a_window_into_the_next_day_is_one_start_until_it_is_mended() -> None:
    plan, _ = read({"at": "23:30", "window": "1h", "days": ["monday"], "keep": "4w"})
    assert plan.vault is not None
    assert plan.vault.schedule.slots == 1


def test_a_vault_that_is_asked_for_once_a_day_has_no_span() -> None:
    assert part_of().schedule == VaultSchedule(time(22), "UTC", (), None, timedelta(0), 1)


def test_every_zone_of_the_table_exists() -> None:
    assert set(WINDOWS_NAMES) <= available_timezones()


def test_a_machine_that_does_not_run_is_left_alone_unless_the_plan_says_otherwise() -> None:
    assert not part_of().starts
    assert not part_of(when_stopped="wait").starts
    assert part_of(when_stopped="start").starts


@pytest.mark.parametrize(("tag", "value"), [("backup-at", "03:00"), ("backup-keep", "90d")])
def test_a_modifier_that_cannot_reach_a_policy_is_a_problem_and_the_plan_stands(tag: str, value: str) -> None:
    plan, _ = read({})
    rules = Rules(Plans({"p": plan}, "p", {}), {SUBSCRIPTION: Mode.ENFORCE}, "owner")
    wish = judge(asked({"backup": "p", tag: value}, None, False, rules), rules, SUBSCRIPTION)
    assert isinstance(wish, OptedIn)
    assert wish.plan == plan
    [problem] = wish.problems
    assert "by which alone plan p protects: a policy is for many machines" in problem
