"""What may go wrong with restores in place, and with drills beside others (S13, S6): each breaks a whole play."""

from __future__ import annotations

from tests.judges.breaks.common import Break, Listed
from tests.judges.breaks.proofs import FAILED, vm_of
from tests.judges.papers import DAY, DB, HOUR, MINUTE, SWAPPED, WEB, Paper, Papers, text
from tests.judges.proofs import drilled
from tests.judges.swapped import TAGGING


def acts(papers: Papers) -> list[Paper]:
    return [act for act in papers.script if act["do"] == "swap"]


def swapping(**said: object) -> Break:
    return lambda papers: acts(papers)[0].update(said)


def undoing(**said: object) -> Break:
    return lambda papers: acts(papers)[1].update(said)


def marks(papers: Papers) -> list[Paper]:
    return [call for call in papers.calls if call["operation"] == TAGGING]


def not_marked(papers: Papers) -> None:
    for call in marks(papers)[:2]:
        papers.calls.remove(call)


def captured_meanwhile(papers: Papers) -> None:
    """The disks were changed for so long that a slot came."""
    marks(papers)[1]["t"] = text(SWAPPED + 7 * HOUR)
    acts(papers)[0]["until"] = text(SWAPPED + 7 * HOUR + MINUTE)


def of_the_disk_that_left(papers: Papers) -> None:
    taken = next(one for one in papers.snapshots(DB) if one["tags"]["tagback-disk"].endswith("-restored"))
    taken["properties"]["creationData"]["sourceUniqueId"] = DB.disk_uid(0)


def never_removed(papers: Papers) -> None:
    next(one for one in papers.state if one["name"] == "restored")["gone"] = None


def two_at_once(papers: Papers) -> None:
    vm_of(papers, FAILED)["gone"] = text(drilled(FAILED) + DAY + HOUR)


def beside_a_restore(papers: Papers) -> None:
    at = drilled(FAILED)
    span = {"at": text(at), "until": text(at + 2 * MINUTE), "machine": WEB.id}
    papers.script.append({**acts(papers)[0], **span})


BREAKS: Listed = [
    ("S13", swapping(running=False), "does not run"),
    ("S13", swapping(after=["one", "two"]), "has 2 disks of 1"),
    ("S13", swapping(after=[DB.disk_uid(0)]), "was to be swapped"),
    ("S13", swapping(holds=""), "something else than then"),
    ("S13", not_marked, "did not say so"),
    ("S13", captured_meanwhile, "taken while its machine's disks were being changed"),
    ("S13", undoing(after=["another"]), "has other disks than before its restore"),
    ("S13", undoing(holds=""), "its own disks hold something else than before"),
    ("S13", never_removed, "of a restore that was undone stayed"),
    ("S13", two_at_once, "while another drill's stands"),
    ("S13", beside_a_restore, "a drill of what is just being restored"),
    ("S6", of_the_disk_that_left, "is no disk of its machine"),
    ("S6", of_the_disk_that_left, "complete without disks"),
]
