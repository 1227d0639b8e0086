"""docs/soak.md from what was run last: written by `python -m tests.soak --write`, one row for each part.

The runs are kept beside this file, so that no figure is ever copied by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.soak.parts import PARTS

RUNS = Path(__file__).with_name("runs.json")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "soak.md"
HEAD = """# The soak: what was run at how much of its full count

`make soak` runs everything that `make test` samples, at full count, and writes this page; `SHARE=0.01` runs a
hundredth, `python -m tests.soak --share S --part NAME --write` a share of one part. Each row is what the part's last
run said; what `make test` runs is no row here.

| part | what | run | of | processor seconds | on | end |
|---|---|---:|---:|---:|---|---|
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How the last run of a part ended: how many were run, on which day, the processor time, what was said of it."""

    part: str
    count: int
    day: str
    seconds: int
    held: bool
    said: Sequence[str]


def known() -> list[Ended]:
    """The last run of every part that was run."""
    return [Ended(**row) for row in json.loads(RUNS.read_text(encoding="utf-8"))] if RUNS.exists() else []


def keep(run: Ended) -> None:
    """Put a run in the place of the last one of its part, and write the page."""
    order = [part.name for part in PARTS]
    runs = sorted([*(row for row in known() if row.part != run.part), run], key=lambda row: order.index(row.part))
    RUNS.write_text(json.dumps([asdict(row) for row in runs], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(runs), encoding="utf-8")


def page(runs: Iterable[Ended]) -> str:
    """The whole page."""
    by_name = {run.part: run for run in runs}
    rows, unrun = list[str](), list[str]()
    for part in PARTS:
        if part.name not in by_name:
            unrun.append(f"- {part.name}: {part.what}, {part.told(part.full)}\n")
            continue
        run = by_name[part.name]
        end = f"{'held' if run.held else 'FAILED'}: {'; '.join(run.said)}"
        figures = [part.told(run.count), part.told(part.full), f"{run.seconds:,}", run.day, end.replace("|", "/")]
        rows.append(f"| {part.name} | {part.what} | {' | '.join(figures)} |\n")
    rest = ["\nNot run beyond the counts of `make test`:\n\n", *unrun] if unrun else []
    return "".join([HEAD, *rows, *rest])
