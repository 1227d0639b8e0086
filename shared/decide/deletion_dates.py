"""When each point of a machine may go at the earliest, and whether that was planned: the law of retention once stamped.

Called by the forecast (departure.py), by the timer that marks, and again by the verdict right before a deletion. It
only looks at our own rows: what Azure shows, holds and budgets are deletion.py's. No birth stamp is ever shortened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from shared.decide.retention import lengthened
from shared.model.plan import Keep
from shared.model.point import Part, PartState, Point, PointState

NO_KEEP = Keep(())
REMAINS_KEPT = timedelta(hours=24)  # so long after its end an attempt's parts may still be wanted by whoever looks


@dataclass(frozen=True, slots=True)
class Owner:
    """The machine whose points are judged. `living`: it exists and asks for protection; else since when it does not.

    `keep` is its plan's of now, empty where it has none, by the calendar of `zone`; `floor` the least age of any point.
    """

    living: bool
    keep: Keep = NO_KEEP
    left_at: datetime | None = None
    floor: timedelta = timedelta(0)
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Going:
    """May go, not before `at`; `planned` when its birth stamp said so and the plan stays satisfied without it.

    `remains` are parts that are no point: those of earlier attempts, or all of a point that never became complete.
    `withdrawn`: its date was lengthened when it completed, and the plan of now does not ask for that.
    """

    point: Point
    at: datetime
    planned: bool
    because: str
    remains: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Staying:
    """No date takes it."""

    point: Point
    because: str


Standing: TypeAlias = Going | Staying


@dataclass(frozen=True, slots=True)
class Among:
    """A point among all points of its machine: `newer` complete ones come after it, `newest` is the last of them."""

    point: Point
    owner: Owner
    newer: int
    newest: Point | None
    orphan_keep: timedelta

    @property
    def last(self) -> bool:
        return self.point.complete and not self.newer

    @property
    def outlived(self) -> bool:
        """Whether a complete point of its own or a later slot exists."""
        return self.newest is not None and self.newest.slot >= self.point.slot

    @property
    def date(self) -> datetime:
        """Before it nothing goes: birth stamp, ledger date, floor, whichever is latest."""
        point = self.point
        return max(point.birth_keep_until, point.keep_until, born(point) + self.owner.floor)

    @property
    def orphaned(self) -> datetime | None:
        """When the last of a machine that left may go; None while nobody knows since when it has left."""
        return None if self.owner.left_at is None else max(self.date, self.owner.left_at + self.orphan_keep)


def born(point: Point) -> datetime:
    """When the first part of the point's attempt was sent; its slot where nothing was."""
    return min([part.sent_at for part in point.live_parts if part.sent_at], default=point.slot)


def standings(points: Iterable[Point], owner: Owner, orphan_keep: timedelta) -> tuple[Standing, ...]:
    """The one answer for every point, in the order of their slots. The order in which they are given says nothing."""
    known = sorted(points, key=_age_order)
    complete = [point for point in known if _is_held_by_us(point)]
    newest, newer = (complete[-1] if complete else None), len(complete)
    found = []
    for point in known:
        newer -= _is_held_by_us(point)
        found.append(_standing(Among(point, owner, newer, newest, orphan_keep)))
    return tuple(found)


def _is_held_by_us(point: Point) -> bool:
    """Whether it is a complete point that other points can be outlived by: a vault's goes when its policy says."""
    return point.complete and point.is_ours


def _standing(among: Among) -> Standing:
    return next(answer for rule in RULES if (answer := rule(among)) is not None)


def _of_a_vault(among: Among) -> Standing | None:
    if not among.point.is_ours:
        return Staying(among.point, "its vault expires it by its policy; nothing of a vault is deleted here")
    return None


def _taking(among: Among) -> Standing | None:
    if among.point.state is PointState.TAKING:
        return Staying(among.point, "it is still being taken")
    return None


