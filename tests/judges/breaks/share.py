"""What may go wrong with the share of others: more is written or deleted at once than a bucket has beside it."""

from __future__ import annotations

from datetime import timedelta

from tests.judges.breaks.common import Break, Listed
from tests.judges.papers import END, GROUPS, Papers
from tests.judges.play import GROUP_WRITE

SECOND = timedelta(seconds=1)
PLACE = f"{GROUPS}/tagback-westeurope"
FAR = PLACE.replace("a0000000", "b0000000")


def sending(count: int, method: str = "PUT", place: str = PLACE, **others: object) -> Break:
    """So many calls at one instant."""

    def sent(papers: Papers) -> None:
        for _ in range(count):
            papers.call(END, method, place, GROUP_WRITE, **others)

    return sent


def told_to_leave(share: str, count: int) -> Break:
    def sent(papers: Papers) -> None:
        papers.script[0]["settings"]["TAGBACK_THROTTLE_SHARE"] = share
        sending(count)(papers)

    return sent


def faster_than_it_refills(papers: Papers) -> None:
    """As many as may go at once, and then twelve a second for twenty seconds."""
    sending(140)(papers)
    for number in range(240):
        papers.call(END + SECOND * number / 12, "PUT", PLACE, GROUP_WRITE)


def as_fast_as_it_refills(papers: Papers) -> None:
    sending(140)(papers)
    for number in range(600):
        papers.call(END + SECOND * number / 10, "PUT", PLACE, GROUP_WRITE)


def others_empty_their_own(papers: Papers) -> None:
    """The bucket is the principal's: what somebody else writes takes nothing from the product's."""
    sending(400, principal="mallory")(papers)
    sending(140)(papers)


def refused_all_the_time(papers: Papers) -> None:
    """What Azure refused for want of requests may have taken none."""
    sending(100)(papers)
    sending(100, status=429)(papers)


BREAKS: Listed = [
    ("share", sending(180), "20 writes are left, 60 are others'"),
    ("share", sending(180, "DELETE"), "20 deletes are left, 60 are others'"),
    ("share", sending(180, place=FAR), "20 writes are left, 60 are others'"),
    ("share", faster_than_it_refills, "writes are left, 60 are others'"),
    ("share", told_to_leave("0.5", 130), "70 writes are left, 100 are others'"),
]
HARMLESS: list[Break] = [
    as_fast_as_it_refills,
    others_empty_their_own,
    refused_all_the_time,
    told_to_leave("0", 195),
]
