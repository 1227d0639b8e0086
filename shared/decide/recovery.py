"""Which point of a machine to restore from: the one that fits the wish best, why, and what is lost by it.

Called by flows/explaining.py, and by whatever restores. Only complete points are ever chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.model.point import Consistency, Point

ORDER = tuple(Consistency)
"""The most consistent first."""

ARCHIVED = "ArchivedRP"
"""The tier of a point that can be restored from only after hours of rehydration, as Azure names it."""

IN_VAULT = "every complete point is in a vault, from which only `tagback restore` brings anything back"


@dataclass(frozen=True, slots=True)
class Wish:
    """The newest complete point: of those from before something happened (a deletion, an intrusion, a bad deployment),
    of those that promise at least so much. None where that does not matter."""

    before: datetime | None = None
    at_least: Consistency | None = None


NEWEST = Wish()
"""As little lost as possible."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """`lost`: how much time before `until` (now, or the moment wished for) is not in the point.

    `passed_over` are newer points that were not chosen, each with its reason.
    """

    point: Point
    because: str
    lost: timedelta
    passed_over: tuple[tuple[Point, str], ...]


@dataclass(frozen=True, slots=True)
class NothingFits:
    """There is no point to restore from. `passed_over` are the points whose reason `because` does not already say."""

    because: str
    passed_over: tuple[tuple[Point, str], ...]


def choose(points: Sequence[Point], wish: Wish, now: datetime, *, in_vault: bool = False) -> Chosen | NothingFits:
    """The point to restore from: of those that we took, or of those `in_vault`. The order in which they are given says
    nothing."""
    until = wish.before or now
    newest_first = sorted(points, key=lambda point: point.slot, reverse=True)
    unfit = [(point, _unfit(point, wish, in_vault)) for point in newest_first]
    fitting = [point for point, why_not in unfit if not why_not]
    if not fitting:
        because, said = _nothing(points, wish, in_vault)
        return NothingFits(because, tuple(one for one in unfit if one[0] is not said))
    point = fitting[0]
    passed_over = tuple((one, why_not) for one, why_not in unfit if one.slot > point.slot)
    because = f"the newest complete point{_told(wish)} ({point.consistency})"
    return Chosen(point, because, max(until - point.slot, timedelta(0)), passed_over)


def _unfit(point: Point, wish: Wish, in_vault: bool) -> str:
    """Why a point can in no case be chosen; empty when it can."""
    if not point.complete:
        return f"it is {point.state}: {point.because}"
    if point.is_ours is in_vault:
        return "it is not in a vault" if in_vault else "it is in a vault, which restores it itself"
    if point.vault and point.vault.tiers and set(point.vault.tiers) == {ARCHIVED}:
        return "it is archived, and would have to be brought back from there by its vault first"
    if wish.before and point.slot >= wish.before:
        return "it is not from before that time"
    if wish.at_least and ORDER.index(point.consistency) > ORDER.index(wish.at_least):
        return f"it is only {point.consistency}"
    return ""


def _told(wish: Wish) -> str:
    """What is wished for, to be read after `point`."""
    before = f" from before {wish.before:%Y-%m-%d %H:%M}Z" if wish.before else ""
    return before + (f" that is at least {wish.at_least}" if wish.at_least else "")


def _nothing(points: Sequence[Point], wish: Wish, in_vault: bool) -> tuple[str, Point | None]:
    """Why none fits, and the point of which that says it all."""
    if not points:
        return "it has no recovery point", None
    if not any(point.complete for point in points):
        return "none of its recovery points is complete", None
    asked_for = [point for point in points if point.complete and point.is_ours is not in_vault]
    if not asked_for:
        return "no complete point is in a vault" if in_vault else IN_VAULT, None
    if all(_unfit(point, NEWEST, in_vault) for point in asked_for):
        return "every complete point in a vault is archived", None
    in_time = [point for point in asked_for if not _unfit(point, Wish(wish.before), in_vault)]
    if not in_time:
        return f"every complete point is from {wish.before:%Y-%m-%d %H:%M}Z or later", None
    newest = max(in_time, key=lambda point: point.slot)
    which = f"the newest, of {newest.slot:%Y-%m-%d %H:%M}Z, is {newest.consistency}"
    return f"it has no complete point{_told(wish)}: {which}", newest
