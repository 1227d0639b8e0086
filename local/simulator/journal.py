"""The state file: one JSON line per change, the last line of a key wins, so a killed simulator comes back as it was.

The store, the schedule, the operations and the deliveries write through it; it knows none of them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO


class Journal:
    """Append-only memory of everything that must outlive the process; without a file it forgets."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lines: dict[tuple[str, str], Any] = {}
        self._file: TextIO | None = None
        if path is None:
            return
        if path.exists():
            self._read(path)
        self._compact(path)

    def _read(self, path: Path) -> None:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    kind, key, value = json.loads(line)
                except ValueError:
                    continue  # a kill can cut the last line short; that change was never answered
                if value is None:
                    self._lines.pop((kind, key), None)
                else:
                    self._lines[kind, key] = value

    def _compact(self, path: Path) -> None:
        fresh = path.with_suffix(path.suffix + ".new")
        with fresh.open("w", encoding="utf-8") as out:
            for (kind, key), value in self._lines.items():
                out.write(json.dumps([kind, key, value]) + "\n")
        fresh.replace(path)
        self._file = path.open("a", encoding="utf-8")

    def recall(self, kind: str) -> Iterator[tuple[str, Any]]:
        """Return what was kept of a kind; asked once, at start."""
        for found, key in [name for name in self._lines if name[0] == kind]:
            yield key, self._lines.pop((found, key))

    def put(self, kind: str, key: str, value: Any) -> None:
        """Keep a value; None forgets it."""
        if self._file is not None:
            self._file.write(json.dumps([kind, key, value]) + "\n")

    def keeps(self) -> bool:
        """Tell whether anything is written at all, so that callers can spare the work of describing it."""
        return self._file is not None

    def flush(self) -> None:
        """Hand the lines to the operating system; done once per request."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
