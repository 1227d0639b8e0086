"""Calls about parts, whatever they are made of: the type of a part's id says which port serves it.

Called by every flow that looks at parts, holds them, or asks Azure for them; deletions go through removing.py alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from shared.decide.capture import Together
from shared.decide.hardware import ladder
from shared.decide.parts import ENDLESS
from shared.decide.restore_points import about, as_part, hold_tag, home_of
from shared.errors import Missing, Throttled
from shared.flows.casework import Case
from shared.flows.slicing import Slice
from shared.model.draining import CallKind
from shared.model.identity import COLLECTION_TYPE, ResourceId, Shard
from shared.model.machine import Machine, Sighting
from shared.model.operation import Operation
from shared.model.point import Engine, Part, Point
from shared.model.restore import ArmPath
from shared.model.restore_point import RestorePointOrder
from shared.model.rules import Rules
from shared.model.snapshot import SnapshotOrder, SnapshotSeen
from shared.ports import World

log = logging.getLogger("tagback")

PAUSE = timedelta(seconds=15)

Order = SnapshotOrder | RestorePointOrder


def find_part(world: World, rules: Rules, place: ResourceId) -> SnapshotSeen | None:
    """One part from the provider itself; None when there is none."""
    if place.type != COLLECTION_TYPE:
        return world.snapshots.find(place)
    seen = world.restore_points.find(place)
    return as_part(seen, rules.prefix) if seen else None


def parts_in_azure(world: World, rules: Rules, shard: Shard) -> Iterator[SnapshotSeen]:
    """Everything that Azure holds in the recovery groups of a shard; how far a young restore point is says a GET."""
    yield from world.holdings.snapshots(shard)
    for one in world.holdings.restore_points(shard):
        young = one.created is None or world.clock.now() - one.created <= ENDLESS
        seen = world.restore_points.find(one.id) if young else one
        if seen is not None:
            yield as_part(seen, rules.prefix)


def hold_part(world: World, rules: Rules, point: Point, part: Part, until: str) -> ResourceId:
    """Put a person's hold on one part: its own tag, or one for its slot on its collection."""
    if part.is_restore_point:
        world.restore_points.mark(part.id, {hold_tag(point): until})
    else:
        world.snapshots.merge(part.id, {f"{rules.prefix}-hold": until})
    return part.id


def create_part(world: World, order: Order) -> ResourceId:
    """Ask Azure for one part. It was looked for before, or was never sent."""
    if isinstance(order, RestorePointOrder):
        world.restore_points.create(order)
    else:
        world.snapshots.create(order)
    return order.id


def news_of(point: Point, case: Case) -> dict[str, str]:
    """What the collection does not say yet of the newest point; empty while nothing has changed since the last."""
    before = [one for one in case.known_points if one.complete and one.slot < point.slot]
    same = [one for one in before if any(part.is_restore_point for part in one.live_parts)]
    return dict(about(point)) if same and about(same[-1]) != about(point) else {}


def together(slice_: Slice, case: Case, operation: Operation, machine: Machine, sighting: Sighting) -> Together | None:
    """How the disks of a machine are taken as one; None where its plan asks for each by itself.

    A CloudError where the machine cannot be looked at: whether it runs, and its agent, is only said by itself.
    """
    if operation.engine is not Engine.RESTORE_POINT:
        return None
    if not slice_.admitted(CallKind.READ):
        raise Throttled("Paced", "no read was free in this slice", PAUSE)
    vm = slice_.world.builder.find(slice_.shard, ArmPath(str(machine.id)))
    if vm is None:
        raise Missing("Absent", f"nothing of this machine is at {machine.id}")
    kept = sighting.model.get("disks")
    choice = ladder(machine, vm, kept if isinstance(kept, list) else (), case.known_points, operation, slice_.now())
    because = "; ".join([choice.because, *(f"no {one.rung}: {one.because}" for one in choice.refused)])
    log.info("capture.rung vm=%s rung=%r because=%r", machine.name, choice.rung.value, because)
    home = home_of(machine.uid, machine.id)
    return Together(choice, slice_.world.restore_points.place(slice_.shard, home.number, home.collection))
