"""Restore points of machines as parts of points: where they lie, what they are called, and what their names say.

A restore point carries no tags [azure-facts 3.4]: its name tells slot, date and attempt, and ends in a digest of these
with the machine, the origin and the number of parts; its collection, one per machine, is tagged, also with what came
later: a hold, a longer date. Read back, it looks like the snapshot of a machine, so that whatever judges parts judges
it too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product

from shared.decide.naming import BIRTH_KEEP_UNTIL, KEEP_UNTIL, OURS, STAMP, stamp
from shared.decide.tag_values import FOREVER, parse_hold
from shared.model.identity import DiskUid, ResourceId, VmUid
from shared.model.machine import Disk, Machine
from shared.model.point import Consistency, Engine, Inside, Origin, Part, PartState, Point
from shared.model.restore_point import Mode, RestorePointOrder, RestorePointSeen
from shared.model.rules import Rules
from shared.model.snapshot import SnapshotSeen

GROUPS = 20  # of a region: its 10,000 collections at most [facts 3.4] are 500 to a group, of 800 that one may hold
MOST_PARTS = 65  # a restore point, and a snapshot of each disk of the largest machine
HOLD = f"{OURS}hold-"
LATER = f"{KEEP_UNTIL}-"
KEPT = tuple(f"{OURS}{word}" for word in ("owner", "vm", "name", "plan", "model"))  # of a collection's tags
_NAME = re.compile(r"tb-(\d{8}t\d{4}z)-(\d{8}t\d{4}z)-(\d{1,4})-([0-9a-f]{8})")

PROMISED = {
    Mode.APPLICATION: Consistency.APPLICATION,
    Mode.FILE_SYSTEM: Consistency.FILE_SYSTEM,
    Mode.CRASH: Consistency.CRASH,
}
"""What Azure's word for a restore point promises."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the restore points of a machine lie: a collection in one of the region's numbered recovery groups."""

    number: int
    collection: str


@dataclass(frozen=True, slots=True)
class Named:
    """What the name of a restore point says."""

    slot: datetime
    keep_until: datetime
    attempt: int
    digest: str


def home_of(uid: VmUid, machine: ResourceId) -> Home:
    """The same for the same machine at the same place: a collection is bound to the id that its machine had."""
    return Home(int(_digest(uid), 16) % GROUPS, f"tb-{_digest(uid, str(machine))[:32]}")


def restore_point_name(point: Point, attempt: int, parts: int) -> str:
    """The name of a point's restore point in an attempt of so many parts; ids know only lower case."""
    key = Named(point.slot, point.birth_keep_until, attempt, "")
    said = (stamp(key.slot), stamp(key.keep_until), str(attempt), _check(point.uid, key, point.origin, parts))
    return f"tb-{'-'.join(said)}".lower()


def named(name: str) -> Named | None:
    """What a name says; None for a name that is not as we make them."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        slot, until = (_stamped(text) for text in found.groups()[:2])
    except ValueError:
        return None
    return Named(slot, until, int(found[3]), found[4])


def as_part(seen: RestorePointSeen, prefix: str) -> SnapshotSeen:
    """A restore point as though it were a snapshot of its machine, tagged with what its name and collection say.

    `prefix` is the opt-in tag's name. A name that its collection's machine does not bear out says nothing.
    """
    tags = {name.lower(): value for name, value in seen.tags.items()}
    kept = {name: tags[name] for name in KEPT if name in tags}
    said = named(seen.id.own_name)
    checked = _said_by_digest(VmUid(tags.get("tagback-vm", "")), said) if said else None
    if said and checked:
        kept |= _said(tags, said, *checked, seen.mode)
        kept |= _held(tags, said.slot, prefix)
    return SnapshotSeen(
        id=seen.id,
        source_uid=DiskUid(seen.machine_uid),
        provisioning=seen.provisioning,
        completion=seen.completion,
        access="",
        tags=kept,
        source=seen.machine,
        created=seen.created,
        inside=seen.inside,
    )


def _said(tags: Mapping[str, str], said: Named, origin: Origin, parts: int, mode: str) -> Mapping[str, str]:
    promise = _promise(mode)
    return {
        "tagback-disk": tags["tagback-vm"],
        "tagback-lun": "os",
        "tagback-slot": stamp(said.slot),
        "tagback-attempt": str(said.attempt),
        "tagback-engine": Engine.RESTORE_POINT.value,
        "tagback-origin": origin.value,
        "tagback-parts": str(parts),
        "tagback-consistency": promise.value if promise else "",
        **_dates(tags, said),
    }


def _dates(tags: Mapping[str, str], said: Named) -> Mapping[str, str]:
    """Until when it is kept: the date of its name, or a later one that its collection says, and then both."""
    birth = {KEEP_UNTIL: stamp(said.keep_until)}
    with suppress(ValueError):
        later = _stamped(tags.get(f"{LATER}{stamp(said.slot)}".lower(), ""))
        return {KEEP_UNTIL: stamp(later), BIRTH_KEEP_UNTIL: birth[KEEP_UNTIL]} if later > said.keep_until else birth
    return birth


def _held(tags: Mapping[str, str], slot: datetime, prefix: str) -> Mapping[str, str]:
    """The hold on one restore point: its own, or that of the whole collection, whichever lasts longer."""
    own, whole = tags.get(f"{HOLD}{stamp(slot)}".lower()), tags.get(f"{prefix}-hold")
    words = [word for word in (own, whole) if word is not None]
    return {f"{prefix}-hold": max(words, key=lambda word: parse_hold(word) or FOREVER)} if words else {}


def hold_tag(point: Point) -> str:
    """The name of the tag by which one point's restore point is held, on its collection."""
    return f"{HOLD}{stamp(point.slot)}"


