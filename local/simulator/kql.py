"""The part of Kusto that clients send to Resource Graph: parses a query and runs it over rows.

Called by the simulator's Resource Graph with one sequence of rows per table; never changes a row. Semantics are those
of the Kusto documentation; where a query ends too early or goes wrong, `KqlError` says line, position and token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from local.simulator.kql_expressions import Evaluate, Reader, Row
from local.simulator.kql_summary import read_summary
from local.simulator.kql_tokens import KqlError, UnsupportedKql
from local.simulator.kql_values import text_of

__all__ = ["KqlError", "UnsupportedKql", "run"]

Rows = Iterable[Row]
Stage = Callable[[Rows], Rows]
# fmt: off
_UNBUILT = frozenset([
    "join", "union", "let", "mv-apply", "make-series", "parse", "evaluate", "render", "lookup",
    "sample", "sample-distinct", "search", "find", "invoke", "partition", "scan", "serialize",
    "top-nested", "top-hitters", "project-reorder", "externaldata", "datatable", "print",
])
# fmt: on


def run(
    query: str, tables: Mapping[str, Sequence[Mapping[str, Any]]], now: datetime | None = None
) -> list[dict[str, Any]]:
    """Answer the query; a query that names no table reads `resources`, as Resource Graph does."""
    reader = Reader.over(query, now or datetime.now(UTC))
    rows, stages = _parse(reader, tables)
    for stage in stages:
        rows = stage(rows)
    return [dict(row) for row in rows]


def _parse(reader: Reader, tables: Mapping[str, Sequence[Row]]) -> tuple[Rows, list[Stage]]:
    rows: Rows = tables.get("resources", ())
    stages: list[Stage] = []
    if reader.token.word not in _STAGES:
        rows = _table(reader, tables)
        if reader.token.kind == "end":
            return rows, stages
        reader.expect("|")
    while True:
        stages.append(_stage(reader))
        if reader.token.word == ";":
            reader.next()
        if reader.token.kind == "end":
            return rows, stages
        reader.expect("|")


def _table(reader: Reader, tables: Mapping[str, Sequence[Row]]) -> Rows:
    token = reader.token
    if token.word in _UNBUILT:
        raise UnsupportedKql(f"{token.text} is not built here", token)
    if token.kind != "name":
        raise KqlError("expected a table", token)
    reader.next()
    folded = {name.lower(): rows for name, rows in tables.items()}
    if token.text.lower() not in folded:
        raise KqlError("unknown table", token)
    return folded[token.text.lower()]


def _stage(reader: Reader) -> Stage:
    token = reader.next()
    if token.word in _UNBUILT:
        raise UnsupportedKql(f"{token.text} is not built here", token)
    if token.word not in _STAGES:
        raise KqlError("expected an operator", token)
    return _STAGES[token.word](reader)


def _where(reader: Reader) -> Stage:
    holds = reader.condition().evaluate
    return lambda rows: (row for row in rows if holds(row))


def _columns(reader: Reader) -> list[tuple[str, Evaluate]]:
    found: list[tuple[str, Evaluate]] = []
    unnamed = 0
    while True:
        name = reader.assigned_name()
        expression = reader.condition()
        name = name or expression.name
        if name is None:
            unnamed += 1
            name = f"Column{unnamed}"
        found.append((name, expression.evaluate))
        if not reader.accept(","):
            return found


def _project(reader: Reader) -> Stage:
    columns = _columns(reader)
    return lambda rows: ({name: evaluate(row) for name, evaluate in columns} for row in rows)


def _extend(reader: Reader) -> Stage:
    columns = _columns(reader)
    return lambda rows: ({**row, **{name: evaluate(row) for name, evaluate in columns}} for row in rows)


def _names(reader: Reader) -> list[str]:
    found = [reader.name()]
    while reader.accept(","):
        found.append(reader.name())
    return found


def _project_away(reader: Reader) -> Stage:
    gone = frozenset(_names(reader))
    return lambda rows: ({name: value for name, value in row.items() if name not in gone} for row in rows)


def _project_keep(reader: Reader) -> Stage:
    kept = frozenset(_names(reader))
    return lambda rows: ({name: value for name, value in row.items() if name in kept} for row in rows)


def _project_rename(reader: Reader) -> Stage:
    renamed: dict[str, str] = {}
    while True:
        new = reader.name()
        reader.expect("=")
        renamed[reader.name()] = new
        if not reader.accept(","):
            return lambda rows: ({renamed.get(name, name): value for name, value in row.items()} for row in rows)


def _limit(reader: Reader) -> Stage:
    count = reader.literal(int)
    return lambda rows: islice(rows, count)


def _count(reader: Reader) -> Stage:
    return lambda rows: [{"Count": sum(1 for _ in rows)}]


def _order(reader: Reader) -> Stage:
    reader.expect("by")
    return _sorting(reader)


def _sorting(reader: Reader) -> Stage:
    keys: list[tuple[Evaluate, bool, bool]] = []
    while True:
        evaluate = reader.condition().evaluate
        ascending = (direction := reader.accept("asc", "desc")) is not None and direction.word == "asc"
        nulls_first = ascending
        if reader.accept("nulls"):
            nulls_first = reader.expect("first", "last").word == "first"
        keys.append((evaluate, ascending, nulls_first))
        if not reader.accept(","):
            return lambda rows: _sorted(rows, keys)


def _sorted(rows: Rows, keys: Sequence[tuple[Evaluate, bool, bool]]) -> Rows:
    found = list(rows)
    for evaluate, ascending, nulls_first in reversed(keys):
        pairs = [(evaluate(row), row) for row in found]
        missing = [row for value, row in pairs if value is None]
        present = [(value, row) for value, row in pairs if value is not None]
        present.sort(key=lambda pair: _sort_key(pair[0]), reverse=not ascending)
        ordered = [row for _, row in present]
        found = missing + ordered if nulls_first else ordered + missing
    return found


def _sort_key(value: Any) -> tuple[int, Any]:
    """Values of one kind sort among themselves; kinds never meet in Kusto, here they are kept apart."""
    if isinstance(value, (bool, int, float)):
        return 0, value
    if isinstance(value, datetime):
        return 1, value
    return 2, text_of(value)


def _top(reader: Reader) -> Stage:
    count = reader.literal(int)
    reader.expect("by")
    ordering = _sorting(reader)
    return lambda rows: islice(ordering(rows), count)


def _distinct(reader: Reader) -> Stage:
    columns = [] if reader.accept("*") else _columns(reader)

    def stage(rows: Rows) -> Rows:
        found: dict[str, Row] = {}
        for row in rows:
            picked = {name: evaluate(row) for name, evaluate in columns} if columns else row
            found.setdefault(text_of(picked), picked)
        return found.values()

    return stage


def _mv_expand(reader: Reader) -> Stage:
    [(name, evaluate), *more] = _columns(reader)
    if more or reader.token.word in ("to", "limit", "with_itemindex", "kind"):
        raise UnsupportedKql("mv-expand is built for one column", reader.token)

    def stage(rows: Rows) -> Rows:
        for row in rows:
            value = evaluate(row)
            members: Sequence[Any] = value if isinstance(value, list) else [value]
            if isinstance(value, Mapping):
                members = [{key: each} for key, each in value.items()]
            for each in members or [None]:  # assumed: an empty list keeps its row, as samples with isempty() expect
                yield {**row, name: each}

    return stage


def _summarize(reader: Reader) -> Stage:
    return read_summary(reader)


_STAGES: dict[str, Callable[[Reader], Stage]] = {
    "where": _where,
    "filter": _where,
    "project": _project,
    "extend": _extend,
    "project-away": _project_away,
    "project-keep": _project_keep,
    "project-rename": _project_rename,
    "limit": _limit,
    "take": _limit,
    "count": _count,
    "order": _order,
    "sort": _order,
    "top": _top,
    "distinct": _distinct,
    "mv-expand": _mv_expand,
    "summarize": _summarize,
}
