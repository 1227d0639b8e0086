"""What may go wrong with restore points of whole machines (S1, S3, S6, S12): each breaks the papers of a whole play."""

from __future__ import annotations

from tests.judges.as_one import TYPE
from tests.judges.breaks.common import Listed, earlier
from tests.judges.papers import DAY, DB, UNIT, Paper, Papers

POINT = f"{TYPE}/restorePoints"


def first(papers: Papers) -> Paper:
    return next(one for one in papers.state if one["type"] == POINT)


def without_a_disk(papers: Papers) -> None:
    first(papers)["properties"]["sourceMetadata"]["storageProfile"]["dataDisks"].clear()


def with_a_strange_disk(papers: Papers) -> None:
    first(papers)["properties"]["sourceMetadata"]["storageProfile"]["dataDisks"][0]["managedDisk"]["id"] = DB.disk(0)


def never_ready(papers: Papers) -> None:
    last = [one for one in papers.state if one["type"] == POINT][-1]
    last["properties"]["provisioningState"] = "Failed"


def put_again(papers: Papers) -> None:
    call = next(call for call in papers.calls if call["operation"] == f"{POINT}/write")
    papers.calls.append(dict(call))


def of_another_machine(papers: Papers) -> None:
    first(papers)["properties"]["sourceMetadata"]["vmId"] = DB.uid


def a_day_early(papers: Papers) -> None:
    earlier(next(call for call in papers.calls if call["operation"] == f"{POINT}/delete"), DAY)


def never_told(papers: Papers) -> None:
    papers.audit[:] = [line for line in papers.audit if (line["event"], line["vm"]) != ("point.deleting", UNIT.uid)]


BREAKS: Listed = [
    ("S1", put_again, "2 PUTs"),
    ("S3", of_another_machine, "of another disk"),
    ("S3", a_day_early, "deleted though kept"),
    ("S6", without_a_disk, "complete without disks"),
    ("S6", with_a_strange_disk, "no disk of its machine"),
    ("S6", never_ready, "never became ready"),
    ("S12", never_told, "no audit line point.deleting"),
]
