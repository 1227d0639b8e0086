"""Plans as policies: what Azure is sent, under which name, and what keeps less than what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decide.plan import read_plans
from shared.decide.policies import asked_of, free_from, kept_by, left_out_of, policy_of, properties_of, shortening
from shared.decide.windows_zones import WINDOWS_NAMES
from shared.model.identity import VmUid
from shared.model.machine import Machine
from shared.model.plan import VaultPart
from tests.fleet import machine

UID = VmUid("uid-1")


def part_of(**vault: Any) -> VaultPart:
    fields = {"at": "22:00", "keep": "30d", **vault}
    plans, problems = read_plans({"default": "p", "plans": {"p": {"vault": fields}}})
    assert problems == ()
    part = plans.by_name["p"].vault
    assert part is not None
    return part


def body(**vault: Any) -> dict[str, Any]:
    part = part_of(**vault)
    return dict(properties_of(part, part.schedule.start))


def test_a_daily_standard_policy_is_as_azures_own_default_policy() -> None:
    """The recorded DefaultPolicy has this very form."""
    assert body() == {
        "backupManagementType": "AzureIaasVM",
        "policyType": "V1",
        "instantRpRetentionRangeInDays": 2,
        "timeZone": "UTC",
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicy",
            "scheduleRunFrequency": "Daily",
            "scheduleRunTimes": ["2026-01-01T22:00:00Z"],
        },
        "retentionPolicy": {
            "retentionPolicyType": "LongTermRetentionPolicy",
            "dailySchedule": {
                "retentionTimes": ["2026-01-01T22:00:00Z"],
                "retentionDuration": {"count": 30, "durationType": "Days"},
            },
        },
    }


def test_an_hourly_policy_is_enhanced_and_says_its_window() -> None:
    found = body(at="08:00", every="4h", policy="enhanced", consistency="crash", **{"for": "12h"})
    assert (found["policyType"], found["snapshotConsistencyType"]) == ("V2", "OnlyCrashConsistent")
    assert found["schedulePolicy"] == {
        "schedulePolicyType": "SimpleSchedulePolicyV2",
        "scheduleRunFrequency": "Hourly",
        "hourlySchedule": {
            "interval": 4,
            "scheduleWindowStartTime": "2026-01-01T08:00:00Z",
            "scheduleWindowDuration": 12,
        },
    }


@pytest.mark.parametrize(
    ("type_", "name"), [("standard", "SimpleSchedulePolicy"), ("enhanced", "SimpleSchedulePolicyV2")]
)
def test_single_weekdays_are_backed_up_and_kept_by_the_week(type_: str, name: str) -> None:
    found = body(days=["saturday", "tuesday"], keep="12w12m3y", policy=type_)
    schedule = found["schedulePolicy"]
    assert schedule["schedulePolicyType"] == name
    assert (schedule.get("weeklySchedule") or schedule)["scheduleRunDays"] == ["Tuesday", "Saturday"]
    retention = found["retentionPolicy"]
    assert "dailySchedule" not in retention
    assert retention["weeklySchedule"]["daysOfTheWeek"] == ["Tuesday", "Saturday"]
    monthly = retention["monthlySchedule"]
    assert monthly["retentionScheduleFormatType"] == "Weekly"
    assert monthly["retentionScheduleWeekly"] == {"daysOfTheWeek": ["Tuesday"], "weeksOfTheMonth": ["First"]}
    assert retention["yearlySchedule"]["monthsOfYear"] == ["January"]


def test_what_a_weekly_policy_keeps_is_said_whole() -> None:
    at = {"retentionTimes": ["2026-01-01T22:00:00Z"]}
    first = {"daysOfTheWeek": ["Tuesday"], "weeksOfTheMonth": ["First"]}
    monthly = {"retentionScheduleFormatType": "Weekly", "retentionScheduleWeekly": first, **at}
    found = body(days=["saturday", "tuesday"], keep="12w12m3y", policy="enhanced")
    assert found["schedulePolicy"] == {
        "schedulePolicyType": "SimpleSchedulePolicyV2",
        "scheduleRunFrequency": "Weekly",
        "weeklySchedule": {"scheduleRunDays": ["Tuesday", "Saturday"], "scheduleRunTimes": ["2026-01-01T22:00:00Z"]},
    }
    assert found["retentionPolicy"] == {
        "retentionPolicyType": "LongTermRetentionPolicy",
        "weeklySchedule": {
            "daysOfTheWeek": ["Tuesday", "Saturday"],
            "retentionDuration": {"count": 12, "durationType": "Weeks"},
            **at,
        },
        "monthlySchedule": {"retentionDuration": {"count": 12, "durationType": "Months"}, **monthly},
        "yearlySchedule": {
            "monthsOfYear": ["January"],
            "retentionDuration": {"count": 3, "durationType": "Years"},
            **monthly,
        },
    }


def test_what_a_daily_policy_keeps_by_the_month_and_year_is_said_whole() -> None:
    found = body(keep="30d12m3y")["retentionPolicy"]
    date = {"daysOfTheMonth": [{"date": 1, "isLast": False}]}
    monthly = {
        "retentionScheduleFormatType": "Daily",
        "retentionScheduleDaily": date,
        "retentionTimes": ["2026-01-01T22:00:00Z"],
    }
    assert found["monthlySchedule"] == {"retentionDuration": {"count": 12, "durationType": "Months"}, **monthly}
    assert found["yearlySchedule"] == {
        "monthsOfYear": ["January"],
        "retentionDuration": {"count": 3, "durationType": "Years"},
        **monthly,
    }


def test_every_weekday_has_the_name_that_azure_gives_it() -> None:
    week = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    found = body(days=[day.lower() for day in week], keep="4w")
    assert found["schedulePolicy"]["scheduleRunDays"] == week
    for day in week:
        assert body(days=[day.lower()], keep="4w")["schedulePolicy"]["scheduleRunDays"] == [day]


def test_an_enhanced_daily_policy_keeps_the_first_of_each_class() -> None:
    found = body(policy="enhanced", keep="7d4w12m3y", zone="Europe/Berlin")
    assert found["timeZone"] == "W. Europe Standard Time"
    assert found["schedulePolicy"]["dailySchedule"] == {"scheduleRunTimes": ["2026-01-01T22:00:00Z"]}
    retention = found["retentionPolicy"]
    assert retention["weeklySchedule"]["daysOfTheWeek"] == ["Monday"]
    assert retention["monthlySchedule"]["retentionScheduleDaily"] == {"daysOfTheMonth": [{"date": 1, "isLast": False}]}
    assert [retention[f"{name}Schedule"]["retentionDuration"] for name in ("daily", "weekly", "monthly", "yearly")] == [
        {"count": 7, "durationType": "Days"},
        {"count": 4, "durationType": "Weeks"},
        {"count": 12, "durationType": "Months"},
        {"count": 3, "durationType": "Years"},
    ]


def test_every_retention_time_is_the_time_of_the_schedule() -> None:
    part = part_of(keep="7d4w12m3y", window="90min")
    found = properties_of(part, time(23, 30))
    retention = {name: value for name, value in found["retentionPolicy"].items() if name != "retentionPolicyType"}
    assert {str(one["retentionTimes"]) for one in retention.values()} == {"['2026-01-01T23:30:00Z']"}


def test_a_policys_name_says_its_plan_and_start_and_changes_with_what_is_in_it() -> None:
    first, second = (policy_of("gold", part_of(keep=keep), UID) for keep in ("30d", "31d"))
    assert first.name.startswith("tagback-gold-2200-")
    assert first.name != second.name
    assert policy_of("gold", part_of(keep="30d"), VmUid("another")).name == first.name


def test_a_plan_makes_as_many_policies_as_it_has_start_times() -> None:
    part = part_of(window="90min")
    names = {policy_of("gold", part, VmUid(f"uid-{number}")).name for number in range(200)}
    assert len(names) == 4


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ({}, {}, ""),
        ({}, {"keep": "60d"}, ""),
        ({"keep": "30d"}, {"keep": "30d12w"}, ""),
        ({"keep": "30d"}, {"keep": "7d12w"}, "daily points from 30 to 7 days"),
        ({"keep": "30d4y"}, {"keep": "30d"}, "yearly points from 1461 to 0 days"),
        ({"keep": "30d12w"}, {"keep": "60d"}, "weekly points from 84 to 0 days"),
        (
            {"keep": "30d12m3y"},
            {"keep": "7d6m3y"},
            "daily points from 30 to 7 days, monthly points from 365 to 182 days",
        ),
    ],
    ids=str,
)
def test_what_keeps_less_says_what_would_be_lost(before: dict[str, Any], after: dict[str, Any], lost: str) -> None:
    assert shortening(body(**before), body(**after)) == lost


def test_a_duration_that_says_nothing_is_no_time_at_all() -> None:
    for duration in ({}, {"count": 30}, {"count": 30, "durationType": "Moons"}, {"durationType": "Days"}):
        assert set(kept_by({"retentionPolicy": {"retentionDuration": duration}}).values()) == {0.0}


def test_a_policy_of_somebody_elses_making_is_compared_too() -> None:
    simple = {
        "retentionPolicy": {
            "retentionPolicyType": "SimpleRetentionPolicy",
            "retentionDuration": {"count": 40, "durationType": "Days"},
        }
    }
    assert kept_by(simple) == dict.fromkeys(("daily", "weekly", "monthly", "yearly"), 40.0)
    assert "daily points from 40 to 30 days" in shortening(simple, body())
    assert kept_by({}) == dict.fromkeys(("daily", "weekly", "monthly", "yearly"), 0.0)
    odd = {
        "retentionPolicy": {
            "dailySchedule": {"retentionDuration": {"count": "x", "durationType": "Days"}},
            "weeklySchedule": 3,
        }
    }
    assert kept_by(odd)["daily"] == 0.0


@given(st.integers(7, 9999), st.integers(1, 400), st.integers(1, 400), st.sampled_from(sorted(WINDOWS_NAMES)))
def test_nothing_keeps_less_than_itself(days: int, weeks: int, months: int, zone: str) -> None:
    one = body(keep=f"{days}d{weeks}w{months}m", zone=zone)
    assert shortening(one, one) == ""
    assert (
        shortening(one, body(keep=f"{days + 1}d{weeks}w{months}m" if days < 9999 else "9999d", zone=zone)) == ""
        or days == 9999
    )


def with_disks(*left_out: int | None) -> Machine:
    row = machine(1, "web-1")
    disks = [replace(row.disks[0], lun=lun, left_out="tagged backup = off") for lun in left_out]
    return replace(row, disks=(*row.disks, *disks))


def test_the_luns_that_are_left_out_are_asked_for_too() -> None:
    plans, _ = read_plans(
        {
            "default": "p",
            "plans": {
                "p": {"vault": {"at": "22:00", "keep": "30d"}},
                "q": {"snapshots": {"at": ["02:00"], "keep": "7d"}},
            },
        }
    )
    plan = plans.by_name["p"]
    assert left_out_of(with_disks(4, None, 2)) == (2, 4)
    assert asked_of(with_disks(4, 2), plan).endswith("|2,4")
    assert asked_of(with_disks(), plan) == policy_of("p", part_of(), with_disks().uid).name
    assert asked_of(with_disks(), plans.by_name["q"]) == ""


def test_a_vault_takes_forty_policies_within_any_day() -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    hours = [now - timedelta(minutes=30 * turn) for turn in range(39)]
    assert free_from(hours, now) == now
    assert free_from([*hours, now - timedelta(hours=23)], now) == now + timedelta(hours=1)
    assert free_from([*hours, now - timedelta(hours=24)], now) == now
    assert free_from([*hours, now, now - timedelta(hours=23)], now) == hours[-1] + timedelta(days=1)
