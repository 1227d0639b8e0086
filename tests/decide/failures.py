"""The failures that Azure tells of, in its own words, each with what follows: failure_scenarios.toml as values.

Judged by tests/decide/test_failure.py, and played through the flows by tests/flows/test_vault_failures.py.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from shared.model.fault import Area, Fault, Task, Trouble


@dataclass(frozen=True)
class Scenario:
    """A failure in its real words, and what follows attempt after attempt."""

    row: str
    trouble: str
    code: str
    message: str
    wording: str
    path: list[str]
    status: int = 0
    area: str = "arm"
    task: str = "any"
    says: str = ""
    waits_for: str = ""

    @property
    def fault(self) -> Fault:
        area, task = Area(self.area), Task(self.task)
        return Fault(Trouble(self.trouble), self.code, self.message, self.status, area=area, task=task)

    def __str__(self) -> str:
        return f"{self.row[:60]}-{self.code or self.message[:30]}"


def scenarios() -> list[Scenario]:
    file = Path(__file__).with_name("failure_scenarios.toml")
    return [Scenario(**each) for each in tomllib.loads(file.read_text(encoding="utf-8"))["scenario"]]
