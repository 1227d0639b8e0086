"""The twin of ports.Snapshots: recovery groups and the snapshots in them, exact by `find`, eventual by `taken`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from shared.errors import Blocked, Denied, Missing, Refused
from shared.model.draining import CallKind
from shared.model.identity import DiskUid, ResourceId, Shard
from shared.model.snapshot import SnapshotOrder, SnapshotSeen
from tests.world.steps import Call, Effect, Steps
from tests.world.twins.azure import SNAPSHOT_TYPE, Azure, Lock, SnapshotTruth
from tests.world.twins.throttle import Throttle
from tests.world.twins.witness import Witness


class SnapshotsTwin:
    """Snapshots in our recovery groups."""

    def __init__(self, azure: Azure, steps: Steps, throttle: Throttle, witness: Witness) -> None:
        self._azure = azure
        self._steps = steps
        self._throttle = throttle
        self._witness = witness

    def create(self, order: SnapshotOrder) -> None:
        bucket = (order.shard, CallKind.SNAPSHOT)
        call = Call("arm", "snapshots.create", Effect.WRITE, order.shard.subscription, order.id.name, bucket)
        with self._throttle.scopes.call("PUT", order.id):
            self._throttle.admit(bucket)
            self._steps.before(call)
            self._accept(order)
            self._steps.after(call)

    def _accept(self, order: SnapshotOrder) -> None:
        azure = self._azure
        self._admit(order.shard)
        if order.shard not in azure.groups:
            raise Missing("ResourceGroupNotFound", f"the group of {order.id} does not exist")
        if order.source in azure.refusals:
            raise azure.refusals[order.source]
        disk = azure.disk(order.source)
        there = azure.snapshots.get(order.id)
        if disk is None:
            raise Missing("ResourceNotFound", f"the disk {order.source} does not exist")
        if there is not None and there.source_uid != disk.uid:
            raise Refused("PropertyChangeNotAllowed", f"{order.id} was made from another disk")
        worker = self._steps.scheduler.current
        self._witness.snapshot_put(order, there, worker.invocation if worker else None)
        if there is not None:
            there.tags = dict(order.tags)
            return
        now, fate = azure.now(), azure.weather.fate(order.id)
        ready = now + fate.takes if fate.takes is not None else None
        step = self._steps.scheduler.steps
        made = SnapshotTruth(order.id, disk.uid, dict(order.tags), now, ready, fate.fails, disk.slow, step, disk.id)
        azure.snapshots[order.id] = made
        azure.by_slot.setdefault((order.shard, made.tags.get("tagback-slot", "")), []).append(made)

    def find(self, snapshot: ResourceId) -> SnapshotSeen | None:
        bucket = (self._azure.shard_of(snapshot), CallKind.READ)
        call = Call("arm", "snapshots.find", Effect.READ, snapshot.subscription, snapshot.name, bucket)
        with self._throttle.scopes.call("GET", snapshot):
            self._throttle.admit(bucket)
            self._steps.before(call)
            if snapshot.subscription in self._azure.disabled:
                raise Denied("AuthorizationFailed", f"{snapshot} cannot be read", 403)
            truth = self._azure.snapshots.get(snapshot)
            answer = seen(truth, self._azure.now()) if truth else None
            worker = self._steps.scheduler.current
            if worker is not None:
                worker.invocation.looked[snapshot] = self._steps.scheduler.steps
            self._steps.after(call)
            return answer

    def taken(self, shard: Shard, slots: Sequence[datetime]) -> Iterator[SnapshotSeen]:
        call = Call("graph", "snapshots.taken", Effect.READ, shard.subscription, str(shard))
        self._steps.before(call)
        now, weather = self._azure.now(), self._azure.weather
        wanted = [slot.astimezone(UTC).strftime("%Y%m%dT%H%MZ") for slot in slots]
        rows = []
        for truth in (truth for slot in wanted for truth in self._azure.by_slot.get((shard, slot), ())):
            then = now - weather.lag(str(truth.id))
            if truth.born <= then and not weather.hides(f"taken {truth.id}"):
                rows.append(seen(truth, then))
        self._steps.after(call)
        yield from rows

    def prepare(self, shard: Shard) -> None:
        bucket = (shard, CallKind.WRITE)
        call = Call("arm", "snapshots.prepare", Effect.WRITE, shard.subscription, str(shard), bucket)
        self._throttle.admit(bucket)
        self._steps.before(call)
        self._admit(shard)
        worker = self._steps.scheduler.current
        self._witness.group_made(shard, worker.invocation if worker else None)
        self._azure.groups.add(shard)
        self._steps.after(call)

    def merge(self, snapshot: ResourceId, tags: Mapping[str, str]) -> None:
        shard = self._azure.shard_of(snapshot)
        bucket = (shard, CallKind.WRITE)
        call = Call("arm", "snapshots.merge", Effect.WRITE, snapshot.subscription, snapshot.name, bucket)
        self._throttle.admit(bucket)
        self._steps.before(call)
        self._admit(shard)
        truth = self._azure.snapshots.get(snapshot)
        if truth is None:
            raise Missing("ResourceNotFound", f"{snapshot} does not exist", 404)
        folded = {name.lower(): name for name in truth.tags}
        for name, value in tags.items():
            if name == "backup-hold":
                self._azure.hold(truth, value)
            truth.tags[folded.get(name.lower(), name)] = value
        self._steps.after(call)

    def place(self, shard: Shard, name: str) -> ResourceId:
        return ResourceId(shard.subscription, self._azure.recovery_group(shard), SNAPSHOT_TYPE, name)

    def _admit(self, shard: Shard) -> None:
        if shard.subscription in self._azure.disabled:
            raise Denied("AuthorizationFailed", f"{shard} cannot be written", 403)
        if self._azure.locks.get(shard, Lock.NONE) is Lock.CANNOT_WRITE:
            raise Blocked("ScopeLocked", f"the recovery group of {shard} is locked", 409)


def seen(truth: SnapshotTruth, then: datetime) -> SnapshotSeen:
    """A slow disk's snapshot is there at once and copied in the background; another is created until it is usable."""
    ready = truth.ready(then)
    over = truth.ready_at is not None and then >= truth.ready_at
    if truth.fails and over:
        provisioning = "Failed"
    elif truth.slow or ready:
        provisioning = "Succeeded"
    else:
        provisioning = "Creating"
    return SnapshotSeen(
        id=truth.id,
        source_uid=DiskUid("") if provisioning == "Creating" else truth.source_uid,
        provisioning=provisioning,
        completion=_percent(truth, then) if truth.slow else None,
        access="Pending" if truth.slow and not ready else "Available",
        disk_state="ActiveSAS" if truth.read_by_sas else "Unattached",
        tags=dict(truth.tags),
        source=truth.source,
        created=truth.born,
    )


def _percent(truth: SnapshotTruth, then: datetime) -> float:
    if truth.ready_at is None or truth.fails:
        return 40.0
    whole = max(truth.ready_at - truth.born, timedelta(seconds=1))
    return min(100.0, 100.0 * ((then - truth.born) / whole))
