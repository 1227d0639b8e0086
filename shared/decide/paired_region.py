"""Restores in the region paired with a vault's: whether the vault does that, which of its points are there. Pure.

Called by flows/pairing.py. A vault copies what reaches its own tier into the paired region within twelve hours, so
that what is there is up to 36 hours old (documented: Azure Backup, restore of VMs, secondary region).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.model.identity import ResourceId
from shared.model.point import Point
from shared.model.vault import JobSeen, PointSeen, Redundancy, VaultSeen

JOB = "crossregionrestore"
"""The operation of a job in a paired region [specified: GetCrrJob_Post]."""

IN_VAULT = "hardenedrp"
"""The tier whose points a paired region has (documented: none of the snapshot tier)."""

LAGS = "what is there is up to 36 hours behind (documented)"
NOT_CANCELLED = "a job in a paired region cannot be cancelled, so its end is waited for"


def refusal(vault: VaultSeen | None, region: str, pair: str) -> str:
    """Why a vault restores nothing in a region, by its settings and the region that Azure pairs with its own; empty
    when it may."""
    if vault is None:
        return "the vault of the point is not there any more"
    if pair != region:
        paired = f"paired with {pair}" if pair else "paired with no region"
        return f"{vault.id.name} is in {vault.region}, which is {paired}: it has no copies in {region}"
    if vault.redundancy.lower() != Redundancy.GEO.lower():
        kept = vault.redundancy or "in a way that it does not say"
        return f"{vault.id.name} stores what it has {kept}: only what is GeoRedundant has copies in a paired region"
    if not vault.crosses:
        return f"cross-region restore is off in {vault.id.name}: turn it on, and its points follow within 48 hours"
    return ""


def there(points: Iterable[Point], vault: ResourceId, seen: Sequence[PointSeen]) -> list[Point]:
    """The points of a machine that the paired region of a vault can restore; where tiers are told, those in its own."""
    names = {one.name for one in seen if not one.tiers or IN_VAULT in (tier.lower() for tier in one.tiers)}
    return [one for one in points if one.vault and one.vault.vault == vault and one.vault.name in names]


def answers(job: JobSeen, machine: str) -> bool:
    """Whether a job is a restore of a machine in a paired region. It names no group of the machine (specified), so two
    of one name in one vault are not told apart."""
    return job.operation.lower() == JOB and job.machine == machine.lower()


def placed(location: object) -> str:
    """A region as Azure writes it in lists: a resource may say `West Europe`."""
    return str(location or "").replace(" ", "").lower()
