"""What Azure alone says of our points: snapshots read back from their names and tags, and put together again.

Called by flows/rebuilding.py. A tag is believed only as far as the snapshot's name bears it out: the name is a hash of
the machine, engine, slot, attempt and disk. A date in a tag can lengthen what the plan asks for, never shorten it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from shared.decide.capture import operation_id
from shared.decide.naming import STAMP, has_failed, is_ready, part_name
from shared.decide.parts import ENDLESS, TOGETHER
from shared.decide.retention import Neighbour, kept
from shared.decide.tag_values import held_until
from shared.model.identity import COLLECTION_TYPE, VM_TYPE, DiskUid, ResourceId, Shard, VmUid
from shared.model.operation import Kind, Operation, State
from shared.model.point import Consistency, Engine, Origin, Part, PartState, Point, PointState
from shared.model.rules import Rules
from shared.model.snapshot import SnapshotSeen

APART = TOGETHER + timedelta(minutes=10)  # the clocks that decided it, and Azure's, may differ by so much
CUT_OFF = "its capture was cut off when the ledger was lost"


@dataclass(frozen=True, slots=True)
class Remnant:
    """One snapshot of ours with what its tags say. `wanted` is how many parts its attempt had, 0 when unknown."""

    uid: VmUid
    slot: datetime
    engine: Engine
    part: Part
    created: datetime
    wanted: int
    keep_until: datetime
    tags: Mapping[str, str]
    held_until: datetime | None


def remnant(seen: SnapshotSeen, rules: Rules) -> Remnant | None:
    """The snapshot as a part of a point; None when it is not ours, or not as we make them."""
    tags = {name.lower(): value for name, value in seen.tags.items()}
    if tags.get("tagback-owner") != rules.owner:
        return None
    try:
        uid, disk_uid = VmUid(tags["tagback-vm"]), DiskUid(tags["tagback-disk"])
        slot, engine, attempt = _stamped(tags["tagback-slot"]), Engine(tags["tagback-engine"]), tags["tagback-attempt"]
        lun = None if tags["tagback-lun"] == "os" else int(tags["tagback-lun"])
        keep_until = _stamped(tags["tagback-keep-until"])
        derived = part_name(uid, engine, slot, int(attempt), disk_uid)
    except (KeyError, ValueError):
        return None
    named = seen.id.type == COLLECTION_TYPE or derived == seen.id.name  # a restore point's tags are what its name says
    if not named or seen.source_uid not in ("", disk_uid):
        return None
    created = seen.created or slot
    disk = seen.source or replace(seen.id, type="microsoft.compute/disks", name=disk_uid)
    part = Part(seen.id, disk, disk_uid, lun, int(attempt), _state(seen), created, seen.inside)
    wanted = tags.get("tagback-parts", "")
    return Remnant(
        uid=uid,
        slot=slot,
        engine=engine,
        part=part,
        created=created,
        wanted=int(wanted) if wanted.isdecimal() and len(wanted) < 4 else 0,
        keep_until=keep_until,
        tags=tags,
        held_until=held_until(seen.tags, rules.prefix),
    )


def place_of(remnants: Sequence[Remnant], shard: Shard) -> ResourceId:
    """Where the machine was when its newest part was taken; a place of its uid where no tag says it."""
    newest = max(remnants, key=lambda one: one.created)
    group, _, name = newest.tags.get("tagback-name", "").lower().partition("/")
    return ResourceId(shard.subscription, group or newest.part.disk.group, VM_TYPE, name or newest.uid)


def points_of(remnants: Iterable[Remnant], rules: Rules, now: datetime) -> list[Point]:
    """One machine's points, oldest first, each kept as long as its tags say or its classes earn, whichever is later."""
    by_point: dict[tuple[datetime, Engine], list[Remnant]] = defaultdict(list)
    for one in remnants:
        by_point[one.slot, one.engine].append(one)
    points: list[Point] = []
    for _, found in sorted(by_point.items()):
        points.append(_kept(_point(found, now), points, rules))
    return points


def operation_of(point: Point, now: datetime) -> Operation | None:
    """The operation that goes on with a point, or that answers for one that was cut off; none for a complete one."""
    if point.complete:
        return None
    going_on = point.state is PointState.TAKING
    return Operation(
        uid=point.uid,
        id=operation_id(point.origin, point.slot, point.engine),
        kind=Kind.CAPTURE,
        origin=point.origin,
        engine=point.engine,
        slot=point.slot,
        state=State.STARTED if going_on else State.SKIPPED,
        because="found in Azure, not ready yet" if going_on else CUT_OFF,
        intended_at=now,
        attempts=1,
        started_at=now if going_on else None,
        ended_at=None if going_on else now,
        next_look=now if going_on else None,
    )


