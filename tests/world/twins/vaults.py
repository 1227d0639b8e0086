"""The twins of ports.VaultCatalogue, VaultItems, VaultJobs and VaultRestores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from shared.errors import Conflict, Denied, Missing, Refused
from shared.model.draining import CallKind
from shared.model.identity import ResourceId, Shard
from shared.model.vault import (
    Act,
    ItemOrder,
    ItemSeen,
    ItemState,
    JobError,
    JobSeen,
    PointSeen,
    PolicySeen,
    Tracked,
    VaultOrder,
    VaultSeen,
)
from shared.model.vault_restore import DiskSeen, RecoveryOrder
from tests.world.steps import Call, Effect, Steps
from tests.world.twins.throttle import Throttle
from tests.world.twins.vault_truth import Vaults, VaultTruth
from tests.world.twins.witness import Witness

CROSS_REGION = "CrossRegionRestore"


class Gate:
    """One call about a vault: paced, seen by the steps, refused where its subscription or vault is not there."""

    def __init__(self, vaults: Vaults, steps: Steps, throttle: Throttle, witness: Witness) -> None:
        self.vaults = vaults
        self._witness = witness
        self._steps = steps
        self._throttle = throttle

    @contextmanager
    def read(self, verb: str, vault: ResourceId) -> Iterator[VaultTruth]:
        with self._call(verb, Effect.READ, vault.subscription, vault.name):
            yield self._vault(vault)

    @contextmanager
    def write(self, verb: str, vault: ResourceId, about: str) -> Iterator[VaultTruth]:
        with self._call(verb, Effect.WRITE, vault.subscription, about):
            self._witness.vault_written(vault, about)
            yield self._vault(vault)

    def emptied(self, vault: ResourceId, vm: ResourceId) -> None:
        """A vault deletes what it has of a VM: whoever watches is told."""
        self._witness.vault_emptied(vault, vm)

    @contextmanager
    def of_shard(self, verb: str, effect: Effect, shard: Shard) -> Iterator[None]:
        with self._call(verb, effect, shard.subscription, str(shard)):
            yield

    @contextmanager
    def _call(self, verb: str, effect: Effect, subscription: str, subject: str) -> Iterator[None]:
        bucket = (Shard(subscription, ""), CallKind.READ if effect is Effect.READ else CallKind.WRITE)
        call = Call("arm", verb, effect, subscription, subject, bucket)
        self._throttle.admit(bucket)
        self._steps.before(call)
        if subscription in self.vaults.azure.disabled:
            raise Denied("AuthorizationFailed", f"{subscription} cannot be reached", 403)
        yield
        self._steps.after(call)

    def _vault(self, vault: ResourceId) -> VaultTruth:
        found = self.vaults.all.get(vault)
        if found is None:
            raise Missing("ResourceNotFound", f"{vault} was not found", 404)
        return found

    @property
    def now(self) -> datetime:
        return self.vaults.azure.now()


class VaultCatalogueTwin:
    """Vaults and policies."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def vaults(self, shard: Shard) -> Sequence[VaultSeen]:
        with self._gate.of_shard("vaults.vaults", Effect.READ, shard):
            now = self._gate.now
            here = [one for one in self._gate.vaults.all.values() if one.id.subscription == shard.subscription]
            ours = [one for one in here if one.region == shard.region]
            return [VaultSeen(one.id, one.region, dict(one.tags), one.ready_at <= now) for one in ours]

    def make(self, order: VaultOrder) -> None:
        shard = Shard(order.id.subscription, order.region)
        with self._gate.of_shard("vaults.make", Effect.WRITE, shard):
            self._gate.vaults.make(VaultSeen(order.id, order.region, order.tags))

    def policies(self, vault: ResourceId) -> Mapping[str, PolicySeen]:
        with self._gate.read("vaults.policies", vault) as truth:
            return {name: PolicySeen(name, dict(body)) for name, body in truth.policies.items()}

    def write_policy(self, vault: ResourceId, name: str, properties: Mapping[str, object]) -> None:
        with self._gate.write("vaults.write_policy", vault, name) as truth:
            truth.policies[name] = dict(properties)

    def place(self, shard: Shard) -> str:
        return self._gate.vaults.azure.recovery_group(shard)


