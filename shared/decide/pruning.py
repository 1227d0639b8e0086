"""When ended operations leave the ledger: they answer for their slots as long as anybody may ask, and no longer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from shared.decide.vault_wish import VAULT_KINDS
from shared.decide.vault_wish import is_made_up_for as vault_made_up_for
from shared.model.machine import Machine
from shared.model.operation import Operation, State

KEPT = timedelta(days=30)
TOGETHER = timedelta(days=7)  # a machine's operations leave a week's worth at a time
MOST = 90  # of one transition, which takes a hundred rows


def outlived(machine: Machine, operations: Iterable[Operation], now: datetime) -> Sequence[Operation]:
    """The operations that may leave now, oldest first.

    The newest that was given up stays while no complete point is newer: it is why the machine is not protected.
    """
    ended = sorted((one for one in operations if not one.state.open), key=_end)
    mourned = [one for one in ended if one.state is State.GAVE_UP and not is_made_up_for(one, machine)][-1:]
    return [one for one in ended if _end(one) <= now - KEPT and one not in mourned][:MOST]


def next_prune(operations: Iterable[Operation]) -> datetime | None:
    """When the next of these operations are to leave; None while none has ended."""
    return min((_end(one) + KEPT + TOGETHER for one in operations if not one.state.open), default=None)


def is_made_up_for(operation: Operation, machine: Machine) -> bool:
    """Whether a complete point is newer than the slot of an operation that failed, or its vault stands well again."""
    if operation.kind in VAULT_KINDS:
        return vault_made_up_for(operation, machine.protection)
    return machine.last_point is not None and machine.last_point > operation.slot


def _end(operation: Operation) -> datetime:
    return operation.ended_at or operation.intended_at
