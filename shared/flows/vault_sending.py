"""Carries out what is recorded for Azure Backup: provides what an operation needs, claims it, sends it, notes the rest.

Called by protecting.py. What is missing (a vault, a policy, a VM that the vault does not know) is asked for first and
waited for by the next look; a lost answer is found out by what the vault shows then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.decide.protection import wish_of
from shared.decide.vault_wish import Undecided, of_vaults, want_of
from shared.errors import CloudError, OutcomeUnknown
from shared.flows.casework import Case, saved_if_mine
from shared.flows.setbacks import setback
from shared.flows.slicing import Slice
from shared.flows.starting import held_up
from shared.flows.vault_calls import SOON, Hindered, Lacking, Later, Ready, call_of, with_policy
from shared.flows.vault_desk import Desk
from shared.messages import VMS, VmKey
from shared.model.draining import CallKind
from shared.model.machine import Machine
from shared.model.operation import Kind, Operation, State
from shared.model.transition import Record, Row
from shared.model.vault import VaultTask

log = logging.getLogger("tagback")

UNDECIDED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Errand:
    """A machine with the operation whose intent is recorded, and the call that carries it out."""

    case: Case
    operation: Operation
    call: Callable[[], str]


def prepared(slice_: Slice, desk: Desk, case: Case) -> tuple[Case, Errand | None]:
    """The machine with its due operation claimed for this slice and ready to be sent, if there is one."""
    now = slice_.now()
    ours = (one for one in of_vaults(case.open) if one.kind is not Kind.EMPTY)
    due = [one for one in ours if one.next_look and one.next_look <= now and _unsent(one)]
    due.sort(key=lambda one: one.kind is Kind.BACK_UP)
    if not due or slice_.paused:
        return case, None
    operation = due[0]
    want = want_of(case.machine.row, wish_of(case.machine.row, slice_.rules, now), slice_.rules)
    if isinstance(want, Undecided):
        waiting = replace(operation, next_look=now + UNDECIDED, because=want.because)
        return saved_if_mine(slice_.world, slice_.rules, case, [waiting]) or case, None
    try:
        if waiting_for_vm := held_up(slice_, case, operation, want):
            return waiting_for_vm, None
        ready = call_of(slice_, desk, case, operation)
        if isinstance(ready, Lacking):
            return _with_policy(slice_, desk, case, operation, ready)
    except (CloudError, Hindered) as error:
        return _set_back(slice_, case, operation, error), None
    return _claimed(slice_, case, operation, ready)


def _with_policy(
    slice_: Slice, desk: Desk, case: Case, operation: Operation, lacking: Lacking
) -> tuple[Case, Errand | None]:
    """The same for an operation whose policy is to be written first: noted in the ledger, then written."""
    noted = replace(operation, task=replace(lacking.task, policy_at=slice_.now()))
    after = saved_if_mine(slice_.world, slice_.rules, case, [noted])
    if after is None:
        return case, None
    try:
        ready = with_policy(slice_, desk, after, noted, lacking)
    except (CloudError, Hindered) as error:
        return _set_back(slice_, after, noted, error), None
    return _claimed(slice_, after, noted, ready)


def _set_back(slice_: Slice, case: Case, operation: Operation, error: CloudError | Hindered) -> Case:
    """The rows of an operation that met a failure before it could be sent."""
    told, task = (error.error, error.task) if isinstance(error, Hindered) else (error, None)
    tried = replace(operation, attempts=operation.attempts + 1)
    rows = setback(case, tried, told, slice_.now(), task)
    return saved_if_mine(slice_.world, slice_.rules, case, rows) or case


def _claimed(slice_: Slice, case: Case, operation: Operation, ready: Ready) -> tuple[Case, Errand | None]:
    """The operation left to this slice alone, or put off until what it waits for."""
    if isinstance(ready, Later):
        waiting = replace(operation, next_look=ready.until, because=ready.because, task=ready.task)
        return saved_if_mine(slice_.world, slice_.rules, case, [waiting]) or case, None
    assert not isinstance(ready, Lacking), "a policy that was written is there"
    vault, call = ready
    task = replace((operation.task or VaultTask()).anew(slice_.now()), vault=vault)
    claimed = replace(operation, attempts=operation.attempts + 1, next_look=slice_.claim_ends, task=task)
    after = saved_if_mine(slice_.world, slice_.rules, case, [claimed])
    return (after, Errand(after, claimed, call)) if after else (case, None)


def _unsent(operation: Operation) -> bool:
    return operation.state is not State.STARTED


def sent(slice_: Slice, errands: Sequence[Errand]) -> list[Record]:
    """Audit the intents, act, and record what came of each."""
    slice_.audit([_line(errand) for errand in errands])
    answers = slice_.each(CallKind.WRITE, [errand.call for errand in errands])
    return [_recorded(slice_, errand, answer) for errand, answer in zip(errands, answers, strict=True)]


def _recorded(slice_: Slice, errand: Errand, answer: str | CloudError | None) -> Record:
    now, case, operation = slice_.now(), errand.case, errand.operation
    assert operation.task is not None
    rows: list[Row]
    if answer is None:
        rows = [
            replace(
                operation, next_look=now, attempts=operation.attempts - 1, task=replace(operation.task, sent_at=None)
            )
        ]
    elif isinstance(answer, (str, OutcomeUnknown)):
        rows = [_started(operation, answer, now)]
    else:
        rows = [*setback(case, operation, answer, now)]
    ask_if_given_up(slice_, case.machine.row, rows)
    after = saved_if_mine(slice_.world, slice_.rules, case, [row for row in rows if not isinstance(row, Machine)])
    final = after or case
    return Record(final.machine, tuple(held for held in final.operations if held.row.state.unresolved))


def ask_if_given_up(slice_: Slice, machine: Machine, rows: Sequence[Row]) -> None:
    """Have a machine looked at by a GET where something was given up: perhaps because it is gone."""
    if any(isinstance(row, Operation) and row.state is State.GAVE_UP for row in rows):
        slice_.world.queue.send(VMS, VmKey(machine.id, machine.uid, machine.shard).text())


def _started(operation: Operation, answer: str | OutcomeUnknown, now: datetime) -> Operation:
    """Accepted, or perhaps: then the next look finds out by what the vault shows."""
    assert operation.task is not None
    accepted = isinstance(answer, str)
    because = "Azure accepted it" if accepted else f"the answer was lost: {answer}"
    task = replace(operation.task, tracking=answer if isinstance(answer, str) else "")
    started = operation.started_at or now
    return replace(operation, state=State.STARTED, because=because, started_at=started, next_look=now + SOON, task=task)


def _line(errand: Errand) -> dict[str, object]:
    operation = errand.operation
    return {
        "event": f"{operation.kind}.send",
        "vm": operation.uid,
        "operation": operation.id,
        "attempt": operation.attempts,
        "vault": str(operation.task.vault) if operation.task else "",
        "because": operation.because,
    }
