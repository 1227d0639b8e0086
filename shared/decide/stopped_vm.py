"""What becomes of an operation of Azure Backup that failed because its VM does not run: wait, or have it started.

Called by flows/starting.py before such an operation is sent again, with the power state of the VM as a GET just showed
it. A VM is only started where its plan allows it, and once a day: whoever stops it again meant it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from shared.decide.failure_rules import WaitFor
from shared.decide.vault_wish import Want, Wanted
from shared.model.operation import Operation

AGAIN = timedelta(days=1)
BOOTING = timedelta(minutes=5)  # until its agent answers as well
SHORTLY = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Send:
    """It runs, or nobody can tell: the operation is sent again."""


@dataclass(frozen=True, slots=True)
class Start:
    """It is to be started, and looked at again at `until`."""

    until: datetime
    because: str


@dataclass(frozen=True, slots=True)
class Await:
    """It is on its way up."""

    until: datetime
    because: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """It does not run, and is not started: the same failure again."""


Turn: TypeAlias = Send | Start | Await | Stopped


def waits_for_vm(operation: Operation) -> bool:
    """Whether an operation failed because its VM does not run, and is to be sent again when it does."""
    failure = operation.failure
    return operation.state.open and failure is not None and failure.waits_for == WaitFor.VM_RUNNING


def may_start(operation: Operation, want: Want, now: datetime) -> bool:
    """Whether the VM that an operation waits for may be started for it."""
    allowed = isinstance(want, Wanted) and want.part.starts
    return waits_for_vm(operation) and allowed and not _was_started(operation, now)


def turn(operation: Operation, want: Want, power: str, now: datetime) -> Turn:
    """What is next. `power` is the VM's power state in Azure's word; empty where it cannot be told."""
    if power in ("running", ""):
        return Send()
    if power == "starting":
        return Await(now + SHORTLY, "its VM is starting")
    if may_start(operation, want, now):
        assert isinstance(want, Wanted)
        return Start(now + BOOTING, f"its VM is {power}, and is started as plan {want.plan.name} allows")
    return Stopped()


def _was_started(operation: Operation, now: datetime) -> bool:
    at = operation.task.started_vm_at if operation.task else None
    return at is not None and now < at + AGAIN