def merged(known: Point, found: Point) -> Point:
    """A point of the ledger with what Azure has beside it: parts nobody remembers, later dates, holds. Never less."""
    remembered = {part.id for part in known.parts}
    forgotten = [part for part in found.parts if part.id not in remembered]
    holds = [until for until in (known.held_until, found.held_until) if until]
    return replace(
        known,
        parts=(*known.parts, *(replace(part, state=PartState.ABANDONED) for part in forgotten)),
        keep_until=max(known.keep_until, found.keep_until) if found.complete else known.keep_until,
        held_until=max(holds, default=None),
    )


def _point(found: list[Remnant], now: datetime) -> Point:
    """The point of one slot: by its last whole attempt, else the last one that may still become whole."""
    attempts: dict[int, list[Remnant]] = defaultdict(list)
    for one in found:
        attempts[one.part.attempt].append(one)
    states = {number: _attempt_state(parts, now) for number, parts in attempts.items()}
    order = (PointState.INCOMPLETE, PointState.TAKING, PointState.COMPLETE)
    number = max(attempts, key=lambda each: (order.index(states[each]), each))
    chosen, state = attempts[number], states[number]
    first = chosen[0]
    until = max(one.keep_until for one in found)
    return Point(
        uid=first.uid,
        slot=first.slot,
        engine=first.engine,
        origin=_origin(first),
        attempt=number,
        state=state,
        consistency=_consistency(chosen),
        plan=first.tags.get("tagback-plan", ""),
        parts=tuple(_part(one.part, number, state) for one in sorted(found, key=lambda one: one.part.id)),
        birth_keep_until=until,
        keep_until=until,
        earned="",
        because=CUT_OFF if state is PointState.INCOMPLETE else "found in Azure",
        held_until=max((one.held_until for one in found if one.held_until), default=None),
        model=first.tags.get("tagback-model", ""),
        ended_at=_ended(chosen, state, now),
        rebuilt_at=now,
    )


def _ended(chosen: list[Remnant], state: PointState, now: datetime) -> datetime | None:
    """A complete point is no gain of today, whatever is found today; what was cut off is given up now."""
    match state:
        case PointState.COMPLETE:
            return max(one.created for one in chosen)
        case PointState.INCOMPLETE:
            return now
        case _:
            return None


def _attempt_state(parts: list[Remnant], now: datetime) -> PointState:
    """Complete only when every part that the attempt had is there, ready, and of one time (promise S6)."""
    born = [one.created for one in parts]
    whole = 0 < max(one.wanted for one in parts) == len(parts) and max(born) - min(born) <= APART
    failed = any(one.part.state is PartState.FAILED for one in parts)
    if not whole or failed:
        return PointState.INCOMPLETE
    if all(one.part.state is PartState.READY for one in parts):
        return PointState.COMPLETE
    return PointState.TAKING if now - min(born) <= ENDLESS else PointState.INCOMPLETE


def _part(part: Part, attempt: int, state: PointState) -> Part:
    stays = part.attempt == attempt and state is not PointState.INCOMPLETE
    return part if stays else replace(part, state=PartState.ABANDONED)


def _kept(point: Point, earlier: Iterable[Point], rules: Rules) -> Point:
    """With the date that its classes earn, as though stamped at birth: whoever may write tags makes none earlier."""
    plan = rules.plans.by_name.get(point.plan)
    if plan is None or not point.complete:
        return point
    ours = [one for one in earlier if one.complete and one.is_ours and one.origin is Origin.SLOT]
    neighbours = [Neighbour(one.slot, one.keep_until) for one in ours]
    keep = kept(point.slot, point.origin, plan.keep, neighbours, plan.schedule.zone)
    because, until = f"{keep.because}; found in Azure", max(point.keep_until, keep.until)
    return replace(point, birth_keep_until=until, keep_until=until, earned=keep.earned, because=because)


def _state(seen: SnapshotSeen) -> PartState:
    if has_failed(seen):
        return PartState.FAILED
    return PartState.READY if is_ready(seen) else PartState.STARTED


def _origin(one: Remnant) -> Origin:
    said = one.tags.get("tagback-origin", "")
    return Origin(said) if said in set(Origin) else Origin.SLOT


def _consistency(parts: Sequence[Remnant]) -> Consistency:
    """A tag may not claim more than separate snapshots can give: the only disk of a machine is of one instant.

    A restore point is of one instant and says itself what it came to; beside it, snapshots make a mixed point.
    """
    whole = next((one for one in parts if one.part.is_restore_point), None)
    one = whole or parts[0]
    said = one.tags.get("tagback-consistency", "")
    if whole:
        return Consistency.MIXED if one.wanted > 1 else Consistency(said or Consistency.CRASH)
    return Consistency.CRASH if one.wanted == 1 and said == Consistency.CRASH else Consistency.PER_DISK


def _stamped(text: str) -> datetime:
    return datetime.strptime(text, STAMP).replace(tzinfo=UTC)
