"""The drill part of plans: what it means, and everything that cannot be meant by it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.decide.durations import DURATION_FORM
from shared.decide.plan import read_plans
from shared.model.plan import DrillPart, Plan

SNAPSHOTS = {"at": ["02:00"], "keep": "7d"}
VAULT = {"at": "22:00", "keep": "30d"}
DAY = timedelta(days=1)


def read(**parts: Any) -> tuple[Plan, tuple[str, ...]]:
    plans, problems = read_plans({"default": "p", "plans": {"p": parts}})
    return plans.by_name["p"], problems


def part_of(**drill: Any) -> DrillPart:
    plan, problems = read(snapshots=SNAPSHOTS, drill=drill)
    assert problems == ()
    assert plan.drill is not None
    return plan.drill


def test_a_plan_without_the_part_has_no_drills() -> None:
    assert read(snapshots=SNAPSHOTS)[0].drill is None


def test_an_empty_part_is_one_drill_a_month() -> None:
    assert part_of() == DrillPart(30 * DAY, 45 * DAY, 1, timedelta(minutes=30))


def test_everything_can_be_said() -> None:
    found = part_of(
        every="7d", limit="8d", per_day=3, boot_within="10min", command=" systemctl is-active web ", expects="active",
        group="drills", hourly_cost=1, cost_per_day=2.5,
    )  # fmt: skip
    minutes = timedelta(minutes=10)
    assert found == DrillPart(7 * DAY, 8 * DAY, 3, minutes, "systemctl is-active web", "active", "drills", 1.0, 2.5)


def test_the_example_on_the_page_is_read_whole() -> None:
    page = (Path(__file__).parents[2] / "docs" / "restore.md").read_text()
    example = next(block for block in re.findall(r"```\n(.*?)```", page, re.DOTALL) if ".drill]" in block)
    given = tomllib.loads(example)["plans"]["gold"]["drill"]
    assert set(given) == {field.name for field in fields(DrillPart)}
    assert part_of(**given).cost_per_day == 5


def test_the_limit_follows_the_time_between_two_drills() -> None:
    assert part_of(every="10d").limit == 15 * DAY
    assert part_of(every="10d", limit="10d").limit == 10 * DAY


@pytest.mark.parametrize(
    ("drill", "told"),
    [
        ({"every": "23h"}, "every: '23h' is out of range; allowed: 24h to 366d"),
        (
            {"every": "often"},
            f"every: 'often' is not a duration; allowed: {DURATION_FORM}",
        ),
        ({"limit": "29d"}, "limit: it is shorter than the time between two drills; allowed: 30d to 1098d"),
        ({"limit": "1099d"}, "limit: '1099d' is out of range; allowed: 0h to 1098d"),
        ({"boot_within": "4min"}, "boot_within: '4min' is out of range; allowed: 5min to 2h"),
        ({"boot_within": "121min"}, "boot_within: '121min' is out of range; allowed: 5min to 2h"),
        ({"expects": "active"}, "expects: nothing is run that could write it; allowed: a command with it"),
        ({"command": "x" * 4001}, "command: it has 4001 characters; allowed: at most 4000"),
        (
            {"group": "not/one"},
            "group: 'not/one' is no name of a resource group; allowed: letters, digits and ( ) . _ -",
        ),
        (
            {"hourly_cost": 1.0},
            "hourly_cost and cost_per_day are of use only together; allowed: both above 0, or neither",
        ),
        (
            {"cost_per_day": 1.0},
            "hourly_cost and cost_per_day are of use only together; allowed: both above 0, or neither",
        ),
        ({"hourly_cost": 2, "cost_per_day": 1}, "cost_per_day: 1 pays for no drill at 2 an hour; allowed: at least 2"),
        ({"hourly_cost": float("inf"), "cost_per_day": 1}, "hourly_cost: inf is no sum of money; allowed: a number"),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_allowed(drill: dict[str, Any], told: str) -> None:
    problems = read(snapshots=SNAPSHOTS, drill=drill)[1]
    assert problems[0] in (f"plans.p.drill.{told}", f"plans.p.drill: {told}")


def test_a_command_that_is_too_long_is_none() -> None:
    plan, _ = read(snapshots=SNAPSHOTS, drill={"command": "x" * 4001})
    assert plan.drill == part_of()
    assert part_of(command="x" * 4000).command == "x" * 4000


def test_what_has_not_the_shape_is_left_to_the_schema() -> None:
    odd: dict[str, Any] = {"per_day": "many", "hourly_cost": "much", "cost_per_day": True, "command": 7, "group": None}
    assert part_of(**odd) == part_of()
    assert part_of(per_day=100).per_day == 100
    assert part_of(per_day=True).per_day == part_of(per_day=0).per_day == part_of(per_day=101).per_day == 1
    assert part_of(hourly_cost=-1).hourly_cost == 0
    endless, _ = read(snapshots=SNAPSHOTS, drill={"hourly_cost": float("inf"), "cost_per_day": 1})
    assert endless.drill is not None
    assert endless.drill.hourly_cost == 0
    late, _ = read(snapshots=SNAPSHOTS, drill={"limit": "often"})
    assert late.drill is not None
    assert late.drill.limit == 45 * DAY


def test_drills_restore_snapshots_and_nothing_else() -> None:
    [told] = read(vault=VAULT, drill={})[1]
    assert told == "plans.p.drill: drills restore snapshots, and this plan takes none; allowed: beside snapshots"
    assert read(vault=VAULT, snapshots=SNAPSHOTS, drill={})[1] == ()
