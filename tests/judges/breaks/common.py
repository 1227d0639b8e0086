"""What several breaks do: move a call, delete a snapshot, find one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.judges.papers import (
    DB,
    HOUR,
    STAMP,
    START,
    WEB,
    Paper,
    Papers,
    text,
)
from tests.judges.play import DELETE

Break = Callable[[Papers], object]
Listed = list[tuple[str, Break, str]]
NIGHT = datetime.fromisoformat("2027-03-12T01:00:00+00:00")
FIRST = START + HOUR


def earlier(call: Paper, by: timedelta) -> None:
    call["t"] = text(datetime.fromisoformat(call["t"]) - by)


def deletion(papers: Papers, when: datetime, snapshot: Paper) -> None:
    """The product deletes a snapshot, tells the audit log, and Azure does it."""
    papers.call(when, "DELETE", snapshot["id"], DELETE)
    snapshot["gone"] = text(when)
    told = {"vm": snapshot["tags"]["tagback-vm"], "slot": snapshot["tags"]["tagback-slot"], "parts": [snapshot["name"]]}
    papers.audit.append({"at": text(when), "event": "point.deleting", "because": "it said so", **told})


def first_gone(papers: Papers) -> Paper:
    return next(one for one in papers.snapshots(DB) if one["gone"])


def of_slot(papers: Papers, slot: datetime) -> Paper:
    return next(one for one in papers.snapshots(WEB) if one["tags"]["tagback-slot"] == f"{slot:{STAMP}}")
