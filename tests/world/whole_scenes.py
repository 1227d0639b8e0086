"""The scenes of machines whose disks are taken as one: each situation of a restore point, for the exhaustive driver."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared.errors import Conflict
from shared.flows.asking import ask_rebuild
from shared.flows.draining import drain
from shared.flows.expiring import expire
from shared.flows.holding import ask_hold
from shared.flows.registering import reconcile
from shared.messages import REAP, REQUESTS, SHARDS, VmKey, request_text, shard_text
from tests.world.exhaustive import Scene, pass_time, perform
from tests.world.scenes import RULES, SHARD, DeathAfter, Failing, machine
from tests.world.seeded import Run
from tests.world.steps import Calm
from tests.world.twins.azure import Fair, VmTruth
from tests.world.twins.builder import BuilderTwin

VM = machine(1, 3, "whole")
MINUTE = timedelta(minutes=1)


def registered(world: Run, vm: VmTruth = VM) -> None:
    world.stage.azure.write(vm)
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(vm.id)))


def drained(world: Run) -> None:
    perform(world, lambda ports: drain(ports, RULES, SHARD))


def started(world: Run, vm: VmTruth = VM) -> None:
    """Azure accepted the first restore point, and it is ready by now."""
    registered(world, vm)
    drained(world)
    pass_time(world, MINUTE / 2)


def complete(world: Run, vm: VmTruth = VM) -> None:
    started(world, vm)
    drained(world)


def slot_has_come(world: Run) -> None:
    complete(world)
    world.stage.scheduler.run(datetime.fromisoformat("2026-06-03T12:31:00+00:00"))


def half_sent(world: Run) -> None:
    """A drainer died right after its restore point was accepted; its claim and its lease have run out."""
    registered(world)
    world.stage.steps.interference = DeathAfter(world, "restore_points.create", left=1)
    drained(world)
    world.stage.steps.interference = Calm()
    pass_time(world, 10 * MINUTE)


def failed_in_azure(world: Run) -> None:
    world.stage.azure.weather = Failing()
    started(world)
    world.stage.azure.weather = Fair()


def refused(world: Run) -> None:
    """Azure refuses restore points of one of its disks again and again; snapshots of it as well, until now."""
    registered(world)
    world.stage.azure.refusals[VM.disks[1].id] = Conflict("AnotherOperationInProgress", "busy", 409)
    for _ in range(3):
        drained(world)
        pass_time(world, timedelta(hours=1))
    world.stage.azure.refusals.clear()


def partly_cached(world: Run) -> None:
    """One of its disks is cached for writing and its agent is silent: most disks can be taken at one instant."""
    builder = world.stage.world.builder
    assert isinstance(builder, BuilderTwin)
    builder.agent = "Not Ready"
    registered(world, replace(VM, disks=(*VM.disks[:2], replace(VM.disks[2], cached=True))))


def partly_taken(world: Run) -> None:
    partly_cached(world)
    drained(world)
    pass_time(world, MINUTE / 2)
    kinds = sorted(place.type.rsplit("/", 1)[-1] for place in world.stage.azure.snapshots)
    assert kinds == ["restorepointcollections", "snapshots"]


def hold_asked(world: Run) -> None:
    complete(world)
    record = world.stage.ledger.held(SHARD, VM.uid)
    assert record is not None
    row = record.machine.row
    perform(world, lambda ports: world.life.asked.append(ask_hold(ports, row, "forever", None, "person-1").id))


def ledger_lost(world: Run) -> None:
    """Every table is deleted while a capture is under way; an operator has asked for the ledger to be made anew."""
    slot_has_come(world)
    drained(world)
    pass_time(world, MINUTE)
    world.loss.strike()
    perform(world, lambda ports: world.life.asked.append(ask_rebuild(ports, SHARD, "person-1").id))


def aged(world: Run) -> None:
    """It has two points, and the older one's two days are over tomorrow."""
    slot_has_come(world)
    for _ in range(2):
        drained(world)
        pass_time(world, MINUTE / 2)
    world.stage.scheduler.run(datetime.fromisoformat("2026-06-04T08:00:00+00:00"))


def marked(world: Run) -> None:
    aged(world)
    perform(world, lambda ports: expire(ports, RULES))
    world.stage.scheduler.run(datetime.fromisoformat("2026-06-05T06:31:00+00:00"))
    for _ in range(2):
        drained(world)
        pass_time(world, MINUTE / 2)
    world.stage.scheduler.run(datetime.fromisoformat("2026-06-05T08:00:00+00:00"))


def replanned(world: Run) -> None:
    """Its next point is by another plan, of which its collection does not know."""
    complete(world)
    world.stage.azure.write(replace(VM, tags={"backup": "entire"}))
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(VM.id)))
    world.stage.scheduler.run(datetime.fromisoformat("2026-06-03T12:31:00+00:00"))
    drained(world)
    pass_time(world, MINUTE)


def _poked(world: Run) -> None:
    world.stage.queues.put(SHARDS, shard_text(SHARD), timedelta(0))


def _reaped(world: Run) -> None:
    world.stage.queues.put(REAP, shard_text(SHARD), timedelta(0))


def _asked(world: Run) -> None:
    world.stage.queues.put(REQUESTS, request_text(world.life.asked[0]), timedelta(0))


WHOLE_SCENES = (
    Scene("a first restore point is started", registered, SHARDS, _poked),
    Scene("a restore point is confirmed", started, SHARDS, _poked),
    Scene("a drainer killed over a restore point is followed", half_sent, SHARDS, _poked),
    Scene("a failed restore point is begun anew", failed_in_azure, SHARDS, _poked),
    Scene("snapshots stand in for what Azure refuses", refused, SHARDS, _poked),
    Scene("a collection learns of another plan", replanned, SHARDS, _poked),
    Scene("a mixed point is started", partly_cached, SHARDS, _poked),
    Scene("a mixed point is confirmed", partly_taken, SHARDS, _poked),
    Scene("restore points are held", hold_asked, REQUESTS, _asked),
    Scene("restore points are found again", ledger_lost, REQUESTS, _asked),
    Scene("marked restore points are deleted", marked, REAP, _reaped),
)
