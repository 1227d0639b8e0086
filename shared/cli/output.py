"""How answers leave the command line: one JSON document, or plain tables that stay readable in a pipe and a terminal.

Used by main.py. A table shows the same values as the JSON; nothing is looked up or decided here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

import click
from rich.console import Console
from rich.text import Text

from shared.cli.layout import Column, indented, laid_out

PIPE_WIDTH = 10_000  # in a pipe a row is one line, whatever its length, so that grep and awk see whole rows
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]")
STYLES = {
    "protected": "green",
    "succeeded": "green",
    "complete": "green",
    "pending": "cyan",
    "degraded": "yellow",
    "failed": "yellow",
    "incomplete": "yellow",
    "unprotected": "bold red",
    "gave-up": "bold red",
    "needs-person": "bold red",
    "excluded": "dim",
    "gone": "dim",
}


class Form(StrEnum):
    """What `--output` can be."""

    TABLE = "table"
    JSON = "json"


def print_json(document: object) -> None:
    """The one document on standard output."""
    click.echo(json.dumps(document, indent=2))


def print_table(columns: Sequence[Column], rows: Sequence[Mapping[str, object]]) -> None:
    """One line per row in a pipe; a terminal that is too narrow folds what is text and loses nothing."""
    console = _console()
    cells = [[cell(row.get(column.field)) for column in columns] for row in rows]
    for line in laid_out(columns, cells, console):
        console.print(line, soft_wrap=True)


def print_lines(lines: Sequence[str]) -> None:
    """Sentences, one per line; what does not fit in it goes on below its own first word."""
    console = _console()
    for line in lines:
        text = printable(line)
        start = len(text) - len(text.lstrip(" -"))
        first, *others = indented(Text(text[start:]), start, console)
        for shown in (Text(text[:start]).append_text(first[start:]), *others):
            console.print(shown, soft_wrap=True)


def _console() -> Console:
    console = Console(markup=False, emoji=False, highlight=False)
    return console if console.is_terminal else Console(markup=False, emoji=False, highlight=False, width=PIPE_WIDTH)


def cell(value: object) -> Text:
    """A value as a person reads it; `-` for nothing."""
    text = words(value)
    return Text(printable(text), style=STYLES.get(text, ""))


def words(value: object) -> str:
    """A value as text, instants to the minute, `-` for nothing."""
    return "-" if value is None or value == "" else minute(str(value))


def minute(text: str) -> str:
    """An instant to the minute: `2026-11-20 02:00Z`; every other text as it is."""
    return f"{text[:10]} {text[11:16]}Z" if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text) else text


def printable(text: str) -> str:
    """The text with everything written out that would move the cursor or reorder the line: tags are foreign text."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", " ".join(text.split("\n")))
