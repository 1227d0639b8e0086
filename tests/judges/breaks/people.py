"""What may go wrong when people are at odds, or one means harm (S3, S13): each breaks the papers of a whole play."""

from __future__ import annotations

import json
from datetime import datetime

from tests.judges.breaks.common import Break, Listed, deletion
from tests.judges.papers import DAY, DB, END, HOUR, LEAVER, MINUTE, STAMP, START, WEB, Machine, Paper, Papers, key, text
from tests.judges.play import add_machine

LEFT = START + 2 * DAY + 9 * HOUR
OTHERS = tuple(Machine(f"one-{number}", "daily", 1) for number in range(4))
SPARE = Machine("spare-1", "off", 1)
POINT = f"web-1 {START + DAY + HOUR:%Y-%m-%dT%H:%MZ}"


def word(by: str, at: datetime, **said: object) -> Paper:
    """Somebody's word on deletions, and what the app made of it."""
    return {"do": "approve", "at": text(at), "by": by, "status": 200, "approved": [], "asked": [], "count": 0, **said}


def approving(asker: str, approver: str) -> Break:
    def broken(papers: Papers) -> None:
        papers.script.append(word(asker, START + DAY, asked=[POINT]))
        papers.script.append(word(approver, START + DAY + HOUR, approved=[POINT]))

    return broken


def deleted_after_a_mass_untag(papers: Papers) -> None:
    """Five machines lose their tags within minutes; when all have thought it over a point of one of them goes."""
    for machine in OTHERS:
        add_machine(papers, machine)
        papers.script.append({"do": "create", "at": text(START), "machine": machine.id, "tags": {"backup": "daily"}})
    for number, machine in enumerate((LEAVER, *OTHERS)):
        papers.script.append(
            {"do": "tag", "at": text(LEFT + number * MINUTE), "machine": machine.id, "tags": {"team": "x"}}
        )
    deletion(papers, LEFT + 4 * DAY, papers.snapshots(LEAVER)[0])


def raced(**call: object) -> Break:
    """A restore is to make a machine that somebody else is faster to make; a call is made to theirs."""

    def broken(papers: Papers) -> None:
        _race(papers)
        write = "Microsoft.Compute/virtualMachines/write"
        papers.call(START + 2 * MINUTE, "PUT", SPARE.id, write, **call)

    return broken


def _race(papers: Papers) -> None:
    add_machine(papers, SPARE)
    papers.script.append({"do": "race", "at": text(START), "until": text(START + HOUR), "to": SPARE.id})
    act = {"at": text(START), "until": text(START + MINUTE), "machine": SPARE.id, "tags": {}}
    papers.script.append({"do": "create", **act})


def theirs_is_gone(papers: Papers) -> None:
    _race(papers)
    papers.state[-2]["gone"] = text(END - HOUR)


def tampered(papers: Papers) -> None:
    """Rows and snapshots of three of db-1's points are rewritten; nothing is deleted for that."""
    slots = [one for one in DB.slots() if one >= END - 2 * DAY][:3]
    _, shortened, astray = slots
    at = slots[-1] + HOUR
    span = {"at": text(at), "until": text(at + MINUTE)}
    stamps = [f"{slot:{STAMP}}" for slot in slots]
    papers.script.append({"do": "tamper", **span, "machine": DB.id, "slots": stamps})
    ours = next(one for one in papers.snapshots(DB) if one["tags"]["tagback-slot"] == stamps[0])
    forged = {"properties": {**ours["properties"], "creationData": {"sourceUniqueId": WEB.disk_uid(0)}}}
    papers.state.append({**ours, **forged, "born": text(at)})
    ours["gone"] = text(at)
    for row in papers.rows_of(key(DB, shortened)):
        if row["day"] == "end":
            row |= {"keep_until": text(START), "birth_keep_until": text(START)}
    for row in papers.rows_of(key(DB, astray)):
        if row["day"] == "end":
            parts = [{**one, "id": one["id"].replace("/tb-", "/by-hand-")} for one in json.loads(row["parts"])]
            row["parts"] = json.dumps(parts)


def the_forged_one_goes(papers: Papers) -> None:
    tampered(papers)
    deletion(papers, END - MINUTE, papers.state[-1])


BREAKS: Listed = [
    ("S3", approving("anna", "anna"), "approved by anna, and nobody else had asked"),
    ("S3", lambda papers: papers.script.append(word("ben", END, approved=[POINT])), "nobody else had asked"),
    ("S3", deleted_after_a_mass_untag, "5 machines lost their protection at once"),
    ("S3", the_forged_one_goes, "of another disk"),
    ("S13", raced(), "did PUT to what somebody else had made"),
    ("S13", theirs_is_gone, "is gone: a restore wanted its name"),
]
HARMLESS: list[Break] = [approving("anna", "ben"), tampered]
