"""How everything stands at one instant: read from the ledger once, frozen, and rendered by show.py.

Called by the command line and the API. It reads storage only and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from shared.decide.standing import at_read_time
from shared.errors import NewerRows
from shared.flows import pausing
from shared.flows.lookup import in_order_of_name
from shared.model.brake import Brake
from shared.model.identity import VmUid
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.request import PoisonedMessage
from shared.model.rules import Rules
from shared.model.transition import Held
from shared.ports import World

RowT = TypeVar("RowT", Machine, Operation)


@dataclass(frozen=True, slots=True)
class Standing:
    """Every machine as it stands at `as_of`, the operations that the ledger still holds in order of intent, and the
    messages that could not be served. `newer` names the rows that only a newer Tagback can read, `brakes`
    are on."""

    as_of: datetime
    machines: tuple[Machine, ...]
    operations: tuple[Operation, ...]
    poisoned: tuple[PoisonedMessage, ...]
    newer: tuple[str, ...] = ()
    brakes: tuple[Brake, ...] = ()


def standing(world: World, rules: Rules) -> Standing:
    """Read every machine and its operations."""
    now, newer = world.clock.now(), list[str]()
    shards = world.ledger.shards()
    seen = in_order_of_name(row for shard in shards for row in readable(world.ledger.machines(shard), newer))
    by_machine = _by_machine(row for shard in shards for row in readable(world.ledger.operations(shard), newer))
    judged = tuple(at_read_time(machine, by_machine.get(machine.uid, ()), rules, now) for machine in seen)
    operations = in_order(operation for own in by_machine.values() for operation in own)
    brakes = pausing.standing(world)
    return Standing(now, judged, operations, tuple(world.poisoned.kept()), tuple(newer), brakes)


def readable(rows: Iterable[Held[RowT]], newer: list[str]) -> Iterator[RowT]:
    """The rows that can be read; what cannot is noted in `newer`, in words."""
    try:
        for held in rows:
            yield held.row
    except NewerRows as error:
        newer.append(str(error))


def operations_by_machine(world: World) -> dict[VmUid, list[Operation]]:
    """Every operation that the ledger still holds, by machine, in order of intent."""
    return _by_machine(one.row for shard in world.ledger.shards() for one in world.ledger.operations(shard))


def _by_machine(operations: Iterable[Operation]) -> dict[VmUid, list[Operation]]:
    by_machine: dict[VmUid, list[Operation]] = {}
    for operation in in_order(operations):
        by_machine.setdefault(operation.uid, []).append(operation)
    return by_machine


def operations_of(world: World, machine: Machine) -> tuple[Operation, ...]:
    """The operations of one machine, in order of intent."""
    record = world.ledger.record(machine.shard, machine.uid)
    return in_order(held.row for held in record.operations) if record else ()


def in_order(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Operations in order of intent."""
    return tuple(sorted(operations, key=lambda operation: (operation.intended_at, operation.uid, operation.id)))
