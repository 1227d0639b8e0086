"""docs/soak.md says what was run last, and nothing else; shares of counts are what they are called."""

from __future__ import annotations

import pytest

from tests.counts import Count
from tests.soak.__main__ import said
from tests.soak.page import PAGE, Ended, known, page
from tests.soak.parts import PARTS, Part

BY_NAME = {part.name: part for part in PARTS}


def test_the_page_is_what_the_last_runs_said() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(known()), "run: python -m tests.soak --write"


@pytest.mark.parametrize("run", known(), ids=lambda run: run.part)
def test_a_run_that_is_kept_held_and_says_what_it_ran(run: Ended) -> None:
    assert run.part in BY_NAME
    assert run.held, "what failed is mended first"
    assert run.said


def test_a_part_that_was_not_run_is_said_to_be_so() -> None:
    runs = [Ended("attacks", 300, "2026-11-21", 104, True, ["300 sequences"])]
    rows = page(runs).splitlines()
    assert "| attacks | sequences of an attacker | 300 | 100,000 | 104 | 2026-11-21 | held: 300 sequences |" in rows
    assert "- worlds: seeds of 50 machines x 30 days, 10,000" in rows


@pytest.mark.parametrize(
    ("name", "share", "count", "told"),
    [
        ("attacks", 1.0, 100_000, "100,000"),
        ("attacks", 0.01, 1_000, "1,000"),
        ("kills", 0.001, 1, "1"),
        ("drills", 1.0, 1, "every one"),
        ("drills", 0.05, 20, "one in 20"),
    ],
)
def test_a_share_of_a_part(name: str, share: float, count: int, told: str) -> None:
    part: Part = BY_NAME[name]
    assert (part.count(share), part.told(part.count(share))) == (count, told)


def test_what_a_part_says_are_the_counts_of_its_test_run_or_its_last_line() -> None:
    run = f"..\n=== how much was tested ===\n       28 {Count.KILLS}\n1,000,000 {Count.POISON}\n2 passed in 3 s\n"
    assert said(run) == [f"28 {Count.KILLS}", f"1,000,000 {Count.POISON}"]
    assert said("seed 3: wrong\n10 seeds, 1 failed\n") == ["10 seeds, 1 failed"]
    assert said("") == []
