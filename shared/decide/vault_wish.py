"""What a machine's tags and plan want of Azure Backup, and when its vault is next to be looked at because of that.

Used by protection.py for every row that is written, and by vaulting.py. A wish that cannot be read stops nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never

from shared.decide.policies import Policy, asked_of, policy_of
from shared.decide.schedule import lateness
from shared.decide.tags import Misnamed, OptedIn, OptedOut, Wish
from shared.decide.vault_plan import rhythm_of
from shared.decide.vault_remains import LOST
from shared.model.machine import Machine, Status
from shared.model.operation import Kind, Operation
from shared.model.plan import Plan, VaultPart
from shared.model.rules import Mode, Rules
from shared.model.vault import Protection, Standing

DROPPED = "a look that was due when nothing could be concluded"
TO_PROTECT = timedelta(hours=2)  # so long a machine may be on its way into a vault before that is a problem


@dataclass(frozen=True, slots=True)
class Wanted:
    """It is to be in a vault, under this policy."""

    plan: Plan
    part: VaultPart
    policy: Policy
    asked: str


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Nobody asks for a vault: one that takes points of it stops, and keeps what it has."""

    because: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """Nothing may be concluded now."""

    because: str


Want: TypeAlias = Wanted | Unwanted | Undecided


def want_of(machine: Machine, wish: Wish, rules: Rules) -> Want:
    """What is wanted of Azure Backup for a machine."""
    if rules.subscriptions.get(machine.shard.subscription) is not Mode.ENFORCE:
        return Undecided("its subscription is not one in which Tagback may act")
    if machine.status is Status.GONE:
        return Unwanted("the machine is gone")
    if machine.absent_since is not None:
        return Undecided("a look found nothing of it; a second one decides")
    match wish:
        case OptedOut():
            return Unwanted(wish.because)
        case Misnamed():
            return Undecided(wish.because)
        case OptedIn(plan=plan) if plan.vault is None:
            return Unwanted(f"plan {plan.name} has no vault part")
        case OptedIn(plan=plan):
            assert plan.vault is not None
            policy = policy_of(plan.name, plan.vault, machine.uid)
            return Wanted(plan, plan.vault, policy, asked_of(machine, plan))
        case _:  # pragma: no cover - mypy shows that nothing is left
            assert_never(wish)


def awaited(machine: Machine, want: Want, now: datetime) -> Protection | None:
    """The machine's protection, to be looked at now where something else is wanted than was last taken up.

    A look that is due while nothing may be concluded is dropped, and made up for once something may; but not the first
    after the ledger was lost, for it alone tells what the vault holds.
    """
    known = machine.protection
    match want:
        case Undecided(because):
            if known is None or known.next_look is None or known.asked == LOST:
                return known
            return replace(known, next_look=None, because=because, asked=known.asked or DROPPED)
        case Unwanted(because):
            if known is None or not (known.asked or known.holds):
                return known
            return replace(known, next_look=_sooner(known, now), because=because) if known.asked else known
        case Wanted(asked=asked, plan=plan):
            if known is None:
                return Protection(Standing.WANTED, f"plan {plan.name} wants it in a vault", now, next_look=now)
            changed = known.asked != asked or known.next_look is None
            return replace(known, next_look=_sooner(known, now)) if changed else known
        case _:  # pragma: no cover - mypy shows that nothing is left
            assert_never(want)


def taken_up(known: Protection | None, want: Want) -> str:
    """What a machine's vault is known to be asked for once it was looked at with this wish."""
    match want:
        case Undecided():
            return known.asked if known else ""
        case Unwanted():
            return ""
        case Wanted(asked=asked):
            return asked
        case _:  # pragma: no cover - mypy shows that nothing is left
            assert_never(want)


def was_asked(known: Protection | None) -> bool:
    """Whether anybody has asked for a machine's vault."""
    return known is not None and known.asked not in ("", DROPPED)


def _sooner(known: Protection, now: datetime) -> datetime:
    return min(now, known.next_look or now)


def problems_of(machine: Machine, plan: Plan, now: datetime) -> list[str]:
    """What keeps a machine from standing well with the vault that its plan asks for."""
    part, known = plan.vault, machine.protection
    if part is None or known is None:
        return []
    if known.problem:
        return [known.problem]
    if known.holds:
        return [late] if (late := _late(part, known, now)) and plan.takes_snapshots else []
    on_its_way = known.state is Standing.WANTED and now <= known.since + TO_PROTECT
    return [] if on_its_way else [f"Azure Backup: {known.because}"]


def _late(part: VaultPart, known: Protection, now: datetime) -> str:
    """That the vault has fallen behind: no point for one and a half intervals and the service's two hours."""
    behind = lateness(rhythm_of(part), known.last_point or known.since)
    if now <= behind.since:
        return ""
    newest = f"the vault's newest point is of {_at(known.last_point)}" if known.last_point else "the vault has no point"
    return f"{newest}, and that of {_at(behind.missing)} is overdue"


def late_at(part: VaultPart, known: Protection) -> datetime:
    """From when on the absence of a point is a fault."""
    return lateness(rhythm_of(part), known.last_point or known.since).since


def is_made_up_for(operation: Operation, known: Protection | None) -> bool:
    """Whether what a vault's operation failed at has come true since."""
    if known is None:
        return False
    match operation.kind:
        case Kind.BACK_UP:
            return known.last_point is not None and known.last_point > operation.slot
        case Kind.PROTECT | Kind.UNDELETE:
            return known.holds and known.since >= operation.slot
        case _:
            return not known.holds and known.since >= operation.slot


def of_vaults(operations: Iterable[Operation]) -> list[Operation]:
    """Those that Azure Backup does."""
    return [operation for operation in operations if operation.kind in VAULT_KINDS]


VAULT_KINDS = frozenset({Kind.PROTECT, Kind.BACK_UP, Kind.STOP, Kind.UNDELETE, Kind.EMPTY})


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"
