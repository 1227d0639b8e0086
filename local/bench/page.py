"""`python -m local.bench.page`: writes docs/performance.md and its curve from local/.run/bench.json.

Every number on the page comes from a row of that file; the words around them are here.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from local.bench.days import BILLS, LARGE, SMALL
from local.bench.fleets import DISKS
from local.bench.rows import AT_LEAST, kept
from local.stack import ROOT, RUN

PAGE, CURVE = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.svg"
HEAD = """# Performance

What Tagback costs and how fast it is, beside what Azure allows at best. Measured on the local stack: the unchanged app
in the functions host, Azurite, the simulator with Azure's own limits. Written by `python -m local.bench.page` from the
rows that `python -m local.bench` leaves in `local/.run/bench.json`; `FIGURES="imports drain_1k"` measures only those.

- Time is virtual where it is waited for and real where it is computed, so a busy machine makes drains look slower.
- *Bound* is what arithmetic allows at best: for a drain the least time in which Azure's buckets let so many calls
  through when the share that we leave to others is never touched.
- A setup that says *computed* was reckoned from two fleets that were measured, and shows the sum.
- *Load* is the machine's average load when the figure was taken. Where it is far above the number of processors, drains
  and `event_to_registered` are too slow. Executions, and with them the bill, are reckoned from processor time.

| figure | value | goal | bound | unit | measured | load |
|---|---|---|---|---|---|---|
"""
BESIDE = """
## Beside others

One point of a machine of two disks, taken and deleted again, on the same simulator. `make bench-peers` measures others.

| who | calls to ARM | processor seconds |
|---|---|---|
"""
# The figure of calls, of seconds, and how often the calls count for a machine.
OTHERS = (
    ("az_calls_per_machine", "az_processor_seconds_per_machine", 1, "a loop of `az` commands"),
    ("c7n_calls_per_machine", "c7n_processor_seconds_per_machine", 1, "Cloud Custodian, the deletion alone"),
)
OURS = ("all_calls_per_disk_day_10k", "processor_seconds_per_machine_day", DISKS, "Tagback, 10,000 machines, computed")
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 360, 60, 30, 320
RIGHT = 610
LOWEST, DECADES = -2, 5  # a cent to a thousand dollars

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Spot:
    """A fleet and its monthly bill."""

    machines: int
    dollars: float

    @property
    def x(self) -> float:
        return LEFT + (math.log10(self.machines) - 1) / 4.2 * (RIGHT - LEFT)

    @property
    def y(self) -> float:
        height = (math.log10(max(self.dollars, 10**LOWEST)) - LOWEST) / DECADES
        return BOTTOM - height * (BOTTOM - TOP)


def page(rows: Iterable[Row]) -> str:
    """The whole page."""
    known = [*rows]
    missed = [row for row in known if not _met(row)]
    parts = [HEAD, *(f"{_line(row)}\n" for row in known)]
    parts.append("\n## What a month costs\n\n![Monthly bill by number of machines](performance.svg)\n\n")
    parts.append(
        f"Fleets of {SMALL} and {LARGE} machines were measured; the curve is reckoned from them. Without storage of "
    )
    parts.append(
        "snapshots; prices and their dates are in `local/bench/prices.toml`.\n\n## How each figure was taken\n\n"
    )
    parts += [f"- `{row['figure']}`: {row['setup']}\n" for row in known]
    parts += _beside_others(known)
    if missed:
        parts.append("\n## Goals that are missed\n\n")
        parts += [f"- `{row['figure']}`: {row['value']} {row['unit']}, goal {_goal(row)}\n" for row in missed]
    return "".join(parts)


def _beside_others(rows: Sequence[Row]) -> Iterator[str]:
    """What a machine of two disks costs in calls and processor seconds, beside others where they were measured."""
    values = {str(row["figure"]): float(str(row["value"])) for row in rows}
    if not any(calls in values for calls, *_ in OTHERS):
        return
    yield BESIDE
    for calls, seconds, times, told in (*OTHERS, OURS):
        cells = [f"{values[name] * times:.2f}" if name in values else "not measured" for name in (calls, seconds)]
        yield f"| {told} | {' | '.join(cells)} |\n"


def _line(row: Row) -> str:
    bound = "" if row["bound"] is None else f"{row['bound']}"
    told = [f"`{row['figure']}`", row["value"], _goal(row), bound, row["unit"], row["measured"], row["load"]]
    return f"| {' | '.join(map(str, told))} |"


def _goal(row: Row) -> str:
    return "" if row["goal"] is None else f"{row['sense']} {row['goal']}"


def _met(row: Row) -> bool:
    if row["goal"] is None:
        return True
    value, goal = float(str(row["value"])), float(str(row["goal"]))
    return value >= goal if row["sense"] == AT_LEAST else value <= goal


def curve(rows: Iterable[Row]) -> str:
    """The bill by machines, both axes by decades: dashed, as it is reckoned from two measured fleets."""
    bills = {str(row["figure"]): float(str(row["value"])) for row in rows}
    figures = {size: f"monthly_bill_{name}" for size, (name, _) in BILLS.items()}
    spots = [Spot(size, bills[figure]) for size, figure in figures.items() if figure in bills]
    size = {"width": str(WIDTH), "height": str(HEIGHT), "viewBox": f"0 0 {WIDTH} {HEIGHT}"}
    drawing = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "font-family": "sans-serif"})
    ElementTree.SubElement(drawing, "rect", {"width": "100%", "height": "100%", "fill": "white"})
    for power in range(DECADES + 1):
        spot = Spot(10, 10.0 ** (LOWEST + power))
        _segment(drawing, [(LEFT, spot.y), (RIGHT, spot.y)], {"stroke": "#ddd"})
        _text(drawing, LEFT - 6, spot.y + 4, f"${10.0 ** (LOWEST + power):g}", "end")
    for spot in spots:
        _text(drawing, spot.x, BOTTOM + 18, f"{spot.machines:,}", "middle")
        circle = {"cx": f"{spot.x:.1f}", "cy": f"{spot.y:.1f}", "r": "4", "fill": "white", "stroke": "#06c"}
        ElementTree.SubElement(drawing, "circle", circle)
        _text(drawing, spot.x, spot.y - 10, f"${spot.dollars:.2f}", "middle")
    dashed = {"stroke": "#06c", "stroke-width": "2", "stroke-dasharray": "6 4"}
    _segment(drawing, [(spot.x, spot.y) for spot in spots], dashed)
    _text(drawing, (LEFT + RIGHT) / 2, 18, "dollars a month by machines of two disks, one point a day", "middle")
    return ElementTree.tostring(drawing, encoding="unicode") + "\n"


def _segment(drawing: ElementTree.Element, points: Sequence[tuple[float, float]], style: Mapping[str, str]) -> None:
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    ElementTree.SubElement(drawing, "polyline", {"points": places, "fill": "none", **style})


def _text(drawing: ElementTree.Element, x: float, y: float, words: str, anchor: str) -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "font-size": "12", "text-anchor": anchor, "fill": "#333"}
    ElementTree.SubElement(drawing, "text", place).text = words


def main() -> int:
    rows = [*kept(RUN / "bench.json")]
    if not rows:
        print("nothing was measured yet: run python -m local.bench", file=sys.stderr)
        return 1
    PAGE.write_text(page(rows))
    CURVE.write_text(curve(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
