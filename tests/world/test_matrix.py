"""Every fault meets every flow, or the table of reasons says why it never can; and every promise holds meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.counts import Count
from tests.world.encounters import FLOWS
from tests.world.matrix import BEGIN, FAULTS, PAGE, SEEDS, Matrix, lived, reasons, staged, table, together


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    return together(lived(SEEDS), staged())


def test_worlds_in_which_everything_goes_wrong_keep_every_promise(matrix: Matrix) -> None:
    assert matrix.broken == []
    assert min(matrix.checked.values()) > 0


def test_no_cell_is_empty_without_a_reason(matrix: Matrix, counted: Callable[[Count, int], None]) -> None:
    print(table(matrix))
    assert matrix.empty() == []
    counted(Count.CELLS, sum(matrix.met[fault, flow] > 0 for fault in FAULTS for flow in FLOWS))
    counted(Count.IMPOSSIBLE, len(reasons()))


def test_nothing_happens_that_is_said_to_be_impossible(matrix: Matrix) -> None:
    assert matrix.mistaken() == []


def test_every_reason_is_about_a_fault_and_a_flow_that_there_are() -> None:
    assert {fault for fault, _ in reasons()} <= set(FAULTS)
    assert {flow for _, flow in reasons()} <= set(FLOWS)
    assert all(reasons().values())


def test_the_page_has_a_row_for_every_fault_and_a_column_for_every_flow() -> None:
    page = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2]
    assert f"| | {' | '.join(FLOWS)} |" in page
    rows = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| F")}
    assert set(FAULTS) <= set(rows)
    assert "| 0 |" not in page, "run: python -m tests.world.matrix --write"
