"""Judges every exchange with any simulator of a test run; a deviation that is not known fails the run.

Simulators are told through the environment where to keep their exchanges, whoever starts them. Hooks, imported by
tests/conftest.py.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from local.simulator.exchanges import VARIABLE
from tests.simulator.specification.documents import SPECIFICATIONS
from tests.simulator.specification.exchanges import Judge, Verdict, known, read

_OURS = pytest.StashKey[Path]()
_VERDICT = pytest.StashKey[Verdict]()
SHOWN = 40


@pytest.hookimpl
def pytest_configure(config: pytest.Config) -> None:
    """Choose where exchanges are kept; workers inherit it."""
    if hasattr(config, "workerinput") or os.environ.get(VARIABLE) or not SPECIFICATIONS.is_dir():
        return
    config.stash[_OURS] = Path(tempfile.mkdtemp(prefix="exchanges-"))
    os.environ[VARIABLE] = str(config.stash[_OURS])


@pytest.hookimpl
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Judge what was kept."""
    directory = session.config.stash.get(_OURS, None)
    if directory is None:
        return
    del os.environ[VARIABLE]
    if any(directory.iterdir()):
        verdict = session.config.stash[_VERDICT] = Judge().judge(read(directory))
        if verdict.unexplained(known()) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
    shutil.rmtree(directory)


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was judged."""
    verdict = config.stash.get(_VERDICT, None)
    if verdict is None:
        return
    unexplained = verdict.unexplained(known())
    terminalreporter.section("exchanges with the simulator against Microsoft's specifications")
    terminalreporter.line(
        f"{verdict.exchanges} different exchanges, {verdict.specified} of them of specified operations, "
        f"{len(verdict.deviations)} kinds of deviation, {len(unexplained)} not known"
    )
    for deviation in unexplained[:SHOWN]:
        terminalreporter.line(deviation.line())
