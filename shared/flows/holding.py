"""A person's word that points are not deleted before a day: asked by the command line, carried out for requesting.py.

Azure first: the hold is a tag on every part before the ledger knows of it, so that it outlives the ledger. Asking again
with another day replaces the former hold; a day that is over ends it. The audit log has who asked before it is so.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from shared.decide.naming import stamp
from shared.decide.tag_values import FOREVER, HOLD_FORM, parse_hold
from shared.errors import BadInput, CloudError, LostRace, Missing, Throttled, Unknown
from shared.flows.asking import filed, new_request
from shared.flows.casework import TRIES, Case, saved
from shared.flows.part_calls import hold_part
from shared.flows.slicing import Slice
from shared.model.draining import CallKind
from shared.model.machine import Machine
from shared.model.point import Point, PointState
from shared.model.request import Asked, Progress, Request
from shared.model.rules import Rules
from shared.ports import World

log = logging.getLogger("tagback")

NO_TIME = Throttled("Paced", "not every part could be tagged yet", timedelta(minutes=1))


def ask_hold(world: World, machine: Machine, until: str, slot_text: str | None, by: str) -> Request:
    """Ask that a machine's points, or the one of a slot, be held; BadInput or Unknown when that cannot be."""
    if parse_hold(until) is None:
        raise BadInput([f"{until!r} is not a hold; allowed: {HOLD_FORM}"])
    slot = _instant(slot_text) if slot_text else None
    points = [one.row for one in world.ledger.points(machine.shard, machine.uid)]
    if not _meant(points, slot):
        what = f"point of {stamp(slot)}" if slot else "complete point"
        raise Unknown(f"{machine.name} has no {what} that could be held; see `tagback points`")
    asked = new_request(world, Asked.HOLD, machine.shard, machine.uid, by)
    return filed(world, replace(asked, hold=until.strip().lower(), slot=slot))


def _instant(text: str) -> datetime:
    """A slot as `tagback points` or a tag shows it, in UTC unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadInput([f"{text!r} is not a slot; allowed: 2026-11-20T02:00:00Z or 20261120T0200Z"]) from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _meant(points: Sequence[Point], slot: datetime | None) -> list[Point]:
    """The complete points that a hold is about; a vault holds none of its points one by one."""
    return [point for point in points if point.complete and point.is_ours and slot in (None, point.slot)]


def held(world: World, rules: Rules, request: Request) -> Request:
    """The request settled. A CloudError where not every part could be tagged: then nothing is said to be held."""
    until = parse_hold(request.hold)
    if until is None:
        return replace(request, progress=Progress.REFUSED, because=f"{request.hold!r} is not a hold")
    for turn in range(TRIES):
        record = world.ledger.record(request.shard, request.uid)
        if record is None:
            return replace(request, progress=Progress.REFUSED, because="the machine is not registered")
        case = Case.of(record, world.ledger.points(request.shard, request.uid))
        try:
            return _held(world, rules, request, case, until)
        except LostRace:
            if turn == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _held(world: World, rules: Rules, request: Request, case: Case, until: datetime) -> Request:
    points = _meant(case.known_points, request.slot)
    if not points:
        return replace(request, progress=Progress.REFUSED, because="no complete point is left that could be held")
    _tag(world, rules, request, case.machine.row, points)
    later = [replace(point, held_until=until) for point in points]
    saved(world, rules, case, later, world.clock.now())
    shown = "for ever" if until >= FOREVER else f"until {until:%Y-%m-%d %H:%M}Z"
    log.info("points.held vm=%s points=%d until=%s by=%s", case.machine.row.name, len(later), shown, request.by)
    going = sum(point.state is PointState.DELETING for point in case.known_points)
    beside = f"; {going} more are being deleted already" if going and request.slot is None else ""
    return replace(request, progress=Progress.DONE, because=f"{len(later)} points are held {shown}{beside}")


def _tag(world: World, rules: Rules, request: Request, machine: Machine, points: Sequence[Point]) -> None:
    """The hold, audited, on every part that is there; raises unless all of them carry it."""
    now = world.clock.now()
    slice_ = Slice(world, rules, request.shard, now + rules.drain_for, now + rules.drain_for)
    slice_.audit([_line(request, machine, points)])
    parts = [(point, part) for point in points for part in point.live_parts]
    calls = [partial(hold_part, world, rules, point, part, request.hold) for point, part in parts]
    for answer in slice_.each(CallKind.WRITE, calls):
        if answer is None:
            raise NO_TIME
        if isinstance(answer, CloudError) and not isinstance(answer, Missing):
            raise answer


def _line(request: Request, machine: Machine, points: Sequence[Point]) -> dict[str, object]:
    """`former` is until when they were held before, without those that were not."""
    return {
        "event": "points.hold",
        "vm": machine.uid,
        "name": machine.name,
        "slots": [stamp(point.slot) for point in points],
        "until": request.hold,
        "former": sorted({stamp(point.held_until) for point in points if point.held_until}),
        "by": request.by,
        "request": request.id,
    }
