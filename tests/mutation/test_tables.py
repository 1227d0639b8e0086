"""Every row of every decision table matters: without it, or with another in its place, some test is red."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys

import pytest

from tests.mutation.rows import changes, tables
from tests.mutation.trees import ROOT, modules

TESTS = sorted((ROOT / "tests" / "decide").glob("test_*.py"))
ELSEWHERE = {  # module -> the files in which its tables are judged, where they are not named like it
    "durations": ("decide/test_tags.py", "decide/test_plan.py"),
    "setting_values": ("test_settings.py",),
}


def with_tables() -> list[str]:
    return [name for name in modules() if list(tables(importlib.import_module(f"shared.decide.{name}")))]


def judges_of(module: str) -> list[str]:
    """A module's own tests, by name, and those that ELSEWHERE names."""
    own = [path for path in TESTS if path.stem.startswith(f"test_{module}")]
    return [*(str(path) for path in own), *(str(ROOT / "tests" / name) for name in ELSEWHERE.get(module, ()))]


@pytest.mark.parametrize("module", with_tables())
def test_no_row_can_be_dropped_or_changed_unnoticed(module: str) -> None:
    words = ["-q", "--noconftest", "-p", "no:xdist", "-p", "tests.mutation.rows", "--tables", f"shared.decide.{module}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", *words, *judges_of(module)]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert re.findall(r"^UNNOTICED .*$", ended.stdout, re.MULTILINE) == []
    assert ", 0 unnoticed" in ended.stdout, ended.stdout + ended.stderr


def test_a_table_is_changed_row_by_row() -> None:
    found = [(change.how, change.row, change.changed) for change in changes("T", {"a": 1, "b": 1, "c": 2})]
    assert found == [
        ("dropped", "a", {"b": 1, "c": 2}),
        ("dropped", "b", {"a": 1, "c": 2}),
        ("changed", "b", {"a": 1, "b": 2, "c": 2}),
        ("dropped", "c", {"a": 1, "b": 1}),
        ("changed", "c", {"a": 1, "b": 1, "c": 1}),
    ]
    assert [change.changed for change in changes("T", ("x", "y"))] == [("y",), ("y", "y"), ("x",), ("x", "x")]
    assert [change.changed for change in changes("T", frozenset({1, 2}))] == [frozenset({2}), frozenset({1})]


def test_the_tables_of_the_design_are_among_them() -> None:
    assert {"consistency", "deletion", "deletion_dates", "retention", "standing"} <= set(with_tables())
