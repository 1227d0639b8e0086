"""How everything stands at one instant: read from the ledger once, frozen, and rendered by show.py.

Called by the command line and the API. It reads storage only and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from shared.decide.standing import at_read_time
from shared.errors import CloudError
from shared.flows.lookup import machines
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.rules import Rules
from shared.ports import Record, World


@dataclass(frozen=True, slots=True)
class Standing:
    """Every machine with its status at `as_of`, and every operation that the ledger still holds."""

    as_of: datetime
    machines: tuple[Machine, ...]
    operations: tuple[Operation, ...]


def standing(world: World, rules: Rules) -> Standing:
    """Read every machine and its operations."""
    now = world.clock.now()
    seen = tuple(at_read_time(machine, rules, now) for machine in machines(world))
    return Standing(now, seen, _operations(world, seen))


def _operations(world: World, seen: Sequence[Machine]) -> tuple[Operation, ...]:
    calls = [partial(world.ledger.record, machine.shard, machine.uid) for machine in seen if machine.enrolled_at]
    answers = world.workers.run(calls)
    for answer in answers:
        if isinstance(answer, CloudError):
            raise answer
    found = [held.row for record in answers if isinstance(record, Record) for held in record.operations]
    return tuple(sorted(found, key=lambda operation: (operation.intended_at, operation.uid, operation.id)))
