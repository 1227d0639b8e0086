"""The contract of ports.VaultCatalogue, VaultItems and VaultJobs: one vault from its making to a stopped protection."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

import pytest

from shared.cloud.snapshots import Recovery
from shared.cloud.vault_items import AzureVaultItems
from shared.cloud.vault_jobs import AzureVaultJobs
from shared.cloud.vaults import AzureVaultCatalogue
from shared.decide.policies import kept_by, properties_of
from shared.decide.vault_jobs import container_of
from shared.decide.vaults import VAULT_TYPE
from shared.errors import CloudError, Conflict, Missing
from shared.model.identity import ResourceId
from shared.model.plan import Age, Keep, PolicyType, Unit, VaultPart, VaultSchedule
from shared.model.vault import (
    Act,
    ItemOrder,
    ItemSeen,
    ItemState,
    JobSeen,
    JobStatus,
    Redundancy,
    VaultOrder,
    VaultSeen,
)
from shared.ports.vaults import VaultCatalogue, VaultItems, VaultJobs
from tests.contract.clouds import Cloud, SimulatedCloud, TwinCloud

PART = VaultPart(VaultSchedule(time(22), "UTC"), Keep((Age(30, Unit.DAY), Age(12, Unit.WEEK))), PolicyType.STANDARD, 2)
POLICY = "tagback-gold-2200"


@dataclass
class Estate:
    """The ports over one Azure, and how time passes there."""

    catalogue: VaultCatalogue
    items: VaultItems
    jobs: VaultJobs
    cloud: Cloud
    now: Callable[[], datetime]

    def wait(self, minutes: int) -> None:
        if isinstance(self.cloud, SimulatedCloud):
            self.cloud.running.advance(60.0 * minutes)
            return
        assert isinstance(self.cloud, TwinCloud)
        self.cloud.stage.scheduler.run(self.cloud.stage.scheduler.now + timedelta(minutes=minutes))

    def at_night(self) -> time:
        """Half a day from now: no scheduled backup comes between those that a test asks for."""
        return time((self.now().hour + 12) % 24)

    def vault(self) -> ResourceId:
        """A vault of this test's own, with a policy."""
        name = f"tb-{uuid.uuid4().hex[:10]}"
        place = ResourceId(self.cloud.shard.subscription, self.catalogue.place(self.cloud.shard), VAULT_TYPE, name)
        tags = {"tagback-owner": "tagback-test"}
        self.catalogue.make(VaultOrder(place, self.cloud.shard.region, Redundancy.GEO, immutable=False, tags=tags))
        self.wait(5)
        self.catalogue.write_policy(place, POLICY, properties_of(PART, self.at_night()))
        self.wait(2)
        return place

    def seen(self, vault: ResourceId) -> VaultSeen:
        return next(one for one in self.catalogue.vaults(self.cloud.shard) if one.id == vault)

    def machine(self) -> ResourceId:
        return self.cloud.machine(f"Vm-{uuid.uuid4().hex[:8]}", {})

    def protected(self, vault: ResourceId) -> ResourceId:
        """A new machine that a vault protects."""
        vm = self.machine()
        operation = self.items.refresh(vault)
        for _ in range(20):
            if self.items.refreshed(vault, operation):
                break
            self.wait(1)
        self.items.change(ItemOrder(Act.PROTECT, vault, vm, POLICY))
        self.wait(5)
        return vm

    def item(self, vault: ResourceId, vm: ResourceId) -> ItemSeen | None:
        return next((item for item in self.items.items(vault) if item.vm == vm), None)

    def backup(self, vault: ResourceId, vm: ResourceId) -> JobSeen:
        """The newest backup job of a machine."""
        since = self.now() - timedelta(days=1)
        listed = [job for job in self.jobs.jobs(vault, since) if job.container == container_of(vm)]
        return max((job for job in listed if job.operation == "Backup"), key=lambda job: job.started)


@pytest.fixture
def estate(implementation: str, recovery: Recovery, cloud: Cloud, request: pytest.FixtureRequest) -> Estate:
    if implementation == "twin":
        assert isinstance(cloud, TwinCloud)
        stage = cloud.stage
        world = stage.world
        return Estate(world.vaults, world.vault_items, world.vault_jobs, cloud, lambda: stage.scheduler.now)
    arm, _ = request.getfixturevalue("manager")
    clock = request.getfixturevalue("simulator_clock")
    items, jobs = AzureVaultItems(arm), AzureVaultJobs(arm, clock)
    return Estate(AzureVaultCatalogue(arm, recovery), items, jobs, cloud, clock.now)


def test_a_vault_is_listed_with_its_tags_and_ready_once_it_is_made(estate: Estate) -> None:
    seen = estate.seen(estate.vault())
    assert seen.ready
    assert (seen.region, dict(seen.tags)) == (estate.cloud.shard.region, {"tagback-owner": "tagback-test"})


def test_nothing_can_be_read_of_a_vault_that_is_not_there(estate: Estate) -> None:
    nowhere = ResourceId(estate.cloud.shard.subscription, "nowhere", VAULT_TYPE, "none")
    for read in (
        lambda: [*estate.items.items(nowhere)],
        lambda: estate.catalogue.policies(nowhere),
        lambda: [*estate.jobs.jobs(nowhere, estate.now())],
    ):
        with pytest.raises(Missing):
            read()


def test_a_policy_is_there_as_it_was_written(estate: Estate) -> None:
    found = estate.catalogue.policies(estate.vault())
    assert kept_by(found[POLICY].properties) == kept_by(properties_of(PART, time(22)))


