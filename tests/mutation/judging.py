"""A pytest plugin: judges every mutant that mutmut planted, each in a fork of the one process that collected the tests.

Run by __main__.py in the tree's folder `mutants`. All tests run once, to learn which functions each of them reaches
and how long it takes; then each mutant meets the tests that reach its function, its module's own before others and the
shorter ones first, until one fails. That takes a twentieth of a second of CPU for a mutant, where `mutmut run` collects
the tests anew for each. A verdict is written where mutmut would write it: an exit code by mutant in the `.meta` file
beside the mutated module.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import re
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Generator, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.mutation.verdicts import UNTESTED

PLACE = Path("shared") / "decide"
PATIENCE = 10  # times what the tests take, in CPU seconds, before a mutant counts as one that never ends
AT_LEAST = 5
LONGEST = 900  # seconds by the wall, for one that waits
Codes: TypeAlias = dict[Path, dict[str, int]]

trampoline: Any = importlib.import_module("mutmut.mutation.trampoline")
reaching: Any = importlib.import_module("mutmut.state").state

_taken: dict[str, float] = {}
_reached: dict[str, set[str]] = defaultdict(set)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--at-once", type=int, default=1, help="mutants judged at the same time")
    parser.addoption("--most", type=int, default=sys.maxsize, help="so many of each module, drawn by their names")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Notes how much CPU a test takes, and which functions it reaches; the clock on the wall tells of other loads."""
    began = time.process_time()
    ended = yield
    _taken.setdefault(item.nodeid, time.process_time() - began)
    for function in reaching()._stats:
        _reached[function].add(item.nodeid)
    reaching()._stats.clear()
    return ended


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Instead of running the tests once: once to learn what they reach, then as much as each mutant needs."""
    trampoline.set_mutant_under_test("stats")
    if _some_test_fails(session, session.items):
        raise pytest.UsageError("the tests are red without any mutant")
    trampoline.set_mutant_under_test("")
    _forget()
    gc.freeze()
    codes: Codes = {told: {} for told in sorted(PLACE.glob("*.py.meta"))}
    _judge(session, _drawn(codes, session.config.getoption("--most")), codes)
    for told, verdicts in codes.items():
        told.write_text(json.dumps({**json.loads(told.read_text()), "exit_code_by_key": verdicts}))
    return True


def _forget() -> None:
    """What functions remember of their calls would hide a mutant from the tests."""
    for name, module in list(sys.modules.items()):
        if name.startswith("shared."):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def _judge(session: pytest.Session, mutants: list[tuple[Path, str]], codes: Codes) -> None:
    by_name = {item.nodeid: item for item in session.items}
    running: dict[int, tuple[Path, str]] = {}
    for told, mutant in mutants:
        function = re.sub(r"__mutmut_\d+$", "", mutant)
        names = _reached.get(function, set())
        if not names:
            codes[told][mutant] = UNTESTED
            continue
        while len(running) >= session.config.getoption("--at-once"):
            _ended(running, codes)
        own = f"/test_{told.name.partition('.')[0]}"
        order = sorted(names, key=lambda name: (own not in name, _taken[name]))
        running[_forked(session, mutant, [by_name[name] for name in order])] = told, mutant
    while running:
        _ended(running, codes)


def _drawn(told: Iterable[Path], most: int) -> list[tuple[Path, str]]:
    """The mutants to judge, one of each module after the other, so that a run that is cut short is a fair sample."""
    ranked = []
    for path in told:
        names = sorted(
            json.loads(path.read_text())["exit_code_by_key"], key=lambda name: sha256(name.encode()).digest()
        )
        ranked += [(rank, path, name) for rank, name in enumerate(names[:most])]
    return [(path, name) for _, path, name in sorted(ranked)]


def _ended(running: dict[int, tuple[Path, str]], codes: Codes) -> None:
    child, status = os.wait()
    told, mutant = running.pop(child)
    codes[told][mutant] = os.waitstatus_to_exitcode(status)
    print(codes[told][mutant], mutant, flush=True)


def _forked(session: pytest.Session, mutant: str, items: list[pytest.Item]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        os.dup2(devnull, 2)
        seconds = int(AT_LEAST + PATIENCE * sum(_taken[item.nodeid] for item in items))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        signal.alarm(LONGEST)
        trampoline.set_mutant_under_test(mutant)
        code = int(_some_test_fails(session, items))
    finally:
        os._exit(code)


def _some_test_fails(session: pytest.Session, items: list[pytest.Item]) -> bool:
    session.testsfailed = 0
    for at, item in enumerate(items):
        following = items[at + 1] if at + 1 < len(items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return True
    return False
