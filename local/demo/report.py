"""What the demo shows and leaves: lines on the screen, the product's own answers, and summary.json.

Counts come from the evidence alone. Used by the demo's main program; it judges nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from local.clock.conductor import Statistics
from local.demo import counts
from local.demo.floors import missed
from local.demo.telling import WIDE, Screen
from local.judges import PROMISES, Finding, World
from local.judges.evidence import Record
from local.stack import ROOT, Stack

SHOWN = 10
NARROWEST = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said."""

    code: int
    output: str
    errors: str

    def document(self) -> Any:
        return json.loads(self.output)


class CommandLine:
    """`tagback`, run as a user does who has sourced local/.run/env, at the stack's instant."""

    def __init__(self, stack: Stack) -> None:
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": columns(), **stack.settings}
        self._words = [sys.executable, "-m", "local.clock", "--run", str(stack.wanted.run), "--", "tagback"]

    def run(self, *words: str) -> Answer:
        done = subprocess.run(
            [*self._words, *words], env=self._environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def done(self, *words: str) -> Answer:
        """Run what must not be refused; RuntimeError when it is."""
        answer = self.run(*words)
        if answer.code:
            raise RuntimeError(f"tagback {' '.join(words)}: exit {answer.code}: {answer.errors.strip()}")
        return answer

    def show(self, screen: Screen, *words: str) -> Answer:
        """Run it before the reader's eyes."""
        answer = self.run(*words)
        screen.heading(f"$ tagback {' '.join(words)}")
        screen.plain((answer.output + answer.errors).rstrip() + (f"\n(exit {answer.code})" if answer.code else ""))
        return answer


def columns() -> str:
    """The width of what commands print: the terminal's, or wide where there is none."""
    return str(max(NARROWEST, shutil.get_terminal_size((WIDE, 0)).columns))


@dataclass(frozen=True, slots=True)
class Run:
    """The run itself, as numbers."""

    seed: int
    wall_seconds: float
    statistics: Statistics
    cpu_seconds: Mapping[str, float]


def summary(world: World, rules: Sequence[Record], findings: Mapping[str, Finding], run: Run) -> dict[str, Any]:
    """What summary.json says; every count comes from the evidence."""
    script, window = world.script, counts.quiet_day(world)
    kills = script.of("kill")
    document: dict[str, Any] = {
        "seed": run.seed,
        "started": script.start.isoformat(),
        "virtual_days": round((script.end - script.start) / counts.DAY, 2),
        "wall_seconds": round(run.wall_seconds, 1),
        "cpu_seconds": dict(run.cpu_seconds),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "machines": sum(1 for machine in world.machines if world.wholes_of.get(machine.uid)),
        "six_hourly_machines": counts.six_hourly(world),
        "points": len(world.wholes),
        "snapshots": len(world.puts),
        "expired": counts.expired(world),
        "retried": counts.retried(world),
        "adopted": counts.adopted(world, rules),
        "recreated": counts.recreated(world),
        "kills": len(kills),
        "kills_mid_put": sum(1 for act in kills if act.said.get("mid_put")),
        "faults": counts.faults(world, rules),
        "arm_calls": len(world.calls),
        "calls_per_disk_day": window and window.document(),
        "storage_ops": len(world.evidence.requests),
        "jumps": run.statistics.jumps,
        "promises": {
            name: {"checked": finding.checked, "violations": [asdict(found) for found in finding.violations]}
            for name, finding in findings.items()
        },
    }
    document["missed"] = list(missed(document))
    sound = not any(finding.violations for finding in findings.values())
    return {"ok": sound and not document["missed"], **document}


def show_end(screen: Screen, document: Mapping[str, Any], findings: Mapping[str, Finding]) -> None:
    """The promises with their counts, the bill, what was missed, and where to look next."""
    screen.heading("Judged from outside: Azure's state, every call, table rows of every day, storage's own log")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name, right in (("", False), ("promise", False), ("checked", True), ("", False)):
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for name, finding in findings.items():
        broken = len(finding.violations)
        verdict = Text("holds", "green") if finding.checked else Text(finding.note or "nothing to look at", "dim")
        if broken:
            verdict = Text(f"VIOLATED {broken} times", "bold red")
        table.add_row(name, PROMISES[name][0], f"{finding.checked:,}", verdict)
    screen.table(table)
    for name, finding in findings.items():
        for violation in finding.violations[:SHOWN]:
            screen.plain(f"  {name} {violation.at} {violation.where}: {violation.what}")
    show_bill(screen, document)
    for line in document["missed"]:
        screen.plain(f"  floor missed: {line}")


def show_bill(screen: Screen, document: Mapping[str, Any]) -> None:
    """What happened, and what it cost in calls."""
    numbers = ("machines", "points", "snapshots", "expired", "retried", "adopted", "recreated", "kills")
    screen.heading("What happened")
    screen.plain("  " + " · ".join(f"{document[name]:,} {name}" for name in numbers))
    screen.plain("  faults met: " + ", ".join(f"{name} {count}" for name, count in document["faults"].items()))
    screen.heading("The bill")
    screen.plain(f"  {document['arm_calls']:,} calls to Azure, {document['storage_ops']:,} to storage")
    window = document["calls_per_disk_day"]
    if window:
        screen.plain(
            f"  {window['writes_deletes']} writes and deletes and {window['reads']} reads per disk and day "
            f"({window['writes_deletes_per_snapshot']} and {window['reads_per_snapshot']} per snapshot), "
            f"{window['window']}"
        )
    cpu = ", ".join(f"{name} {seconds}" for name, seconds in document["cpu_seconds"].items())
    screen.plain(f"  {document['wall_seconds']} s on this machine, {document['jumps']} jumps; processor seconds: {cpu}")


def show_next(screen: Screen, run: Path) -> None:
    """What to open next."""
    screen.heading("What to open next")
    screen.plain(f"  {run / 'summary.json'}  the numbers above")
    screen.plain(f"  {run / 'evidence'}  all a stranger needs: python -m local.judges {run / 'evidence'}")
    screen.plain("  make up  the same stack at the real time, to play with")


def write_summary(folder: Path, document: Mapping[str, object]) -> None:
    (folder / "summary.json").write_text(json.dumps(document, indent=1) + "\n")
