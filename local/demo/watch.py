"""Follows the play from outside: numbers for the screen a few times a day, and all rows at the end of each day."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from local.demo.cast import Cast
from local.demo.evidence import Record
from local.judges.world import PRODUCT, SNAPSHOT


class Watch:
    """Counts what it sees."""

    every = timedelta(hours=3)

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._points: set[str] = set()
        self._drills: set[str] = set()

    def look(self) -> None:
        """Count the calls made since the last look."""
        progress = self._cast.screen.progress
        if progress is not None:
            progress.numbers.update(Counter(progress.numbers) + counted(self._cast.observer.new_calls()))
            progress.numbers["kills"] = self._cast.script.count("kill")

    def end_of_day(self, day: date) -> None:
        """Keep the rows, and tell of the day in one line."""
        rows = self._cast.observer.end_of_day(day.isoformat())
        self.look()
        before = len(self._points)
        self._points |= {str(row["RowKey"]) for row in rows if str(row["RowKey"]).startswith("p|") and row["complete"]}
        machines = [row for row in rows if str(row["RowKey"]).startswith("m|")]
        self._tell_drills(machines)
        statuses = Counter(str(row["status"]) for row in machines)
        gained = len(self._points) - before
        told = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
        self._cast.screen.line(
            f"the day ends: {gained} new recovery points, {len(self._points):,} so far; {told}", "bold"
        )
        if progress := self._cast.screen.progress:
            progress.numbers["points"] = len(self._points)
            progress.numbers["machines"] = len(machines)

    def _tell_drills(self, machines: Iterable[Record]) -> None:
        """What the rows say of drills since the evening before."""
        for row in machines:
            said = json.loads(str(row.get("drill") or "{}"))
            if not said or said["request"] in self._drills:
                continue
            self._drills.add(said["request"])
            verdict, style = ("proven", "green") if said["proven"] else ("FAILED", "red")
            self._cast.screen.line(f"drill of {row['name']} {verdict}: {shortened(str(said['because']))}", style)


def shortened(text: str) -> str:
    """A reason in which long sums are cut: who reads along compares their beginnings."""
    return re.sub(r"\b([0-9a-f]{8})[0-9a-f]{24,}\b", r"\1...", text)


def counted(calls: Iterable[Record]) -> Counter[str]:
    """Calls as the screen shows them."""
    found: Counter[str] = Counter()
    for call in calls:
        if call["principal"] != PRODUCT:
            continue
        operation, status = str(call["operation"]).lower(), int(call["status"])
        found["calls to Azure"] += 1
        found["faults met"] += call["fault"] is not None
        found["refusals"] += status >= 400
        found["snapshots"] += operation == f"{SNAPSHOT}/write" and call["method"] == "PUT" and status in (200, 201, 202)
        found["deletions"] += operation == f"{SNAPSHOT}/delete" and status in (200, 202)
    return found
