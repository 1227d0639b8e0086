"""Values of the model as table columns and JSON, and back, by the types of their fields. Pure; used by `rows.py`.

What reading a type takes is worked out once per type: a shard's thousands of rows are read with every sweep.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache, partial
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from shared.errors import NewerRows, Refused
from shared.model.identity import ResourceId, Shard

TEXT_BYTES = 64 * 1024  # of UTF-16 per column [azure-facts 7.1]
SLICE = TEXT_BYTES // 4  # characters: none takes more than four bytes
Read = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A field as the table has it: `nested` ones are JSON."""

    name: str
    nested: bool
    read: Read


def columns_of(kind: Any) -> tuple[Column, ...]:
    """The columns of a dataclass."""
    return _columns(kind)


@cache
def _columns(kind: Any) -> tuple[Column, ...]:
    return tuple(Column(name, _is_nested(hint), _reader(_bare(hint))) for name, hint in get_type_hints(kind).items())


def written(name: str, value: Any) -> Mapping[str, Any]:
    """The column or columns of one value; Refused when it is too large for them."""
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


def read(column: Column, entity: Mapping[str, Any]) -> Any:
    """The value of a column that is there; ValueError, KeyError or TypeError for one that we never wrote."""
    raw = entity[column.name]
    if not column.nested:
        return column.read(raw)
    texts = [raw]
    while (further := entity.get(f"{column.name}_{len(texts) + 1}")) is not None:
        texts.append(further)
    return column.read(_joined(texts))


def _joined(texts: Sequence[str]) -> Any:
    """The value that `_pieces` cut up: lists one after another, or the slices of one text."""
    try:
        found = json.loads(texts[0])
    except ValueError:
        return json.loads("".join(texts))
    for text in texts[1:]:
        found = found + json.loads(text)
    return found


def _pieces(plain: Any) -> Iterator[str]:
    """JSON of a value; a list too long for one column is cut into several lists, an object into slices of its text."""
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    if isinstance(plain, dict) and not _fits(text):
        yield from (text[start : start + SLICE] for start in range(0, len(text), SLICE))
        return
    if _fits(text) or not isinstance(plain, list) or len(plain) < 2:
        yield text
        return
    yield from _pieces(plain[: len(plain) // 2])
    yield from _pieces(plain[len(plain) // 2 :])


def _fits(text: str) -> bool:
    return 2 * len(text) <= TEXT_BYTES and (text.isascii() or len(text.encode("utf-16-le")) <= TEXT_BYTES)


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
        found = ((field, getattr(value, field.name)) for field in fields(value))
        return {field.name: _plain(inner) for field, inner in found if inner != () or field.default != ()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return value


def _is_nested(annotation: Any) -> bool:
    kind = _bare(annotation)
    return get_origin(kind) is not None or (is_dataclass(kind) and kind not in (ResourceId, Shard))


@cache
def _reader(kind: Any) -> Read:
    """What turns a raw value into one of this type."""
    if get_origin(kind) is tuple:
        inner = _reader(_bare(get_args(kind)[0]))
        return lambda raw: tuple([inner(each) for each in raw])
    if get_origin(kind) is not None:
        return dict
    if kind is datetime:
        return instant
    if kind in (ResourceId, Shard):
        kind = kind.parse
    elif is_dataclass(kind):
        return _nested_reader(kind)
    elif issubclass(kind, Enum):
        return partial(_word, kind)
    reads_itself: Read = kind  # a text, a number
    return reads_itself


def _word(kind: type[Enum], raw: Any) -> Enum:
    """A word of ours; NewerRows for one that this build has not learnt: later builds know more states and kinds."""
    try:
        return kind(raw)
    except ValueError as error:
        if not (isinstance(raw, str) and raw.replace("-", "").isalnum()):
            raise
        raise NewerRows(f"{error}: a newer Tagback wrote it; deploy the newer one again") from error


def _nested_reader(kind: Any) -> Read:
    """A nested dataclass; fields that a later build added are passed over."""
    readers = {column.name: column.read for column in columns_of(kind)}

    def nested(raw: Mapping[str, Any]) -> Any:
        known = {name: value for name, value in raw.items() if name in readers}
        return kind(**{name: None if value is None else readers[name](value) for name, value in known.items()})

    return nested


def instant(raw: datetime | str) -> datetime:
    """The table SDK's instants are of a class of their own."""
    moment = datetime.fromisoformat(raw) if isinstance(raw, str) else raw
    return datetime.combine(moment.date(), moment.time(), UTC)


def _bare(annotation: Any) -> Any:
    """The annotation without `| None` and NewType."""
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(inner for inner in get_args(annotation) if inner is not types.NoneType)
    return annotation.__supertype__ if isinstance(annotation, NewType) else annotation
