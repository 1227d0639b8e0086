"""A restore in place in the ten days of papers.py: db-1 is put back, and gets its own disk again. For play.py."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from tests.judges.papers import DB, GOOD, HOUR, MINUTE, START, SWAPPED, UNDONE, Papers, text

BAD = "what harmed it"
HARMED = SWAPPED - HOUR
MARK = timedelta(seconds=10)
TAGGING = "Microsoft.Resources/tags/write"


def play_swaps(papers: Papers) -> None:
    for at, content in ((START + 2 * MINUTE, GOOD), (HARMED, BAD)):
        papers.script.append(
            {"do": "write", "at": text(at), "until": text(at), "machine": DB.id, "block": 0, "content": content}
        )
    own, restored = [DB.disk_uid(0)], [DB.held(0, SWAPPED)]
    good, bad = (sha256(content.encode()).hexdigest() for content in (GOOD, BAD))
    swap = {"before": own, "after": restored, "held": bad, "holds": good, "as_of": text(HARMED - MINUTE)}
    undo = {"before": restored, "after": own, "held": good, "holds": bad, "undone": True}
    for at, said in ((SWAPPED, swap), (UNDONE, undo)):
        _marked(papers, at)
        span = {"at": text(at), "until": text(at + MINUTE)}
        papers.script.append({"do": "swap", **span, "machine": DB.id, "running": True, **said})
    disk = {"id": f"{DB.disk(0)}-restored", "name": "restored", "type": "Microsoft.Compute/disks"}
    properties = {"properties": {"uniqueId": restored[0]}}
    papers.state.append({**disk, **properties, "born": text(SWAPPED), "gone": text(UNDONE + 5 * MINUTE)})


def _marked(papers: Papers, at: datetime) -> None:
    for moment in (at + MARK, at + 4 * MARK):
        papers.call(moment, "PATCH", f"{DB.id}/providers/Microsoft.Resources/tags/default", TAGGING)
