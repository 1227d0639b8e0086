"""Which unplanned deletions two people agreed to. Called by flows/approving.py for people, and by the reaper.

An approval makes a deletion neither due nor allowed: it only stands in for the day's budget and for the mass brake,
which both say that a person must be asked. Whoever asked cannot agree; both are known by tokens that were checked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.model.approval import Approval, Approvals, Deletion
from shared.model.point import Point

LASTS = timedelta(hours=72)  # what was asked for and what was agreed to, each
MOST = 2000  # deletions within one question, which is kept in pieces that any store takes
TOGETHER = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one person's word: agreed to now, asked for now, and what they had asked for themselves before."""

    after: Approvals
    agreed: tuple[Deletion, ...]
    asked: tuple[Deletion, ...]
    own: tuple[Deletion, ...]


def answered(before: Approvals, deletions: Iterable[Deletion], by: str, now: datetime) -> Answer:
    """What another person asked for is agreed to; what nobody asked for is asked for; one's own stays as it is."""
    wanted = dict.fromkeys(deletions)
    kept: list[Approval] = []
    agreed: list[Deletion] = []
    own: list[Deletion] = []
    for approval in _fresh(before, now):
        mine = tuple(one for one in approval.deletions if one in wanted)
        if approval.by or not mine:
            kept.append(approval)
        elif approval.asked_by == by:
            own += mine
            kept.append(approval)
        else:
            agreed += mine
            kept += _split(approval, mine, by, now)
    known = {one for approval in kept for one in approval.deletions}
    asked = tuple(one for one in wanted if one not in known)[:MOST]
    kept += [Approval(asked[start : start + TOGETHER], by, now) for start in range(0, len(asked), TOGETHER)]
    return Answer(replace(before, approvals=tuple(kept)), tuple(agreed), asked, tuple(own))


def _split(approval: Approval, agreed: tuple[Deletion, ...], by: str, now: datetime) -> list[Approval]:
    """The part that is agreed to, and the part that still waits."""
    left = tuple(one for one in approval.deletions if one not in agreed)
    parts = [replace(approval, deletions=agreed, by=by, at=now)]
    return [*parts, replace(approval, deletions=left)] if left else parts


def agreed(approvals: Approvals, deletion: Deletion, now: datetime) -> str:
    """Who agreed to a deletion, in words; empty when nobody did, or too long ago."""
    for approval in _fresh(approvals, now):
        if approval.by and deletion in approval.deletions:
            return f"approved by {approval.by} at {approval.at:%Y-%m-%d %H:%M}Z, asked for by {approval.asked_by}"
    return ""


def used(approvals: Approvals, deletions: Collection[Deletion], now: datetime) -> Approvals:
    """The approvals without deletions that are about to be carried out, and without what has aged out."""
    left = [
        replace(approval, deletions=tuple(one for one in approval.deletions if one not in deletions))
        for approval in _fresh(approvals, now)
    ]
    return replace(approvals, approvals=tuple(approval for approval in left if approval.deletions))


def deletion_of(point: Point) -> Deletion | None:
    """What would be agreed to about a point; None for one that is not marked."""
    return Deletion(point.uid, point.slot, point.engine, point.removal.marked_at) if point.removal else None


def _fresh(approvals: Approvals, now: datetime) -> list[Approval]:
    """Those that neither aged out nor lie ahead, as a clock that is fast may have written them."""
    return [one for one in approvals.approvals if now - LASTS < (one.at or one.asked_at) <= now + LASTS]
