"""What is odd and breaks nothing: the judges must not hold it against the product."""

from __future__ import annotations

import json
from datetime import datetime

from tests.judges.breaks.common import NIGHT, Break, deletion
from tests.judges.breaks.deletions import sealed
from tests.judges.breaks.points import skipped_for_nothing
from tests.judges.breaks.traffic import asking_a_vault, at_host, before_retry_after, paused
from tests.judges.papers import (
    END,
    GROUPS,
    HOUR,
    LEAVER,
    MINUTE,
    STAMP,
    START,
    SUBSCRIPTION,
    WEB,
    Machine,
    Paper,
    Papers,
    text,
)
from tests.judges.play import DELETE, add_machine


def tags_are_copied(papers: Papers) -> None:
    """Somebody who may write tags makes a snapshot of his own look like one of the product's."""
    copied = papers.snapshots(WEB)[-1]
    name = "tb-" + "4" * 32
    papers.state.append({**copied, "name": name, "id": f"{GROUPS}/shop/providers/Microsoft.Compute/snapshots/{name}"})


def tags_are_taken_off(papers: Papers) -> None:
    papers.snapshots(WEB)[-1]["tags"].clear()


def a_lock_holds_deletions_up(papers: Papers) -> None:
    """They were announced on their days, and all go on one; until then their rows stay."""
    for call in papers.deletions():
        if "2027-03-13" < call["t"] < "2027-03-18":
            call["t"] = f"2027-03-18T{call['t'][11:]}"
            snapshot = next(one for one in papers.state if str(one["id"]) in call["path"])
            snapshot["gone"] = call["t"]
            _still_told(papers, snapshot, "2027-03-18")


def _still_told(papers: Papers, snapshot: Paper, until: str) -> None:
    """Every evening before a day has the row of a snapshot's point."""
    telling = {row["day"]: row for row in papers.rows if snapshot["name"].lower() in row.get("parts", "")}
    evenings = {row["day"] for row in papers.rows if max(telling) < row["day"] < until}
    papers.rows.extend({**telling[max(telling)], "day": day} for day in sorted(evenings))


def copied_before_it_was_complete(papers: Papers) -> None:
    """A snapshot of a fast disk is copied for a minute, and its point is called complete after that."""
    one = papers.snapshots(WEB)[-1]
    one["copied"] = text(datetime.fromisoformat(one["born"]) + MINUTE)


def deleted_as_the_last_rows_are_read(papers: Papers) -> None:
    """A deletion that was refused on its day is accepted minutes after the end of the play."""
    call = [one for one in papers.deletions() if one["operation"] == DELETE][-1]
    snapshot = next(one for one in papers.state if str(one["id"]) in call["path"])
    papers.call(datetime.fromisoformat(call["t"]), "DELETE", snapshot["id"], DELETE, status=409)
    call["t"] = snapshot["gone"] = text(END + MINUTE)
    _still_told(papers, snapshot, "end of all")
    papers.rows[-1]["state"] = "deleting"


def sealed_by_hand(papers: Papers) -> None:
    """Somebody puts the tag that holds on a snapshot; it stays."""
    papers.script.append(sealed(papers.snapshots(WEB)[-1]))


def what_a_restore_made_goes(papers: Papers) -> None:
    restored_elsewhere(papers)
    again = Machine("again-1", "off", 2)
    papers.call(START + 2 * MINUTE, "DELETE", again.disk(0), "Microsoft.Compute/disks/delete")


def somebody_else_deletes(papers: Papers) -> None:
    snapshot = papers.snapshots(WEB)[-1]
    papers.call(END - HOUR, "DELETE", snapshot["id"], DELETE, principal="mallory")
    snapshot["gone"] = text(END - HOUR)


def killed_before_retry_after(papers: Papers) -> None:
    """A new process does not know what its predecessor was told."""
    before_retry_after(papers)
    refused = next(call for call in papers.calls if call["status"] == 429)
    papers.script.append({"do": "kill", "at": text(datetime.fromisoformat(refused["t"]) + MINUTE / 4)})


