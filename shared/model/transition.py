"""Rows as the ledger holds them, and those of one machine that change together.

A row carries the ETag it was read with, so that every write can be conditional (promise S11).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.point import Point

Row = Machine | Operation | Point
RowT = TypeVar("RowT", Machine, Operation, Point, covariant=True)


@dataclass(frozen=True, slots=True)
class Held(Generic[RowT]):
    """A row as the ledger held it when it was read, with its ETag."""

    row: RowT
    etag: str


@dataclass(frozen=True, slots=True)
class Write:
    """A row to be written: created when `etag` is None (fails if it exists), replaced under If-Match otherwise."""

    row: Row
    etag: str | None


@dataclass(frozen=True, slots=True)
class Transition:
    """Rows of one VM that change together, all or none. `removed` rows are deleted under If-Match."""

    shard: Shard
    uid: VmUid
    writes: tuple[Write, ...]
    removed: tuple[Held[Operation] | Held[Point], ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A machine with its operations, as read together."""

    machine: Held[Machine]
    operations: tuple[Held[Operation], ...]


WithPoints: TypeAlias = tuple[Record, tuple[Held[Point], ...]]
