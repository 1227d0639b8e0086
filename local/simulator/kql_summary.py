"""`summarize`: aggregates per group. Called by `kql`; knows nothing of the other operators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from local.simulator.kql_expressions import Evaluate, Reader, Row
from local.simulator.kql_tokens import KqlError, UnsupportedKql
from local.simulator.kql_values import text_of

Aggregate = Callable[[Sequence[Any]], Any]


def _present(values: Sequence[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _different(values: Sequence[Any]) -> list[Any]:
    found: dict[str, Any] = {}
    for value in _present(values):
        found.setdefault(text_of(value), value)
    return list(found.values())


def _mean(values: Sequence[Any]) -> float | None:
    present = _present(values)
    return sum(present) / len(present) if present else None


# name -> (arguments, what it makes of the values of the argument)
_AGGREGATES: dict[str, tuple[int, Aggregate]] = {
    "count": (0, len),
    "countif": (1, lambda values: sum(1 for value in values if value)),
    "dcount": (1, lambda values: len(_different(values))),
    "sum": (1, lambda values: sum(_present(values))),
    "avg": (1, _mean),
    "min": (1, lambda values: min(_present(values), default=None)),
    "max": (1, lambda values: max(_present(values), default=None)),
    "make_list": (1, _present),
    "make_set": (1, _different),
    "any": (1, lambda values: next(iter(_present(values)), None)),
    "take_any": (1, lambda values: next(iter(_present(values)), None)),
}
# what Kusto calls an unnamed aggregate of a column x: prefix + x
_PREFIXES = {"make_list": "list_", "make_set": "set_", "any": "any_", "take_any": "any_"}


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    evaluate: Evaluate
    aggregate: Aggregate


def read_summary(reader: Reader) -> Callable[[Iterable[Row]], Iterable[Row]]:
    """Read `a = count(), ... by x, y = ...` and give back the stage."""
    columns: list[_Column] = []
    while reader.token.word != "by" and reader.token.kind != "end":
        columns.append(_column(reader))
        if not reader.accept(","):
            break
    groups = _groups(reader) if reader.accept("by") else []
    if not columns and not groups:
        raise KqlError("expected an aggregate", reader.token)
    return lambda rows: _summary(rows, columns, groups)


def _column(reader: Reader) -> _Column:
    name = reader.assigned_name()
    token = reader.next()
    if token.kind != "name":
        raise KqlError("expected an aggregate", token)
    if token.word not in _AGGREGATES:
        raise UnsupportedKql(f"the aggregate {token.text} is not built here", token)
    arguments, aggregate = _AGGREGATES[token.word]
    reader.expect("(")
    if not arguments:
        reader.expect(")")
        return _Column(name or "count_", lambda row: None, aggregate)
    expression = reader.condition()
    reader.expect(")")
    made = _PREFIXES.get(token.word, f"{token.word}_") + (expression.name or "")
    return _Column(name or made, expression.evaluate, aggregate)


def _groups(reader: Reader) -> list[tuple[str, Evaluate]]:
    found: list[tuple[str, Evaluate]] = []
    while True:
        name = reader.assigned_name()
        expression = reader.condition()
        found.append((name or expression.name or f"Column{len(found) + 1}", expression.evaluate))
        if not reader.accept(","):
            return found


def _summary(rows: Iterable[Row], columns: Sequence[_Column], groups: Sequence[tuple[str, Evaluate]]) -> Iterable[Row]:
    members: dict[tuple[str, ...], list[Row]] = {}
    keys: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        values = {name: evaluate(row) for name, evaluate in groups}
        key = tuple(map(text_of, values.values()))
        keys.setdefault(key, values)
        members.setdefault(key, []).append(row)
    if not groups:
        members, keys = members or {(): []}, {(): {}}
    for key, found in members.items():
        made = {column.name: column.aggregate([column.evaluate(row) for row in found]) for column in columns}
        yield {**keys[key], **made}
