"""Everything that may go wrong in a play, one thing at a time: each takes the papers of a whole one and breaks them.

BREAKS names the promise that is broken, the break, and words that its judge must find for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from tests.judges.papers import (
    BAD_SLOT,
    DAY,
    DB,
    END,
    GROUPS,
    HELD_SLOT,
    HOUR,
    LEAVER,
    MINUTE,
    STAMP,
    START,
    WEB,
    Paper,
    Papers,
    key,
    part,
    text,
)
from tests.judges.play import DELETE, PUT

Break = Callable[[Papers], object]
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


# ---- S1 ----
def another_snapshot_of_the_same_part(papers: Papers) -> None:
    papers.state.append({**papers.snapshots(WEB)[0], "name": "tb-" + "0" * 32})


def put_twice(papers: Papers) -> None:
    papers.calls.append(next(call for call in papers.calls if call["method"] == "PUT" and "tb-" in call["path"]))


def two_attempts_complete(papers: Papers) -> None:
    line = next(line for line in papers.audit if line["event"] == "point.complete")
    papers.audit.append({**line, "attempt": 2})


def two_rows_of_one_slot(papers: Papers) -> None:
    papers.rows.append({**papers.rows_of(key(WEB, NIGHT))[0], "PartitionKey": "elsewhere"})


def made_again_though_complete(papers: Papers) -> None:
    again = part(WEB, NIGHT, 0)
    again |= {"name": "tb-" + "1" * 32, "born": text(NIGHT + HOUR), "tags": {**again["tags"], "tagback-attempt": "2"}}
    papers.state.append(again)


# ---- S2 ----
def without_point(papers: Papers, slot: datetime = NIGHT) -> None:
    """As though the product had never known the slot."""
    stamp = f"{slot:{STAMP}}"
    names = {one["name"] for one in papers.snapshots(WEB) if one["tags"]["tagback-slot"] == stamp}
    papers.state[:] = [one for one in papers.state if one["name"] not in names]
    papers.calls[:] = [call for call in papers.calls if not any(name in call["path"] for name in names)]
    papers.audit[:] = [line for line in papers.audit if not names & set(line["parts"])]
    papers.rows[:] = [row for row in papers.rows if row["RowKey"] != key(WEB, slot)]


def skipped_for_nothing(papers: Papers) -> None:
    without_point(papers)
    operation = papers.rows_of(f"o|{DB.uid}|slot-{BAD_SLOT:{STAMP}}-disk")[0]
    row = {"RowKey": f"o|{WEB.uid}|x", "uid": WEB.uid, "slot": text(NIGHT), "state": "skipped", "because": "so"}
    papers.rows.append({**operation, **row})


def without_reason(papers: Papers) -> None:
    for row in papers.rows_of(f"o|{DB.uid}|slot-{BAD_SLOT:{STAMP}}-disk"):
        row["because"] = ""


# ---- S3 ----
def a_day_early(papers: Papers) -> None:
    for call in papers.deletions()[:1]:
        earlier(call, DAY)


def marked_an_hour_ago(papers: Papers) -> None:
    for row in papers.rows:
        if "removal" in row:
            row["removal"] = json.dumps({"marked_at": text(datetime.fromisoformat(row["keep_until"]) + HOUR)})


def of_another_disk(papers: Papers) -> None:
    first_gone(papers)["tags"]["tagback-disk"] = "somebody-elses"


def without_owner(papers: Papers) -> None:
    del first_gone(papers)["tags"]["tagback-owner"]


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


# ---- S4 ----
def the_last_goes(papers: Papers) -> None:
    for snapshot in papers.snapshots(WEB):
        if snapshot["gone"] is None:
            deletion(papers, END - HOUR, snapshot)


# ---- S5 ----
def taken_back(papers: Papers) -> None:
    row = papers.rows_of(key(WEB, START + 5 * DAY + HOUR))[-1]
    row["keep_until"] = row["birth_keep_until"] = text(END)


def before_its_birth_stamp(papers: Papers) -> None:
    papers.rows_of(key(WEB, NIGHT))[0]["keep_until"] = text(NIGHT + DAY)


def stamped_too_short(papers: Papers) -> None:
    for row in papers.rows_of(key(WEB, FIRST)):
        row |= {"keep_until": text(FIRST + 3 * DAY), "birth_keep_until": text(FIRST + 3 * DAY)}


# ---- S6 ----
def with_properties(**properties: object) -> Break:
    return lambda papers: papers.snapshots(WEB)[-1]["properties"].update(properties)


def a_disk_is_missing(papers: Papers) -> None:
    gone = papers.snapshots(WEB)[-1]["name"]
    for line in papers.audit:
        if gone in line["parts"]:
            line["parts"].remove(gone)


def begun_an_hour_apart(papers: Papers) -> None:
    papers.snapshots(WEB)[-1]["born"] = text(datetime.fromisoformat(papers.snapshots(WEB)[-1]["born"]) - HOUR)


def complete_before_it_was(papers: Papers) -> None:
    for snapshot in papers.snapshots(WEB)[-2:]:
        snapshot["born"] = text(datetime.fromisoformat(snapshot["born"]) + HOUR)


# ---- S7 ----
def of_machine(name: str, value: object, number: int = 3) -> Break:
    return lambda papers: papers.rows_of(f"m|{WEB.uid}")[number].update({name: value})


def forgotten(papers: Papers) -> None:
    papers.rows.remove(papers.rows_of(f"m|{WEB.uid}")[4])


# ---- S8 ----
def still_open(papers: Papers) -> None:
    for row in papers.rows_of(f"o|{DB.uid}|slot-{BAD_SLOT:{STAMP}}-disk"):
        row["state"] = "failed"


def left_over(papers: Papers) -> None:
    papers.rows[:] = [row for row in papers.rows if row["RowKey"] != key(WEB, START + 8 * DAY + HOUR)]


def other_than_told(papers: Papers) -> None:
    next(act for act in papers.script if act["do"] == "expect")["status"] = "degraded"


def newest_slot_open(papers: Papers) -> None:
    without_point(papers, START + 9 * DAY + HOUR)


# ---- S9 ----
def before_retry_after(papers: Papers) -> None:
    next(call for call in papers.calls if call["status"] == 429)["retry_after"] = "600"


def before_the_date_said(papers: Papers) -> None:
    refused = next(call for call in papers.calls if call["status"] == 429)
    moment = datetime.fromisoformat(refused["t"]) + 10 * MINUTE
    refused["retry_after"] = f"{moment:%a, %d %b %Y %H:%M:%S} GMT"


# ---- S10 ----
def calling(method: str, path: str, operation: str) -> Break:
    return lambda papers: papers.call(END, method, path, operation)


# ---- S11 ----
def unconditional(condition: str | None) -> Break:
    def broken(papers: Papers) -> None:
        operation = papers.requests[0]["operations"][0]
        operation.pop("if-match")
        if condition:
            operation["if-match"] = condition

    return broken


# ---- S12 ----
def untold(event: str) -> Break:
    def broken(papers: Papers) -> None:
        papers.audit.remove(next(line for line in papers.audit if line["event"] == event and line["vm"] == DB.uid))

    return broken


def told_afterwards(papers: Papers) -> None:
    line = next(line for line in papers.audit if line["event"] == "point.deleting")
    line["at"] = text(END)


def told_without_reason(papers: Papers) -> None:
    next(line for line in papers.audit if line["event"] == "point.deleting")["because"] = ""


def taken_out_of_the_log(papers: Papers) -> None:
    request = next(one for one in papers.requests if one["service"] == "blob")
    papers.requests.append({**request, "method": "DELETE"})


# ---- S13 ----
def restored(disks: int) -> Break:
    def broken(papers: Papers) -> None:
        at = text(START)
        papers.script.append({"do": "restore", "at": at, "until": at, "to": WEB.id, "disks": disks})

    return broken


def nothing_restored(papers: Papers) -> None:
    papers.script.append({"do": "restore", "at": text(START), "to": f"{WEB.id}-again", "disks": 2})


# ---- S14 ----
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


# ---- left alone ----
def captured_unasked(papers: Papers) -> None:
    act = next(act for act in papers.script if act["do"] == "create" and act["machine"] == WEB.id)
    act["tags"] = {"team": "shop"}


def captured_left_out(papers: Papers) -> None:
    papers.snapshots(WEB)[0]["properties"]["creationData"]["sourceUniqueId"] = WEB.disk_uid(7)


# ---- what is odd, and breaks nothing ----
def tags_are_copied(papers: Papers) -> None:
    """Somebody who may write tags makes a snapshot of his own look like one of the product's."""
    copied = papers.snapshots(WEB)[-1]
    name = "tb-" + "4" * 32
    papers.state.append({**copied, "name": name, "id": f"{GROUPS}/shop/providers/Microsoft.Compute/snapshots/{name}"})


