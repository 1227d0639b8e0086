"""A pytest plugin: takes each row of a decision table away, or puts another in its place, and wants a test to notice.

Loaded by test_tables.py in a process of its own: `pytest -p tests.mutation.rows --tables MODULE TESTS`. The tests are
collected once; for every change the process forks, changes the table in memory, and runs the tests until one fails.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PRODUCT = Path(__file__).parent.parent.parent / "shared"
NOTICED, UNNOTICED = 0, 1


@dataclass(frozen=True)
class Change:
    """One table with one row otherwise than it is."""

    table: str
    row: str
    how: str
    original: Any
    changed: Any


def tables(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The tables that a module itself writes and that something decides by: constants of several rows."""
    for name in sorted(_assigned(ast.parse(inspect.getsource(module)))):
        value = getattr(module, name)
        is_table = isinstance(value, dict | tuple | frozenset | list) and len(value) > 1
        if name.lstrip("_").isupper() and is_table and (module.__name__, name) in _read_by_functions():
            yield name, value


def _assigned(tree: ast.Module) -> set[str]:
    """The names that a module assigns at its top."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


@cache
def _read_by_functions() -> frozenset[tuple[str, str]]:
    """Every name, with its module, that a function of the product reads: what only builds other tables is judged
    through them."""
    found = set()
    for path in PRODUCT.rglob("*.py"):
        tree = ast.parse(path.read_text())
        own = ".".join(path.relative_to(PRODUCT.parent).with_suffix("").parts)
        homes = {
            alias.asname or alias.name: (node.module or "", alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        read = {name.id for function in functions for name in ast.walk(function) if isinstance(name, ast.Name)}
        found |= {homes.get(name, (own, name)) for name in read}
    return frozenset(found)


def changes(table: str, value: Any) -> Iterator[Change]:
    """Every row dropped, and every row replaced by its neighbour where that differs."""
    rows = sorted(value, key=str) if isinstance(value, frozenset) else list(_rows(value))
    for at, row in enumerate(rows):
        yield Change(table, _told(row), "dropped", value, type(value)([*rows[:at], *rows[at + 1 :]]))
        neighbour = rows[(at + 1) % len(rows)]
        changed = (row[0], neighbour[1]) if isinstance(value, dict) else neighbour
        if changed != row and not isinstance(value, frozenset):
            yield Change(table, _told(row), "changed", value, type(value)([*rows[:at], changed, *rows[at + 1 :]]))


def _rows(value: Any) -> Iterable[Any]:
    return value.items() if isinstance(value, dict) else value


def _told(row: Any) -> str:
    return " ".join(str(row[0] if isinstance(row, tuple) and row else row).split())[:90]


def put_in_place(change: Change, module: ModuleType) -> None:
    """The product works by the changed table, and by whatever its module derives from it; tests hold what they held."""
    _replace(change.original, change.changed)
    changed = {change.table}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.Assign) and changed & {
            name.id for name in ast.walk(node.value) if isinstance(name, ast.Name)
        }:
            (target,) = (target.id for target in node.targets if isinstance(target, ast.Name))
            before = getattr(module, target)
            exec(compile(ast.Module([node], []), module.__name__, "exec"), vars(module))
            _replace(before, getattr(module, target))
            changed.add(target)


def _replace(before: Any, after: Any) -> None:
    """Everywhere in the product, the one object for the other."""
    for name, module in list(sys.modules.items()):
        if name.startswith("shared."):
            for attribute, value in list(vars(module).items()):
                if value is before:
                    setattr(module, attribute, after)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tables", required=True, help="the module of shared/decide whose tables are changed")


@pytest.fixture
def update_golden() -> bool:
    """Golden files are compared here and never written; the usual fixtures are not loaded, they would cost seconds."""
    return False


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Instead of running the tests once: once for every change, until the first that fails."""
    module = importlib.import_module(session.config.getoption("--tables"))
    session.items = [item for item in session.items if not _is_drawn(item)]
    found = [change for table, value in tables(module) for change in changes(table, value)]
    if _forked(session, module, None) != UNNOTICED:
        raise pytest.UsageError("the tests are red without any change")
    unnoticed = [change for change in found if _forked(session, module, change) == UNNOTICED]
    for change in unnoticed:
        print(f"\nUNNOTICED {change.how} {module.__name__}.{change.table}: {change.row}", flush=True)
    print(f"\n{len(found)} changes, {len(unnoticed)} unnoticed", flush=True)
    session.testsfailed = len(unnoticed)
    return True


def _is_drawn(item: pytest.Item) -> bool:
    """Whether hypothesis draws a test's examples: what is noticed by luck is not counted."""
    return bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))


def _forked(session: pytest.Session, module: ModuleType, change: Change | None) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = NOTICED
    try:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        os.dup2(devnull, 2)
        if change:
            put_in_place(change, module)
        code = NOTICED if _some_test_fails(session) else UNNOTICED
    finally:
        os._exit(code)


def _some_test_fails(session: pytest.Session) -> bool:
    for at, item in enumerate(session.items):
        following = session.items[at + 1] if at + 1 < len(session.items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return True
    return False
