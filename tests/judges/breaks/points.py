"""What may go wrong with points, slots and machines (S1, S2, S6, S7, S8): each breaks the papers of a whole play."""

from __future__ import annotations

from datetime import datetime

from tests.judges.breaks.common import NIGHT, Break, Listed, first_gone
from tests.judges.papers import (
    BAD_SLOT,
    DAY,
    DB,
    HOUR,
    LEAVER,
    STAMP,
    START,
    WEB,
    Machine,
    Papers,
    key,
    part,
    text,
)
from tests.judges.play import DELETE


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


def of_machine(name: str, value: object, number: int = 3) -> Break:
    return lambda papers: papers.rows_of(f"m|{WEB.uid}")[number].update({name: value})


def forgotten(papers: Papers) -> None:
    papers.rows.remove(papers.rows_of(f"m|{WEB.uid}")[4])


def still_open(papers: Papers) -> None:
    for row in papers.rows_of(f"o|{DB.uid}|slot-{BAD_SLOT:{STAMP}}-disk"):
        row["state"] = "failed"


def left_over(papers: Papers) -> None:
    papers.rows[:] = [row for row in papers.rows if row["RowKey"] != key(WEB, START + 8 * DAY + HOUR)]


def forgotten_before_it_went(papers: Papers) -> None:
    """The rows of a point stop a day before its snapshots are deleted."""
    name = first_gone(papers)["name"]
    telling = [row for row in papers.rows if name in row.get("parts", "")]
    papers.rows.remove(telling[-1])


def deleting_by_its_row(status: int) -> Break:
    """A row says for an evening that its point is being deleted; Azure had been asked and answered so."""

    def broken(papers: Papers) -> None:
        snapshot = first_gone(papers)
        row = [row for row in papers.rows if snapshot["name"] in row.get("parts", "")][-1]
        row["state"] = "deleting"
        papers.call(datetime.fromisoformat(snapshot["gone"]) - DAY, "DELETE", snapshot["id"], DELETE, status=status)

    return broken


def forgotten_when_it_is_over(machine: Machine) -> Break:
    """The age of the machine's oldest point but one ends, and no row says that it is to go."""

    def broken(papers: Papers) -> None:
        name = papers.snapshots(machine)[1]["name"]
        telling = [row for row in papers.rows if name in row.get("parts", "")]
        for row in telling:
            row.pop("removal", None)
        papers.rows.extend({**telling[-1], "day": f"2027-03-{day}"} for day in (17, 18, 19))

    return broken


def other_than_told(papers: Papers) -> None:
    next(act for act in papers.script if act["do"] == "expect")["status"] = "degraded"


def newest_slot_open(papers: Papers) -> None:
    without_point(papers, START + 9 * DAY + HOUR)


def captured_unasked(papers: Papers) -> None:
    act = next(act for act in papers.script if act["do"] == "create" and act["machine"] == WEB.id)
    act["tags"] = {"team": "shop"}


def recorded_unasked(papers: Papers) -> None:
    captured_unasked(papers)
    papers.rows_of(f"m|{WEB.uid}")[0]["last_point"] = text(START)


def captured_left_out(papers: Papers) -> None:
    papers.snapshots(WEB)[0]["properties"]["creationData"]["sourceUniqueId"] = WEB.disk_uid(7)


def complete_while_copied(papers: Papers) -> None:
    """Azure accepts a snapshot of a fast disk at once and copies it for an hour."""
    one = papers.snapshots(WEB)[-1]
    one["copied"] = text(datetime.fromisoformat(one["born"]) + HOUR)


BREAKS: Listed = [
    ("S1", another_snapshot_of_the_same_part, "snapshots of disk"),
    ("S1", put_twice, "PUTs over one snapshot"),
    ("S1", two_attempts_complete, "are all complete"),
    ("S1", two_rows_of_one_slot, "complete rows of one slot"),
    ("S1", made_again_though_complete, "made after its slot was complete"),
    ("S8", deleting_by_its_row(409), "called deleting, and Azure refused it"),
    ("S8", forgotten_before_it_went, "its row went"),
    ("S2", without_point, "has no answer"),
    ("S2", skipped_for_nothing, "though nothing was in the way"),
    ("S2", without_reason, "without a reason"),
    ("S2", lambda papers: papers.events.clear(), "nobody was told"),
    ("S6", with_properties(networkAccessPolicy="AllowAll"), "not private"),
    ("S6", with_properties(provisioningState="Creating"), "never became ready"),
    ("S6", with_properties(incremental=False), "not incremental"),
    ("S6", with_properties(creationData={"sourceUniqueId": "somebody-elses"}), "no disk of its machine"),
    ("S6", a_disk_is_missing, "complete without disks"),
    ("S6", begun_an_hour_apart, "too far apart"),
    ("S6", complete_before_it_was, "when a part was not there"),
    ("S6", complete_while_copied, "while a part was being copied"),
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
    ("S8", forgotten_when_it_is_over(LEAVER), "nothing says that it goes"),
    ("S8", forgotten_when_it_is_over(WEB), "nothing says that it goes"),
    ("S8", other_than_told, "expected degraded"),
    ("S8", newest_slot_open, "newest slot is not complete"),
    ("left-alone", captured_unasked, "captured although it never asked"),
    ("left-alone", recorded_unasked, "has a point by its row"),
    ("left-alone", captured_left_out, "that is left out"),
]
