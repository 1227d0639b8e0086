"""A machine with all its rows, and the one way in which flows change them: together, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from shared.decide.capture import Capture, closed, ended
from shared.decide.events import Change, untold, with_events
from shared.decide.protection import newest_point, settled_row
from shared.decide.pruning import next_prune
from shared.decide.removal import next_expiry, owner_of, waiting_for_people
from shared.decide.room import snapshots_of
from shared.errors import LostRace
from shared.model.machine import Machine
from shared.model.operation import Kind, Operation, State
from shared.model.point import Point
from shared.model.rules import Rules
from shared.model.transition import Held, Record, Row, Transition, Write
from shared.ports import World

RowT = TypeVar("RowT", Operation, Point)

TRIES = 4  # a race is lost to somebody who made progress, so a few tries are enough


@dataclass(frozen=True, slots=True)
class Case:
    """A machine's rows as last read or written. `machine.etag` is empty while the machine is not registered yet.

    `leaving` are rows that the next write removes.
    """

    machine: Held[Machine]
    operations: tuple[Held[Operation], ...]
    points: tuple[Held[Point], ...] = ()
    leaving: tuple[Held[Point], ...] = ()

    @classmethod
    def of(cls, record: Record, points: tuple[Held[Point], ...] = ()) -> Case:
        return cls(record.machine, record.operations, points)

    def point_of(self, operation: Operation) -> Point | None:
        """The point that a capture is to make, once it is planned; the points of other work are not ours to plan."""
        if operation.kind is not Kind.CAPTURE:
            return None
        made = (held.row for held in self.points if key(held.row) == (operation.slot, operation.engine))
        return next(made, None)

    def capture(self, operation_id: str) -> Capture | None:
        """The operation with its point; None while no point is planned, or when the operation is not at hand."""
        operation = next((held.row for held in self.operations if held.row.id == operation_id), None)
        point = self.point_of(operation) if operation else None
        return Capture(operation, point) if operation and point else None

    def with_point(self, point: Point) -> Case:
        """The same case with a newer self of a point, not written yet."""
        return replace(self, points=_merged(self.points, [point]))

    def without_point(self, point: Point) -> Case:
        """The same case with a point on its way out."""
        leaving = tuple(held for held in self.points if key(held.row) == key(point))
        staying = tuple(held for held in self.points if key(held.row) != key(point))
        return replace(self, points=staying, leaving=(*self.leaving, *leaving))

    @property
    def open(self) -> tuple[Operation, ...]:
        return tuple(held.row for held in self.operations if held.row.state.open)

    @property
    def captures(self) -> tuple[Operation, ...]:
        """The open operations that take snapshots; the others are Azure Backup's."""
        return tuple(operation for operation in self.open if operation.kind is Kind.CAPTURE)

    @property
    def known_points(self) -> tuple[Point, ...]:
        return tuple(held.row for held in self.points)


def key(row: Row) -> object:
    """What tells a row from the other rows of its kind and machine."""
    match row:
        case Machine():
            return row.uid
        case Operation():
            return row.id
        case Point():
            return (row.slot, row.engine)


def saved(world: World, rules: Rules, case: Case, changed: Sequence[Row], now: datetime) -> Case:
    """Write the changed rows and the machine's own row, which follows from them, in one transaction.

    LostRace when anybody was faster: nothing was written, and the case is to be read again.
    """
    operations = _merged(case.operations, [row for row in changed if isinstance(row, Operation)])
    points = _merged(case.points, [row for row in changed if isinstance(row, Point)])
    given = next((row for row in changed if isinstance(row, Machine)), case.machine.row)
    newest = newest_point(given, [held.row for held in points], rules, now)
    machine = given if newest == given.last_point else replace(given, last_point=newest)
    machine = settled_row(machine, [held.row for held in operations], rules, now)
    expiring = _expiring_at(case, machine, points, rules, now)
    known = [held.row for held in points] if points or case.leaving else None
    machine = replace(
        machine,
        next_prune=_pruned_at(machine, operations),
        next_expiry=expiring,
        snapshots=machine.snapshots if known is None else snapshots_of(known),
        frozen=machine.frozen if known is None else waiting_for_people(known),
    )
    machine = _with_news(case, machine, changed, rules, now)
    rows: list[Held[Machine] | Held[Operation] | Held[Point]] = [Held(machine, case.machine.etag)]
    touched = {(type(row), key(row)) for row in changed}
    rows += [held for held in operations if (Operation, held.row.id) in touched]
    rows += [held for held in points if (Point, key(held.row)) in touched]
    writes = tuple(Write(held.row, held.etag or None) for held in rows)
    etags = world.ledger.commit(Transition(machine.shard, machine.uid, writes, case.leaving))
    new = {(type(write.row), key(write.row)): etag for write, etag in zip(writes, etags, strict=True)}
    return Case(
        Held(machine, etags[0]),
        tuple(Held(held.row, new.get((Operation, held.row.id), held.etag)) for held in operations),
        tuple(Held(held.row, new.get((Point, key(held.row)), held.etag)) for held in points),
    )


