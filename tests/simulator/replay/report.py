"""Prints the scores of the replay when a test run ends, whichever worker played. Registered by tests/conftest.py."""

from __future__ import annotations

import pytest

SCORES = "scores of the recorded sessions"


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every table that a test left behind."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", ()):
                if name == SCORES and getattr(report, "when", "") == "call":
                    terminalreporter.section(SCORES)
                    terminalreporter.line(str(text))
