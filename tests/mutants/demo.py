"""`python -m tests.mutants --demo [NAME ...]`: runs the demo with each bug planted, and says which judge spoke.

What such runs have shown is written down in demo.toml, with the bugs that no demo can show and why.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutants.planting import FOLDER, Copy, Mutant

SHOWN = FOLDER / "demo.toml"
LONGEST = 3600  # seconds that one demo may take
SUMMARY = Path("local", ".run", "summary.json")
MONTH = Path("local", "scenarios", "month.toml")
DRAWN = re.compile(r"(\[\[kind\]\]\n(?:.+\n)*?count = )\d+")


@dataclass(frozen=True, slots=True)
class Wish:
    """How long the demos are to be, their seed, and which scenario they play."""

    days: int
    seed: int
    scenario: str = "month"


@dataclass(frozen=True, slots=True)
class Told:
    """How a demo ended: its exit code, and what each judge, floor or part that spoke has to say."""

    code: int
    spoke: tuple[str, ...]


def demonstrated(copy: Copy, mutant: Mutant | None, wish: Wish) -> Told:
    """Run the demo in a copy with a bug planted, or as it is; the bug is gone again afterwards."""
    if mutant is None:
        return _run(copy, wish)
    copy.plant(mutant)
    try:
        return _run(copy, wish)
    finally:
        copy.clear(mutant)


def thinned(copy: Copy) -> Copy:
    """The copy with one machine of each kind that is drawn: half of the fleet, and every story and trouble."""
    month = copy.root / MONTH
    month.write_text(DRAWN.sub(r"\g<1>1", month.read_text(encoding="utf-8")), encoding="utf-8")
    return copy


def _run(copy: Copy, wish: Wish) -> Told:
    summary = copy.root / SUMMARY
    summary.unlink(missing_ok=True)
    asked = {"DAYS": str(wish.days), "SEED": str(wish.seed), "SCENARIO": wish.scenario}
    done = subprocess.run(
        [sys.executable, "-m", "local.demo"],
        cwd=copy.root,
        env={**os.environ, **asked, "PYTHONPATH": str(copy.root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST,
    )
    if summary.exists():
        return Told(done.returncode, tuple(who_spoke(json.loads(summary.read_text(encoding="utf-8")))))
    return Told(done.returncode, tuple(done.stderr.strip().splitlines()[-1:]))


def who_spoke(summary: Mapping[str, Any]) -> Iterator[str]:
    """The judges that saw a violation, each with its first, and the floors that were missed."""
    for name, promise in summary["promises"].items():
        found = promise["violations"]
        if found:
            yield f"{name} {len(found)} times: {found[0]['what']} ({found[0]['where']})"
    yield from (f"floor: {line}" for line in summary["missed"])


def shown(path: Path = SHOWN) -> Mapping[str, Mapping[str, Any]]:
    """What is written down, by the bug's name."""
    return tomllib.loads(path.read_text(encoding="utf-8"))
