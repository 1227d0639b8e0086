"""Rows of the ledger twin: what a key is, and a row of any kind as it is kept."""

from __future__ import annotations

from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.point import Point
from shared.ports import Held, Row

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


def kept(row: Row, etag: str) -> Kept:
    match row:
        case Machine():
            return Held(row, etag)
        case Operation():
            return Held(row, etag)
        case Point():
            return Held(row, etag)