def _deleting(among: Among) -> Standing | None:
    """What has begun is brought to its end: half a point is of no use to anybody."""
    point = among.point
    if point.state is not PointState.DELETING:
        return None
    planned, remains = (point.removal.planned, point.removal.remains) if point.removal else (False, False)
    date = min(among.date, point.removal.marked_at) if remains and point.removal else among.date
    if point.removal and point.removal.withdrawn:
        return Going(point, point.birth_keep_until, planned, _why(point), remains, withdrawn=True)
    return Going(point, date, planned, _why(point), remains)


def _remains(among: Among) -> Standing | None:
    """An incomplete point is no point: its parts go once there is a complete one of that or a later slot."""
    point = among.point
    if point.complete:
        return None
    ended = (point.ended_at or among.date) + REMAINS_KEPT
    if among.outlived:
        because = f"incomplete, and a complete point of that or a later slot exists: {_why(point)}"
        return Going(point, ended, True, because, remains=True)
    if among.owner.living:
        return Staying(point, "incomplete, but no complete point of that or a later slot exists yet")
    if among.orphaned is None:
        return Staying(point, "incomplete, and nobody knows since when its machine has left")
    return Going(
        point, max(ended, among.orphaned), False, "all that is left of a machine that left long ago", remains=True
    )


def _last_of_the_living(among: Among) -> Standing | None:
    if among.last and among.owner.living:
        return Staying(among.point, "the newest complete point of a machine that exists and asks for protection")
    return None


def _among_the_newest(among: Among) -> Standing | None:
    if among.owner.living and among.newer < among.owner.keep.last:
        return Staying(
            among.point, f"one of the newest {among.owner.keep.last} complete points (last={among.owner.keep.last})"
        )
    return None


def _last_of_the_left(among: Among) -> Standing | None:
    if not among.last:
        return None
    if among.orphaned is None:
        return Staying(among.point, "the last complete point, and nobody knows since when its machine has left")
    days = among.orphan_keep.days
    return Going(
        among.point, among.orphaned, False, f"the last complete point of a machine that left {days} days before"
    )


def _of_the_left(among: Among) -> Standing | None:
    if among.owner.living:
        return None
    return Going(among.point, among.date, False, f"{_why(among.point)}; its machine has left")


def _no_longer_lengthened(among: Among) -> Standing | None:
    """A plan that became shorter takes back what was added at completion, never what was stamped at birth."""
    point, owner = among.point, among.owner
    if not owner.keep.ages or point.rebuilt_at or point.keep_until <= point.birth_keep_until:
        return None
    asked_for = lengthened(point.birth_keep_until, point.slot, point.earned, owner.keep, owner.zone)
    until = max(asked_for, born(point) + owner.floor)
    if until >= point.keep_until:
        return None
    because = f"it was kept longer than stamped ({_why(point)}), and its plan does not ask for that any more"
    return Going(point, until, False, because, withdrawn=True)


def _by_its_date(among: Among) -> Standing | None:
    """One whose row was lost and found again goes as unplanned: nobody remembers what it was stamped with at birth."""
    planned = among.point.rebuilt_at is None
    return Going(among.point, among.date, planned, _why(among.point))


RULES: tuple[Callable[[Among], Standing | None], ...] = (
    _of_a_vault,
    _taking,
    _deleting,
    _remains,
    _last_of_the_living,
    _among_the_newest,
    _last_of_the_left,
    _of_the_left,
    _no_longer_lengthened,
    _by_its_date,
)
"""In this order; the first that answers is the reason."""


def dead_parts(point: Point) -> tuple[Part, ...]:
    """The parts of attempts that can no longer complete."""
    return tuple(part for part in point.parts if part.attempt != point.attempt or part.state is PartState.ABANDONED)


def earlier_attempts(point: Point, complete: Sequence[Point]) -> Going | None:
    """What the parts of earlier attempts of a complete point are worth; None where there are none, or not yet."""
    outlived = any(other.slot >= point.slot for other in complete)
    if not (point.complete and outlived and point.ended_at and dead_parts(point)):
        return None
    because = "of an attempt that could not be completed, and a complete point of that or a later slot exists"
    return Going(point, point.ended_at + REMAINS_KEPT, True, because, remains=True)


def _age_order(point: Point) -> tuple[datetime, str]:
    return (point.slot, point.engine.value)


def _why(point: Point) -> str:
    return point.because or "its date has come"
