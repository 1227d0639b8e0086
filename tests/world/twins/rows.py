"""Rows of the ledger twin: what a key is, and a row of any kind as it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.point import Point
from shared.model.transition import Held, Row

Kept = Held[Machine] | Held[Operation] | Held[Point]
Key = tuple[str, ...]


def key_of(row: Row) -> Key:
    """What tells a row from the others of its machine."""
    match row:
        case Machine():
            return ("m",)
        case Operation():
            return ("o", row.id)
        case Point():
            return ("p", row.slot.isoformat(), row.engine.value)


def told(row: Row) -> str:
    """The row in a word, for the event log."""
    match row:
        case Machine():
            return f"{row.status}({row.plan} settled {row.settled:%d-%H:%M})" if row.settled else str(row.status)
        case Operation():
            return f"{row.id}={row.state}"
        case Point():
            return f"{row.slot:%d-%H:%M}/{row.attempt}={row.state}"


@dataclass(slots=True)
class Rows:
    """The rows of one machine, by kind."""

    machine: Held[Machine] | None = None
    operations: dict[str, Held[Operation]] = field(default_factory=dict)
    points: dict[Key, Held[Point]] = field(default_factory=dict)

    def get(self, row: Row) -> Kept | None:
        match row:
            case Machine():
                return self.machine
            case Operation():
                return self.operations.get(row.id)
            case Point():
                return self.points.get(key_of(row))

    def put(self, row: Row, etag: str) -> None:
        match row:
            case Machine():
                self.machine = Held(row, etag)
            case Operation():
                self.operations[row.id] = Held(row, etag)
            case Point():
                self.points[key_of(row)] = Held(row, etag)

    def remove(self, row: Operation | Point) -> None:
        match row:
            case Operation():
                del self.operations[row.id]
            case Point():
                del self.points[key_of(row)]

    def __iter__(self) -> Iterator[Kept]:
        if self.machine is not None:
            yield self.machine
        yield from self.operations.values()
        yield from self.points.values()