def _with_news(case: Case, machine: Machine, changed: Sequence[Row], rules: Rules, now: datetime) -> Machine:
    """The machine's row with the events that this transition is worth, where there is a topic to tell them to."""
    if not rules.topic:
        return untold(machine)
    operations = {held.row.id: held.row for held in case.operations}
    points = {key(held.row): held.row for held in case.points}
    change = Change(
        before=case.machine.row if case.machine.etag else None,
        after=machine,
        operations=[(operations.get(row.id), row) for row in changed if isinstance(row, Operation)],
        points=[(points.get(key(row)), row) for row in changed if isinstance(row, Point)],
    )
    return with_events(change, now)


def _expiring_at(
    case: Case, machine: Machine, points: Sequence[Held[Point]], rules: Rules, now: datetime
) -> datetime | None:
    """When its points next want a look: exactly where they are at hand, else at once if it is judged otherwise now."""
    if points or case.leaving:
        return next_expiry([held.row for held in points], owner_of(machine, rules, now), rules)
    before = case.machine.row
    as_it_was = (before.tags, before.group, before.plan, before.left_at) == (
        machine.tags,
        machine.group,
        machine.plan,
        machine.left_at,
    )
    return machine.next_expiry if as_it_was or machine.last_point is None else now


def _pruned_at(machine: Machine, operations: Sequence[Held[Operation]]) -> datetime | None:
    """When something is next to leave: a later end never puts off what is known already."""
    return machine.next_prune or next_prune(held.row for held in operations)


def saved_if_mine(world: World, rules: Rules, case: Case, changed: Sequence[Operation | Point]) -> Case | None:
    """Like `saved`, but a machine row that somebody else changed meanwhile does not lose the result of our act.

    None when the operation or the point itself changed: then whoever changed it goes on with it.
    """
    for _ in range(TRIES):
        now = world.clock.now()
        try:
            return saved(world, rules, case, changed, now)
        except LostRace:
            machine = case.machine.row
            record = world.ledger.record(machine.shard, machine.uid)
            if record is None:
                return None
            fresh = Case.of(record, world.ledger.points(machine.shard, machine.uid))
            if any(_etag(case, row) != _etag(fresh, row) for row in changed):
                return None
            case = fresh
    return None


def closing(case: Case, operation: Operation, state: State, because: str, now: datetime) -> list[Operation | Point]:
    """The rows of an operation that ends without a complete point."""
    point = case.point_of(operation)
    if operation.kind is not Kind.CAPTURE or point is None or point.origin is not operation.origin:
        return [closed(operation, state, because, now)]
    over = ended(Capture(operation, point), state, because, now)
    return [over.operation, over.point]


def _etag(case: Case, row: Operation | Point) -> str:
    held: tuple[Held[Operation] | Held[Point], ...] = (*case.operations, *case.points)
    return next((one.etag for one in held if type(one.row) is type(row) and key(one.row) == key(row)), "")


def _merged(held: tuple[Held[RowT], ...], changed: Sequence[RowT]) -> tuple[Held[RowT], ...]:
    """The rows with the changed ones in their place; an empty ETag marks one that is not stored yet."""
    merged = {key(one.row): one for one in held}
    for row in changed:
        before = merged.get(key(row))
        merged[key(row)] = Held(row, before.etag if before else "")
    return tuple(merged.values())
