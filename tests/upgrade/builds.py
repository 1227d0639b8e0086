"""What earlier builds stored, as they wrote it: `rows/N_*.json`, one file for each change of the rows' columns.

Each file was written by the build itself and is never changed: `knows` are the columns that it reads and writes, by the
first letter of the key; `messages` what it put on queues; `rows` a small fleet, the same one for each of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.cloud.rows import AnyRow, row_of
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.point import Point
from shared.model.request import Request

HERE = Path(__file__).parent / "rows"
KINDS: Mapping[str, type[Any]] = {"m": Machine, "o": Operation, "p": Point, "r": Request}
KEYS = frozenset({"PartitionKey", "RowKey", "schema"})
DERIVED = frozenset({"wanted_at", "open", "complete", "expires"})

Entity = dict[str, Any]


@dataclass(frozen=True)
class Build:
    """An earlier build, by what it left."""

    name: str
    knows: Mapping[str, frozenset[str]]
    messages: Mapping[str, tuple[str, ...]]
    rows: tuple[Entity, ...]

    def of(self, letters: str) -> tuple[Entity, ...]:
        return tuple(row for row in self.rows if row["RowKey"][0] in letters)

    def through(self, row: Entity) -> Entity:
        """A row of a later build after this one read it and wrote it again: what it does not know is gone."""
        known = self.knows[row["RowKey"][0]] | KEYS | DERIVED
        return {name: value for name, value in row.items() if name in known or _continues(name, known)}


def _continues(name: str, known: frozenset[str]) -> bool:
    stem, _, number = name.rpartition("_")
    return number.isdecimal() and stem in known


def _build(file: Path) -> Build:
    document = json.loads(file.read_text(encoding="utf-8"))
    rows = tuple({name: _value(value) for name, value in row.items()} for row in document["rows"])
    knows = {letter: frozenset(names) for letter, names in document["knows"].items()}
    messages = {queue: tuple(texts) for queue, texts in document["messages"].items()}
    return Build(file.stem, knows, messages, rows)


def _value(value: object) -> object:
    return datetime.fromisoformat(value["instant"]).astimezone(UTC) if isinstance(value, dict) else value


def read(entity: Entity) -> AnyRow:
    row: AnyRow = row_of(KINDS[entity["RowKey"][0]], entity)
    return row


BUILDS = tuple(_build(file) for file in sorted(HERE.glob("*.json")))
