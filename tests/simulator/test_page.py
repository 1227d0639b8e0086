"""docs/simulator.md says what the simulator is: its tables are written anew, its names are looked up."""

from __future__ import annotations

import re

from local.simulator import denials, providers, seed
from local.simulator.__main__ import parser
from local.simulator.buckets import Limits
from local.simulator.clock import Clock, Mode
from local.simulator.control import Control
from local.simulator.journal import Journal
from local.simulator.lro import Timing
from local.simulator.routing import Evidence
from local.simulator.world import build
from tests.simulator import page
from tests.simulator.replay.__main__ import parser as replay_parser

TEXT = page.PAGE.read_text(encoding="utf-8")
ABOVE = page.by_hand()


def options(found: object) -> set[str]:
    return {name for action in found._actions for name in action.option_strings if name.startswith("--")} - {"--help"}  # type: ignore[attr-defined]


def section(title: str) -> str:
    return ABOVE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_tables_are_what_the_code_says() -> None:
    assert page.page(ABOVE) == TEXT, "run: python -m tests.simulator.page"


def test_every_route_stands_in_the_page_with_its_evidence() -> None:
    rows = len(re.findall(r"^\| `[/({]", TEXT, re.MULTILINE))
    assert rows >= len({route.template for route in providers.routes().all if route.method != "HEAD"})
    for evidence in Evidence:
        assert f"**{evidence}**" in ABOVE


def test_every_option_is_explained_and_no_other() -> None:
    assert set(re.findall(r"`(--[a-z-]+)`", ABOVE.partition("## Clients")[0])) == options(parser())
    named = set(re.findall(r"(--[a-z-]+)", section("What is like Azure, and how that is known").partition("A step")[0]))
    assert named <= options(replay_parser())
    assert all(f"`{timing}`" in ABOVE for timing in Timing)


def test_every_section_of_a_seed_is_explained_with_what_it_needs() -> None:
    rows = dict(re.findall(r"^\| `\[\[(\w+)\]\]` \| ([^|]+) \|", section("Seeds"), re.MULTILINE))
    assert set(rows) == set(seed.SECTIONS)
    needed = {name: set(re.findall(r"`(\w+)`", row)) for name, row in rows.items()}
    assert needed == {name: set(seed.REQUIRED.get(name, needed[name])) for name in rows}
    assert all(f"`{condition}`" in section("Seeds") for condition in denials.CONDITIONS)


def test_every_control_route_is_explained_and_no_other() -> None:
    world = build(Clock(Mode.MANUAL, 0), Journal(None), "0", Limits())
    named = set(re.findall(r"`((?:GET|POST|DELETE) [a-z]+)`", section("Control routes")))
    assert named == {f"{method} {path}" for method, path in Control(world, lambda: False).routes}


def test_commands_of_the_page_name_modules_that_exist() -> None:
    for name in set(re.findall(r"python -m ([\w.]+)", TEXT)):
        path = page.PAGE.parents[1] / name.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), name
    for name in set(re.findall(r"`((?:local|tests)/[\w./-]+)`", TEXT)):
        assert (page.PAGE.parents[1] / name).exists(), name
