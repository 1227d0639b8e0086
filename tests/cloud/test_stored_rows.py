"""Rows as this version of the ledger stores them, committed: what was written once is read by every later build.

`tests/payloads/rows_1.json` is never regenerated. A column may be added, with a default; one that is renamed, removed
or changes its meaning is a new version of the form: raise SCHEMA, read the old one, and commit its rows beside these.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.cloud.rows import SCHEMA, AnyRow, entity_of, row_of
from shared.model.event import Happening
from shared.model.machine import Machine, Status
from shared.model.operation import Operation, State
from shared.model.point import PartState, Point, PointState
from shared.model.request import Asked, PoisonedMessage, Progress, Request

STORED = Path(__file__).parent.parent / "payloads" / f"rows_{SCHEMA}.json"
KINDS: dict[str, type[Any]] = {
    "m": Machine,
    "o": Operation,
    "p": Point,
    "r": Request,
    "x": PoisonedMessage,
}


def stored() -> dict[str, dict[str, Any]]:
    """The rows by the first letter of their key, with instants as the table's SDK gives them."""
    rows = json.loads(STORED.read_text())
    return {row["RowKey"][0]: {name: _value(value) for name, value in row.items()} for row in rows}


def _value(value: object) -> object:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["instant"]).astimezone(UTC)
    return value


def read(letter: str) -> Any:
    return row_of(KINDS[letter], stored()[letter])


def test_there_is_a_row_of_every_kind_in_the_present_version() -> None:
    assert set(stored()) == set(KINDS)
    assert {row["schema"] for row in stored().values()} == {SCHEMA}


@pytest.mark.parametrize("letter", KINDS)
def test_a_stored_row_is_written_again_as_it_was(letter: str) -> None:
    row: AnyRow = read(letter)
    before = stored()[letter]
    after = entity_of(row, before["PartitionKey"])
    assert {name: after.get(name) for name in before} == before


def test_a_stored_machine_means_what_it_meant() -> None:
    machine: Machine = read("m")
    assert (machine.name, machine.status, machine.plan) == ("Web-1 · Größe", Status.DEGRADED, "silver")
    assert [disk.lun for disk in machine.disks] == [None, 3]
    assert machine.disks[1].left_out == "tagged backup = off"
    assert machine.wanted_at == datetime(2026, 11, 20, 2, 0, 1, 234567, UTC)
    assert [event.type for event in machine.outbox] == [Happening.DEGRADED]


def test_a_stored_operation_point_and_request_mean_what_they_meant() -> None:
    operation: Operation = read("o")
    assert (operation.state, operation.attempts) == (State.NEEDS_PERSON, 3)
    assert operation.failure is not None
    assert operation.failure.code == "ScopeLocked"
    point: Point = read("p")
    assert (point.state, point.earned, len(point.live_parts)) == (PointState.COMPLETE, "daily", 2)
    assert [part.state for part in point.parts] == [PartState.PLANNED, PartState.STARTED]
    request: Request = read("r")
    assert (request.asked, request.progress, request.by) == (Asked.BACKUP, Progress.TAKEN, "person-1")
