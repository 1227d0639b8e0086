"""What may go wrong with deletions, dates and holds (S3, S4, S5, S14): each breaks the papers of a whole play."""

from __future__ import annotations

import json
from datetime import datetime

from tests.judges.breaks.common import FIRST, NIGHT, Listed, deletion, earlier, first_gone, of_slot
from tests.judges.papers import (
    DAY,
    DB,
    END,
    GROUPS,
    HELD_SLOT,
    HOUR,
    LEAVER,
    STAMP,
    START,
    WEB,
    Paper,
    Papers,
    key,
    text,
)
from tests.judges.play import DELETE


def a_day_early(papers: Papers) -> None:
    for call in papers.deletions()[:1]:
        earlier(call, DAY)


def marked_an_hour_ago(papers: Papers) -> None:
    for row in papers.rows:
        if "removal" in row:
            row["removal"] = json.dumps({"marked_at": text(datetime.fromisoformat(row["keep_until"]) + HOUR)})


def of_another_disk(papers: Papers) -> None:
    first_gone(papers)["tags"]["tagback-disk"] = "somebody-elses"


def of_no_disk(papers: Papers) -> None:
    first_gone(papers)["properties"]["creationData"] = {}


def without_owner(papers: Papers) -> None:
    del first_gone(papers)["tags"]["tagback-owner"]


def claimed_by_another(papers: Papers) -> None:
    papers.script.append({**sealed(first_gone(papers)), "do": "claim"})


def somebody_elses(papers: Papers) -> None:
    name = "tb-" + "2" * 32
    papers.call(
        END - DAY, "DELETE", f"{GROUPS}/tagback-westeurope/providers/Microsoft.Compute/snapshots/{name}", DELETE
    )


def too_many_at_once(papers: Papers) -> None:
    """Everything that went in five days goes in one."""
    deleting = [("at", line) for line in papers.audit if line["event"] == "point.deleting"]
    for name, paper in [*deleting, *(("t", call) for call in papers.deletions())]:
        if "2027-03-13" < paper[name] < "2027-03-18":
            paper[name] = f"2027-03-18T{paper[name][11:]}"


def of_a_machine_that_left_yesterday(papers: Papers) -> None:
    for snapshot in papers.snapshots(LEAVER)[:1]:
        deletion(papers, START + 5 * DAY, snapshot)


def a_weekly_like_a_daily(papers: Papers) -> None:
    """Monday's point is stamped, kept and deleted as though it had earned nothing."""
    stamp = f"{FIRST:{STAMP}}"
    for line in papers.audit:
        if (line["vm"], line["slot"]) == (WEB.uid, stamp):
            line["keep_until"] = f"{FIRST + 3 * DAY:{STAMP}}"
    for row in papers.rows_of(key(WEB, FIRST)):
        row |= {"keep_until": text(FIRST + 3 * DAY), "birth_keep_until": text(FIRST + 3 * DAY)}
    for call in papers.deletions():
        if of_slot(papers, FIRST)["name"] in call["path"]:
            call["t"] = text(FIRST + 3 * DAY + HOUR)


def the_last_goes(papers: Papers) -> None:
    for snapshot in papers.snapshots(WEB):
        if snapshot["gone"] is None:
            deletion(papers, END - HOUR, snapshot)


def taken_back(papers: Papers) -> None:
    row = papers.rows_of(key(WEB, START + 5 * DAY + HOUR))[-1]
    row["keep_until"] = row["birth_keep_until"] = text(END)


def before_its_birth_stamp(papers: Papers) -> None:
    papers.rows_of(key(WEB, NIGHT))[0]["keep_until"] = text(NIGHT + DAY)


def stamped_too_short(papers: Papers) -> None:
    for row in papers.rows_of(key(WEB, FIRST)):
        row |= {"keep_until": text(FIRST + 3 * DAY), "birth_keep_until": text(FIRST + 3 * DAY)}


def deleted_while_held(papers: Papers) -> None:
    held = next(one for one in papers.snapshots(DB) if one["tags"]["tagback-slot"] == f"{HELD_SLOT:{STAMP}}")
    for call in papers.deletions():
        if held["name"] in call["path"]:
            earlier(call, 3 * DAY)


def held_no_more(papers: Papers) -> None:
    for row in papers.rows_of(key(DB, HELD_SLOT)):
        row.pop("held_until")


def hold_taken_off_the_part(papers: Papers) -> None:
    held = next(one for one in papers.snapshots(WEB) if "backup-hold" in one["tags"])
    del held["tags"]["backup-hold"]


def held_by_the_machines_tag(papers: Papers) -> None:
    act = next(act for act in papers.script if act["do"] == "create" and act["machine"] == DB.id)
    act["tags"]["backup-hold"] = "forever"


def held_by_nobodys_word(papers: Papers) -> None:
    papers.snapshots(WEB)[-1]["tags"]["Backup-Hold"] = "forever"


def sealed(snapshot: Paper) -> Paper:
    """Somebody puts the tag that holds on a snapshot, an hour before it is deleted where it ever is."""
    at = text(datetime.fromisoformat(snapshot["gone"] or text(END)) - HOUR)
    snapshot["tags"]["backup-hold"] = "forever"
    return {"do": "seal", "at": at, "until": at, "machine": DB.id, "snapshots": [snapshot["name"]]}


def deleted_while_sealed(papers: Papers) -> None:
    papers.script.append(sealed(first_gone(papers)))


BREAKS: Listed = [
    ("S3", a_day_early, "deleted though kept until"),
    ("S3", marked_an_hour_ago, "deleted, and marked at"),
    ("S3", of_another_disk, "of another disk"),
    ("S3", of_no_disk, "of another disk"),
    ("S3", without_owner, "without our owner tag"),
    ("S3", claimed_by_another, "another's by its owner tag"),
    ("S3", somebody_elses, "never made by the product"),
    ("S3", too_many_at_once, "points go as planned within a day"),
    ("S3", of_a_machine_that_left_yesterday, "away for three days"),
    ("S3", a_weekly_like_a_daily, "deleted though kept until"),
    ("S4", the_last_goes, "the last complete point was deleted"),
    ("S5", taken_back, "back to"),
    ("S5", before_its_birth_stamp, "before the birth stamp"),
    ("S5", stamped_too_short, "its class asks for"),
    ("S14", deleted_while_held, "deleted while held"),
    ("S14", held_by_nobodys_word, "nobody asked for that"),
    ("S14", deleted_while_sealed, "while a tag of its own holds it"),
    ("S14", held_no_more, "the row says held"),
    ("S14", hold_taken_off_the_part, "not on the part in Azure"),
    ("S14", held_by_the_machines_tag, "deleted while held"),
]
