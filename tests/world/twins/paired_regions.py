"""The twin of ports.PairedRegions: what a vault has in the region paired with its own, some hours later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.errors import Missing, Refused
from shared.model.identity import ResourceId, Shard
from shared.model.vault import JobSeen, PointSeen, Tracked, VaultSeen
from shared.model.vault_restore import RecoveryOrder
from tests.world.steps import Effect
from tests.world.twins.vault_truth import BACKUP, VaultTruth
from tests.world.twins.vaults import CROSS_REGION, Gate

COPIED = BACKUP + timedelta(hours=2)  # after a backup began: twelve hours at most (documented)


class PairedRegionsTwin:
    """What vaults have in their paired regions."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def pair(self, subscription: str, region: str) -> str:
        with self._gate.of_shard("paired_regions.pair", Effect.READ, Shard(subscription, region)):
            return self._gate.vaults.pairs.get(region, "")

    def vault(self, vault: ResourceId) -> VaultSeen:
        with self._gate.read("paired_regions.vault", vault) as truth:
            ready = truth.ready_at <= self._gate.now
            return VaultSeen(truth.id, truth.region, dict(truth.tags), ready, truth.redundancy, truth.crosses)

    def points(self, vault: ResourceId, vm: ResourceId) -> Sequence[PointSeen]:
        with self._gate.read("paired_regions.points", vault) as truth:
            if vm not in truth.items:
                raise Missing("ResourceNotFound", f"{vm.name} is not protected", 404)
            return self._there(truth, vm)

    def _there(self, truth: VaultTruth, vm: ResourceId) -> list[PointSeen]:
        points = truth.items[vm].points.values() if truth.crosses else ()
        return [replace(one, tiers=("HardenedRP",)) for one in points if one.at + COPIED <= self._gate.now]

    def restore(self, order: RecoveryOrder) -> str:
        with self._gate.write("paired_regions.restore", order.vault, order.vm.name) as truth:
            if order.region != self._gate.vaults.pairs.get(truth.region) or not truth.crosses:
                raise Refused("CrossRegionRestoreNotPossible", f"nothing is restored in {order.region}", 400)
            if order.vm not in truth.items or order.point not in {one.name for one in self._there(truth, order.vm)}:
                raise Missing("BMSUserErrorRecoveryPointNotFound", f"{order.point} was not found", 404)
            if refusals := self._gate.vaults.refusals.get(order.vm):
                raise refusals.pop(0)
            self._gate.vaults.restore(truth, order.vm, order.group, CROSS_REGION)
            return self._gate.vaults.number()

    def tracked(self, vault: ResourceId, region: str, operation: str) -> Tracked:
        with self._gate.read("paired_regions.tracked", vault):
            return Tracked(done=True)

    def jobs(self, vault: ResourceId, region: str, since: datetime) -> Iterator[JobSeen]:
        with self._gate.read("paired_regions.jobs", vault) as truth:
            there = (job for job in truth.jobs.values() if job.operation == CROSS_REGION)
            answer = [replace(_shown(job), errors=()) for job in there if job.started >= since]
        yield from answer

    def job(self, vault: ResourceId, region: str, name: str) -> JobSeen | None:
        with self._gate.read("paired_regions.job", vault) as truth:
            found = truth.jobs.get(name)
            return _shown(found) if found and found.operation == CROSS_REGION else None


def _shown(job: JobSeen) -> JobSeen:
    """A job as a paired region shows it: by the VM's name alone."""
    return replace(job, container="", machine=job.container.rpartition(";")[2])
