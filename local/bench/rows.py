"""A measured figure beside its goal and the bound that nobody can beat, and the file that keeps them: bench.json.

Used by every measurement of this package. A figure that is measured again replaces its row; the others keep theirs,
with the day on which they were measured and the load of the machine then.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

AT_MOST, AT_LEAST = "at most", "at least"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `goal` is None where there is none; `bound` is what arithmetic allows at best, if there is one."""

    figure: str
    value: float
    goal: float | None
    bound: float | None
    unit: str
    setup: str
    sense: str = AT_MOST

    def met(self) -> bool:
        """Whether the goal is reached."""
        if self.goal is None:
            return True
        return self.value >= self.goal if self.sense == AT_LEAST else self.value <= self.goal

    def line(self) -> str:
        """The row as people read it."""
        goal = "" if self.goal is None else f"{self.sense} {self.goal:g}"
        mark = "ok" if self.met() else "MISSED"
        return f"{self.figure:34} {self.value:12.3f} {self.unit:12} {goal:16} {mark:7} {self.setup}"


def keep(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows over those of the same figures."""
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    known = {str(row["figure"]): row for row in kept(path)}
    for row in rows:
        load = round(os.getloadavg()[0], 1)
        known[row.figure] = {**asdict(row), "value": round(row.value, 4), "measured": today, "load": load}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"rows": list(known.values())}, indent=1) + "\n")


def kept(path: Path) -> Iterator[dict[str, object]]:
    """The rows of earlier runs."""
    if path.exists():
        yield from json.loads(path.read_text())["rows"]
