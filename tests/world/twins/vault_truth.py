"""The truth about Azure Backup in the world: vaults with policies, items, jobs and points, which runs by itself.

A backup that its policy's time has come for runs without anybody asking, as the service does. What a job comes to is
`fates`: codes, or whole errors, that the next backups of a VM fail with; `hurdles` are those of the next protections.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.errors import CloudError
from shared.model.identity import DiskUid, ResourceId, VmUid
from shared.model.mount import VaultMount
from shared.model.vault import AT_REST, ItemState, JobError, JobSeen, JobStatus, PointSeen, VaultPoint, VaultSeen
from tests.world.twins.azure import DISK_TYPE, Azure, DiskTruth

SNAPSHOT = timedelta(minutes=8)
BACKUP = timedelta(minutes=40)  # recorded: snapshot after 8 minutes, all done after 40
QUICK = timedelta(seconds=30)
RESTORE = timedelta(minutes=3)  # recorded: the median
REFRESH = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass
class ItemTruth:
    """A protected VM: the machine that it was when its protection began is not asked for, as the service does not."""

    vm: ResourceId
    policy: str
    state: ItemState = ItemState.PENDING
    points: dict[str, PointSeen] = field(default_factory=dict)
    soft_deleted: bool = False
    left_out: tuple[int, ...] = ()
    asked: int = 0
    turn: int = 0  # its schedule counts from the last time that protection began or changed


@dataclass
class VaultTruth:
    """A vault."""

    id: ResourceId
    region: str
    tags: Mapping[str, str]
    ready_at: datetime
    policies: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    items: dict[ResourceId, ItemTruth] = field(default_factory=dict)
    discovered: set[ResourceId] = field(default_factory=set)
    jobs: dict[str, JobSeen] = field(default_factory=dict)
    refreshing: str = ""
    guarded: bool = False
    redundancy: str = "GeoRedundant"
    crosses: bool = False


@dataclass
class Vaults:
    """All vaults of an Azure."""

    azure: Azure
    at: Callable[[datetime, Callable[[], None]], None]
    all: dict[ResourceId, VaultTruth] = field(default_factory=dict)
    fates: dict[ResourceId, list[str | JobError]] = field(default_factory=dict)
    hurdles: dict[ResourceId, list[JobError]] = field(default_factory=dict)
    offline: Callable[[ResourceId], bool] = lambda vm: False
    mishap: Callable[[], str] = str
    born: dict[str, VmUid] = field(default_factory=dict)
    disks_of: dict[ResourceId, tuple[DiskTruth, ...]] = field(default_factory=dict)
    restored: dict[ResourceId, datetime] = field(default_factory=dict)
    refusals: dict[ResourceId, list[CloudError]] = field(default_factory=dict)
    restore_fates: dict[ResourceId, list[str]] = field(default_factory=dict)
    pairs: dict[str, str] = field(default_factory=dict)
    mounted: dict[VaultMount, str] = field(default_factory=dict)
    ever_mounted: list[tuple[VaultMount, str]] = field(default_factory=list)
    under_way: set[str] = field(default_factory=set)
    mount_fates: list[JobError] = field(default_factory=list)
    came_to_nothing: dict[str, JobError] = field(default_factory=dict)
    numbers: int = 0

    def number(self) -> str:
        self.numbers += 1
        return f"{self.numbers:08d}-0000"

    def holder(self, vm: ResourceId) -> VaultTruth | None:
        """The one vault that has anything of a VM."""
        return next((vault for vault in self.all.values() if vm in vault.items), None)

    def has(self, point: VaultPoint) -> bool:
        """Whether a vault still lists a point of something that nobody deleted."""
        vault = self.all.get(point.vault)
        items = (item for item in vault.items.values() if not item.soft_deleted) if vault else ()
        return any(point.name in item.points for item in items)

    def make(self, seen: VaultSeen) -> VaultTruth:
        truth = VaultTruth(seen.id, seen.region, dict(seen.tags), self.azure.now() + QUICK)
        return self.all.setdefault(seen.id, truth)

    def discover(self, vault: VaultTruth) -> str:
        vault.refreshing = operation = self.number()
        self.at(self.azure.now() + REFRESH, lambda: self._discovered(vault, operation))
        return operation

    def _discovered(self, vault: VaultTruth, operation: str) -> None:
        here = {vm.id for vm in self.azure.vms() if vm.shard.region == vault.region}
        vault.discovered |= {vm for vm in here if vm.subscription == vault.id.subscription}
        if vault.refreshing == operation:
            vault.refreshing = ""

    def protect(self, vault: VaultTruth, vm: ResourceId, policy: str, left_out: tuple[int, ...]) -> None:
        item = vault.items.get(vm)
        resumed = item is not None and item.state in AT_REST
        if hurdle := self.hurdles.get(vm):
            failed, error = self._job(vault, vm, "ConfigureBackup"), hurdle.pop(0)
            self.at(self.azure.now() + QUICK, lambda: self._end(vault, failed, JobStatus.FAILED, (error,)))
            return
        if item is None:
            item = vault.items[vm] = ItemTruth(vm, policy)
        elif item.state in AT_REST:
            item.state = ItemState.PROTECTED if item.points else ItemState.PENDING
            for name in [*item.points]:
                self._forget(item, name)
        changed = item.policy != policy or not any(job.container == _container(vm) for job in vault.jobs.values())
        item.policy, item.left_out = policy, left_out
        job = self._job(vault, vm, "ConfigureBackup")
        self.at(self.azure.now() + QUICK, lambda: self._end(vault, job, JobStatus.COMPLETED))
        if changed or resumed:
            item.turn += 1
            self._plan_next(vault, item)

    def _plan_next(self, vault: VaultTruth, item: ItemTruth) -> None:
        turn = item.turn
        run = _next_run(vault.policies[item.policy], self.azure.now())
        self.at(run, lambda: self._scheduled(vault, item, turn))

    def _scheduled(self, vault: VaultTruth, item: ItemTruth, turn: int) -> None:
        active = item.state in (ItemState.PENDING, ItemState.PROTECTED) and not item.soft_deleted
        if not active or item.turn != turn or vault.items.get(item.vm) is not item:
            return
        if not self.running(vault, item.vm):
            self.back_up(vault, item, self.azure.now() + _kept(vault.policies[item.policy]))
        self._plan_next(vault, item)

    def running(self, vault: VaultTruth, vm: ResourceId) -> bool:
        mine = (job for job in vault.jobs.values() if job.container == _container(vm))
        return any(job.operation == "Backup" and job.status.open for job in mine)

    def back_up(self, vault: VaultTruth, item: ItemTruth, until: datetime) -> str:
        job = self._job(vault, item.vm, "Backup")
        machine = self.azure.vm(item.vm)
        living = machine is not None
        if machine is not None:
            self.disks_of[item.vm] = tuple(disk for disk in machine.disks if not disk.left_out)
        fates = self.fates.get(item.vm, [])
        fate = fates.pop(0) if fates else self.mishap() if living else "320001"
        if not fate and self.offline(item.vm) and not item.points:
            fate = "AzureVmOffline"
        now = self.azure.now()
        if fate:
            error = JobError(fate, f"the backup failed: {fate}") if isinstance(fate, str) else fate
            self.at(now + SNAPSHOT, lambda: self._end(vault, job, JobStatus.FAILED, (error,)))
            return job
        self.at(now + SNAPSHOT, lambda: self._pointed(vault, item, now, until))
        self.at(now + BACKUP, lambda: self._end(vault, job, JobStatus.COMPLETED))
        return job

    def _pointed(self, vault: VaultTruth, item: ItemTruth, taken: datetime, until: datetime) -> None:
        name = self.number()
        item.points[name] = PointSeen(name, taken, "AppConsistent", ("InstantRP",), until)
        self.azure.vault_points.add((vault.id, name))
        if item.state is ItemState.PENDING:
            item.state = ItemState.PROTECTED
        self.at(until, lambda: self._forget(item, name))

    def _forget(self, item: ItemTruth, name: str) -> None:
        """A point goes when its date is past; none of a stopped or deleted item, and not the newest of a suspended one.

        So the pages of Azure Backup say (documented).
        """
        until = item.points[name].expires if name in item.points else None
        paused = item.state is ItemState.STOPPED or item.soft_deleted
        newest = item.state is ItemState.SUSPENDED and name == max(item.points)
        if until and until <= self.azure.now() and not paused and not newest:
            item.points.pop(name)

    def restore(self, vault: VaultTruth, vm: ResourceId, group: str, operation: str = "Restore") -> None:
        """Disks of the machine's own, in a while: in `group`, under names of the service's."""
        job, fates = self._job(vault, vm, operation), self.restore_fates.get(vm, [])
        self.at(
            self.azure.now() + RESTORE, lambda: self._restored(vault, job, vm, group, fates.pop(0) if fates else "")
        )

    def _restored(self, vault: VaultTruth, job: str, vm: ResourceId, group: str, fate: str) -> None:
        if not vault.jobs[job].status.open:
            return
        if fate:
            self._end(vault, job, JobStatus.FAILED, (JobError(fate, f"the restore failed: {fate}"),))
            return
        now = self.azure.now()
        for disk in self.disks_of[vm]:
            kind = "osdisk" if disk.lun is None else f"datadisk-{disk.lun:03}"
            name = f"{vm.name.replace('-', '')}-{kind}-{now:%Y%m%d-%H%M%S}"
            place = ResourceId.parse(f"{group}/providers/{DISK_TYPE}/{name}")
            self.azure.loose[place] = DiskTruth(place, DiskUid(f"d-{name}"), None)
            self.azure.made_from[place] = disk.id
            self.restored[place] = now
        self._end(vault, job, JobStatus.COMPLETED)

    def _job(self, vault: VaultTruth, vm: ResourceId, operation: str) -> str:
        name = f"job-{self.number()}"
        now = self.azure.now()
        vault.jobs[name] = JobSeen(vault.id, name, operation, JobStatus.IN_PROGRESS, _container(vm), now)
        return name

    def _end(self, vault: VaultTruth, name: str, status: JobStatus, errors: tuple[JobError, ...] = ()) -> None:
        job = vault.jobs[name]
        if job.status.open:
            vault.jobs[name] = JobSeen(
                job.vault, name, job.operation, status, job.container, job.started, self.azure.now(), errors
            )

    def cancel(self, vault: VaultTruth, name: str) -> None:
        self._end(vault, name, JobStatus.CANCELLED)


def _container(vm: ResourceId) -> str:
    return f"{vm.group};{vm.name}"


def _next_run(policy: Mapping[str, Any], now: datetime) -> datetime:
    """The next time of a daily policy in UTC; others run daily here as well, which no rule of ours depends on."""
    schedule = policy["schedulePolicy"]
    times = schedule.get("scheduleRunTimes") or schedule.get("dailySchedule", {}).get("scheduleRunTimes")
    start = datetime.fromisoformat(times[0]).astimezone(UTC) if times else now
    run = now.replace(hour=start.hour, minute=start.minute, second=0, microsecond=0)
    return run if run > now else run + DAY


def _kept(policy: Mapping[str, Any]) -> timedelta:
    """For how long a policy keeps what it takes each day; a month where it keeps nothing by the day."""
    daily = policy.get("retentionPolicy", {}).get("dailySchedule")
    return int(daily["retentionDuration"]["count"]) * DAY if daily else 30 * DAY
