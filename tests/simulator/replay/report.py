"""Says the score of the replay when a test run ends, whichever worker played. Registered by tests/conftest.py."""

from __future__ import annotations

import pytest

SCORES = "scores of the recorded sessions"


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every table that a test left behind: whole with -v, else its last line, so that failures are not buried."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", ()):
                if name == SCORES and getattr(report, "when", "") == "call":
                    terminalreporter.section(SCORES)
                    lines = str(text).splitlines()
                    terminalreporter.line("\n".join(lines if terminalreporter.verbosity > 0 else lines[-1:]))
