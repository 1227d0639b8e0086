"""The next step that brings one machine closer to what its plan wants of Azure Backup, each with its reason.

Called by flows/protecting.py with what the vaults of the machine's shard show of it. One operation at a time: nothing
begins while another of them is open. What others protect is reported and never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never

from shared.decide.naming import stamp
from shared.decide.policies import PREFIX, shortening
from shared.decide.vault_wish import Undecided, Unwanted, Want, Wanted, was_asked
from shared.model.machine import Machine
from shared.model.operation import Kind, Operation, State
from shared.model.point import Engine, Origin
from shared.model.vault import AT_REST, ItemSeen, ItemState, JobSeen, PolicySeen, Protection, VaultTask

DAY = timedelta(days=1)
ON_DEMAND_A_DAY = 3  # supported beside the scheduled one; the service stops at nine [azure-facts 5.7]


@dataclass(frozen=True, slots=True)
class View:
    """What the vaults show of one machine: its item, whether in a vault of ours, its policy there, its jobs."""

    item: ItemSeen | None = None
    ours: bool = False
    policy: PolicySeen | None = None
    jobs: tuple[JobSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class Begin:
    """Open an operation."""

    operation: Operation


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do now; `problem` is what people should know."""

    because: str
    problem: str = ""


Step: TypeAlias = Begin | Rest


def next_step(machine: Machine, want: Want, view: View, operations: Sequence[Operation], now: datetime) -> Step:
    """The one step that is next. `operations` are all of Azure Backup's that the ledger holds of the machine."""
    open_ones = (one for one in operations if one.state.open and one.next_look)
    going_on = next((one for one in open_ones if not _waits_for_protection(one)), None)
    if going_on is not None:
        return Rest(f"{going_on.kind} goes on")
    match want:
        case Undecided(because):
            return Rest(because)
        case Unwanted(because):
            return _unwanted(machine, because, view, operations, now)
        case Wanted():
            return _wanted(machine, want, view, operations, now)
        case _:  # pragma: no cover - mypy shows that nothing is left
            assert_never(want)


def _waits_for_protection(operation: Operation) -> bool:
    """Whether it is a backup that is not sent yet, or is to be sent again: it may need what is begun here."""
    unsent = operation.state is State.INTENDED and not (operation.task and operation.task.sent_at)
    return operation.kind is Kind.BACK_UP and (unsent or operation.state is State.FAILED)


def _unwanted(machine: Machine, because: str, view: View, operations: Sequence[Operation], now: datetime) -> Step:
    item = view.item
    if item is None or item.soft_deleted or item.state in AT_REST:
        return Rest(because)
    if not view.ours or not (item.policy.startswith(PREFIX) or was_asked(machine.protection)):
        return Rest(f"{because}; somebody else protects it in vault {item.vault.name}")
    if _gave_up(Kind.STOP, operations, machine.protection):
        return Rest(f"{because}; stopping its protection was given up", "Azure Backup: stopping its protection failed")
    return Begin(
        opened(machine, Kind.STOP, f"{because}: protection stops, what it has is kept", VaultTask(item.vault), now)
    )


def _wanted(machine: Machine, want: Wanted, view: View, operations: Sequence[Operation], now: datetime) -> Step:
    item = view.item
    if item is None:
        return _protect(machine, want, f"plan {want.plan.name} wants it in a vault", VaultTask(), operations, now)
    if not view.ours:
        told = f"it is protected in vault {item.vault.name}, which is not ours; a VM can be in one vault only"
        return Rest(told, f"Azure Backup: {told}: stop that protection and delete its data, or leave the VM to it")
    task = VaultTask(item.vault)
    if item.soft_deleted:
        return Begin(opened(machine, Kind.UNDELETE, "its deleted backups are taken back", task, now))
    if item.state in AT_REST:
        return _protect(machine, want, "its protection is resumed", task, operations, now)
    if item.policy != want.policy.name:
        return _changed(machine, want, view, operations, now)
    asked_for = any(one.kind is Kind.BACK_UP and one.state.open for one in operations)
    if (
        (item.state is ItemState.PENDING or item.last_point is None)
        and not asked_for
        and _may_back_up(operations, view, now)
        and not _tried(operations, now)
    ):
        because = "the first backup, right after protection began"
        return Begin(opened(machine, Kind.BACK_UP, because, task, now))
    return Rest(f"vault {item.vault.name} protects it by policy {item.policy}")


def _changed(machine: Machine, want: Wanted, view: View, operations: Sequence[Operation], now: datetime) -> Step:
    """Another policy, unless it keeps less: the service would delete points at once, and that is for people."""
    assert view.item is not None
    if view.policy is None:
        return Rest(f"its policy {view.item.policy} cannot be read")
    if lost := shortening(view.policy.properties, want.policy.properties):
        told = f"its plan keeps less than policy {view.item.policy}, which stays: {lost}"
        remedy = f"to shorten what is there as well, assign policy {want.policy.name} in the vault"
        return Rest(told, f"Azure Backup: {told}; {remedy}")
    because = f"its plan changed: policy {view.item.policy} becomes {want.policy.name}"
    return _protect(machine, want, because, VaultTask(view.item.vault), operations, now)


def _protect(
    machine: Machine, want: Wanted, because: str, task: VaultTask, operations: Sequence[Operation], now: datetime
) -> Step:
    if _gave_up(Kind.PROTECT, operations, machine.protection, want.policy.name):
        return Rest("protecting it was given up; `tagback retry` begins anew")
    return Begin(opened(machine, Kind.PROTECT, because, replace(task, policy=want.policy.name), now))


def _gave_up(kind: Kind, operations: Sequence[Operation], known: Protection | None, policy: str = "") -> bool:
    """Whether the newest operation of a kind was given up since its machine came to stand as it does."""
    alike = [one for one in operations if one.kind is kind and (not policy or (one.task and one.task.policy == policy))]
    newest = max(alike, key=lambda one: one.intended_at, default=None)
    since = known.since if known else None
    return newest is not None and newest.state is State.GAVE_UP and (since is None or newest.intended_at >= since)


def _tried(operations: Sequence[Operation], now: datetime) -> bool:
    """Whether a first backup was begun within a day, however it ended."""
    return any(
        one.kind is Kind.BACK_UP and one.origin is Origin.ENROLMENT and one.intended_at > now - DAY
        for one in operations
    )


def _may_back_up(operations: Sequence[Operation], view: View, now: datetime) -> bool:
    return not any(job.status.open for job in view.jobs) and backups_left(operations, now) > 0


def backups_left(operations: Sequence[Operation], now: datetime) -> int:
    """How many backups may still be asked for today, beside the scheduled ones."""
    sent = [one for one in operations if one.kind is Kind.BACK_UP and one.task and one.task.sent_at]
    return ON_DEMAND_A_DAY - sum(one.task.sent_at > now - DAY for one in sent if one.task and one.task.sent_at)


def opened(machine: Machine, kind: Kind, because: str, task: VaultTask, now: datetime) -> Operation:
    """The intent; who finds it acts upon it at once."""
    minute = now.replace(second=0, microsecond=0)
    return Operation(
        uid=machine.uid,
        id=f"{kind}-{stamp(minute)}",
        kind=kind,
        origin=Origin.ENROLMENT,
        engine=Engine.VAULT,
        slot=minute,
        state=State.INTENDED,
        because=because,
        intended_at=now,
        next_look=now,
        task=task,
    )
