"""Carries out what is recorded for Azure Backup: provides what an operation needs, claims it, sends it, notes the rest.

Called by protecting.py. What is missing (a vault, a policy, a VM that the vault does not know) is asked for first and
waited for by the next look; a lost answer is found out by what the vault shows then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from shared.decide.policies import WRITES_A_DAY, Policy, left_out_of
from shared.decide.protection import wish_of
from shared.decide.vault_wish import Undecided, Wanted, of_vaults, want_of
from shared.decide.vaulting import backups_left
from shared.decide.vaults import Await, Make, NoVault, Use
from shared.errors import Blocked, CloudError, OutcomeUnknown
from shared.flows.casework import Case, saved_if_mine
from shared.flows.setbacks import setback
from shared.flows.slicing import Slice
from shared.flows.starting import held_up
from shared.flows.vault_desk import Desk
from shared.messages import VMS, VmKey
from shared.model.draining import CallKind
from shared.model.fault import Task
from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.operation import Kind, Operation, State
from shared.model.plan import Unit
from shared.model.transition import Record, Row
from shared.model.vault import Act, ItemOrder, VaultTask

log = logging.getLogger("tagback")

SOON = timedelta(minutes=2)
REFRESHING = timedelta(minutes=1)
UNDECIDED = timedelta(hours=1)
ACTS = {Kind.PROTECT: Act.PROTECT, Kind.STOP: Act.STOP, Kind.UNDELETE: Act.UNDELETE}
DAYS = {Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 31, Unit.YEAR: 366}
NOT_WANTED = "nobody asks for it any more"


@dataclass(frozen=True, slots=True)
class Errand:
    """A machine with the operation whose intent is recorded, and the call that carries it out."""

    case: Case
    operation: Operation
    call: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Later:
    """What an operation waits for before it can be sent."""

    until: datetime
    because: str
    task: VaultTask


@dataclass(frozen=True, slots=True)
class Lacking:
    """A policy that is to be written first."""

    vault: ResourceId
    policy: Policy
    task: VaultTask


Ready: TypeAlias = tuple[ResourceId, Callable[[], str]] | Later | Lacking


class Hindered(Exception):
    """What an operation needs first failed: which work that was, and how it was answered."""

    def __init__(self, task: Task, error: CloudError) -> None:
        super().__init__(str(error))
        self.task = task
        self.error = error


@contextmanager
def _doing(task: Task) -> Iterator[None]:
    """What fails inside is judged as this work."""
    try:
        yield
    except CloudError as error:
        raise Hindered(task, error) from error


def prepared(slice_: Slice, desk: Desk, case: Case) -> tuple[Case, Errand | None]:
    """The machine with its due operation claimed for this slice and ready to be sent, if there is one."""
    now = slice_.now()
    ours = (one for one in of_vaults(case.open) if one.kind is not Kind.EMPTY)
    due = [one for one in ours if one.next_look and one.next_look <= now and _unsent(one)]
    due.sort(key=lambda one: one.kind is Kind.BACK_UP)
    if not due or slice_.paused:
        return case, None
    want = want_of(case.machine.row, wish_of(case.machine.row, slice_.rules, now), slice_.rules)
    if isinstance(want, Undecided):
        waiting = replace(due[0], next_look=now + UNDECIDED, because=want.because)
        return saved_if_mine(slice_.world, slice_.rules, case, [waiting]) or case, None
    operation = replace(due[0], attempts=due[0].attempts + 1)
    try:
        if waiting_for_vm := held_up(slice_, case, due[0], want):
            return waiting_for_vm, None
        ready = _call_of(slice_, desk, case, operation)
        if isinstance(ready, Lacking):
            noted = replace(due[0], task=replace(ready.task, policy_at=now))
            after = saved_if_mine(slice_.world, slice_.rules, case, [noted])
            if after is None:
                return case, None
            case, operation = after, replace(noted, attempts=operation.attempts)
            ready = _with_policy(slice_, desk, case, operation, ready)
    except (CloudError, Hindered) as error:
        told, task = (error.error, error.task) if isinstance(error, Hindered) else (error, None)
        rows = setback(case, operation, told, now, task)
        return saved_if_mine(slice_.world, slice_.rules, case, rows) or case, None
    if isinstance(ready, Later):
        waiting = replace(due[0], next_look=ready.until, because=ready.because, task=ready.task)
        return saved_if_mine(slice_.world, slice_.rules, case, [waiting]) or case, None
    assert not isinstance(ready, Lacking), "a policy that was written is there"
    vault, call = ready
    fresh = replace((operation.task or VaultTask()).anew(now), vault=vault)
    claimed = replace(operation, next_look=slice_.claim_ends, task=fresh)
    after = saved_if_mine(slice_.world, slice_.rules, case, [claimed])
    return (after, Errand(after, claimed, call)) if after else (case, None)


def _with_policy(slice_: Slice, desk: Desk, case: Case, operation: Operation, lacking: Lacking) -> Ready:
    """What carries an operation out once its policy is written, which is noted in the ledger already."""
    with _doing(Task.POLICY):
        desk.provide(lacking.vault, lacking.policy)
    return _call_of(slice_, desk, case, operation)


def _unsent(operation: Operation) -> bool:
    return operation.state is not State.STARTED


def _call_of(slice_: Slice, desk: Desk, case: Case, operation: Operation) -> Ready:
    """What carries an operation out, or what it waits for. CloudError or Hindered when it cannot be carried out."""
    machine, world = case.machine.row, slice_.world
    task = operation.task or VaultTask()
    if operation.kind is Kind.PROTECT:
        return _protection(slice_, desk, machine, task)
    known = machine.protection.vault if machine.protection else None
    vault = task.vault or known
    if vault is None or machine.protection is None:
        return Later(slice_.now() + SOON, "it is not in a vault yet", task)
    if operation.kind is Kind.BACK_UP:
        return _backup(slice_, case, operation, vault)
    order = ItemOrder(ACTS[operation.kind], vault, machine.id)
    return vault, lambda: world.vault_items.change(order)


def _backup(
    slice_: Slice, case: Case, operation: Operation, vault: ResourceId
) -> tuple[ResourceId, Callable[[], str]] | Later:
    now, machine, world = slice_.now(), case.machine.row, slice_.world
    task = operation.task or VaultTask()
    if machine.protection is None or not machine.protection.holds:
        return Later(now + SOON, "no vault protects it yet", task)
    if backups_left(of_vaults(held.row for held in case.operations), now) <= 0:
        return Later(now + timedelta(hours=1), "a VM can have three backups a day beside the scheduled ones", task)
    want = want_of(machine, wish_of(machine, slice_.rules, now), slice_.rules)
    ages = want.part.keep.ages if isinstance(want, Wanted) else ()
    days = min((age.count * DAYS[age.unit] for age in ages), default=30)
    until = now + timedelta(days=days)
    return vault, lambda: world.vault_jobs.back_up(vault, machine.id, until)


def _protection(slice_: Slice, desk: Desk, machine: Machine, task: VaultTask) -> Ready:
    now, world = slice_.now(), slice_.world
    want = want_of(machine, wish_of(machine, slice_.rules, now), slice_.rules)
    if not isinstance(want, Wanted):
        return Later(now + SOON, NOT_WANTED, task)
    held = task.vault is not None and desk.holds(task.vault, machine.id)
    vault = task.vault if task.vault and (held or desk.has_room(task.vault)) else _vault(slice_, desk)
    if isinstance(vault, Later):
        return replace(vault, task=task)
    if vault != task.vault:
        task = replace(task, vault=vault, refresh="")
    if not held and not desk.is_discovered(vault, machine.id):
        with _doing(Task.DISCOVER):
            refresh = task.refresh or desk.refresh(vault)
            known = bool(task.refresh) and desk.is_refreshed(vault, refresh)
        if not known:
            return Later(now + REFRESHING, f"vault {vault.name} is discovering VMs", replace(task, refresh=refresh))
    with _doing(Task.POLICY):
        if not desk.has_policy(vault, want.policy):
            free = desk.takes_a_policy_from(vault)
            told = f"vault {vault.name} takes no more policies now: {WRITES_A_DAY} were written within a day"
            return Later(free, told, task) if free > now else Lacking(vault, want.policy, task)
    if not held:
        desk.taken(vault)
    order = ItemOrder(Act.PROTECT, vault, machine.id, want.policy.name, left_out_of(machine))
    return vault, lambda: world.vault_items.change(order)


def _vault(slice_: Slice, desk: Desk) -> ResourceId | Later:
    """The vault for one more machine; made, waited for, or refused."""
    now, choice = slice_.now(), desk.choice()
    match choice:
        case Use(vault):
            return vault
        case Await(because=because):
            return Later(now + SOON, because, VaultTask())
        case Make(order, because):
            slice_.audit([{"event": "vault.make", "vault": order.id.name, "because": because}])
            desk.make(order)
            return Later(now + SOON, f"vault {order.id.name} is being made: {because}", VaultTask())
        case NoVault(because, remedy):
            raise Blocked("NoVault", f"{because}: {remedy}")


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
