"""How everything stands at one instant: read from the ledger once, frozen, and rendered by show.py.

Called by the command line and the API. It reads storage only and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.decide.standing import at_read_time
from shared.flows.lookup import machines
from shared.model.identity import VmUid
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.request import PoisonedMessage
from shared.model.rules import Rules
from shared.ports import World


@dataclass(frozen=True, slots=True)
class Standing:
    """Every machine as it stands at `as_of`, the operations that the ledger still holds in order of intent, and the
    messages that could not be served."""

    as_of: datetime
    machines: tuple[Machine, ...]
    operations: tuple[Operation, ...]
    poisoned: tuple[PoisonedMessage, ...]


def standing(world: World, rules: Rules) -> Standing:
    """Read every machine and its operations."""
    now = world.clock.now()
    seen = machines(world)
    by_machine = operations_by_machine(world)
    judged = tuple(at_read_time(machine, by_machine.get(machine.uid, ()), rules, now) for machine in seen)
    operations = in_order(operation for own in by_machine.values() for operation in own)
    return Standing(now, judged, operations, tuple(world.poisoned.kept()))


def operations_by_machine(world: World) -> dict[VmUid, list[Operation]]:
    """Every operation that the ledger still holds, by machine, in order of intent."""
    held = in_order(one.row for shard in world.ledger.shards() for one in world.ledger.operations(shard))
    by_machine: dict[VmUid, list[Operation]] = {}
    for operation in held:
        by_machine.setdefault(operation.uid, []).append(operation)
    return by_machine


def operations_of(world: World, machine: Machine) -> tuple[Operation, ...]:
    """The operations of one machine, in order of intent."""
    record = world.ledger.record(machine.shard, machine.uid)
    return in_order(held.row for held in record.operations) if record else ()


def in_order(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Operations in order of intent."""
    return tuple(sorted(operations, key=lambda operation: (operation.intended_at, operation.uid, operation.id)))
