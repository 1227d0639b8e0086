"""Writes down what people and the world do while it happens: `script.jsonl` of the evidence.

Used by every scene. The judges read it to know what was asked for and what was in the way; nobody else does.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path


class Script:
    """The lines, in the order in which they were through."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.folder = path.parent
        self._lock = threading.Lock()
        self.acts: list[Mapping[str, object]] = []
        path.write_text("")

    def note(self, do: str, at: datetime, until: datetime | None = None, **said: object) -> None:
        """Keep one act: what was done, since when, and when it was through."""
        line = {"do": do, "at": at.isoformat(), "until": (until or at).isoformat(), **said}
        with self._lock, self.path.open("a", encoding="utf-8") as lines:
            self.acts.append(line)
            lines.write(json.dumps(line) + "\n")

    def count(self, *words: str) -> int:
        return sum(1 for act in self.acts if act["do"] in words)
