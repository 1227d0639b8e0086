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
from datetime import UTC, datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

PANEL_HZ = 4
WIDE = 160  # where nobody watches
STEP = 1.6  # seconds to read a line of a scene
BAR = 60
PER_ROW = 4
COUNTERS = ("machines", "points", "snapshots", "deletions", "refusals", "faults met", "kills", "calls to Azure")
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Progress:
    """What the panel shows beside the time."""

    start: datetime
    end: datetime
    numbers: dict[str, int] = field(default_factory=dict)
    trouble: str = ""
    trouble_until: datetime = LONG_AGO

    def meet(self, trouble: str, until: datetime) -> None:
        """Something goes wrong for a while."""
        self.trouble, self.trouble_until = trouble, until


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
        done = min(max((now - progress.start) / whole, 0.0), 1.0)
        filled = round(done * BAR)
        bar = Text("━" * filled, "green").append("━" * (BAR - filled), "dim")
        grid = Table.grid(padding=(0, 3))
        cells = [f"{progress.numbers.get(name, 0):,} {name}" for name in COUNTERS]
        for start in range(0, len(cells), PER_ROW):
            grid.add_row(*cells[start : start + PER_ROW])
        trouble = progress.trouble if now < progress.trouble_until else "no trouble now"
        title = f"{now:%A %d %B %Y %H:%M} UTC · day {min(int(done * whole.days) + 1, whole.days)} of {whole.days}"
        return Panel(Group(bar, grid, Text(trouble, "yellow")), title=title)
