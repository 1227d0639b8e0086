"""Which points are marked for deletion, and when a machine's points next want a look. Marking changes our rows only.

Called by flows/expiring.py and flows/reaping.py, and whenever a machine's rows are written. A mark is put a day ahead
of the date, so that announcing a deletion keeps nothing longer; it is taken back when its reason has gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from shared.decide.deletion import COOLING_OFF
from shared.decide.deletion_dates import Going, Owner, Standing, dead_parts, earlier_attempts, standings
from shared.decide.protection import wish_of
from shared.decide.tags import OptedIn, OptedOut
from shared.model.machine import Machine, Status
from shared.model.point import Part, PartState, Point, PointState, Removal
from shared.model.rules import Rules


def owner_of(machine: Machine, rules: Rules, now: datetime) -> Owner:
    """The machine as its points' retention sees it. One that asks by a wrong name still asks."""
    wish = wish_of(machine, rules, now)
    living = machine.status is not Status.GONE and not isinstance(wish, OptedOut)
    if not living:
        return Owner(living=False, left_at=machine.left_at)
    if isinstance(wish, OptedIn):
        plan = wish.plan
        return Owner(living=True, keep=plan.keep, floor=plan.keep_floor, zone=plan.schedule.zone)
    return Owner(living=True)


def judged(points: Iterable[Point], owner: Owner, rules: Rules) -> Sequence[Standing]:
    """Every point with what its deletion would be about: all of it, or first the remains of its earlier attempts."""
    found = standings(points, owner, rules.orphan_keep)
    complete = [one.point for one in found if one.point.complete and one.point.is_ours]
    return [earlier_attempts(one.point, complete) or one for one in found]


def doomed(point: Point) -> tuple[Part, ...]:
    """The parts that the point's recorded removal is about."""
    return dead_parts(point) if point.complete and point.removal and point.removal.remains else point.parts


def remarked(points: Iterable[Point], owner: Owner, rules: Rules, now: datetime) -> tuple[Point, ...]:
    """The points whose mark is to be put or taken back now, changed so."""
    after = [(one.point, _marked(one, rules, now)) for one in judged(points, owner, rules)]
    return tuple(new for old, new in after if new != old)


def _marked(standing: Standing, rules: Rules, now: datetime) -> Point:
    point = standing.point
    if point.state is PointState.DELETING:
        return point
    if not isinstance(standing, Going) or standing.at - rules.delete_wait > now:
        return replace(point, removal=None)
    if point.removal is not None and point.removal.remains == standing.remains:
        return point
    first = max(standing.at, now + (rules.delete_wait if standing.planned else COOLING_OFF))
    mark = Removal(now, first, standing.because, remains=standing.remains, planned=standing.planned)
    return replace(point, removal=mark)


def next_expiry(points: Iterable[Point], owner: Owner, rules: Rules) -> datetime | None:
    """When a point of the machine is next to be marked, or one that is marked to be looked at."""
    return min(_moments(points, owner, rules), default=None)


def _moments(points: Iterable[Point], owner: Owner, rules: Rules) -> Iterator[datetime]:
    for standing in judged(points, owner, rules):
        if standing.point.removal is not None:
            yield standing.point.removal.next_look
        elif isinstance(standing, Going):
            yield standing.at - rules.delete_wait


def begun(standing: Going, now: datetime) -> Point:
    """Claimed for good: from here on it is no point any more, unless only parts of earlier attempts go."""
    point = standing.point
    assert point.removal is not None
    removal = replace(
        point.removal,
        claimed_at=point.removal.claimed_at or now,
        planned=standing.planned,
        next_look=now,
        because=standing.because,
        frozen=False,
        asks=False,
        withdrawn=standing.withdrawn,
    )
    stays = point.complete and standing.remains
    return replace(point, removal=removal, state=point.state if stays else PointState.DELETING)


def spared(point: Point) -> Point:
    """What nothing has happened to is again what it was before it was claimed."""
    if point.state is not PointState.DELETING or point.removal is None:
        return point
    return replace(point, state=PointState.INCOMPLETE if point.removal.remains else PointState.COMPLETE)


def put_off(point: Point, until: datetime, because: str) -> Point:
    """Looked at again at `until`; `because` says what stands in the way."""
    assert point.removal is not None
    return replace(point, removal=replace(point.removal, next_look=until, because=because, frozen=False, asks=False))


def frozen(point: Point, until: datetime, because: str) -> Point:
    """The same where only a person can say how it goes on."""
    after = put_off(point, until, because)
    assert after.removal is not None
    return replace(after, removal=replace(after.removal, frozen=True))


def asking(point: Point, until: datetime, because: str) -> Point:
    """The same where two people may agree to it."""
    after = frozen(point, until, because)
    assert after.removal is not None
    return replace(after, removal=replace(after.removal, asks=True))


def waiting_for_people(points: Iterable[Point]) -> str:
    """How many deletions wait for people, and why the first of them does; empty when none does."""
    reasons = [point.removal.because for point in points if point.removal and point.removal.frozen]
    return (
        f"{len(reasons)} {'deletion waits' if len(reasons) == 1 else 'deletions wait'}: {reasons[0]}" if reasons else ""
    )


def accepted(point: Point, parts: Iterable[Part]) -> Point:
    """The point after Azure accepted the deletion of some of its parts."""
    for part in parts:
        point = point.with_part(replace(part, state=PartState.DELETING))
    return point


def without(point: Point, gone: Iterable[Part]) -> Point:
    """The point without parts that exist no more."""
    names = {part.id for part in gone}
    return replace(point, parts=tuple(part for part in point.parts if part.id not in names))
