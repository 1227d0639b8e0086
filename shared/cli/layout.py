"""Lays a table out in the width that there is: dates and states stay whole, what people wrote folds at words.

Called by output.py. Columns that find no room beside the others go below their row, the last ones first, so that
nothing is lost in a narrow terminal. It knows no field and prints nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.console import Console
from rich.text import Text

GAP = 2
INDENT = 4
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and the field of the JSON value that stands below it.

    `least` is how narrow the column may be folded; 0 says that its values are never folded.
    """

    heading: str
    field: str
    least: int = 0


def laid_out(columns: Sequence[Column], rows: Sequence[Sequence[Text]], console: Console) -> list[Text]:
    """The lines of a table: its heading, then each row with what went below it."""
    natural = [max(len(column.heading), *(row[at].cell_len for row in rows), 0) for at, column in enumerate(columns)]
    beside = _beside(columns, natural, console.width)
    widths = _widths(columns[:beside], natural, console.width)
    heads = [Text(column.heading, style="bold") for column in columns[:beside]]
    lines = _folded(heads, widths, console)
    for row in rows:
        lines += _folded(row[:beside], widths, console)
        for column, value in zip(columns[beside:], row[beside:], strict=True):
            if value.plain != NOTHING:
                lines += indented(Text(f"{column.heading.lower()}: ").append_text(value), INDENT, console)
    return lines


def _beside(columns: Sequence[Column], natural: Sequence[int], width: int) -> int:
    """How many columns, from the left, fit beside each other; the first one always does."""
    needed = -GAP
    for number, (column, whole) in enumerate(zip(columns, natural, strict=True)):
        needed += GAP + _least(column, whole)
        if needed > width:
            return max(number, 1)
    return len(columns)


def _widths(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int]:
    """Every column has its least; what is left goes to those that fold, the first ones first, half of it at most."""
    widths = [_least(column, whole) for column, whole in zip(columns, natural, strict=False)]
    room = max(width - sum(widths) - GAP * (len(widths) - 1), 0)
    for at in range(len(widths)):
        wanted = natural[at] - widths[at]
        last = not any(natural[after] > widths[after] for after in range(at + 1, len(widths)))
        given = min(wanted, room if last else room // 2)
        widths[at] += given
        room -= given
    return [min(each, width) for each in widths]


def _least(column: Column, whole: int) -> int:
    return min(whole, max(column.least, len(column.heading))) if column.least else whole


def _folded(cells: Sequence[Text], widths: Sequence[int], console: Console) -> list[Text]:
    """One row, on as many lines as its longest cell takes."""
    folded = [cell.wrap(console, width, overflow="fold") for cell, width in zip(cells, widths, strict=True)]
    return [_joined(line, widths) for line in zip_longest(*folded)]


def _joined(cells: Iterable[Text | None], widths: Sequence[int]) -> Text:
    line = Text()
    for cell, width in zip(cells, widths, strict=True):
        part = (cell or Text()).copy()
        part.rstrip()
        line.append_text(part).append(" " * (width - part.cell_len + GAP))
    line.rstrip()
    return line


def indented(text: Text, indent: int, console: Console) -> list[Text]:
    """A sentence below a row, or below its own first words: every line begins `indent` further right."""
    lines = text.wrap(console, max(console.width - indent, 1), overflow="fold")
    for line in lines:
        line.rstrip()
    return [Text(" " * indent).append_text(line) for line in lines]
