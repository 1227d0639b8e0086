"""What a change would have Azure Backup do with one machine: the very step that protecting would take, not taken.

Called by flows/whatif.py. It reads no vault: the item is taken to stand as the machine's row last saw it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.decide.policies import policy_of
from shared.decide.protection import wish_of
from shared.decide.vault_wish import Wanted, of_vaults, want_of
from shared.decide.vaulting import Begin, Rest, Step, View, next_step
from shared.decide.whatif import Side
from shared.model.machine import Machine
from shared.model.operation import Kind
from shared.model.rules import Rules
from shared.model.vault import ItemSeen, ItemState, PolicySeen, Protection, Standing


class VaultEffect(StrEnum):
    """What a change means for a machine's vault. `person`: it would be left as it is, and a person asked."""

    GAINS = "gains"
    LOSES = "loses"
    CHANGES = "changes"
    PERSON = "person"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class VaultProspect:
    """A machine's vault before and after, by its policies. `writes` are the calls to Azure about it that lead there."""

    effect: VaultEffect
    because: str = ""
    before: str = ""
    after: str = ""
    writes: int = 0

    @property
    def harms(self) -> bool:
        """Whether backups in a vault end, or a person has to see to something."""
        return self.effect in (VaultEffect.LOSES, VaultEffect.PERSON)


def vault_prospect(before: Side, after: Side, now: datetime) -> VaultProspect:
    """What the next look at the machine's vault would begin because of the change."""
    view = _view(before)
    known = view.item.policy if view.item else ""
    was, step = (_step(side, view, now) for side in (before, after))
    if _key(was) == _key(step):
        return VaultProspect(VaultEffect.SAME, before=known, after=known)
    match step:
        case Begin(operation) if operation.kind is Kind.STOP:
            return VaultProspect(VaultEffect.LOSES, operation.because, known, "", 1)
        case Begin(operation) if operation.kind in (Kind.PROTECT, Kind.UNDELETE):
            wanted = _wanted_policy(after.machine, after.rules, now)
            effect = VaultEffect.CHANGES if known else VaultEffect.GAINS
            writes = _writes(view, operation.kind)
            return VaultProspect(effect, operation.because, known, wanted, writes)
        case Rest(problem=problem) if problem:
            return VaultProspect(VaultEffect.PERSON, problem, known, known)
        case _:
            return VaultProspect(VaultEffect.SAME, before=known, after=known)


def _step(side: Side, view: View, now: datetime) -> Step:
    machine = side.machine
    want = want_of(machine, wish_of(machine, side.rules, now), side.rules)
    return next_step(machine, want, view, of_vaults(side.operations), now)


def _key(step: Step) -> tuple[object, ...]:
    """What tells one step from another; the reasons may differ."""
    if isinstance(step, Rest):
        return (step.problem,)
    return (step.operation.kind, step.operation.task.policy if step.operation.task else "")


def _wanted_policy(machine: Machine, rules: Rules, now: datetime) -> str:
    want = want_of(machine, wish_of(machine, rules, now), rules)
    return want.policy.name if isinstance(want, Wanted) else ""


def _writes(view: View, kind: Kind) -> int:
    """The item's change; taking it back before, with its points; and the first backup of one that has none."""
    first = view.item is None or (view.item.last_point is None and not view.item.soft_deleted)
    return 1 + (kind is Kind.UNDELETE) + first


def _view(side: Side) -> View:
    """What the vaults showed of a machine when it was last looked at."""
    known = side.machine.protection
    if known is None or known.vault is None or known.state in (Standing.WANTED, Standing.NONE):
        return View()
    item = ItemSeen(
        vault=known.vault,
        vm=side.machine.id,
        state=ItemState.PROTECTED if known.holds else ItemState.STOPPED,
        policy=known.policy if known.holds else "",
        last_point=known.last_point,
        soft_deleted=known.state is Standing.DELETED,
    )
    return View(item, known.state is not Standing.ELSEWHERE, _policy(known, side))


def _policy(known: Protection, side: Side) -> PolicySeen | None:
    """The policy that an item has, where a plan of ours makes it: its name says what is in it."""
    plans = (plan for plan in side.rules.plans.by_name.values() if plan.vault)
    policies = (policy_of(plan.name, plan.vault, side.machine.uid) for plan in plans if plan.vault)
    return next((PolicySeen(one.name, one.properties) for one in policies if one.name == known.policy), None)
