"""Reads an evidence folder into plain records, and the few values that every judge asks of them.

Called once per folder. It knows the files of docs/contract.md and nothing of the product.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything observed. `rows` are dumps of all tables, one after the other, each named by its `day`."""

    calls: tuple[Record, ...]
    events: tuple[Record, ...]
    rows: tuple[Record, ...]
    requests: tuple[Record, ...]
    resources: tuple[Record, ...]
    audit: tuple[Record, ...]


def read(folder: Path) -> Evidence:
    """The evidence in a folder; a missing file is an error, never an empty answer."""
    return Evidence(
        calls=tuple(lines(folder / "calls.jsonl")),
        events=tuple(lines(folder / "events.jsonl")),
        rows=tuple(lines(folder / "rows.jsonl")),
        requests=tuple(lines(folder / "requests.jsonl")),
        resources=tuple(json.loads((folder / "state.json").read_text(encoding="utf-8"))),
        audit=tuple(lines(folder / "audit.txt")),
    )


def lines(path: Path) -> Iterator[Record]:
    """The objects of a JSON Lines file."""
    with path.open(encoding="utf-8") as texts:
        for number, text in enumerate(texts, 1):
            try:
                found = json.loads(text)
            except ValueError as problem:
                raise ValueError(f"{path.name}, line {number}: {problem}") from problem
            yield found


def instant(text: str) -> datetime:
    """An ISO time as the evidence has it, or a stamp such as 20270310T0200Z; in UTC."""
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def maybe_instant(text: object) -> datetime | None:
    return instant(str(text)) if text else None


def path_of(call: Record) -> str:
    """The resource a call was about, folded."""
    return str(call["path"]).partition("?")[0].lower().rstrip("/")


def tag(resource: Record, name: str) -> str:
    """A tag's value by its name whatever its case; empty without it."""
    tags = {str(key).lower(): str(value) for key, value in (resource.get("tags") or {}).items()}
    return tags.get(name, "")


def listed(row: Record, name: str) -> list[Any]:
    """A column that holds JSON."""
    found = json.loads(row.get(name) or "[]")
    return found if isinstance(found, list) else []


def table(row: Record, name: str) -> Record:
    """A column that holds a JSON object; empty without it."""
    found = json.loads(row.get(name) or "{}")
    return found if isinstance(found, dict) else {}
