"""The plans file: read whole, or refused whole with every problem, its place and what is allowed."""

from __future__ import annotations

import json
import tomllib
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.decide.cron import CRON_FORM
from shared.decide.plan import read_plans

SHIPPED = Path(__file__).parents[2] / "shared" / "plans.toml"
SOME = "11111111-2222-3333-4444-55555555abcd"
FORM = "00000000-0000-0000-0000-000000000000"


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
        replicate = {}
        snapshots = {at = ["02:00"], keep = "7d"}
        [subscriptions."S"]
        allowed_plans = ["missing"]
        """
    )
    assert problems == (
        "plans.on: the name is taken; allowed: a name of its own, not on or off",
        "plans.on.snapshots: it says when by at and every; allowed: exactly one of at, every, cron",
        "plans.on.snapshots.at: '25:00' is not a time of day; allowed: 00:00 to 23:59",
        "plans.on.snapshots.zone: 'Mars/Olympus' is no time zone; allowed: IANA names such as Europe/Berlin",
        "plans.on.snapshots.window: '1m' is not a duration; "
        "allowed: a number and a unit of s, min, h or d, such as 90s, 5min, 24h or 7d",
        "plans.on.snapshots.keep: 'long' is not a keep with an age; "
        "allowed: ages such as 7d4w12m3y or 48h, at most 99 years each, and/or last=3",
        "plans.empty: it protects nothing; allowed: at least one of snapshots, vault",
        "plans.later.replicate: this build has no engine for it (replication by Site Recovery); "
        "allowed: snapshots, vault",
        "default: 'none' is no plan of this file; allowed: empty, later, on",
        f"subscriptions.\"S\": 'S' is no subscription id; allowed: {FORM}",
        "subscriptions.\"S\".allowed_plans: 'missing' is no plan; allowed: empty, later, on",
    )


def test_limits_are_checked_when_loaded() -> None:
    assert "allowed: 1h to 24h" in one(at=None, every="30min")[0]
    assert (
        "max_per_day"
        in read_plans({"default": "p", "plans": {"p": {"max_per_day": 2, "snapshots": {"every": "6h", "keep": "7d"}}}})[
            1
        ][0]
    )
    crowd = "keeps about 451 points; allowed: at most 450, a disk has room for 500 snapshots"
    assert one(keep="451d") == (f"plans.p: {crowd}",)
    assert one(keep="450d") == ()
    assert "at most 450" in one(at=None, every="1h", keep="30d", window="10min")[0]
    assert one(at=None, cron="0 2 1 1 *", keep="3y", window="1h") == ()
    assert one(at=None, every="6h", window="6h") == ()
    nothing, told = read_plans({"plans": {"p": {}}})
    assert told == ("plans.p: it protects nothing; allowed: at least one of snapshots, vault",)
    assert nothing.default == ""
    nowhere, _ = read_plans({"plans": {"p": {"snapshots": {"at": ["02:00"], "keep": "7d", "zone": "Mars/Olympus"}}}})
    assert nowhere.by_name["p"].schedule.zone == "UTC"
    neither, _ = read_plans({"plans": {"p": {"snapshots": {"keep": "7d", "zone": "Europe/Berlin"}}}})
    assert (neither.by_name["p"].schedule.at, neither.by_name["p"].schedule.zone) == ((time(0),), "Europe/Berlin")
    assert one(at=None, cron="often")[0].endswith(f"; allowed: {CRON_FORM}")
    assert "window is longer" in one(at=None, every="1h", window="2h")[0]
    assert one(at=None, every="6h", keep="7d4w12m3y", window="30min") == ()


def test_a_subscription_can_allow_a_part_of_the_plans() -> None:
    plans, problems = read_plans(
        {
            "default": "a",
            "plans": {name: {"snapshots": {"at": ["02:00"], "keep": "7d"}} for name in ("a", "b")},
            "subscriptions": {SOME.upper(): {"allowed_plans": ["B"]}},
        }
    )
    assert problems == ()
    assert plans.allowed_in(SOME) == {"b"}
    assert plans.allowed_in("other") == {"a", "b"}


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ((SOME,), []),
        (("typo",), [f"'typo' is no subscription id; allowed: {FORM}"]),
        ((f"{SOME}0",), [f"'{SOME}0' is no subscription id; allowed: {FORM}"]),
        (
            (SOME, SOME.upper()),
            ["the subscription stands there twice; allowed: each once; the case of its id says nothing"],
        ),
    ],
    ids=str,
)
def test_a_subscription_is_named_by_its_id_and_once(names: tuple[str, ...], told: list[str]) -> None:
    """A name that nothing bears would allow everything in the subscription that was meant."""
    document = {"default": "a", "plans": {"a": {"snapshots": {"at": ["02:00"], "keep": "7d"}}}}
    problems = read_plans({**document, "subscriptions": {name: {"allowed_plans": ["a"]} for name in names}})[1]
    assert list(problems) == [f'subscriptions."{names[-1]}": {problem}' for problem in told]


@pytest.mark.parametrize(
    ("snapshots", "told"),
    [
        ({"at": None, "cron": "0 2 * * 1-5"}, ()),
        ({"at": None, "cron": "0 2 * *"}, ("cron: '0 2 * *' has not five fields",)),
        ({"at": None, "cron": "99 2 * * *"}, ("cron: '99 2 * * *' has a bad minute",)),
        ({"at": None, "cron": "*/30 * * * *"}, ("48 points a day", "two points come 30min apart")),
        ({"at": None, "cron": "0 2 29 2 *"}, ("points come 1461 days apart",)),
        ({"at": None, "cron": 7}, ()),
        ({"cron": "0 2 * * *"}, ("it says when by at and cron",)),
        ({"every": "6h"}, ("it says when by at and every",)),
        ({"at": ["02:00", "02:59"]}, ("two points come 59min apart; allowed: at least 1h",)),
        ({"at": ["02:00", "14:00", "2:00"]}, ("at: 02:00 stands there twice; allowed: each time once",)),
        ({"at": ["25:00", "26:00"]}, ("at: '25:00' is not a time of day", "at: '26:00' is not a time of day")),
        ({"at": ["23:30", "00:15"]}, ("two points come 45min apart",)),
        ({"at": ["02:00", "14:00"], "window": "13h"}, ("the window is longer",)),
        ({"window": "25h"}, ("window: '25h' is out of range; allowed: 0h to 24h",)),
        ({"at": None, "every": "25h"}, ("every: '25h' is out of range; allowed: 1h to 24h",)),
        ({"zone": "europe/berlin"}, ()),
        ({"consistency": "disk"}, ()),
        ({"consistency": "vm"}, ()),
        ({"copy_to": "northeurope"}, ("region; allowed: to leave it out",)),
        ({"keep": "last=3"}, ("keep: 'last=3' is not a keep with an age",)),
        ({"keep": "100y"}, ("keep: '100y' is not a keep with an age",)),
        ({"keep": "7d last=451"}, ("keeps about 451 points",)),
        ({"at": None, "cron": "0 4 1 * *", "keep": "10y"}, ()),
        ({"at": None, "cron": "0 2 * * 1-5", "keep": "600d"}, ()),
    ],
    ids=str,
)
def test_a_schedule_and_what_is_wrong_with_it(snapshots: dict[str, Any], told: tuple[str, ...]) -> None:
    found = one(**snapshots)
    assert len(found) == len(told)
    assert all(expected in problem for expected, problem in zip(told, found, strict=True))
    assert all("; allowed" in problem for problem in found)


@pytest.mark.parametrize(
    ("words", "engine"), [({}, "disk"), ({"consistency": "disk"}, "disk"), ({"consistency": "vm"}, "restore-point")]
)
def test_a_plan_says_what_takes_its_points(words: dict[str, str], engine: str) -> None:
    document = {"default": "p", "plans": {"p": {"snapshots": {"at": ["02:00"], "keep": "7d", **words}}}}
    assert read_plans(document)[0].by_name["p"].engine == engine


def test_a_keep_that_is_none_is_a_day_until_it_is_mended() -> None:
    document = {"default": "p", "plans": {"p": {"snapshots": {"at": ["02:00"], "keep": "long"}}}}
    assert str(read_plans(document)[0].by_name["p"].keep) == "1d"


@pytest.mark.parametrize(("said", "most"), [(1, 1), (2.0, 2), (0, 24), (25, 24), (True, 24), ("3", 24)])
def test_a_plan_says_how_many_points_a_day_are_too_many(said: object, most: int) -> None:
    plan = {"max_per_day": said, "snapshots": {"at": ["02:00"], "keep": "7d"}}
    assert read_plans({"default": "p", "plans": {"p": plan}})[0].by_name["p"].max_per_day == most


def test_a_cron_line_is_read_with_single_blanks_between_its_fields() -> None:
    document = {"default": "p", "plans": {"p": {"snapshots": {"cron": " 0  2 * *\tMON ", "keep": "7d"}}}}
    assert read_plans(document)[0].by_name["p"].schedule.cron == "0 2 * * MON"


@pytest.mark.parametrize(
    ("part", "engine"),
    [
        ("replicate", "replication by Site Recovery"),
        ("notify", "notifications of its own"),
    ],
)
def test_an_engine_that_this_build_lacks_is_refused_with_its_name(part: str, engine: str) -> None:
    plan = {"snapshots": {"at": ["02:00"], "keep": "7d"}, part: {}}
    [told] = read_plans({"default": "p", "plans": {"p": plan}})[1]
    assert told.startswith(f"plans.p.{part}: this build has no engine for it ({engine}); ")
    assert told.endswith("allowed: snapshots, vault")


def test_a_floor_counts_among_the_points_that_stand() -> None:
    plan = {"keep_floor": "451d", "snapshots": {"at": ["02:00"], "keep": "7d"}}
    assert "keeps about 451 points" in read_plans({"default": "p", "plans": {"p": plan}})[1][0]
    plan["keep_floor"] = "9999d"
    assert "allowed: 0h to 3650d" in read_plans({"default": "p", "plans": {"p": plan}})[1][0]


@pytest.mark.parametrize("name", ["", "1st", "a b", "a" * 41, "silber_1"])
def test_a_plans_name_fits_into_a_tag_and_is_easily_typed(name: str) -> None:
    plan = {"snapshots": {"at": ["02:00"], "keep": "7d"}}
    [told] = read_plans({"default": name, "plans": {name: plan}})[1]
    assert "is not a plan's name; allowed: a letter" in told


SCHEMA = json.loads((SHIPPED.parent / "plans.schema.json").read_text())
SHAPE = Draft202012Validator(SCHEMA)
ASKED = st.fixed_dictionaries(
    {"keep": st.sampled_from(["7d", " 7D,last=3 ", "7d7d", "x", "48h 2w", "0d", "last=3"])},
    optional={
        "at": st.lists(
            st.sampled_from(["02:00", " 2:05 ", "24:00", "23:59", "7", "02:00 UTC"]), min_size=1, max_size=2
        ),
        "every": st.sampled_from(["6h", "6H", " 24h ", "1 h", "5m", "25h", "1d"]),
        "cron": st.sampled_from(["0 2 * * 1-5", "0 2 * *", " 0 2  * * SUN ", "x y z a b", "60 2 * * *"]),
        "window": st.sampled_from(["30min", "30MIN", "1h", "-1h", "", "90s"]),
        "consistency": st.sampled_from(["disk", "vm"]),
    },
)


@settings(max_examples=200, deadline=None)
@given(ASKED, st.sampled_from(["silver", "Gold-2", "1x", "a b"]))
def test_what_the_judge_accepts_the_schema_accepts_too(snapshots: dict[str, Any], name: str) -> None:
    document = {"default": name, "plans": {name: {"snapshots": snapshots}}}
    if not read_plans(document)[1]:
        assert [error.message for error in SHAPE.iter_errors(document)] == []


def test_every_field_of_the_schema_tells_editors_what_it_is_for() -> None:
    def fields(node: Any, where: str) -> list[tuple[str, Any]]:
        found = [(f"{where}.{name}", child) for name, child in node.get("properties", {}).items()]
        return found + [deeper for place, child in found for deeper in fields(child, place)]

    everything = fields(SCHEMA, "") + [one for name, part in SCHEMA["$defs"].items() for one in fields(part, name)]
    assert len(everything) > 15
    assert [place for place, field in everything if "description" not in field and "$ref" not in field] == []
    silent = [place for place, field in everything if not {"examples", "enum", "$ref"} & field.keys()]
    assert all("No engine" in dict(everything)[place]["description"] for place in silent)


def test_the_examples_and_defaults_of_the_schema_fit_it() -> None:
    def examples(node: Any) -> list[tuple[Any, Any]]:
        if isinstance(node, list):
            return [pair for child in node for pair in examples(child)]
        if not isinstance(node, dict):
            return []
        own = [*node.get("examples", ()), *([node["default"]] if "default" in node else ())]
        return [(node, example) for example in own] + [pair for child in node.values() for pair in examples(child)]

    found = examples(SCHEMA)
    assert len(found) > 25
    for node, shown in found:
        whole = {**node, "$defs": SCHEMA["$defs"]}
        assert [error.message for error in Draft202012Validator(whole).iter_errors(shown)] == []


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
    "cron",
    "copy_to",
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
    "0 2 * * 1-5",
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
            "subscriptions": {SOME: {"allowed_plans": 1}},
        },
    ],
)
def test_of_what_the_schema_refuses_nothing_is_said_again(document: dict[str, Any]) -> None:
    assert read_plans(document)[1] == ()


def test_an_empty_table_of_snapshots_still_says_when() -> None:
    assert read_plans({"default": "a", "plans": {"a": {"snapshots": {}}}})[1] == (
        "plans.a.snapshots: it says when by nothing; allowed: exactly one of at, every, cron",
    )
