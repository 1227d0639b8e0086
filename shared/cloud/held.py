"""Rows of the ledger as they are held: with an ETag that names their slice, and back to changes of the table.

Used by the ledger adapter only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from shared.cloud import table as tables
from shared.cloud.rows import Entity, entity_of, row_key, row_of
from shared.cloud.slices import partition
from shared.cloud.table import Change
from shared.errors import NewerRows
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.point import Point
from shared.model.transition import Held, Transition

RowT = TypeVar("RowT", Machine, Operation, Point)


def changes_of(transition: Transition, slice_: str) -> list[Change]:
    """What a transition changes in the table."""
    place = partition(transition.shard, slice_)
    changes: list[Change] = []
    for write in transition.writes:
        entity = entity_of(write.row, place)
        changes.append(tables.replace(entity, _etag(write.etag)) if write.etag else tables.create(entity))
    removals = [tables.delete(place, row_key(held.row), _etag(held.etag)) for held in transition.removed]
    return changes + removals


def held_of(kind: type[RowT], slice_: str, entity: Entity) -> Held[RowT]:
    """The row of an entity that was read from a slice."""
    return Held(row_of(kind, entity), f"{slice_}/{entity['etag']}")


def readable(kind: type[RowT], rows: Iterable[tuple[str, Entity]]) -> Iterator[Held[RowT]]:
    """The rows that this build can read; then NewerRows when there was one that it cannot."""
    newer: NewerRows | None = None
    for slice_, row in rows:
        try:
            held = held_of(kind, slice_, row)
        except NewerRows as error:
            newer = newer or error
            continue
        yield held
    if newer is not None:
        raise newer


def slice_of(prefixed: str) -> str:
    """The slice that an ETag of ours names."""
    return prefixed.partition("/")[0]


def batches(machines: Iterable[Held[Machine]], most: int) -> Iterator[tuple[str, Sequence[Held[Machine]]]]:
    """Machines slice by slice, so many at a time; the slice of the first machine first."""
    placed: dict[str, list[Held[Machine]]] = defaultdict(list)
    for machine in machines:
        placed[slice_of(machine.etag)].append(machine)
    for slice_, held in placed.items():
        yield from ((slice_, held[start : start + most]) for start in range(0, len(held), most))


def _etag(prefixed: str) -> str:
    return prefixed.partition("/")[2]
