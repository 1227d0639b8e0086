"""The plans file: read whole, or refused whole with every problem, its place and what is allowed."""

from __future__ import annotations

import tomllib
from datetime import time, timedelta
from pathlib import Path
from typing import Any

from shared.decide.plan import read_plans

SHIPPED = Path(__file__).parents[2] / "shared" / "plans.toml"


def read(text: str) -> tuple[str, ...]:
    return read_plans(tomllib.loads(text))[1]


def one(**snapshots: Any) -> tuple[str, ...]:
    part = {"at": ["02:00"], "keep": "7d", **snapshots}
    return read_plans(
        {"default": "p", "plans": {"p": {"snapshots": {k: v for k, v in part.items() if v is not None}}}}
    )[1]


def test_the_shipped_plans_are_in_order() -> None:
    plans, problems = read_plans(tomllib.loads(SHIPPED.read_text()))
    assert problems == ()
    assert set(plans.by_name) == {"bronze", "silver", "gold"}
    assert plans.default == "silver"


def test_a_plan_is_read_with_its_defaults() -> None:
    plans, problems = read_plans({"default": "P", "plans": {"P": {"snapshots": {"at": ["07:30"], "keep": "7d"}}}})
    assert problems == ()
    plan = plans.by_name["p"]
    assert (plan.schedule.at, plan.schedule.zone) == ((time(7, 30),), "UTC")
    assert (plan.schedule.window, plan.keep_floor) == (timedelta(hours=1), timedelta(hours=24))


def test_every_problem_is_reported_at_once_with_its_place_and_what_is_allowed() -> None:
    problems = read(
        """
        default = "none"
        [plans.on.snapshots]
        at = ["25:00"]
        every = "6h"
        zone = "Mars/Olympus"
        keep = "long"
        window = "1m"
        [plans.empty]
        [plans.later]
        vault = {}
        snapshots = {at = ["02:00"], keep = "7d"}
        [subscriptions."S"]
        allowed_plans = ["missing"]
        """
    )
    places = [problem.split(":")[0] for problem in problems]
    assert places == [
        "plans.on",
        "plans.on.snapshots",
        "plans.on.snapshots.at",
        "plans.on.snapshots.zone",
        "plans.on.snapshots.window",
        "plans.on.snapshots.keep",
        "plans.empty",
        "plans.later.vault",
        "default",
        'subscriptions."S".allowed_plans',
    ]
    assert all("allowed" in problem.split(": ", 1)[1] for problem in problems)


def test_limits_are_checked_when_loaded() -> None:
    assert "allowed: 1h to 24h" in one(at=None, every="30min")[0]
    assert (
        "max_per_day"
        in read_plans({"default": "p", "plans": {"p": {"max_per_day": 2, "snapshots": {"every": "6h", "keep": "7d"}}}})[
            1
        ][0]
    )
    assert "room for 500" in one(keep="500d")[0]
    assert "at most 450" in one(at=None, every="1h", keep="30d", window="10min")[0]
    assert "window is longer" in one(at=None, every="1h", window="2h")[0]
    assert one(at=None, every="6h", keep="7d4w12m3y", window="30min") == ()


def test_a_subscription_can_allow_a_part_of_the_plans() -> None:
    plans, problems = read_plans(
        {
            "default": "a",
            "plans": {name: {"snapshots": {"at": ["02:00"], "keep": "7d"}} for name in ("a", "b")},
            "subscriptions": {"SUB": {"allowed_plans": ["B"]}},
        }
    )
    assert problems == ()
    assert plans.allowed_in("sub") == {"b"}
    assert plans.allowed_in("other") == {"a", "b"}