def later_date(point: Point) -> Mapping[str, str]:
    """The tag by which a collection keeps one restore point longer than its name says; none where the name says it."""
    if point.keep_until == point.birth_keep_until:
        return {}
    return {f"{LATER}{stamp(point.slot)}": stamp(point.keep_until)}


def collection_tags(point: Point, machine: Machine, rules: Rules) -> Mapping[str, str]:
    """What a collection says of its machine; of the plan and the model, those of its newest point."""
    return {
        "tagback-owner": rules.owner,
        "tagback-vm": point.uid,
        "tagback-name": f"{machine.id.group}/{machine.name}",
        **about(point),
    }


def about(point: Point) -> Mapping[str, str]:
    """What changes of a collection's tags from point to point."""
    return {"tagback-plan": point.plan, **({"tagback-model": point.model} if point.model else {})}


def restore_point_of(
    point: Point, machine: Machine, apart: Collection[ResourceId], parts: int, collection: ResourceId
) -> Part:
    """The planned restore point of all captured disks but those `apart`, as one of so many parts."""
    inside = tuple(_inside(disk) for disk in machine.disks if not disk.left_out and disk.id not in apart)
    name = restore_point_name(point, point.attempt, parts)
    return Part(
        id=replace(collection, name=f"{collection.name}/restorepoints/{name}"),
        disk=machine.id,
        disk_uid=DiskUid(machine.uid),
        lun=None,
        attempt=point.attempt,
        state=PartState.PLANNED,
        inside=inside,
    )


def order_of(point: Point, part: Part, machine: Machine, rules: Rules, disks: Collection[Disk]) -> RestorePointOrder:
    """What is asked of Azure for a planned restore point. `disks` are all that the machine has now."""
    wanted = {disk.disk for disk in part.inside}
    return RestorePointOrder(
        id=part.id,
        machine=part.disk,
        shard=machine.shard,
        mode=Mode.APPLICATION if point.consistency is Consistency.APPLICATION else Mode.CRASH,
        excluded=tuple(disk.id for disk in disks if disk.id not in wanted),
        tags=collection_tags(point, machine, rules),
    )


def promised(point: Point, seen: SnapshotSeen) -> Point:
    """The point with what Azure says that its restore point came to: never more than was asked for."""
    promise = seen.tags.get("tagback-consistency", "")
    if point.consistency not in PROMISED.values() or promise not in set(Consistency):
        return point
    order = [*Consistency]
    least = max(point.consistency, Consistency(promise), key=order.index)
    return replace(point, consistency=least)


def _inside(disk: Disk) -> Inside:
    return Inside(disk.id, disk.uid, disk.lun)


def _promise(mode: str) -> Consistency | None:
    return next((promise for word, promise in PROMISED.items() if word.lower() == mode.lower()), None)


def _said_by_digest(uid: VmUid, said: Named) -> tuple[Origin, int] | None:
    """The origin and the number of parts that the digest was made of; None where it was made of none."""
    for parts, origin in product(range(1, MOST_PARTS + 1), Origin):
        if _check(uid, said, origin, parts) == said.digest:
            return origin, parts
    return None


def _check(uid: VmUid, said: Named, origin: Origin, parts: int) -> str:
    key = (uid, stamp(said.slot), stamp(said.keep_until), str(said.attempt), origin.value, str(parts))
    return _digest(Engine.RESTORE_POINT.value, *key)[:8]


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def _stamped(text: str) -> datetime:
    return datetime.strptime(text.upper(), STAMP).replace(tzinfo=UTC)