def test_a_machine_is_discovered_by_a_refresh_of_which_only_one_runs_at_a_time(estate: Estate) -> None:
    vault, vm = estate.vault(), estate.machine()
    assert vm not in [*estate.items.protectable(vault)]
    operation = estate.items.refresh(vault)
    assert not estate.items.refreshed(vault, operation)
    with pytest.raises(CloudError):
        estate.items.refresh(vault)
    estate.wait(20)
    assert estate.items.refreshed(vault, operation)
    assert estate.items.refreshed(vault, str(uuid.uuid4()))
    assert vm in [*estate.items.protectable(vault)]


def test_a_protected_machine_waits_for_its_first_backup_under_its_policy(estate: Estate) -> None:
    vault = estate.vault()
    assert [*estate.items.items(vault)] == []
    vm = estate.protected(vault)
    item = estate.item(vault, vm)
    assert item is not None
    assert (item.vault, item.state, item.policy, item.last_point) == (vault, ItemState.PENDING, POLICY, None)
    assert not item.soft_deleted
    assert vm not in [*estate.items.protectable(vault)]


def test_a_dry_run_says_what_a_vault_would_refuse_a_machine_for_and_changes_nothing(estate: Estate) -> None:
    vault, other = estate.vault(), estate.vault()
    vm, region = estate.machine(), estate.cloud.shard.region
    assert estate.items.refusal(vault, vm, region) is None
    assert [*estate.items.items(vault)] == []
    held = estate.protected(other)
    assert estate.items.refusal(other, held, region) is None
    elsewhere = estate.items.refusal(vault, held, region)
    nowhere = estate.items.refusal(vault, replace(vm, name="none"), region)
    assert [one.code for one in (elsewhere, nowhere) if one] == ["UserErrorVMAlreadyProtected", "UserErrorVmNotFoundV2"]


def test_protecting_twice_is_protecting_once(estate: Estate) -> None:
    vault = estate.vault()
    vm = estate.protected(vault)
    operation = estate.items.change(ItemOrder(Act.PROTECT, vault, vm, POLICY))
    estate.wait(5)
    assert estate.items.tracked(vault, operation).done
    assert [item.vm for item in estate.items.items(vault)] == [vm]


def test_a_backup_ends_in_a_recovery_point(estate: Estate) -> None:
    vault = estate.vault()
    vm = estate.protected(vault)
    assert estate.jobs.points(vault, vm) == []
    asked = estate.now()
    estate.jobs.back_up(vault, vm, asked + timedelta(days=30))
    estate.wait(1)
    job = estate.backup(vault, vm)
    assert job.status is JobStatus.IN_PROGRESS
    assert job.started >= asked - timedelta(minutes=2)
    with pytest.raises(Conflict):
        estate.jobs.back_up(vault, vm, asked + timedelta(days=30))
    estate.wait(300)
    done = estate.backup(vault, vm)
    assert (done.name, done.status) == (job.name, JobStatus.COMPLETED)
    assert done.ended is not None
    [point] = estate.jobs.points(vault, vm)
    assert point.kind in ("AppConsistent", "FileSystemConsistent")
    assert asked - timedelta(minutes=2) <= point.at <= done.ended
    item = estate.item(vault, vm)
    assert item is not None
    assert (item.state, item.last_point) == (ItemState.PROTECTED, point.at)


def test_a_running_backup_can_be_cancelled_and_one_that_ended_cannot(estate: Estate) -> None:
    vault = estate.vault()
    vm = estate.protected(vault)
    estate.jobs.back_up(vault, vm, estate.now() + timedelta(days=30))
    estate.wait(1)
    job = estate.backup(vault, vm)
    estate.jobs.cancel(vault, job.name)
    estate.wait(30)
    found = estate.jobs.job(vault, job.name)
    assert found is not None
    assert found.status is JobStatus.CANCELLED
    with pytest.raises(CloudError):
        estate.jobs.cancel(vault, job.name)


def test_a_stopped_protection_keeps_its_points_and_can_be_resumed(estate: Estate) -> None:
    vault = estate.vault()
    vm = estate.protected(vault)
    estate.jobs.back_up(vault, vm, estate.now() + timedelta(days=30))
    estate.wait(300)
    estate.items.change(ItemOrder(Act.STOP, vault, vm))
    estate.wait(5)
    stopped = estate.item(vault, vm)
    assert stopped is not None
    assert (stopped.state, stopped.policy) == (ItemState.STOPPED, "")
    assert len(estate.jobs.points(vault, vm)) == 1
    estate.items.change(ItemOrder(Act.PROTECT, vault, vm, POLICY))
    estate.wait(5)
    resumed = estate.item(vault, vm)
    assert resumed is not None
    assert (resumed.state, resumed.policy) == (ItemState.PROTECTED, POLICY)


def test_what_a_vault_never_had_is_missing(estate: Estate) -> None:
    vault = estate.vault()
    assert estate.jobs.job(vault, str(uuid.uuid4())) is None
    with pytest.raises(Missing):
        estate.jobs.points(vault, estate.machine())
    assert [*estate.jobs.jobs(vault, datetime(2026, 1, 1, tzinfo=UTC))] == []


def test_what_a_vault_has_of_a_machine_is_deleted_softly_and_can_be_taken_back(estate: Estate) -> None:
    vault = estate.vault()
    vm = estate.protected(vault)
    assert estate.items.delete(vault, vm)
    estate.wait(30)
    item = estate.item(vault, vm)
    assert item is not None
    assert (item.soft_deleted, item.state) == (True, ItemState.STOPPED)
    with pytest.raises(CloudError):
        estate.items.delete(vault, vm)
    estate.items.change(ItemOrder(Act.UNDELETE, vault, vm))
    estate.wait(30)
    item = estate.item(vault, vm)
    assert item is not None
    assert not item.soft_deleted
