"""What the pages say is held to the code: the reference is regenerated, the README's facts are looked up."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import pytest

from shared.cli.main import commands
from shared.decide.protection import settled_row
from shared.decide.retention import kept
from shared.model.identity import VmUid
from shared.model.point import Origin
from shared.settings import DEFAULTS, SHIPPED_PLANS, plans_of
from tests import reference
from tests.cli.running import run
from tests.fleet import RULES, SHARD, Fleet, machine, place, point
from tests.world.stage import stage
from tests.world.twins.witness import Witness

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def test_the_reference_is_what_the_code_says() -> None:
    assert reference.PAGE.read_text() == reference.page(), "run: python -m tests.reference"


def test_every_table_of_the_reference_has_an_entry_for_every_name_and_no_other() -> None:
    page = reference.page()
    names = [*reference.FUNCTIONS, *reference.SETTINGS, *reference.CREATED, *reference.STATUSES, *reference.STATES]
    assert [name for name in names if f"`{name}`" not in page] == []
    assert set(reference.SETTINGS) == set(DEFAULTS)


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 90


def test_the_readmes_figures_are_those_of_the_runs_that_the_pages_tell_of() -> None:
    demo, performance = (ROOT / "docs" / "demo.md").read_text(), (ROOT / "docs" / "performance.md").read_text()
    machines, points, kills = re.findall(r"(\d+) machines got ([\d,]+) complete points through (\d+) kills", README)[0]
    assert f"| machines with complete points | {machines} |" in demo
    assert f"| complete points (machine and slot) | {points} |" in demo
    assert f"| kills of the host | {kills} |" in demo
    assert "every promise held" in demo
    calls, bill = re.findall(r"([\d.]+) calls to Azure per disk and day, and \$([\d.]+) a month", README)[0]
    measured = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", performance, re.MULTILINE))
    assert f"{float(measured['all_calls_per_disk_day_10k']):.2f}" == calls
    assert f"{float(measured['monthly_bill_10k']):.2f}" == bill


def test_the_readme_names_commands_that_exist() -> None:
    named = set(re.findall(r"\btagback ([a-z]+)", README))
    assert named
    assert named - set(commands.commands) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_that_are_named_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^\s*|DAYS=\d+ |SEED=\d+ )make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE))
    assert named - targets == set()


def test_the_readme_names_plans_that_are_shipped() -> None:
    named = {name for name in re.findall(r"backup ?= ?(\w+)", README) if name not in ("on", "off")}
    assert named
    assert named - set(plans_of(SHIPPED_PLANS).by_name) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_that_are_named_exist(page: Path) -> None:
    assert set(re.findall(r"TAGBACK_[A-Z_]+", page.read_text())) - set(DEFAULTS) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tests_that_are_named_exist(page: Path) -> None:
    for file, function in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page.read_text()):
        text = (ROOT / file).read_text()
        assert not function or re.search(rf"^def {function}\(", text, re.MULTILINE), f"{file}::{function}"


def test_every_mistake_of_others_has_a_test_that_shows_it_is_not_made_here() -> None:
    rows = re.findall(r"^\| (P\d+) \|.*\| ([^|]+) \|$", (ROOT / "docs" / "world.md").read_text(), re.MULTILINE)
    assert [name for name, _ in rows] == [f"P{number}" for number in range(1, len(rows) + 1)]
    assert len(rows) >= 8
    assert [name for name, tests in rows if not re.search(r"`tests/[\w/]+\.py::\w+`", tests)] == []


def test_every_deployed_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    names = {re.split(r"[<>=\[; ]", requirement)[0] for requirement in wanted}
    decisions = (ROOT / "docs" / "decisions.md").read_text()
    assert {name for name in names if f"**{name}**" not in decisions} == set()


def test_the_changelog_has_the_form_it_names() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert [one for one in headings[1:] if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", one)] == []


def test_the_readme_shows_what_explain_prints() -> None:
    """The machine of the README, put together from the same decisions that the app asks."""
    rules = replace(RULES, plans=plans_of(SHIPPED_PLANS))
    silver = rules.plans.by_name["silver"]
    fleet = Fleet(stage(seed=1, start=datetime(2026, 11, 21, 3, 49, tzinfo=UTC), witness=Witness()), rules)
    enrolled = datetime(2026, 11, 21, 3, 47, tzinfo=UTC)
    seen = replace(
        machine(1, "web-1", group="shop"),
        id=place("shop", "web-1", "a0000000-0000-4000-8000-000000000001"),
        uid=VmUid("e48a2118-d01e-4fd5-abfa-7e8498302cbd"),
        as_of=enrolled,
        enrolled_at=enrolled,
        settled=enrolled,
        last_point=enrolled + timedelta(minutes=1),
    )
    settled = settled_row(replace(seen, shard=SHARD), [], rules, fleet.world.clock.now())
    origins = {enrolled: Origin.ENROLMENT, enrolled + timedelta(minutes=1): Origin.REQUEST}
    keeps = {slot: kept(slot, origin, silver.keep, [], "UTC") for slot, origin in origins.items()}
    points = [
        replace(point(settled, slot), keep_until=keep.until, earned=keep.earned, because=keep.because)
        for slot, keep in keeps.items()
    ]
    fleet.put(settled, *points)
    printed = [line.rstrip() for line in run(fleet, "explain", "web-1").stdout.splitlines()]
    shown = README.split("```\n")[3].splitlines()
    assert shown == printed


def test_the_deployment_sets_what_the_host_itself_reads_to_the_defaults() -> None:
    read_by_the_host = set(re.findall(r"%(\w+)%", (ROOT / "function_app.py").read_text()))
    assert read_by_the_host
    template = (ROOT / "infra" / "main.bicep").read_text()
    assert [name for name in read_by_the_host if f"{name}: '{DEFAULTS[name]}'" not in template] == []
