"""Which alert is raised by what the app writes into its log: run, not read; and what each alert asks of people."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.cloud.call import Calls
from shared.cloud.clock import SystemClock
from shared.cloud.events import TopicEvents
from shared.flows.sweeping import sweep
from shared.model.event import Event, Happening
from tests.fleet import RULES, Fleet
from tests.flows.deleting import Estate
from tests.flows.test_approving import overflowing
from tests.flows.test_reaping import regain, usual
from tests.flows.test_setbacks import Endless
from tests.flows.test_sweeping import Blank, crowd
from tests.infra.roles import INFRA
from tests.world.exhaustive import pass_time, small_world
from tests.world.scenes import complete

HOUR = timedelta(hours=1)
ALERTS: Sequence[dict[str, Any]] = json.loads((INFRA / "alerts.json").read_text(encoding="utf-8"))
OPERATIONS = (INFRA.parent / "docs" / "operations.md").read_text(encoding="utf-8")
CLAUSE = re.compile(r"Message (startswith|contains) '([^']+)'")


def raised(caplog: pytest.LogCaptureFixture) -> set[str]:
    """The alerts that the lines logged so far raise: of those that are raised by a line and not by silence."""
    asked = [alert for alert in ALERTS if alert["query"].startswith("AppTraces") and alert["operator"] == "GreaterThan"]
    lines = [record.getMessage() for record in caplog.records if record.name == "tagback"]
    assert lines
    return {alert["name"] for alert in asked if any(found(alert["query"], line) for line in lines)}


def found(query: str, line: str) -> bool:
    """What Kusto's `where` says of a line; neither operator looks at upper and lower case [documented]."""
    table, _, condition = query.partition(" | where ")
    assert table == "AppTraces"
    return any(all(holds(clause, line) for clause in each.split(" and ")) for each in condition.split(" or "))


def holds(clause: str, line: str) -> bool:
    read = CLAUSE.fullmatch(clause)
    assert read, f"the tests do not read {clause!r}"
    operator, text = read.groups()
    return line.lower().startswith(text.lower()) if operator == "startswith" else text.lower() in line.lower()


def tell(events: Sequence[Event]) -> None:
    """As the app tells them; without an endpoint nobody but the log hears."""
    TopicEvents("", None, Calls(SystemClock())).publish(events)  # type: ignore[arg-type]  # nobody is asked for a token


@pytest.fixture(autouse=True)
def every_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tagback")


def test_a_machine_whose_points_become_overdue_raises_an_alert(caplog: pytest.LogCaptureFixture) -> None:
    world = small_world()
    complete(world)
    world.host.start()
    pass_time(world, 2 * HOUR)
    tell(world.stage.events.heard)
    assert Happening.PROTECTED in [event.type for event in world.stage.events.heard]
    assert raised(caplog) == set()
    before = len(world.stage.events.heard)
    world.stage.azure.weather = Endless()
    pass_time(world, 20 * HOUR)
    degraded = [one for one in world.stage.events.heard[before:] if one.type is Happening.DEGRADED]
    assert degraded
    assert all("is overdue" in one.details["because"] for one in degraded)
    tell(degraded)
    assert raised(caplog) == {"overdue"}


def test_a_list_that_lost_much_raises_an_alert(caplog: pytest.LogCaptureFixture) -> None:
    fleet: Fleet = crowd(6)
    sweep(fleet.world, RULES)
    assert raised(caplog) == set()
    fleet.stage.azure.weather = Blank()
    sweep(fleet.world, RULES)
    assert raised(caplog) == {"shrunk"}


def test_a_deletion_that_waits_for_people_raises_an_alert_and_others_do_not(caplog: pytest.LogCaptureFixture) -> None:
    estate = Estate()
    of, _, _ = usual(estate)
    estate.pass_time(30 * HOUR, lambda: regain(estate, of))
    assert "point.judged" in caplog.text
    assert raised(caplog) == set()
    overflowing(Estate())
    assert raised(caplog) == {"approval"}


def test_the_first_deletions_of_the_day_are_within_the_budget_and_wait_for_nobody() -> None:
    line = "point.judged vm=web-1 slot=20261120T0200Z verdict=WaitUntil because='verdict=NeedsApproval'"
    assert not any(found(alert["query"], line) for alert in ALERTS if alert["name"] == "approval")


def test_the_page_says_what_to_do_about_every_alert_and_no_other() -> None:
    section = OPERATIONS.split("## When an alert is raised")[1].split("\n## ")[0]
    named = re.findall(r"`([a-z-]+)`(?:, |(?= \|))", "\n".join(re.findall(r"^\| ([^|]+\|)", section, re.MULTILINE)))
    assert named == [alert["name"] for alert in ALERTS]


def test_the_page_about_costs_counts_the_alerts() -> None:
    words = {10: "ten", 11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen"}
    assert f"The {words[len(ALERTS)]} alert rules" in (INFRA.parent / "docs" / "deploy.md").read_text(encoding="utf-8")