def a_jump_makes_an_hour_short(papers: Papers) -> None:
    """The caller's clock was put ahead a little later than Azure's before the wait, and at once with it after it."""
    refused = next(call for call in papers.calls if call["status"] == 429)
    sent = next(call for call in papers.calls if call["t"] > refused["t"] and call["path"] == refused["path"])
    wait = datetime.fromisoformat(sent["t"]) - datetime.fromisoformat(refused["t"])
    refused["retry_after"] = str(int(wait.total_seconds()))
    sent["t"] = text(datetime.fromisoformat(refused["t"]) + wait - MINUTE / 6000)


def missed_in_an_outage(papers: Papers) -> None:
    """A slot is superseded, and the script says what was in the way."""
    skipped_for_nothing(papers)
    papers.rows[-1]["state"] = "superseded"
    papers.script.append({"do": "outage", "at": text(NIGHT), "until": text(NIGHT + HOUR), "service": "table"})


def restored_elsewhere(papers: Papers) -> None:
    """A person restores a machine: its disks and cards are written where the machine is to be."""
    again, at = Machine("again-1", "off", 2), text(START)
    add_machine(papers, again)
    papers.script.append({"do": "restore", "at": at, "until": at, "to": again.id, "disks": 2})
    papers.call(START + MINUTE, "PUT", again.disk(0), "Microsoft.Compute/disks/write")


def azures_clock_is_off(papers: Papers) -> None:
    """Two parts of a point are made at once, with Azure's clock ten minutes behind for one and ahead for the other."""
    parts = papers.snapshots(WEB)[-2:]
    for part, off in zip(parts, (-10 * MINUTE, 10 * MINUTE), strict=True):
        put = next(call for call in papers.calls if call["method"] == "PUT" and part["id"] in call["path"])
        put["fault"] = "F9"
        part["born"] = text(datetime.fromisoformat(put["t"]) + off)


def gone_for_minutes_when_a_point_goes(papers: Papers) -> None:
    """A point goes on its day; its machine was deleted five minutes before, which nobody can know yet."""
    assert LEAVER.leaves is not None
    snapshot = papers.snapshots(LEAVER)[1]
    for row in papers.rows:
        if f"|{LEAVER.uid}|{snapshot['tags']['tagback-slot']}|" in row["RowKey"]:
            row["removal"] = json.dumps({"marked_at": text(LEAVER.leaves - 30 * HOUR)})
    deletion(papers, LEAVER.leaves + 5 * MINUTE, snapshot)


def intended_before(papers: Papers) -> None:
    """Captures rest from the minute on in which one was begun; its part is sent twelve minutes later."""
    paused("captures", NIGHT)(papers)
    for part in (one for one in papers.state if one.get("born") == text(NIGHT + MINUTE)):
        put = next(call for call in papers.calls if call["method"] == "PUT" and part["id"] in call["path"])
        put["t"] = part["born"] = text(NIGHT + 12 * MINUTE)
    for line in papers.audit:
        if line["event"] == "point.complete" and line["slot"] == f"{NIGHT:{STAMP}}":
            line["at"] = text(NIGHT + 13 * MINUTE)


ODDITIES: list[Break] = [
    tags_are_copied,
    tags_are_taken_off,
    a_lock_holds_deletions_up,
    somebody_else_deletes,
    killed_before_retry_after,
    a_jump_makes_an_hour_short,
    missed_in_an_outage,
    sealed_by_hand,
    copied_before_it_was_complete,
    deleted_as_the_last_rows_are_read,
    what_a_restore_made_goes,
    restored_elsewhere,
    azures_clock_is_off,
    gone_for_minutes_when_a_point_goes,
    intended_before,
    asking_a_vault(SUBSCRIPTION),
    at_host("127.0.0.1:4430"),
    paused("deletes", NIGHT - 20 * MINUTE),
]
