"""Which point of a machine to restore from: the one that fits the wish best, why, and what is lost by it.

Called by flows/explaining.py, and by whatever restores. Only complete points are ever chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never

from shared.model.point import Consistency, Point

ORDER = tuple(Consistency)
"""The most consistent first."""

ARCHIVED = "ArchivedRP"
"""The tier of a point that can be restored from only after hours of rehydration, as Azure names it."""

IN_VAULT = "every complete point is in a vault, from which only `tagback restore` brings anything back"


@dataclass(frozen=True, slots=True)
class Latest:
    """As little lost as possible."""


@dataclass(frozen=True, slots=True)
class Before:
    """The newest point before something happened at `moment`: a deletion, an intrusion, a bad deployment."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The newest point that promises at least this; the newest of all where none does."""

    consistency: Consistency


Wish: TypeAlias = Latest | Before | AtLeast


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
    """There is no point to restore from."""

    because: str
    passed_over: tuple[tuple[Point, str], ...]


def choose(points: Sequence[Point], wish: Wish, now: datetime, *, in_vault: bool = False) -> Chosen | NothingFits:
    """The point to restore from: of those that we took, or of those `in_vault`. The order in which they are given says
    nothing."""
    until = wish.moment if isinstance(wish, Before) else now
    newest_first = sorted(points, key=lambda point: point.slot, reverse=True)
    unfit = {id(point): _unfit(point, wish, in_vault) for point in newest_first}
    fitting = [point for point in newest_first if not unfit[id(point)]]
    if not fitting:
        return NothingFits(_nothing(points, wish, in_vault), tuple((point, unfit[id(point)]) for point in newest_first))
    asked = [point for point in fitting if _promises(point, wish)]
    point = (asked or fitting)[0]
    newer = [one for one in newest_first if one.slot > point.slot]
    passed_over = tuple((one, unfit[id(one)] or f"only {one.consistency}") for one in newer)
    return Chosen(point, _because(point, wish, fell_back=not asked), max(until - point.slot, timedelta(0)), passed_over)


def _unfit(point: Point, wish: Wish, in_vault: bool) -> str:
    """Why a point can in no case be chosen; empty when it can."""
    if not point.complete:
        return f"it is {point.state}: {point.because}"
    if point.is_ours is in_vault:
        return "it is not in a vault" if in_vault else "it is in a vault, which restores it itself"
    if point.vault and point.vault.tiers and set(point.vault.tiers) == {ARCHIVED}:
        return "it is archived, and would have to be brought back from there by its vault first"
    if isinstance(wish, Before) and point.slot >= wish.moment:
        return "it is not from before that time"
    return ""


def _promises(point: Point, wish: Wish) -> bool:
    return not isinstance(wish, AtLeast) or ORDER.index(point.consistency) <= ORDER.index(wish.consistency)


def _because(point: Point, wish: Wish, *, fell_back: bool) -> str:
    match wish:
        case Latest():
            return f"the newest complete point ({point.consistency})"
        case Before(moment):
            return f"the newest complete point from before {moment:%Y-%m-%d %H:%M}Z ({point.consistency})"
        case AtLeast(wanted) if fell_back:
            return f"no complete point is {wanted}; the newest is {point.consistency}"
        case AtLeast(wanted):
            return f"the newest complete point that is at least {wanted} ({point.consistency})"
        case _:  # pragma: no cover - mypy shows that nothing is left
            assert_never(wish)


def _nothing(points: Sequence[Point], wish: Wish, in_vault: bool) -> str:
    if not points:
        return "it has no recovery point"
    if not any(point.complete for point in points):
        return "none of its recovery points is complete"
    asked_for = [point for point in points if point.complete and point.is_ours is not in_vault]
    if not asked_for:
        return "no complete point is in a vault" if in_vault else IN_VAULT
    if all(_unfit(point, Latest(), in_vault) for point in asked_for):
        return "every complete point in a vault is archived"
    assert isinstance(wish, Before), "any complete point fits every other wish"
    return f"every complete point is from {wish.moment:%Y-%m-%d %H:%M}Z or later"
