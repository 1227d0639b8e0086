"""The plans file: read whole, or refused whole with every problem, its place and what is allowed."""

from __future__ import annotations

import tomllib
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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


FIELDS = [
    "default",
    "plans",
    "subscriptions",
    "allowed_plans",
    "snapshots",
    "keep_floor",
    "max_per_day",
    "at",
    "every",
    "zone",
    "keep",
    "consistency",
    "window",
    "vault",
    "replicate",
    "drill",
    "notify",
    "on",
    "ON",
    "off",
    "silver",
    "Silver",
]
TEXTS = [
    "7d4w",
    "last=3",
    "1h",
    "0h",
    "6h",
    "999999d",
    "02:00",
    "25:00",
    "9" * 5000 + ":00",
    "UTC",
    "../x",
    "silver",
    "",
]
LEAVES = st.one_of(
    st.sampled_from(TEXTS), st.text(max_size=8), st.integers(), st.floats(), st.booleans(), st.times(), st.dates()
)
NAMES = st.one_of(st.sampled_from(FIELDS), st.text(max_size=5))
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5))
SNAPSHOTS = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)
PLAN = st.dictionaries(st.sampled_from(FIELDS), SNAPSHOTS | VALUES, max_size=5)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "default": VALUES,
        "plans": st.dictionaries(NAMES, PLAN | VALUES, max_size=3) | VALUES,
        "subscriptions": st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=3) | VALUES, max_size=2)
        | VALUES,
        "colour": VALUES,
    },
)


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS)
@example({"plans": {"a": {"snapshots": {"at": ["9" * 5000 + ":00"], "keep": "7d"}}}, "default": "a"})
@example({"plans": {"a": {"max_per_day": float("nan"), "snapshots": {"every": 0, "keep": []}}}, "default": 1})
def test_every_document_is_judged_and_none_is_too_odd(document: dict[str, Any]) -> None:
    plans, problems = read_plans(document)
    assert all(": " in problem for problem in problems)
    assert all(plan.schedule.at or plan.schedule.every for plan in plans.by_name.values())


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"default": 7, "plans": "silver", "subscriptions": 3},
        {"default": "a", "plans": {"a": 1}},
        {"default": "a", "plans": {"a": {"snapshots": []}}},
        {"default": "a", "plans": {"a": {"max_per_day": 0, "keep_floor": 1, "snapshots": {"at": [7], "keep": 7}}}},
        {"default": "a", "plans": {"a": {"max_per_day": True, "snapshots": {"every": 6, "keep": "7d"}}}},
        {
            "default": "a",
            "plans": {"a": {"snapshots": {"at": ["02:00"]}}},
            "subscriptions": {"s": {"allowed_plans": 1}},
        },
    ],
)
def test_of_what_the_schema_refuses_nothing_is_said_again(document: dict[str, Any]) -> None:
    assert read_plans(document)[1] == ()


def test_an_empty_table_of_snapshots_still_says_when() -> None:
    assert read_plans({"default": "a", "plans": {"a": {"snapshots": {}}}})[1] == (
        "plans.a.snapshots: it says when by nothing; allowed: exactly one of at, every, cron",
    )
