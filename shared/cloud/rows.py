"""Rows of the ledger: values of the model as flat table entities, and back. Pure; for the ledger and requests adapters.

A field is a column of its name: texts, numbers and instants as they are, ids and enums as texts, tuples, mappings and
nested values as JSON. None is left out, so rows are always replaced and never merged. Each row carries the version of
this form; a row of a newer version is refused, never guessed at.
"""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from shared.errors import Refused
from shared.model.identity import ResourceId, Shard
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.point import Point
from shared.model.request import PoisonedMessage, Request

SCHEMA = 1
STAMP = "%Y%m%dT%H%MZ"
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
TEXT_BYTES = 64 * 1024  # of UTF-16 per column [azure-facts 7.1]
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
            entity.update(_columns(field.name, value))
    return entity


def row_of(kind: type[RowT], entity: Mapping[str, Any]) -> RowT:
    """The row of a table entity."""
    if entity.get("schema", SCHEMA) > SCHEMA:
        raise Refused(
            "NewerSchema", f"row {entity['RowKey']} was written by a newer Tagback: deploy that version again"
        )
    values = {}
    for name, annotation in _annotations(kind).items():
        if name in entity:
            values[name] = _value(annotation, _joined(name, annotation, entity))
    try:
        return kind(**values)
    except TypeError as error:
        raise Refused("DamagedRow", f"row {entity['RowKey']}: {error}") from error


def _derived(row: AnyRow) -> Entity:
    """Columns that queries filter on, or that the contract names, beside the fields themselves."""
    match row:
        case Machine():
            return {"wanted_at": row.wanted_at or NEVER}
        case Operation():
            return {"open": row.state.open}
        case Point():
            return {"complete": row.complete}
        case Request() | PoisonedMessage():
            return {}


def _columns(name: str, value: Any) -> Entity:
    if isinstance(value, datetime):
        return {name: value.astimezone(UTC)}
    if isinstance(value, Enum):
        return {name: value.value}
    if isinstance(value, (ResourceId, Shard)):
        return {name: str(value)}
    if isinstance(value, (bool, int)):
        return {name: value}
    texts = [value] if isinstance(value, str) else list(_pieces(_plain(value)))
    for text in texts:
        if not _fits(text):
            raise Refused("PropertyValueTooLarge", f"{name} does not fit into a table column ({len(text)} characters)")
    return {name if number == 1 else f"{name}_{number}": text for number, text in enumerate(texts, 1)}


def _pieces(plain: Any) -> Iterator[str]:
    """JSON of a value; a list too long for one column is cut into several lists."""
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    if _fits(text) or not isinstance(plain, list) or len(plain) < 2:
        yield text
        return
    yield from _pieces(plain[: len(plain) // 2])
    yield from _pieces(plain[len(plain) // 2 :])


def _fits(text: str) -> bool:
    return 2 * len(text) <= TEXT_BYTES and len(text.encode("utf-16-le")) <= TEXT_BYTES


def _joined(name: str, annotation: Any, entity: Mapping[str, Any]) -> Any:
    """The raw value of a field: JSON parsed, and lists that were cut put together."""
    raw = entity[name]
    if not _is_json(annotation):
        return raw
    found = json.loads(raw)
    number = 2
    while f"{name}_{number}" in entity:
        found = found + json.loads(entity[f"{name}_{number}"])
        number += 1
    return found


def _is_json(annotation: Any) -> bool:
    kind = _bare(annotation)
    return get_origin(kind) is not None or (is_dataclass(kind) and kind not in (ResourceId, Shard))


def _plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (ResourceId, Shard)):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return value


def _value(annotation: Any, raw: Any) -> Any:
    """The typed value of a raw one; the reverse of `_columns` and `_plain`."""
    if raw is None:
        return None
    kind: Any = _bare(annotation)
    if get_origin(kind) is tuple:
        return tuple(_value(get_args(kind)[0], inner) for inner in raw)
    if get_origin(kind) is not None:
        return dict(raw)
    if kind is datetime:
        moment = datetime.fromisoformat(raw) if isinstance(raw, str) else raw
        return datetime.combine(moment.date(), moment.time(), UTC)
    if kind in (ResourceId, Shard):
        return kind.parse(raw)
    return _nested(kind, raw) if is_dataclass(kind) else kind(raw)


def _nested(kind: Any, raw: Mapping[str, Any]) -> Any:
    known = _annotations(kind)
    return kind(**{name: _value(known[name], inner) for name, inner in raw.items() if name in known})


def _bare(annotation: Any) -> Any:
    """The annotation without `| None` and NewType."""
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(inner for inner in get_args(annotation) if inner is not types.NoneType)
    return annotation.__supertype__ if isinstance(annotation, NewType) else annotation


def _annotations(kind: Any) -> Mapping[str, Any]:
    return _hints(kind)


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)
