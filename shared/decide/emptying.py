"""When everything that a vault has of a machine may be deleted: a person asked, two agreed, and nothing objects.

Called by flows/emptying.py where it is asked for, and again with fresh looks before anything is deleted. Soft delete
keeps what is deleted for a while; a vault that is protected from it says so, and nobody tries again.
"""

from __future__ import annotations

from datetime import datetime

from shared.decide.naming import stamp
from shared.decide.protection import hold_of, wish_of
from shared.decide.vault_wish import Undecided, Wanted, want_of
from shared.model.approval import Deletion
from shared.model.machine import Machine
from shared.model.operation import Kind, Operation, State
from shared.model.point import Engine, Origin
from shared.model.request import Request
from shared.model.rules import Rules
from shared.model.vault import ItemSeen, ItemState, Standing, VaultTask


def obstacle(machine: Machine, rules: Rules, now: datetime) -> str:
    """Why nothing of a machine's vault may be deleted, by its row; empty where nothing objects."""
    held = hold_of(machine, rules)
    if held is not None and held > now:
        return f"its tags hold everything of it until {held:%Y-%m-%d}"
    match want_of(machine, wish_of(machine, rules, now), rules):
        case Wanted(plan=plan):
            return f"plan {plan.name} wants it in a vault: tag it otherwise first"
        case Undecided(because):
            return because
        case _:
            pass  # nobody wants it there
    known = machine.protection
    if known is None or known.vault is None or known.state is not Standing.STOPPED:
        stands = known.state if known else "in no vault"
        return f"only what a vault of ours has stopped to protect is deleted, and this machine is {stands}"
    return ""


def item_obstacle(item: ItemSeen | None) -> str:
    """The same by what the vault shows of it now."""
    if item is None:
        return "the vault has nothing of it any more"
    if item.soft_deleted:
        return "its backups are deleted already"
    return "" if item.state is ItemState.STOPPED else "the vault protects it again"


def wished(machine: Machine, request: Request) -> Operation:
    """The deletion as it waits for two people."""
    minute = request.at.replace(second=0, microsecond=0)
    vault = machine.protection.vault if machine.protection else None
    return Operation(
        uid=machine.uid,
        id=f"{Kind.EMPTY}-{stamp(minute)}",
        kind=Kind.EMPTY,
        origin=Origin.REQUEST,
        engine=Engine.VAULT,
        slot=minute,
        state=State.NEEDS_PERSON,
        because=f"everything that its vault has of it is to be deleted, asked for by {request.by}: {request.reason}",
        intended_at=request.at,
        task=VaultTask(vault),
    )


def waits(operation: Operation) -> bool:
    """Whether it is such a deletion that nobody has begun."""
    return operation.kind is Kind.EMPTY and operation.state is State.NEEDS_PERSON


def deletion_of(operation: Operation) -> Deletion:
    """What two people agree to."""
    return Deletion(operation.uid, operation.slot, Engine.VAULT, operation.intended_at)
