"""Rows of the ledger: values of the model as flat table entities, and back. Pure; for the ledger and requests adapters.

A field is a column of its name: texts, numbers and instants as they are, ids and enums as texts, tuples, mappings and
nested values as JSON. None is left out, so rows are always replaced and never merged. Each row carries the version of
this form; a row of a newer version, or with a word that only a newer build knows, is refused and never guessed at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from shared.cloud.codec import columns_of, read, written
from shared.errors import NewerRows, Refused
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.point import Point
from shared.model.request import PoisonedMessage, Request

SCHEMA = 1
STAMP = "%Y%m%dT%H%MZ"
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
FORBIDDEN_IN_KEYS = frozenset("/\\#?") | {chr(code) for code in (*range(32), *range(127, 160))}

Entity = dict[str, Any]
AnyRow = Machine | Operation | Point | Request | PoisonedMessage
RowT = TypeVar("RowT", Machine, Operation, Point, Request, PoisonedMessage)


def row_key(row: AnyRow) -> str:
    """The row's key within its partition, in the form that the contract pins."""
    match row:
        case Machine():
            return key("m", row.uid)
        case Operation():
            return key("o", row.uid, row.id)
        case Point():
            return key("p", row.uid, row.slot.astimezone(UTC).strftime(STAMP), row.engine.value)
        case Request():
            return key("r", row.id)
        case PoisonedMessage():
            return key("x", row.queue, hashlib.sha256(row.text.encode()).hexdigest()[:32])


def key(*parts: str) -> str:
    """Parts joined by |; ValueError where Azure would refuse the key."""
    joined = "|".join(parts)
    if FORBIDDEN_IN_KEYS & set(joined) or len(joined) > 512:
        raise ValueError(f"not fit for a table key: {joined!r}")
    return joined


def entity_of(row: AnyRow, partition: str) -> Entity:
    """The table entity of a row; Refused when a value is too large for a column."""
    entity: Entity = {"PartitionKey": partition, "RowKey": row_key(row), "schema": SCHEMA, **_derived(row)}
    for field in fields(row):
        value = getattr(row, field.name)
        if value is not None:
            entity.update(written(field.name, value))
    return entity


def row_of(kind: type[RowT], entity: Mapping[str, Any]) -> RowT:
    """The row of a table entity."""
    if entity.get("schema", SCHEMA) > SCHEMA:
        raise NewerRows(
            f"row {entity['RowKey']} is of version {entity['schema']}, written by a newer Tagback than this one, which "
            f"knows version {SCHEMA}: deploy the newer one again"
        )
    try:
        return kind(**{column.name: read(column, entity) for column in columns_of(kind) if column.name in entity})
    except NewerRows as newer:
        raise NewerRows(f"row {entity['RowKey']}: {newer}") from newer
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused("DamagedRow", f"row {entity['RowKey']} is not as Tagback writes it: {error}") from error


def _derived(row: AnyRow) -> Entity:
    """Columns that queries filter on, or that the contract names, beside the fields themselves."""
    match row:
        case Machine():
            return {"wanted_at": row.wanted_at or NEVER}
        case Operation():
            return {"open": row.state.open}
        case Point():
            return {"complete": row.complete}
        case Request():
            return {"expires": row.restore.expires} if row.restore else {}
        case PoisonedMessage():
            return {}
