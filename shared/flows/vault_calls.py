"""What carries an operation of Azure Backup out, or what it waits for: a vault, a policy, a VM that the vault knows.

Used by vault_sending.py. What is missing is asked for here, and waited for by the next look.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from shared.decide.policies import WRITES_A_DAY, Policy, left_out_of
from shared.decide.protection import wish_of
from shared.decide.vault_wish import Wanted, of_vaults, want_of
from shared.decide.vaulting import backups_left
from shared.decide.vaults import Await, Make, NoVault, Use
from shared.errors import Blocked, CloudError, Conflict, Throttled
from shared.flows.casework import Case
from shared.flows.slicing import Slice
from shared.flows.vault_desk import NO_TIME, Desk
from shared.model.draining import CallKind
from shared.model.fault import Task
from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.operation import Kind, Operation
from shared.model.plan import Unit
from shared.model.vault import Act, ItemOrder, VaultTask

log = logging.getLogger("tagback")

SOON = timedelta(minutes=2)
REFRESHING = timedelta(minutes=1)
ACTS = {Kind.PROTECT: Act.PROTECT, Kind.STOP: Act.STOP, Kind.UNDELETE: Act.UNDELETE}
DAYS = {Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 31, Unit.YEAR: 366}
NOT_WANTED = "nobody asks for it any more"


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


def call_of(slice_: Slice, desk: Desk, case: Case, operation: Operation) -> Ready:
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
            free = desk.takes_a_policy_from(vault, now)
            told = f"vault {vault.name} takes no more policies now: {WRITES_A_DAY} were written within a day"
            return Later(free, told, task) if free > now else Lacking(vault, want.policy, task)
    if not held:
        _validated(slice_, vault, machine)
        desk.taken(vault)
    order = ItemOrder(Act.PROTECT, vault, machine.id, want.policy.name, left_out_of(machine))
    return vault, lambda: world.vault_items.change(order)


def _validated(slice_: Slice, vault: ResourceId, machine: Machine) -> None:
    """Conflict with what the vault would refuse a VM for. A dry run that cannot be asked for forbids nothing."""
    if not slice_.admitted(CallKind.READ):
        raise NO_TIME
    try:
        found = slice_.world.vault_items.refusal(vault, machine.id, slice_.shard.region)
    except Throttled:
        raise
    except CloudError as error:
        log.info("vault.unvalidated vm=%s because=%r", machine.name, str(error))
        return
    if found is not None:
        raise Conflict(found.code, "; ".join(one for one in (found.message, found.recommendation) if one))


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


def with_policy(slice_: Slice, desk: Desk, case: Case, operation: Operation, lacking: Lacking) -> Ready:
    """What carries an operation out once its policy is written, which is noted in the ledger already."""
    with _doing(Task.POLICY):
        desk.provide(lacking.vault, lacking.policy)
    return call_of(slice_, desk, case, operation)
