"""Restores from a vault before the vault is asked: its staging account is found, and whether it would do it at all.

Called by restoring.py by way of recovering.py. Nothing is begun here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from shared.decide import orders
from shared.decide.drawing import group_of
from shared.decide.restoring import tag_of
from shared.decide.vault_restoring import STAGING_TAG, refused
from shared.errors import Missing
from shared.flows import making
from shared.flows.errand import NO_TIME, Errand, Failed, Impossible, Outcome, Passed
from shared.model.draining import CallKind
from shared.model.fault import Trouble
from shared.model.identity import subscription_of
from shared.model.restore import ArmPath, Recovery
from shared.model.vault_restore import RecoveryOrder

Answer = TypeVar("Answer")


def survey(errand: Errand) -> Outcome:
    """Whether the target is free and, where the point is in a vault, whether the vault would restore it there."""
    outcome = making.survey(errand)
    if not isinstance(outcome, Passed) or errand.restore.recovery is None:
        return outcome
    errand = _with_staging(outcome.errand)
    recovery = recovery_of(errand)
    if not recovery.staging:
        vault = recovery.point.vault.name
        return Impossible(
            f"vault {vault} restores by way of a storage account: name it by --staging ID, or by the tag {STAGING_TAG}"
        )
    if outside := _outside(errand, recovery):
        return Impossible(outside)
    try:
        read(errand, lambda: errand.world.vault_restores.disks(group(errand)))
    except Missing:
        return Impossible(f"the resource group {group(errand)} does not exist: choose another with --group")
    if recovery.region:
        return Passed(errand)  # no dry run is specified for it
    found = read(errand, lambda: errand.world.vault_restores.check(order(errand)))
    return Failed(errand, refused(found[0], Trouble.REFUSED)) if found else Passed(errand)


def _with_staging(errand: Errand) -> Errand:
    """The storage account that the order names, else the vault's tag."""
    recovery = recovery_of(errand)
    if recovery.staging:
        return errand
    shard, vault = errand.request.shard, recovery.point.vault
    seen = read(errand, lambda: errand.world.vaults.vaults(shard))
    tags = next((one.tags for one in seen if one.id == vault), {})
    return with_recovery(errand, replace(recovery, staging=tag_of({"tags": tags}, STAGING_TAG).strip()))


def _outside(errand: Errand, recovery: Recovery) -> str:
    """Why the storage account may not be used; empty when it may."""
    if not orders.STAGING.fullmatch(recovery.staging):
        return f"{recovery.staging!r} is not the id of a storage account"
    refusal = orders.outside(subscription_of(recovery.staging), errand.slice_.rules)
    return f"the storage account {recovery.staging}: {refusal}" if refusal else ""


def order(errand: Errand) -> RecoveryOrder:
    """What the vault is asked for."""
    recovery = recovery_of(errand)
    point, region = recovery.point, recovery.region or errand.request.shard.region
    return RecoveryOrder(point.vault, recovery.vm, point.name, group(errand), recovery.staging, region)


def group(errand: Errand) -> ArmPath:
    """The path of the group that the disks are to be in: that of the machine that they are for."""
    return ArmPath(group_of(errand.restore.machine))


def recovery_of(errand: Errand) -> Recovery:
    """How the vault answers for it."""
    assert errand.restore.recovery is not None, "only restores from vaults come here"
    return errand.restore.recovery


def with_recovery(errand: Errand, recovery: Recovery) -> Errand:
    """The same with what is known newly of how the vault answers, not written yet."""
    return errand.with_restore(replace(errand.restore, recovery=recovery))


def read(errand: Errand, call: Callable[[], Answer]) -> Answer:
    """A read in its turn; Throttled when this slice has no time for it."""
    if not errand.slice_.admitted(CallKind.READ):
        raise NO_TIME
    return call()
