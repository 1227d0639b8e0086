"""The end of a test run says how much was tested, whichever process counted it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.counts import Count

ROOT = Path(__file__).parent.parent
SMALL = """
import pytest
from tests.counts import Count

@pytest.mark.parametrize("number", [700, 800])
def test_counts(counted, number):
    counted(Count.SEQUENCES, number)
    counted(Count.DELETED, 3)

def test_counts_nothing():
    pass

tries = []

@pytest.mark.flaky(reruns=1)
def test_is_run_again(counted):
    tries.append(1)
    counted(Count.POISON, 5)
    assert len(tries) == 2
"""


@pytest.mark.parametrize("processes", ["0", "2"])
def test_counts_of_all_processes_are_added_up(tmp_path: Path, processes: str) -> None:
    (tmp_path / "test_small.py").write_text(SMALL)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "tests.counts", "-p", "no:cacheprovider", "-n", processes]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    said = done.stdout.partition("how much was tested")[2].splitlines()
    counts = dict(re.findall(r"^ +([\d,]+) (.+)$", "\n".join(said), re.MULTILINE))
    assert counts == {"1,500": Count.SEQUENCES, "6": Count.DELETED, "5": Count.POISON}


@pytest.mark.parametrize("count", Count, ids=lambda count: count.name)
def test_every_count_is_counted_by_a_test(count: Count) -> None:
    texts = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]
    assert any(f"counted(Count.{count.name}," in text for text in texts)
