"""How the demo is told: lines with the virtual time in front, and on a terminal a panel below that follows the month.

Used by every scene. Plain lines where nobody watches; pauses for reading only where somebody does. It counts nothing
itself: numbers are given to it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

PANEL_HZ = 4
WIDE = 160  # where nobody watches
STEP = 1.6  # seconds to read a line of a scene
COUNTERS = (
    "machines",
    "points",
    "snapshots taken",
    "deleted",
    "refused by Azure",
    "faults met",
    "host killed",
    "ARM calls",
)


@dataclass(slots=True)
class Progress:
    """What the panel shows beside the time."""

    start: datetime
    end: datetime
    numbers: dict[str, int] = field(default_factory=dict)
    trouble: str = ""


class Screen:
    """Readable lines; colours and a panel only on a terminal."""

    def __init__(self, now: Callable[[], datetime], progress: Progress | None = None) -> None:
        self._console = Console(
            highlight=False, markup=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE
        )
        self._now = now
        self._lock = threading.Lock()
        self._live: Live | None = None
        self.progress = progress

    @property
    def watched(self) -> bool:
        """Whether a person sees it as it happens."""
        return self._console.is_terminal

    def open(self) -> None:
        """Show the panel, where there is somebody to see it."""
        if self.watched and self.progress is not None:
            self._live = Live(get_renderable=self._panel, console=self._console, refresh_per_second=PANEL_HZ)
            self._live.start()

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def line(self, text: str, style: str = "") -> None:
        with self._lock:
            stamp = Text(f"{self._now():%a %d %b %H:%M}  ", style="dim")
            self._console.print(stamp.append(text, style=style or "not dim"))

    def heading(self, text: str) -> None:
        self._console.print(f"\n{text}", style="bold")

    def plain(self, text: str) -> None:
        self._console.print(text)

    def table(self, table: Table) -> None:
        self._console.print(table)

    def step(self, text: str) -> None:
        """One line of a scene, and the time to read it."""
        self.line(f"    {text}", "cyan")
        self.pause(STEP)

    def pause(self, seconds: float) -> None:
        if self.watched:
            time.sleep(seconds)

    def _panel(self) -> RenderableType:
        progress = self.progress
        assert progress is not None
        now, whole = self._now(), progress.end - progress.start
        day = min((now - progress.start) / timedelta(days=1), whole / timedelta(days=1))
        grid = Table.grid(padding=(0, 3))
        cells = [f"{name} {progress.numbers.get(name, 0):,}" for name in COUNTERS]
        for start in range(0, len(cells), 4):
            grid.add_row(*cells[start : start + 4])
        bar = ProgressBar(total=whole / timedelta(days=1), completed=max(day, 0.0), width=60)
        title = f"{now:%A %d %B %Y %H:%M} UTC · day {int(day) + 1} of {whole.days}"
        return Panel(Group(bar, grid, Text(progress.trouble or "no trouble now", style="yellow")), title=title)
