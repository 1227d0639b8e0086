"""Sees which started captures have become complete: by one bulk look for all of them, by GETs for the stragglers.

Called by the drainer. A list can only say that a part is there; it never says that one is not.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from shared.decide import capture as decide
from shared.decide import parts
from shared.decide.capture import Capture
from shared.decide.naming import BIRTH_KEEP_UNTIL, KEEP_UNTIL, says, stamp
from shared.decide.protection import plan_of
from shared.decide.restore_points import later_date, promised
from shared.errors import CloudError, Conflict
from shared.flows.casework import Case, closing, saved_if_mine
from shared.flows.part_calls import find_part, news_of
from shared.flows.setbacks import given_up, set_back
from shared.flows.slicing import Look, Slice
from shared.model.draining import CallKind
from shared.model.identity import ResourceId
from shared.model.operation import Operation, State
from shared.model.point import Part, PartState, Point
from shared.model.snapshot import SnapshotSeen

log = logging.getLogger("tagback")

LOOK_LASTS = timedelta(minutes=1)


def confirm(slice_: Slice, cases: Sequence[Case]) -> list[Case]:
    """Look at every started capture whose time has come, and record what is ready; the cases as they are then."""
    slots = {operation.slot for case in cases for operation in _due(slice_, case)}
    seen = _shown(slice_, tuple(sorted(slots))) if slots else None
    if seen is None:
        return list(cases)
    outcomes = [_outcome(slice_, case, seen) for case in cases]
    slice_.audit([_line(point) for outcome in outcomes for point in outcome.completed])
    return [_recorded(slice_, outcome) for outcome in outcomes]


def _recorded(slice_: Slice, outcome: Outcome) -> Case:
    if not outcome.rows:
        return outcome.case
    return saved_if_mine(slice_.world, slice_.rules, outcome.case, outcome.rows) or outcome.case


@dataclass(frozen=True, slots=True)
class Outcome:
    """A machine whose captures were looked at, and the rows that follow from it."""

    case: Case
    rows: tuple[Operation | Point, ...]

    @property
    def completed(self) -> tuple[Point, ...]:
        return tuple(row for row in self.rows if isinstance(row, Point) and row.complete)


def _due(slice_: Slice, case: Case) -> list[Operation]:
    now = slice_.now()
    started = [operation for operation in case.captures if operation.state is State.STARTED]
    return [operation for operation in started if operation.next_look is None or operation.next_look <= now]


def _shown(slice_: Slice, slots: tuple[datetime, ...]) -> Mapping[ResourceId, SnapshotSeen] | None:
    """What the bulk lens shows of these slots; None when no read was free in this slice.

    One look serves every batch of a minute: it goes through all snapshots of the slots, not only those of a batch.
    """
    now = slice_.now()
    look = slice_.looks.get(slots)
    if look and now - look.at < LOOK_LASTS:
        return look.seen
    if not slice_.admitted(CallKind.READ):
        return None
    seen = _bulk(slice_, slots)
    if seen:
        slice_.looks[slots] = Look(now, seen)
    return seen


def _bulk(slice_: Slice, slots: Sequence[datetime]) -> Mapping[ResourceId, SnapshotSeen]:
    """The snapshots of these slots by id. A list that cannot be read shows nothing, and nothing follows from that."""
    try:
        return {seen.id: seen for seen in slice_.world.snapshots.taken(slice_.shard, slots)}
    except CloudError as error:
        log.warning("shard.unlisted shard=%s because=%r", slice_.shard, str(error))
        return {}


def _outcome(slice_: Slice, case: Case, seen: Mapping[ResourceId, SnapshotSeen]) -> Outcome:
    rows: list[Operation | Point] = []
    known = case
    for operation in sorted(_due(slice_, case), key=lambda one: one.slot):
        if capture := case.capture(operation.id):
            after = _looked_at(slice_, known, capture, seen)
            rows += after
            for point in (row for row in after if isinstance(row, Point)):
                known = known.with_point(point)
    return Outcome(case, tuple(rows))


def _looked_at(
    slice_: Slice, case: Case, capture: Capture, seen: Mapping[ResourceId, SnapshotSeen]
) -> list[Operation | Point]:
    """The rows of one capture after a look at its parts."""
    now, machine = slice_.now(), case.machine.row
    point, loss = _with_stragglers(slice_, parts.confirmed(capture.point, seen, slice_.rules.owner))
    capture = Capture(capture.operation, point)
    if parts.is_complete(point):
        plan = plan_of(machine, slice_.rules, now) or slice_.rules.plans.by_name.get(point.plan)
        done = decide.completed(capture, plan, case.known_points, now)
        if _stamps_hold(slice_, done.point, case, seen):
            log.info("point.complete vm=%s slot=%s because=%r", machine.name, stamp(point.slot), done.point.because)
            return [done.operation, done.point]
    endless = None if loss else _endless(point, now)
    if error := loss or endless:
        if decide.has_been_overtaken(capture.operation, machine):
            if endless:
                return given_up(case.with_point(point), capture.operation, endless, now)
            return closing(case.with_point(point), capture.operation, State.SUPERSEDED, error.message, now)
        return set_back(case, capture, error, now)
    waiting = decide.waiting(capture, now)
    return [waiting.operation, waiting.point]


def _stamps_hold(slice_: Slice, point: Point, case: Case, seen: Mapping[ResourceId, SnapshotSeen]) -> bool:
    """Whether the parts say as late a date as the ledger will: one that was lengthened is put on them first.

    So is the ledger's own where a part was not seen with it: whoever may write tags may have made it earlier.

    The birth stamp stays beside it: a shorter plan may take the lengthening back, and nothing more. A restore point
    says the date of its birth for ever; its collection is told of a later one, and of a plan or a model that is another
    than before.
    """
    calls = []
    later = {KEEP_UNTIL: stamp(point.keep_until), BIRTH_KEEP_UNTIL: stamp(point.birth_keep_until)}
    news = {**news_of(point, case), **later_date(point)}
    for part in point.live_parts:
        if part.is_restore_point and news:
            calls.append(partial(_mark, slice_, part, news))
        elif not part.is_restore_point and not says(seen.get(part.id), point.keep_until):
            calls.append(partial(_merge, slice_, part, later))
    answers = slice_.each(CallKind.WRITE, calls)
    missing = [answer for answer in answers if not isinstance(answer, ResourceId)]
    if missing:
        log.warning("point.unstamped slot=%s because=%r", stamp(point.slot), str(missing[0] or "no time was left"))
    return not missing


def _mark(slice_: Slice, part: Part, tags: Mapping[str, str]) -> ResourceId:
    slice_.world.restore_points.mark(part.id, tags)
    return part.id


def _merge(slice_: Slice, part: Part, tags: Mapping[str, str]) -> ResourceId:
    slice_.world.snapshots.merge(part.id, tags)
    return part.id


def _with_stragglers(slice_: Slice, point: Point) -> tuple[Point, Conflict | None]:
    """The point after a GET of each part that the bulk lens should show by now and does not; and what was lost."""
    loss = None
    for part in point.live_parts:
        if part.state is not PartState.STARTED or not parts.needs_get(part, slice_.now()):
            continue
        if not slice_.admitted(CallKind.READ):
            break
        try:
            found = find_part(slice_.world, slice_.rules, part.id)
        except CloudError as error:
            log.warning("part.unread snapshot=%s because=%r", part.id.name, str(error))
            break
        after = parts.looked(point, part, found, slice_.rules.owner, slice_.now())
        if after.state is PartState.FAILED:
            loss = Conflict(parts.loss_of(found), f"{part.id.own_name} came to nothing")
        point = point.with_part(after)
        point = promised(point, found) if found and part.is_restore_point else point
    return point, loss


def _endless(point: Point, now: datetime) -> Conflict | None:
    """The failure of a point one of whose snapshots never becomes ready."""
    if not parts.is_endless(point, now):
        return None
    names = ", ".join(part.id.name for part in point.live_parts if part.state is PartState.STARTED)
    return Conflict("PartEndless", f"not ready after a day: {names}")


def _line(point: Point) -> dict[str, object]:
    return {
        "event": "point.complete",
        "vm": point.uid,
        "slot": stamp(point.slot),
        "attempt": point.attempt,
        "keep_until": stamp(point.keep_until),
        "because": point.because,
        "parts": [part.id.name for part in point.live_parts],
    }
