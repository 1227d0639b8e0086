"""The twin of ports.RestorePoints: collections of machines, and restore points as snapshots of several disks at once.

Azure's own rules that a plan can run into are kept: one creation at a time, and an hour between two of one machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from shared.decide.restore_points import as_part
from shared.errors import Blocked, Conflict, Denied, Missing
from shared.model.draining import CallKind
from shared.model.identity import COLLECTION_TYPE, DiskUid, ResourceId, Shard, VmUid
from shared.model.point import Inside
from shared.model.restore_point import RestorePointOrder, RestorePointSeen
from tests.world.steps import Call, Effect, Steps
from tests.world.twins.azure import Azure, CollectionTruth, Lock, SnapshotTruth
from tests.world.twins.snapshots import seen
from tests.world.twins.throttle import Throttle
from tests.world.twins.witness import Witness

GAP = timedelta(hours=1)


class RestorePointsTwin:
    """Restore points in collections of ours."""

    def __init__(self, azure: Azure, steps: Steps, throttle: Throttle, witness: Witness) -> None:
        self._azure = azure
        self._steps = steps
        self._throttle = throttle
        self._witness = witness

    def create(self, order: RestorePointOrder) -> None:
        bucket = (order.shard, CallKind.RESTORE_POINT)
        call = Call("arm", "restore_points.create", Effect.WRITE, order.shard.subscription, order.id.name, bucket)
        with self._throttle.scopes.call("PUT", order.id):
            self._throttle.admit(bucket)
            self._steps.before(call)
            self._accept(order)
            self._steps.after(call)

    def _accept(self, order: RestorePointOrder) -> None:
        azure = self._azure
        self._admit(order.shard)
        collection = azure.collections.get(order.id.top)
        if collection is None:
            raise Missing("ResourceNotFound", f"the collection of {order.id} does not exist", 404)
        vm = azure.vm(collection.machine)
        if vm is None:
            raise Missing("NotFound", f"{collection.machine} is not found", 404)
        inside = tuple(disk for disk in vm.disks if disk.id not in order.excluded)
        refused = next((azure.refusals[disk.id] for disk in inside if disk.id in azure.refusals), None)
        if refused is not None:
            raise refused
        there, worker = azure.snapshots.get(order.id), self._steps.scheduler.current
        now, fate = azure.now(), azure.weather.fate(order.id)
        ready = now + fate.takes if fate.takes is not None else None
        step = self._steps.scheduler.steps
        made = SnapshotTruth(order.id, DiskUid(vm.uid), {}, now, ready, fate.fails, False, step, vm.id)
        made.inside, made.mode = inside, order.mode.value
        made.tags = dict(as_part(self._seen(made), "backup").tags)
        self._witness.restore_point_put(order, made, there, worker.invocation if worker else None)
        if there is not None:
            raise Conflict("Conflict", f"{order.id} exists already", 409)
        if any(now - one.born < GAP and not one.fails for one in self._of(order.id.top)):
            raise Conflict("OperationNotAllowed", f"{vm.id} has a younger restore point, try again after a while", 409)
        azure.snapshots[order.id] = made

    def prepare(self, order: RestorePointOrder) -> None:
        bucket = (order.shard, CallKind.WRITE)
        call = Call("arm", "restore_points.prepare", Effect.WRITE, order.shard.subscription, order.id.top.name, bucket)
        self._throttle.admit(bucket)
        self._steps.before(call)
        self._admit(order.shard)
        if order.id.top not in self._azure.collections:
            if self._azure.vm(order.machine) is None:
                raise Missing("NotFound", f"{order.machine} is not found", 404)
            self._azure.collections[order.id.top] = CollectionTruth(order.machine, dict(order.tags))
        self._steps.after(call)

    def find(self, point: ResourceId) -> RestorePointSeen | None:
        with self._throttle.scopes.call("GET", point):
            call = self._read("find", point)
            truth = self._azure.snapshots.get(point)
            answer = self._seen(truth) if truth else None
            worker = self._steps.scheduler.current
            if worker is not None:
                worker.invocation.looked[point] = self._steps.scheduler.steps
            self._steps.after(call)
            return answer

    def of(self, collection: ResourceId) -> Sequence[RestorePointSeen]:
        call = self._read("of", collection)
        answer = [self._seen(truth) for truth in self._of(collection)]
        self._steps.after(call)
        return answer

    def mark(self, point: ResourceId, tags: Mapping[str, str]) -> None:
        shard = self._azure.shard_of(point)
        bucket = (shard, CallKind.WRITE)
        call = Call("arm", "restore_points.mark", Effect.WRITE, point.subscription, point.name, bucket)
        self._throttle.admit(bucket)
        self._steps.before(call)
        self._admit(shard)
        collection = self._azure.collections.get(point.top)
        if collection is None:
            raise Missing("ResourceNotFound", f"{point.top} does not exist", 404)
        collection.tags.update(tags)
        for truth in self._of(point.top):
            self._retag(truth)
        self._steps.after(call)

    def _retag(self, truth: SnapshotTruth) -> None:
        """What its collection says of it now; Azure remembers since when somebody holds it."""
        said = dict(as_part(self._seen(truth), "backup").tags)
        held = said.pop("backup-hold", None)
        if held is not None:
            self._azure.hold(truth, held)
        truth.tags.update(said)

    def place(self, shard: Shard, number: int, collection: str) -> ResourceId:
        group = f"{self._azure.recovery_group(shard)}-rp{number:02}"
        return ResourceId(shard.subscription, group, COLLECTION_TYPE, collection)

    def _of(self, collection: ResourceId) -> Iterator[SnapshotTruth]:
        mine = (truth for place, truth in self._azure.snapshots.items() if place.type == COLLECTION_TYPE)
        return (truth for truth in mine if truth.id.top == collection)

    def _seen(self, truth: SnapshotTruth) -> RestorePointSeen:
        return restore_point_seen(self._azure, truth)

    def _read(self, verb: str, place: ResourceId) -> Call:
        bucket = (self._azure.shard_of(place), CallKind.READ)
        call = Call("arm", f"restore_points.{verb}", Effect.READ, place.subscription, place.name, bucket)
        self._throttle.admit(bucket)
        self._steps.before(call)
        if place.subscription in self._azure.disabled:
            raise Denied("AuthorizationFailed", f"{place} cannot be read", 403)
        return call

    def _admit(self, shard: Shard) -> None:
        if shard.subscription in self._azure.disabled:
            raise Denied("AuthorizationFailed", f"{shard} cannot be written", 403)
        if self._azure.locks.get(shard, Lock.NONE) is Lock.CANNOT_WRITE:
            raise Blocked("ScopeLocked", f"the recovery group of {shard} is locked", 409)


def restore_point_seen(azure: Azure, truth: SnapshotTruth) -> RestorePointSeen:
    """A restore point as Azure shows it now, with the tags of its collection."""
    now, collection = azure.now(), azure.collections[truth.id.top]
    looks = seen(truth, now)
    named = looks.provisioning == "Succeeded"
    return RestorePointSeen(
        id=truth.id,
        machine=collection.machine,
        machine_uid=VmUid(truth.source_uid),
        provisioning=looks.provisioning,
        completion=100.0 if named else None,
        mode=truth.mode,
        tags=dict(collection.tags),
        inside=tuple(
            Inside(disk.id, DiskUid(""), disk.lun, _made(truth.id, disk.id) if named else None) for disk in truth.inside
        ),
        created=truth.born,
    )


def _made(point: ResourceId, disk: ResourceId) -> ResourceId:
    return replace(point, name=f"{point.name}/diskrestorepoints/{disk.name}")
