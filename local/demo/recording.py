"""Makes the README's recording of a run: `make demo | tee LOG`, then `python -m local.demo.recording LOG`.

Writes docs/demo.svg: the lines of the run that tell its story, as they were printed, scrolling by in a terminal. Each
day, each scene and each drill is in it, of the troubles only their names; nothing is made up, and nothing changed but
where a line is broken at the window's edge.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from textwrap import wrap
from xml.etree import ElementTree

from local.stack import ROOT

SVG = ROOT / "docs" / "demo.svg"
COLUMNS, ROWS = 124, 30
LINE, WIDTH, MARGIN = 16, 7.25, 14  # pixels
PACE, REST = 0.45, 10.0  # seconds: for a line to go by, and to read the last window
TIMED = re.compile(r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d \w{3} \d\d:\d\d  (?P<said>.*)")
TELLING = re.compile(
    r"the day ends|drill of|[FT]\d+: |.* machines are created|by tags and plans"
    # what a scene goes on to say when it has made way for the world
    r"|    (kill -9|The ledger knows only|part\.adopted|The snapshot was asked)"
)
FIRST = "Tagback demo:"
LAST = ("Judged from outside", "What happened", "The bill", "All is well", "NOT WELL")
COLOURS = (
    (re.compile(r"VIOLATED|FAILED|NOT WELL|floor missed"), "#ff7b72"),
    (re.compile(r"  --- .* ---$|  ---$"), "#79c0ff"),
    (re.compile(r"\d\d:\d\d      "), "#a5d6ff"),
    (re.compile(r"\d\d:\d\d  [FT]\d+: "), "#e3b341"),
    (re.compile(r" proven: | holds *$|All is well"), "#7ee787"),
    (re.compile(r"the day ends|^[A-Z]"), "#f0f6fc"),
)
PLAIN = "#9da7b3"


def chosen(log: Sequence[str]) -> Iterator[str]:
    """The lines that tell the story: the first, each scene whole, each day and drill; and at the end the verdict."""
    scene = ending = False
    for before, line in pairwise(["", *log]):
        found = TIMED.match(line)
        if found is None:
            if line and not before:
                ending = line.startswith((*LAST, FIRST))
            if ending:
                yield line
            continue
        ending = False
        said = found["said"]
        if said.startswith("---"):
            scene = said != "---"
            yield line
        elif scene or TELLING.match(said):
            yield line


def recording(lines: Sequence[str]) -> str:
    """The drawing of a terminal in which the lines scroll by, again and again."""
    painted = [(part, colour(line)) for line in lines for part in broken(line)]
    width, height = round(COLUMNS * WIDTH + 2 * MARGIN), ROWS * LINE + 2 * MARGIN
    steps = max(len(painted) - ROWS, 0)
    whole = steps * PACE + REST
    drawing = ElementTree.Element(
        "svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width} {height}", "role": "img"}
    )
    ElementTree.SubElement(drawing, "title").text = "The demo, in a terminal"
    ElementTree.SubElement(drawing, "style").text = (
        f"@keyframes roll {{ {steps * PACE / whole:.2%} {{ transform: translateY(-{steps * LINE}px) }} "
        f"to {{ transform: translateY(-{steps * LINE}px) }} }} "
        f".roll {{ animation: roll {whole:.1f}s steps({max(steps, 1)}) infinite }} "
        "text { font: 12px ui-monospace, Menlo, Consolas, monospace; white-space: pre }"
    )
    size = {"width": str(width), "height": str(height)}
    ElementTree.SubElement(drawing, "rect", {**size, "rx": "8", "fill": "#0d1117"})
    window = ElementTree.SubElement(
        drawing, "svg", {"y": str(MARGIN), "width": str(width), "height": str(ROWS * LINE), "overflow": "hidden"}
    )
    rolling = ElementTree.SubElement(window, "g", {"class": "roll"})
    for number, (line, paint) in enumerate(painted):
        place = {"x": str(MARGIN), "y": str(number * LINE + 12), "fill": paint}
        ElementTree.SubElement(rolling, "text", place).text = line
    ElementTree.indent(drawing, "")
    return ElementTree.tostring(drawing, encoding="unicode") + "\n"


def broken(line: str) -> list[str]:
    """The line as it fits into the window; what goes on below stands beside the time."""
    return wrap(line, COLUMNS, subsequent_indent=" " * 22, drop_whitespace=False, tabsize=1) or [line]


def colour(line: str) -> str:
    return next((paint for pattern, paint in COLOURS if pattern.search(line)), PLAIN)


def main(words: Sequence[str]) -> int:
    if len(words) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    lines = [line.rstrip() for line in Path(words[0]).read_text(encoding="utf-8").splitlines()]
    SVG.write_text(recording([*chosen(lines)]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