def tags_are_taken_off(papers: Papers) -> None:
    papers.snapshots(WEB)[-1]["tags"].clear()


def a_lock_holds_deletions_up(papers: Papers) -> None:
    """They were announced on their days, and all go on one."""
    for call in papers.deletions():
        if "2027-03-13" < call["t"] < "2027-03-18":
            call["t"] = f"2027-03-18T{call['t'][11:]}"
            snapshot = next(one for one in papers.state if str(one["id"]) in call["path"])
            snapshot["gone"] = call["t"]


def somebody_else_deletes(papers: Papers) -> None:
    snapshot = papers.snapshots(WEB)[-1]
    papers.call(END - HOUR, "DELETE", snapshot["id"], DELETE, principal="mallory")
    snapshot["gone"] = text(END - HOUR)


def killed_before_retry_after(papers: Papers) -> None:
    """A new process does not know what its predecessor was told."""
    before_retry_after(papers)
    refused = next(call for call in papers.calls if call["status"] == 429)
    papers.script.append({"do": "kill", "at": text(datetime.fromisoformat(refused["t"]) + MINUTE / 4)})


def missed_in_an_outage(papers: Papers) -> None:
    """A slot is superseded, and the script says what was in the way."""
    skipped_for_nothing(papers)
    papers.rows[-1]["state"] = "superseded"
    papers.script.append({"do": "outage", "at": text(NIGHT), "until": text(NIGHT + HOUR), "service": "table"})


