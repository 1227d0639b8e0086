"""The contract of ports.PairedRegions: copies of a vault's points, and disks of them in the region that has them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from shared.cloud.paired_regions import AzurePairedRegions
from shared.decide.vault_restoring import made
from shared.errors import CloudError, Missing
from shared.model.restore import Recovery
from shared.model.vault import JobSeen, JobStatus, VaultPoint, VaultTask
from shared.model.vault_restore import RecoveryOrder
from shared.ports.vaults import PairedRegions
from tests.contract import test_vaults
from tests.contract.clouds import SimulatedCloud, TwinCloud
from tests.contract.test_vault_restores import Restores, restores

estate = test_vaults.estate
__all__ = ["restores"]

HALF_A_DAY = 12 * 60
PAIR = {"westeurope": "northeurope"}


@dataclass
class Paired:
    """The port over one Azure, and an order for a point that the paired region has by now."""

    port: PairedRegions
    here: Restores
    order: RecoveryOrder

    def job(self) -> JobSeen:
        """The newest restore of the machine there."""
        since = self.here.estate.now() - timedelta(hours=2)
        listed = self.port.jobs(self.order.vault, self.order.region, since)
        return max((job for job in listed if job.machine == self.order.vm.name), key=lambda job: job.started)


def crossing(here: Restores) -> None:
    """The vault's cross-region restore is turned on by somebody."""
    vault, cloud = here.order.vault, here.estate.cloud
    if isinstance(cloud, SimulatedCloud):
        settings = {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Enabled"}
        body = {"properties": {"redundancySettings": settings}}
        assert cloud.running.ask("PATCH", f"{vault}?api-version=2025-02-01", body).status < 300
        cloud.running.advance(60)
        return
    assert isinstance(cloud, TwinCloud)
    cloud.stage.vaults.pairs |= PAIR
    cloud.stage.vaults.all[vault].crosses = True


@pytest.fixture
def off(implementation: str, restores: Restores, request: pytest.FixtureRequest) -> Paired:
    """Of a vault whose cross-region restore is off."""
    order = replace(restores.order, region=PAIR[restores.order.region])
    if implementation == "twin":
        assert isinstance(restores.estate.cloud, TwinCloud)
        return Paired(restores.estate.cloud.stage.world.paired_regions, restores, order)
    arm, _ = request.getfixturevalue("manager")
    return Paired(AzurePairedRegions(arm, request.getfixturevalue("simulator_clock")), restores, order)


@pytest.fixture
def paired(off: Paired) -> Paired:
    """Of a vault whose point has been copied by now."""
    crossing(off.here)
    off.here.estate.wait(HALF_A_DAY)
    return off


def test_a_region_has_a_pair_or_none(paired: Paired) -> None:
    shard = paired.here.estate.cloud.shard
    assert paired.port.pair(shard.subscription, shard.region) == paired.order.region
    assert paired.port.pair(shard.subscription, "nowhere") == ""


def test_a_vault_by_itself_says_how_it_stores_what_it_has(off: Paired) -> None:
    vault = off.order.vault
    before = off.port.vault(vault)
    assert (before.id, before.redundancy, before.crosses) == (vault, "GeoRedundant", False)
    crossing(off.here)
    assert off.port.vault(vault).crosses
    with pytest.raises(Missing):
        off.port.vault(replace(vault, name="nowhere"))


def test_what_is_there_is_there_in_the_tier_of_the_vault(paired: Paired) -> None:
    found = {one.name: one for one in paired.port.points(paired.order.vault, paired.order.vm)}
    assert "HardenedRP" in found[paired.order.point].tiers
    here = {one.name: one.at for one in paired.here.estate.jobs.points(paired.order.vault, paired.order.vm)}
    assert found[paired.order.point].at == here[paired.order.point]


def test_nothing_is_there_of_a_vault_that_does_not_restore_there(off: Paired) -> None:
    off.here.estate.wait(HALF_A_DAY)
    assert off.port.points(off.order.vault, off.order.vm) == []
    with pytest.raises(CloudError):
        off.port.restore(off.order)


def test_what_is_not_protected_has_no_list(paired: Paired) -> None:
    nobody = replace(paired.order.vm, name="nobody")
    try:
        found = paired.port.points(paired.order.vault, nobody)
    except Missing:
        found = []
    assert found == []


def test_a_restore_ends_in_disks_by_a_job_of_that_region_alone(paired: Paired) -> None:
    before = {disk.place.lower() for disk in paired.here.port.disks(paired.order.group)}
    asked, vault = paired.here.estate.now(), paired.order.vault
    operation = paired.port.restore(paired.order)
    paired.here.estate.wait(1)
    tracked = paired.port.tracked(vault, paired.order.region, operation)
    job = paired.job()
    assert (tracked.error, tracked.job in ("", job.name)) == (None, True)
    assert (job.operation, job.container, job.cancellable) == ("CrossRegionRestore", "", False)
    assert job.started >= asked - timedelta(minutes=2)
    assert paired.here.estate.jobs.job(vault, job.name) is None
    with pytest.raises(CloudError):
        paired.here.estate.jobs.cancel(vault, job.name)
    paired.here.estate.wait(60)
    done = paired.port.job(vault, paired.order.region, job.name)
    assert done is not None
    assert done.status is JobStatus.COMPLETED
    point = VaultPoint(vault, paired.order.point, asked)
    recovery = Recovery(point, paired.order.vm, paired.order.staging, VaultTask(), paired.order.region)
    listed = paired.here.port.disks(paired.order.group)
    found = made(listed, recovery, done, paired.here.estate.now())
    assert isinstance(found, tuple)
    assert {str(source.made).lower() for source in found} == {disk.place.lower() for disk in listed} - before
    assert found


def test_what_a_region_does_not_know_is_over_and_nothing(paired: Paired) -> None:
    vault, region = paired.order.vault, paired.order.region
    assert paired.port.tracked(vault, region, "bm90aGluZw==").done
    assert paired.port.job(vault, region, "none") is None
    assert list(paired.port.jobs(vault, region, paired.here.estate.now())) == []


def test_only_the_paired_region_restores_and_only_what_it_has(paired: Paired) -> None:
    for wrong in ({"region": "eastus"}, {"point": "123456789"}, {"vm": replace(paired.order.vm, name="nobody")}):
        with pytest.raises(CloudError):
            paired.port.restore(replace(paired.order, **wrong))
    since = paired.here.estate.now() - timedelta(hours=1)
    assert list(paired.port.jobs(paired.order.vault, paired.order.region, since)) == []
