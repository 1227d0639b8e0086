"""docs/demo.md comes from a run: every number of the summary stands in it, and what was missed or broken is said."""

from __future__ import annotations

from typing import Any

import pytest

from local.demo.floors import FAULTS, FLOORS
from local.demo.page import PAGE, page
from local.judges import PROMISES


def run(**others: Any) -> dict[str, Any]:
    """A summary, as a run leaves it."""
    return {
        "seed": 7,
        "started": "2027-03-10T00:00:00+00:00",
        "virtual_days": 30.0,
        "wall_seconds": 1234.5,
        "cpu_seconds": {"azurite": 600.0, "host": 300.0},
        "processors": 2,
        "load": 3.5,
        **{name: 5000 + number for number, name in enumerate(FLOORS)},
        "faults": {name: 600 + number for number, name in enumerate(FAULTS)},
        "arm_calls": 70_001,
        "calls_per_disk_day": None,
        "storage_ops": 80_001,
        "jumps": 9_001,
        "promises": {name: {"checked": 100 + n, "violations": []} for n, name in enumerate(PROMISES)},
        "missed": [],
        **others,
    }


def test_every_number_of_a_run_is_on_its_page() -> None:
    summary = run()
    text = page(summary)
    numbers = [summary[name] for name in (*FLOORS, "arm_calls", "storage_ops", "jumps")]
    assert [number for number in numbers if f"{number:,}" not in text] == []
    assert [name for name, count in summary["faults"].items() if f"{name} {count}" not in text] == []
    assert all(f"| {name} |" in text and f"| {one['checked']} |" in text for name, one in summary["promises"].items())
    assert "1,234 s on a machine of 2 processors whose load was 3.5" in text
    assert "900 processor seconds, 30 a day: azurite 600, host 300" in text
    assert "every promise held, and no floor was missed" in text
    assert "a day has 2,667 requests to storage and 2,333 calls to Azure" in text
    assert "takes 2.0 ms of the host" in text
    assert "takes 7.5 ms of Azurite" in text
    assert "The goal leaves 2.4 ms for each" in text


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"missed": ["kills: 1, at least 5 expected"]}, "- Floor missed: kills: 1, at least 5 expected"),
        ({"promises": {name: {"checked": 1, "violations": [{}]} for name in PROMISES}}, "violations were found"),
    ],
)
def test_what_was_not_well_is_said(others: dict[str, Any], words: str) -> None:
    text = page(run(**others))
    assert words in text


def test_a_short_run_does_not_boast_of_floors() -> None:
    text = page(run(virtual_days=2.0))
    assert "no floor was missed" not in text
    assert "It was shorter than 30 days" in text


def test_the_page_in_the_documentation_names_every_promise() -> None:
    text = PAGE.read_text()
    assert [name for name in PROMISES if f"| {name} |" not in text] == []