HARMLESS: list[Break] = [
    tags_are_copied,
    tags_are_taken_off,
    a_lock_holds_deletions_up,
    somebody_else_deletes,
    killed_before_retry_after,
    missed_in_an_outage,
]

ELSEWHERE = "/subscriptions/b0000000-0000-4000-8000-000000000002/resourceGroups/tagback-westeurope"
BREAKS: list[tuple[str, Break, str]] = [
    ("S1", another_snapshot_of_the_same_part, "snapshots of disk"),
    ("S1", put_twice, "PUTs over one snapshot"),
    ("S1", two_attempts_complete, "are all complete"),
    ("S1", two_rows_of_one_slot, "complete rows of one slot"),
    ("S1", made_again_though_complete, "made after its slot was complete"),
    ("S2", without_point, "has no answer"),
    ("S2", skipped_for_nothing, "though nothing was in the way"),
    ("S2", without_reason, "without a reason"),
    ("S2", lambda papers: papers.events.clear(), "nobody was told"),
    ("S3", a_day_early, "deleted though kept until"),
    ("S3", marked_an_hour_ago, "deleted, and marked at"),
    ("S3", of_another_disk, "of another disk"),
    ("S3", without_owner, "without our owner tag"),
    ("S3", somebody_elses, "never made by the product"),
    ("S3", too_many_at_once, "points go as planned within a day"),
    ("S3", of_a_machine_that_left_yesterday, "away for three days"),
    ("S3", a_weekly_like_a_daily, "deleted though kept until"),
    ("S4", the_last_goes, "the last complete point was deleted"),
    ("S5", taken_back, "back to"),
    ("S5", before_its_birth_stamp, "before the birth stamp"),
    ("S5", stamped_too_short, "its class asks for"),
    ("S6", with_properties(networkAccessPolicy="AllowAll"), "not private"),
    ("S6", with_properties(provisioningState="Creating"), "never became ready"),
    ("S6", with_properties(incremental=False), "not incremental"),
    ("S6", with_properties(creationData={"sourceUniqueId": "somebody-elses"}), "no disk of its machine"),
    ("S6", a_disk_is_missing, "complete without disks"),
    ("S6", begun_an_hour_apart, "too far apart"),
    ("S6", complete_before_it_was, "when a part was not there"),
    ("S6", lambda papers: papers.state.remove(papers.snapshots(WEB)[-1]), "never there"),
    ("S7", of_machine("status", "gone"), "called gone"),
    ("S7", of_machine("status", "excluded"), "let go while it asks"),
    ("S7", of_machine("left_at", text(START)), "let go while it asks"),
    ("S7", forgotten, "has no row"),
    ("S8", of_machine("status", "unprotected", -1), "is unprotected"),
    ("S8", of_machine("plan", "often", -1), "asks for daily"),
    ("S8", of_machine("id", "elsewhere", -1), "remembered at"),
    ("S8", still_open, "still failed"),
    ("S8", left_over, "no row knows"),
    ("S8", other_than_told, "expected degraded"),
    ("S8", newest_slot_open, "newest slot is not complete"),
    ("S9", before_retry_after, "as Azure had asked"),
    ("S9", before_the_date_said, "as Azure had asked"),
    (
        "S10",
        calling("PUT", f"{GROUPS}/shop/providers/Microsoft.Compute/snapshots/x", PUT),
        "PUT microsoft.compute/snapshots/write",
    ),
    (
        "S10",
        calling("PUT", f"{ELSEWHERE}/providers/Microsoft.Compute/snapshots/tb-{'3' * 32}", PUT),
        "PUT microsoft.compute/snapshots/write",
    ),
    (
        "S10",
        calling("DELETE", WEB.id, "Microsoft.Compute/virtualMachines/delete"),
        "DELETE microsoft.compute/virtualmachines",
    ),
    ("S11", unconditional(None), "not conditional"),
    ("S11", unconditional("*"), "not conditional"),
    ("S12", untold("capture.intended"), "no audit line capture.intended"),
    ("S12", untold("point.deleting"), "no audit line point.deleting"),
    ("S12", untold("point.complete"), "the audit log does not say so"),
    ("S12", told_afterwards, "no audit line point.deleting"),
    ("S12", told_without_reason, "without a reason"),
    ("S12", taken_out_of_the_log, "DELETE on the audit log"),
    ("S13", restored(3), "has 2 disks of 3"),
    ("S13", restored(2), "enrolled again"),
    ("S13", nothing_restored, "no machine came"),
    ("S14", deleted_while_held, "deleted while held"),
    ("S14", held_no_more, "the row says held"),
    ("S14", hold_taken_off_the_part, "not on the part in Azure"),
    ("S14", held_by_the_machines_tag, "deleted while held"),
    ("left-alone", captured_unasked, "although it never asked"),
    ("left-alone", captured_left_out, "that is left out"),
]
