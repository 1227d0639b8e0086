"""How everything stands at one instant: read from the ledger once, frozen, and rendered by show.py.

Called by the command line and the API. It reads storage only and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from shared.decide.standing import at_read_time
from shared.errors import CloudError
from shared.flows.lookup import machines
from shared.model.identity import VmUid
from shared.model.machine import Machine, Status
from shared.model.operation import Operation
from shared.model.request import PoisonedMessage
from shared.model.rules import Rules
from shared.ports import Record, World


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
    operations = operations_of(world, [machine for machine in seen if _was_worked_on(machine)])
    by_machine: dict[VmUid, list[Operation]] = {}
    for operation in operations:
        by_machine.setdefault(operation.uid, []).append(operation)
    judged = tuple(at_read_time(machine, by_machine.get(machine.uid, []), rules, now) for machine in seen)
    return Standing(now, judged, operations, tuple(world.poisoned.kept()))


def operations_of(world: World, seen: Sequence[Machine]) -> tuple[Operation, ...]:
    """The operations of these machines, in order of intent."""
    calls = [partial(world.ledger.record, machine.shard, machine.uid) for machine in seen]
    found = [held.row for record in _answers(world.workers.run(calls)) for held in record.operations]
    return tuple(sorted(found, key=lambda operation: (operation.intended_at, operation.uid, operation.id)))


def _answers(answers: Sequence[Record | CloudError | None]) -> Iterator[Record]:
    for answer in answers:
        if isinstance(answer, CloudError):
            raise answer
        if answer is not None:
            yield answer


def _was_worked_on(machine: Machine) -> bool:
    """A machine that was never enrolled has no operations: most of an estate, so it is not asked for them."""
    return machine.status is not Status.EXCLUDED or machine.last_point is not None or machine.next_look is not None
