"""The contract of ports.VaultRestores: disks from a point of a vault, from the check of the order to their names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from shared.cloud.vault_restores import AzureVaultRestores
from shared.decide.vault_jobs import container_of
from shared.decide.vault_restoring import made
from shared.errors import CloudError, Missing
from shared.model.identity import ResourceId
from shared.model.restore import Recovery
from shared.model.vault import Act, ItemOrder, JobSeen, JobStatus, VaultPoint, VaultTask
from shared.model.vault_restore import RecoveryOrder
from shared.ports.vaults import VaultRestores
from tests.contract import test_vaults
from tests.contract.clouds import GROUP

estate = test_vaults.estate


@dataclass
class Restores:
    """The port over one Azure, and a machine with a point in a vault."""

    port: VaultRestores
    estate: test_vaults.Estate
    order: RecoveryOrder

    def group(self) -> str:
        return self.order.group

    def job(self) -> JobSeen:
        """The newest restore of the machine."""
        since = self.estate.now() - timedelta(days=1)
        listed = self.estate.jobs.jobs(self.order.vault, since)
        mine = [job for job in listed if job.container == container_of(self.order.vm) and job.operation == "Restore"]
        return max(mine, key=lambda job: job.started)


@pytest.fixture
def restores(implementation: str, estate: test_vaults.Estate, request: pytest.FixtureRequest) -> Restores:
    vault = estate.vault()
    vm = estate.protected(vault)
    estate.jobs.back_up(vault, vm, estate.now() + timedelta(days=30))
    estate.wait(300)
    [point] = estate.jobs.points(vault, vm)
    subscription = estate.cloud.shard.subscription
    staging = f"/subscriptions/{subscription}/resourceGroups/{GROUP}/providers/Microsoft.Storage/storageAccounts/stage1"
    group = f"/subscriptions/{subscription}/resourceGroups/{GROUP}"
    order = RecoveryOrder(vault, vm, point.name, group, staging, estate.cloud.shard.region)
    if implementation == "twin":
        return Restores(request.getfixturevalue("cloud").stage.world.vault_restores, estate, order)
    arm, _ = request.getfixturevalue("manager")
    return Restores(AzureVaultRestores(arm), estate, order)


def test_a_restore_ends_in_disks_that_are_known_by_their_names_and_time(restores: Restores) -> None:
    before = {disk.place.lower() for disk in restores.port.disks(restores.group())}
    asked = restores.estate.now()
    assert restores.port.check(restores.order) == []
    operation = restores.port.restore(restores.order)
    restores.estate.wait(1)
    tracked = restores.estate.items.tracked(restores.order.vault, operation)
    assert tracked.error is None
    job = restores.job()
    assert tracked.job in ("", job.name)
    assert job.started >= asked - timedelta(minutes=2)
    restores.estate.wait(60)
    done = restores.estate.jobs.job(restores.order.vault, job.name)
    assert done is not None
    assert done.status is JobStatus.COMPLETED
    assert done.ended is not None
    point = VaultPoint(restores.order.vault, restores.order.point, asked)
    recovery = Recovery(point, restores.order.vm, restores.order.staging, VaultTask())
    listed = restores.port.disks(restores.group())
    found = made(listed, recovery, done, restores.estate.now())
    assert isinstance(found, tuple)
    assert {str(source.made).lower() for source in found} == {disk.place.lower() for disk in listed} - before
    luns = [source.lun for source in found]
    assert luns[:2] == [None, 3]


def test_each_asking_makes_disks_of_its_own(restores: Restores) -> None:
    before = len(restores.port.disks(restores.group()))
    for _ in range(2):
        restores.port.restore(restores.order)
        restores.estate.wait(60)
    after = len(restores.port.disks(restores.group()))
    assert after - before in (4, 6), "two disks, or three where the vault knows nothing of what is left out, twice"


def test_what_is_deleted_softly_is_refused_beforehand(restores: Restores) -> None:
    restores.estate.items.delete(restores.order.vault, restores.order.vm)
    restores.estate.wait(30)
    [refusal] = restores.port.check(restores.order)
    assert refusal.code == "UserErrorItemInSoftDeletedState"
    restores.estate.items.change(ItemOrder(Act.UNDELETE, restores.order.vault, restores.order.vm))
    restores.estate.wait(30)
    assert restores.port.check(restores.order) == []


def test_a_point_that_is_not_there_cannot_be_restored(restores: Restores) -> None:
    for wrong in ({"point": "123456789"}, {"vm": restores.estate.machine()}):
        with pytest.raises(CloudError):
            restores.port.restore(replace(restores.order, **wrong))


def test_a_group_that_is_not_there_has_no_list(restores: Restores) -> None:
    nowhere = ResourceId.parse(f"{restores.group()}x/providers/a/b/c").group
    with pytest.raises(Missing):
        restores.port.disks(f"/subscriptions/{restores.estate.cloud.shard.subscription}/resourceGroups/{nowhere}")
