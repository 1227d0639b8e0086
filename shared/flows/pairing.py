"""Restores in the region paired with a vault's: what is found out before it is asked, and the calls that differ.

Called by recovering.py. Which points the paired region has is known to the service alone: the ledger's newest may not
be there yet, and then the newest that is there is taken instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.decide import paired_region
from shared.decide.recovery import NothingFits
from shared.errors import Denied, Missing
from shared.flows import vault_consulting
from shared.flows.choosing import chosen_point, with_point
from shared.flows.errand import Errand, Impossible, Outcome
from shared.flows.vault_consulting import order, read, recovery_of
from shared.model.restore import ArmPath
from shared.model.vault import JobSeen, Tracked


def survey(errand: Errand) -> Outcome:
    """As for the vault's own region, once it is known that the vault restores in the other, and which point."""
    if errand.restore.recovery is None or not errand.restore.recovery.region:
        return vault_consulting.survey(errand)
    if wrong := _unpaired(errand) or _network_elsewhere(errand):
        return Impossible(wrong)
    found = _with_point_there(errand)
    return found if isinstance(found, Impossible) else vault_consulting.survey(found)


def _unpaired(errand: Errand) -> str:
    world, shard, recovery = errand.world, errand.request.shard, recovery_of(errand)
    pair = read(errand, lambda: world.paired_regions.pair(shard.subscription, shard.region))
    try:
        vault = read(errand, lambda: world.paired_regions.vault(recovery.point.vault))
    except Missing:
        return paired_region.refusal(None, recovery.region, pair)
    return paired_region.refusal(vault, recovery.region, pair)


def _network_elsewhere(errand: Errand) -> str:
    """Why the subnet that is named is of no use there; empty where it is, or where that cannot be seen."""
    region, network = recovery_of(errand).region, errand.order.subnet.lower().partition("/subnets/")[0]
    try:
        found = errand.find(ArmPath(network)) if network else None
    except Denied:
        return ""
    at = paired_region.placed(found.get("location")) if found else region
    return "" if at == region else f"the network {network.rsplit('/', 1)[-1]} is in {at}, not in {region}: --subnet"


def _with_point_there(errand: Errand) -> Errand | Impossible:
    """The same where the paired region has its point, else with the one that fits best of those that are there."""
    world, request, recovery = errand.world, errand.request, recovery_of(errand)
    vault = recovery.point.vault
    seen = read(errand, lambda: world.paired_regions.points(vault, recovery.vm))
    rows = [held.row for held in world.ledger.points(request.shard, request.uid)]
    there = paired_region.there(rows, vault, seen)
    if any(one.vault and one.vault.name == recovery.point.name for one in there):
        return errand
    chosen = chosen_point(there, errand.order, errand.now())
    if isinstance(chosen, NothingFits):
        return Impossible(f"of the points that are in {recovery.region}, {chosen.because}; {paired_region.LAGS}")
    told = f"{chosen.because} that is in {recovery.region}: {paired_region.LAGS}"
    return with_point(errand, recovery.vm, replace(chosen, because=told))


def restore(errand: Errand) -> str:
    """The vault is asked, in its own region or in the paired one; the operation by which it is tracked."""
    ports = errand.world
    asked = ports.paired_regions.restore if recovery_of(errand).region else ports.vault_restores.restore
    return asked(order(errand))


def tracked(errand: Errand, operation: str) -> Tracked:
    ports, recovery = errand.world, recovery_of(errand)
    if recovery.region:
        return ports.paired_regions.tracked(recovery.point.vault, recovery.region, operation)
    return ports.vault_items.tracked(recovery.point.vault, operation)


def jobs(errand: Errand, since: datetime) -> Sequence[JobSeen]:
    ports, recovery = errand.world, recovery_of(errand)
    if recovery.region:
        return list(ports.paired_regions.jobs(recovery.point.vault, recovery.region, since))
    return list(ports.vault_jobs.jobs(recovery.point.vault, since))


def job(errand: Errand, name: str) -> JobSeen | None:
    ports, recovery = errand.world, recovery_of(errand)
    if recovery.region:
        return ports.paired_regions.job(recovery.point.vault, recovery.region, name)
    return ports.vault_jobs.job(recovery.point.vault, name)
