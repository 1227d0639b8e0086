"""What the demo shows and leaves: lines on the screen, the product's own answers, and summary.json.

Counts come from the evidence alone. Used by the demo's main program; it judges nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from local.clock.conductor import Statistics
from local.demo.story import PRODUCT, SNAPSHOT, Finding, Story, instant, tag, usable
from local.demo.telling import Screen
from local.stack import ROOT, Stack


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
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160", **stack.settings}
        self._words = [sys.executable, "-m", "local.clock", "--run", str(stack.wanted.run), "--", "tagback"]

    def run(self, *words: str) -> Answer:
        done = subprocess.run(
            [*self._words, *words], env=self._environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def show(self, screen: Screen, *words: str) -> Answer:
        """Run it before the reader's eyes."""
        answer = self.run(*words)
        screen.heading(f"$ tagback {' '.join(words)}")
        screen.plain((answer.output + answer.errors).rstrip() + (f"\n(exit {answer.code})" if answer.code else ""))
        return answer


@dataclass(frozen=True, slots=True)
class Run:
    """The run itself, as numbers."""

    seed: int
    wall_seconds: float
    statistics: Statistics


def calls_per_disk_day(story: Story) -> dict[str, object]:
    """ARM calls of the product for each disk captured on the last whole day, writes and deletes apart from reads."""
    window = (story.end - timedelta(days=1), story.end)
    calls = [c for c in story.evidence.calls if c["principal"] == PRODUCT and window[0] <= instant(c["t"]) < window[1]]
    taken = [
        s for s in story.of_type(SNAPSHOT) if window[0] <= instant(s["born"]) < window[1] and tag(s, "tagback-disk")
    ]
    disks = len({tag(snapshot, "tagback-disk") for snapshot in taken})
    reads = sum(1 for call in calls if call["method"] == "GET" or str(call["operation"]).lower().endswith("/read"))
    return {
        "from": window[0].isoformat(),
        "until": window[1].isoformat(),
        "disks": disks,
        "snapshots": len(taken),
        "writes_deletes": round((len(calls) - reads) / disks, 2) if disks else None,
        "reads": round(reads / disks, 2) if disks else None,
    }


def summary(story: Story, findings: Mapping[str, Finding], run: Run) -> dict[str, object]:
    """The fields of summary.json that this demo can fill, each counted from the evidence."""
    started = story.scenario.start
    return {
        "ok": not any(finding.violations for finding in findings.values()),
        "seed": run.seed,
        "started": started.isoformat(),
        "virtual_days": round((story.end - started) / timedelta(days=1), 2),
        "wall_seconds": round(run.wall_seconds, 1),
        "machines": sum(len(story.incarnations(machine)) for machine in story.scenario.machines),
        "points": sum(1 for row in story.points() if row["complete"]),
        "snapshots": sum(1 for snapshot in story.of_type(SNAPSHOT) if usable(snapshot)),
        "expired": story.expired(),
        "retried": story.retried(),
        "adopted": story.adopted(),
        "kills": 0,
        "faults": {},
        "arm_calls": sum(1 for call in story.evidence.calls if call["principal"] == PRODUCT),
        "calls_per_disk_day": calls_per_disk_day(story),
        "storage_ops": len(story.evidence.requests),
        "jumps": run.statistics.jumps,
        "promises": {
            name: {"checked": finding.checked, "violations": [asdict(found) for found in finding.violations]}
            for name, finding in findings.items()
        },
    }


def show_findings(screen: Screen, findings: Mapping[str, Finding]) -> None:
    screen.heading("Checked from outside (Azure's state, table rows, request logs)")
    for name, finding in findings.items():
        verdict = "holds" if not finding.violations else f"VIOLATED {len(finding.violations)} times"
        screen.plain(f"  {name:<12} {finding.checked:>5} checked  {verdict}")
        for violation in finding.violations[:10]:
            screen.plain(f"      {violation.where} {violation.at}: {violation.what}")


def write_summary(folder: Path, document: Mapping[str, object]) -> None:
    (folder / "summary.json").write_text(json.dumps(document, indent=1) + "\n")