class VaultItemsTwin:
    """What vaults protect."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def items(self, vault: ResourceId) -> Iterator[ItemSeen]:
        with self._gate.read("vaults.items", vault) as truth:
            answer = [
                ItemSeen(
                    vault=truth.id,
                    vm=item.vm,
                    state=item.state,
                    policy="" if item.state is ItemState.STOPPED else item.policy,
                    last_point=max((point.at for point in item.points.values()), default=None),
                    soft_deleted=item.soft_deleted,
                )
                for item in truth.items.values()
            ]
        yield from answer

    def protectable(self, vault: ResourceId) -> Iterator[ResourceId]:
        with self._gate.read("vaults.protectable", vault) as truth:
            answer = [vm for vm in sorted(truth.discovered) if self._gate.vaults.holder(vm) is None]
        yield from answer

    def refusal(self, vault: ResourceId, vm: ResourceId, region: str) -> JobError | None:
        with self._gate.of_shard("vaults.refusal", Effect.READ, Shard(vault.subscription, region)):
            holder = self._gate.vaults.holder(vm)
            if self._gate.vaults.azure.vm(vm) is None:
                return JobError("UserErrorVmNotFoundV2", "Virtual machine doesn't exist.")
            elsewhere = holder is not None and holder.id != vault
            return JobError("UserErrorVMAlreadyProtected", "another vault has it") if elsewhere else None

    def refresh(self, vault: ResourceId) -> str:
        with self._gate.write("vaults.refresh", vault, vault.name) as truth:
            if truth.refreshing:
                raise Conflict("Conflict", "another discovery operation is already running", 409)
            return self._gate.vaults.discover(truth)

    def refreshed(self, vault: ResourceId, operation: str) -> bool:
        with self._gate.read("vaults.refreshed", vault) as truth:
            return truth.refreshing != operation

    def change(self, order: ItemOrder) -> str:
        with self._gate.write("vaults.change", order.vault, f"{order.act} {order.vm.name}") as truth:
            self._change(truth, order)
            return self._gate.vaults.number()

    def _change(self, truth: VaultTruth, order: ItemOrder) -> None:
        holder, item = self._gate.vaults.holder(order.vm), truth.items.get(order.vm)
        if truth.guarded and order.act is Act.STOP:
            raise Refused(
                "UserErrorResourceGuardOperationRequestIdMissing", "ResourceGuard Operation requestid is null", 400
            )
        if order.act is Act.PROTECT:
            if holder is not None and holder is not truth:
                raise Refused("BMSUserErrorObjectLocked", f"{order.vm.name} is protected in {holder.id.name}", 400)
            if item is None and order.vm not in truth.discovered:
                raise Missing("BMSUserErrorContainerObjectNotFound", f"{order.vm.name} is not known here", 404)
            if order.policy not in truth.policies:
                raise Refused("UserErrorPolicyNotFound", f"{order.policy} does not exist", 400)
            self._gate.vaults.protect(truth, order.vm, order.policy, order.left_out)
            return
        if item is None:
            raise Missing("ResourceNotFound", f"{order.vm.name} is not protected", 404)
        if order.act is Act.UNDELETE:
            item.soft_deleted = False
        item.state = ItemState.STOPPED

    def delete(self, vault: ResourceId, vm: ResourceId) -> str:
        with self._gate.write("vaults.delete", vault, vm.name) as truth:
            item = truth.items.get(vm)
            if truth.guarded:
                raise Refused("UserErrorOperationNotAllowedOnImmutableVault", "immutability is enabled", 400)
            if item is not None:
                if item.soft_deleted:
                    raise Refused("UserErrorItemInSoftDeletedState", "it is in soft deleted state already", 400)
                self._gate.emptied(vault, vm)
                item.soft_deleted, item.state = True, ItemState.STOPPED
            return self._gate.vaults.number()

    def tracked(self, vault: ResourceId, operation: str) -> Tracked:
        with self._gate.read("vaults.tracked", vault):
            vaults = self._gate.vaults
            return Tracked(operation not in vaults.under_way, error=vaults.came_to_nothing.get(operation))


class VaultJobsTwin:
    """What vaults do."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def jobs(self, vault: ResourceId, since: datetime) -> Iterator[JobSeen]:
        with self._gate.read("vaults.jobs", vault) as truth:
            here = (job for job in truth.jobs.values() if job.operation != CROSS_REGION)
            answer = [_short(job) for job in here if job.started >= since]
        yield from answer

    def job(self, vault: ResourceId, name: str) -> JobSeen | None:
        with self._gate.read("vaults.job", vault) as truth:
            found = truth.jobs.get(name)
            return found if found and found.operation != CROSS_REGION else None

    def back_up(self, vault: ResourceId, vm: ResourceId, until: datetime) -> str:
        with self._gate.write("vaults.back_up", vault, vm.name) as truth:
            item = truth.items.get(vm)
            if item is None or item.state is ItemState.STOPPED or item.soft_deleted:
                raise Refused("UserErrorItemNotProtected", f"{vm.name} is not protected", 400)
            if self._gate.vaults.running(truth, vm):
                raise Conflict("UserErrorBackupOperationInProgress", "a backup of this VM is running", 409)
            item.asked += 1
            self._gate.vaults.back_up(truth, item, until)
            return self._gate.vaults.number()

    def cancel(self, vault: ResourceId, job: str) -> None:
        with self._gate.write("vaults.cancel", vault, job) as truth:
            found = truth.jobs.get(job)
            if found is None or found.operation == CROSS_REGION or not found.status.open:
                raise Refused("UserErrorJobNotCancellable", "the job is not in a cancellable state", 400)
            self._gate.vaults.cancel(truth, job)

    def points(self, vault: ResourceId, vm: ResourceId) -> Sequence[PointSeen]:
        with self._gate.read("vaults.points", vault) as truth:
            item = truth.items.get(vm)
            if item is None:
                raise Missing("ResourceNotFound", f"{vm.name} is not protected", 404)
            return list(item.points.values())


