"""The demo's visitors at the app's door, on the running stack: each is answered as the scenario says it may expect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from local.demo.__main__ import app_roles
from local.demo.knocks import KNOCKS, knock
from local.demo.scenario import Trouble, load
from local.demo.script import Script
from local.stack import Wanted, running


def test_each_visitor_is_let_in_or_refused_as_the_scenario_says(tmp_path: Path) -> None:
    scenario = load("short", 1, datetime.now(UTC))
    settings = {**scenario.settings}
    with running(
        Wanted(scenario.subscriptions, run=tmp_path / "run", settings=settings, app_roles=app_roles(scenario))
    ) as stack:
        told: list[str] = []
        cast: Any = SimpleNamespace(
            now=lambda: datetime.now(UTC),
            scenario=scenario,
            stack=stack,
            script=Script(tmp_path / "script.jsonl"),
            screen=SimpleNamespace(line=told.append),
        )
        knock(cast, Trouble("doors", "knock", timedelta(), timedelta(), ""))
    given = {act["who"]: act["within"] for act in cast.script.acts}
    assert len(told) == len(KNOCKS)
    assert [(act["who"], act["may"]) for act in cast.script.acts if (act["status"] == 200) != act["may"]] == []
    assert {act["status"] for act in cast.script.acts} == {200, 401, 403}
    assert given["viewer"] == list(scenario.subscriptions)
    assert given["viewer of one subscription"] == [scenario.subscriptions[0]]
