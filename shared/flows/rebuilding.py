"""Makes the ledger of a shard anew from what Azure holds: parts by name and tags, machines by a GET of each.

Called for a request. It adds what the ledger lacks and never takes anything back: a row that is there is newer than
what Azure's tags say, so only parts nobody remembers, later dates and holds are added to it. Any of it may be repeated.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.decide.drawing import Captured
from shared.decide.naming import stamp
from shared.decide.registration import registered
from shared.decide.remains import Remnant, merged, operation_of, place_of, points_of, remnant
from shared.decide.tag_values import relevant
from shared.errors import CloudError, LostRace
from shared.flows.casework import TRIES, Case, key, saved
from shared.flows.part_calls import parts_in_azure
from shared.flows.slicing import Slice
from shared.flows.vault_remains import look_into_vaults
from shared.messages import REQUESTS, SHARDS, VMS, VmKey, request_text, shard_text
from shared.model.draining import CallKind
from shared.model.identity import ResourceId, VmUid
from shared.model.machine import Machine, Sighting, Status
from shared.model.point import Origin, Point
from shared.model.request import Progress, Request
from shared.model.rules import Rules
from shared.model.transition import Held, Row
from shared.ports import World

log = logging.getLogger("tagback")

TOGETHER = 40  # points of one transaction: each may bring an operation, and a hundred rows is the most
MARGIN = timedelta(seconds=60)

Places = Mapping[VmUid, ResourceId]


@dataclass(frozen=True, slots=True)
class Estate:
    """Everything of ours in one shard, by machine, and where the bulk lens last saw the machines."""

    remnants: Mapping[VmUid, Sequence[Remnant]]
    places: Places


def rebuild(world: World, rules: Rules, request: Request) -> None:
    """Go on with a request for one slice; hand back when there is more."""
    until = world.clock.now() + rules.drain_for
    slice_ = Slice(world, rules, request.shard, until, until + MARGIN)
    estate = _estate(slice_)
    reached = request.reached
    for uid in sorted(uid for uid in estate.remnants if uid > reached):
        if not slice_.admitted(CallKind.READ):
            break
        _restore(slice_, uid, estate)
        reached = uid
    else:
        _finish(slice_, request, estate)
        return
    world.requests.settle(replace(request, reached=reached, because=f"machines up to {reached} are done"))
    world.queue.send(REQUESTS, request_text(request.id), timedelta(seconds=1))


def _finish(slice_: Slice, request: Request, estate: Estate) -> None:
    parts = sum(len(found) for found in estate.remnants.values())
    because = f"{len(estate.remnants)} machines were found by {parts} parts of points{look_into_vaults(slice_)}"
    slice_.world.requests.settle(replace(request, progress=Progress.DONE, because=because))
    log.info("ledger.rebuilt shard=%s because=%r", request.shard, because)
    slice_.world.queue.send(SHARDS, shard_text(request.shard))


def _estate(slice_: Slice) -> Estate:
    remnants: dict[VmUid, list[Remnant]] = defaultdict(list)
    for seen in parts_in_azure(slice_.world, slice_.rules, slice_.shard):
        if one := remnant(seen, slice_.rules):
            remnants[one.uid].append(one)
    return Estate(remnants, _places(slice_))


def _places(slice_: Slice) -> Places:
    """By the bulk lens, which only says where to look first."""
    try:
        pages = slice_.world.inventory.fleet([slice_.shard.subscription])
        return {seen.uid: seen.id for page in pages for seen in page}
    except CloudError:
        return {}


def _restore(slice_: Slice, uid: VmUid, estate: Estate) -> None:
    """Bring one machine's rows in line with what Azure holds of it."""
    for turn in range(TRIES):
        try:
            _restored(slice_, uid, estate)
        except LostRace:
            if turn == TRIES - 1:
                raise
        else:
            return


def _restored(slice_: Slice, uid: VmUid, estate: Estate) -> None:
    now, world = slice_.now(), slice_.world
    record = world.ledger.record(slice_.shard, uid)
    case = Case.of(record, world.ledger.points(slice_.shard, uid)) if record else None
    found = points_of(estate.remnants[uid], slice_.rules, now)
    known = {key(point): point for point in case.known_points} if case else {}
    missing = [point for point in found if key(point) not in known]
    grown = [
        after for point in found if (before := known.get(key(point))) and (after := merged(before, point)) != before
    ]
    if case is None:
        case = Case(Held(_machine(slice_, uid, estate, found), ""), ())
    _audit(slice_, case.machine.row, missing)
    while missing or grown or not case.machine.etag:
        rows: list[Row] = [*grown, *missing[:TOGETHER]]
        ids = {held.row.id for held in case.operations}
        answers = [one for point in missing[:TOGETHER] if (one := operation_of(point, now)) and one.id not in ids]
        case = saved(world, slice_.rules, case, [*rows, *answers], now)
        missing, grown = missing[TOGETHER:], []


def _machine(slice_: Slice, uid: VmUid, estate: Estate, points: Sequence[Point]) -> Machine:
    """The machine's row as one look at it now makes it; a question is left where that look did not find it."""
    remnants = estate.remnants[uid]
    place = place_of(remnants, slice_.shard)
    bare = _bare(slice_, uid, place, points)
    try:
        seen = slice_.world.inventory.look(estate.places.get(uid, place))
    except CloudError as error:
        log.warning("vm.unread id=%s because=%r", place, str(error))
        seen = None
    if isinstance(seen, Sighting) and (seen.uid, seen.shard) == (uid, slice_.shard):
        return registered(bare, seen, slice_.rules, slice_.now())
    slice_.world.queue.send(VMS, VmKey(place, uid, slice_.shard).text())
    return replace(bare, enrolled_at=None, settled=None, tags=_hold(slice_, points))


def _hold(slice_: Slice, points: Sequence[Point]) -> dict[str, str]:
    """The tag that held the machine when it was last captured: gone or not, it holds until somebody ends it."""
    reference = next((point.model for point in reversed(points) if point.model), "")
    try:
        machine = Captured.of(slice_.world.models.load(reference) if reference else {}).machine
    except CloudError as error:
        log.warning("model.lost reference=%s because=%r", reference, str(error))
        return {}
    name = f"{slice_.rules.prefix}-hold"
    tags = relevant(machine.get("tags") or {}, slice_.rules.prefix)
    return {name: tags[name]} if name in tags else {}


def _bare(slice_: Slice, uid: VmUid, place: ResourceId, points: Sequence[Point]) -> Machine:
    """What its points say of a machine: it was enrolled, and its slots up to the newest are answered for."""
    slots = [point.slot for point in points if point.origin is Origin.SLOT]
    return Machine(
        uid=uid,
        id=place,
        name=place.name,
        shard=slice_.shard,
        tags={},
        disks=(),
        unsupported=(),
        plan=points[-1].plan,
        status=Status.EXCLUDED,
        because="found by its recovery points; it was not looked at yet",
        problems=(),
        as_of=min(_born(points), slice_.now()),
        enrolled_at=_born(points),
        settled=max(slots, default=points[-1].slot),
    )


def _born(points: Sequence[Point]) -> datetime:
    return min(point.slot for point in points)


def _audit(slice_: Slice, machine: Machine, points: Sequence[Point]) -> None:
    lines = [
        {
            "event": "point.rebuilt",
            "vm": machine.uid,
            "slot": stamp(point.slot),
            "state": point.state.value,
            "attempt": point.attempt,
            "keep_until": stamp(point.keep_until),
            "parts": [part.id.name for part in point.parts],
        }
        for point in points
    ]
    slice_.audit(lines)