class VaultRestoresTwin:
    """What vaults bring back."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def check(self, order: RecoveryOrder) -> Sequence[JobError]:
        with self._gate.read("vaults.check", order.vault) as truth:
            item = truth.items.get(order.vm)
            if item is not None and item.soft_deleted:
                return [JobError("UserErrorItemInSoftDeletedState", "the item is in soft deleted state")]
            return []

    def restore(self, order: RecoveryOrder) -> str:
        with self._gate.write("vaults.restore", order.vault, order.vm.name) as truth:
            item = truth.items.get(order.vm)
            if item is None or order.point not in item.points:
                raise Missing("BMSUserErrorRecoveryPointNotFound", f"{order.point} was not found", 404)
            if refusals := self._gate.vaults.refusals.get(order.vm):
                raise refusals.pop(0)
            self._gate.vaults.restore(truth, order.vm, order.group)
            return self._gate.vaults.number()

    def disks(self, group: str) -> Sequence[DiskSeen]:
        _, _, subscription, _, name = group.lower().split("/")
        with self._gate.of_shard("vaults.disks", Effect.READ, Shard(subscription, "")):
            azure = self._gate.vaults.azure
            places = {(place.subscription, place.group) for place in azure.history} | set(azure.resource_groups)
            if (subscription, name) not in places:
                raise Missing("ResourceGroupNotFound", f"{group} was not found", 404)
            made = self._gate.vaults.restored
            attached = [disk.id for vm in azure.vms() for disk in vm.disks]
            here = {one for one in (*azure.loose, *attached) if (one.subscription, one.group) == (subscription, name)}
            return [DiskSeen(str(one), made.get(one)) for one in sorted(here, key=str)]


def _short(job: JobSeen) -> JobSeen:
    """A job as a list shows it: without errors."""
    return JobSeen(job.vault, job.name, job.operation, job.status, job.container, job.started, job.ended)
