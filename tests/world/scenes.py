"""The scenes of captures for the exhaustive driver: each flow in each of its situations. All are in every_scene.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.errors import Conflict
from shared.flows.asking import ask_backup
from shared.flows.draining import drain
from shared.flows.registering import reconcile
from shared.flows.requesting import run as run_request
from shared.messages import REQUESTS, SHARDS, VMS, VmKey, shard_text
from shared.model.draining import CallKind
from shared.model.identity import DiskUid, ResourceId, Shard, VmUid
from tests.world.catalogue import rules
from tests.world.exhaustive import Scene, pass_time, perform
from tests.world.scheduler import Invocation, Killed
from tests.world.seeded import Run
from tests.world.steps import Call, Calm, Phase
from tests.world.twins.azure import DiskTruth, Fair, Fate, VmTruth, disk_place, vm_place
from tests.world.twins.queues import POISON

SHARD = Shard("sub-one", "northeu")
RULES = rules()


def machine(number: int, disks: int, value: str) -> VmTruth:
    name = f"vm-{number}"
    made = tuple(
        DiskTruth(disk_place("sub-one", "app", f"{name}-{lun}"), DiskUid(f"disk-{number}-{lun}"), lun or None)
        for lun in range(disks)
    )
    place = vm_place("sub-one", "app", name)
    return VmTruth(place, VmUid(f"uid-{number}"), name, "northeu", {"backup": value}, made)


FIRST, SECOND = machine(1, 2, "gold"), machine(2, 1, "gold")


class Failing(Fair):
    """Snapshots made now fail in the end."""

    def fate(self, snapshot: ResourceId) -> Fate:
        return Fate(timedelta(seconds=5), fails=True)


@dataclass
class DeathAfter:
    """The process dies once the last of several calls of one kind took effect."""

    world: Run
    verb: str
    left: int = 3

    def step(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        self.left -= call.verb == self.verb and phase is Phase.AFTER
        if not self.left:
            self.world.host.kill(invocation.process)
            raise Killed


def created(world: Run) -> None:
    for vm in (FIRST, SECOND):
        world.stage.azure.write(vm)


def registered(world: Run) -> None:
    """Both machines are registered; their first captures are wanted."""
    created(world)
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(FIRST.id)))
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(SECOND.id)))


def started(world: Run) -> None:
    """The first captures are sent, and ready in Azure by now."""
    registered(world)
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    pass_time(world, timedelta(seconds=30))


def complete(world: Run) -> None:
    started(world)
    perform(world, lambda ports: drain(ports, RULES, SHARD))


def slot_has_come(world: Run) -> None:
    """A slot of both machines has come, its window as well."""
    complete(world)
    world.stage.scheduler.run(datetime.fromisoformat("2026-06-03T12:31:00+00:00"))


def slots_were_missed(world: Run) -> None:
    """The app was down over three slots."""
    complete(world)
    world.stage.scheduler.run(datetime.fromisoformat("2026-06-04T00:45:00+00:00"))


def half_sent(world: Run) -> None:
    """A drainer died after its snapshots were accepted; its claim and its lease have run out."""
    registered(world)
    world.stage.steps.interference = DeathAfter(world, "snapshots.create")
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    world.stage.steps.interference = Calm()
    pass_time(world, timedelta(minutes=10))


def failed_in_azure(world: Run) -> None:
    """The first attempt was accepted, and failed later."""
    world.stage.azure.weather = Failing()
    started(world)
    world.stage.azure.weather = Fair()


def untagged(world: Run) -> None:
    registered(world)
    world.stage.azure.write(replace(FIRST, tags={}))


def missed_once(world: Run) -> None:
    complete(world)
    world.stage.azure.delete(FIRST)
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(FIRST.id, FIRST.uid, SHARD)))
    pass_time(world, timedelta(minutes=11))


def made_again(world: Run) -> None:
    complete(world)
    world.stage.azure.delete(FIRST)
    disks = tuple(replace(disk, uid=DiskUid(f"new-{disk.uid}")) for disk in FIRST.disks)
    world.stage.azure.write(replace(FIRST, uid=VmUid("uid-9"), disks=disks))


class Endless(Fair):
    """Snapshots made now never become ready."""

    def fate(self, snapshot: ResourceId) -> Fate:
        return Fate(None)


def half_of_a_set(world: Run) -> None:
    """One disk of two was accepted; the other is free again soon enough to belong to it."""
    registered(world)
    world.stage.azure.refusals[FIRST.disks[1].id] = Conflict("AnotherOperationInProgress", "busy", 409)
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    world.stage.azure.refusals.clear()
    pass_time(world, timedelta(minutes=3))


def torn_set(world: Run) -> None:
    """The same, and the other disk is free again too late."""
    half_of_a_set(world)
    pass_time(world, timedelta(minutes=20))


def never_ready(world: Run) -> None:
    """A day ago snapshots were accepted that never became ready."""
    world.stage.azure.weather = Endless()
    started(world)
    world.stage.azure.weather = Fair()
    pass_time(world, timedelta(hours=25))


class Slow(Fair):
    """Snapshots made now are ready in an hour."""

    def fate(self, snapshot: ResourceId) -> Fate:
        return Fate(timedelta(hours=1))


def crowded(world: Run) -> None:
    """Three snapshots of each disk of a machine are not ready yet, as many as may be, and another is asked for."""
    world.stage.azure.weather = Slow()
    registered(world)
    for _ in range(3):
        perform(world, lambda ports: drain(ports, RULES, SHARD))
        pass_time(world, timedelta(minutes=6))
        record = world.stage.ledger.held(SHARD, FIRST.uid)
        assert record is not None
        row = record.machine.row
        perform(world, lambda ports, row=row: run_request(ports, RULES, ask_backup(ports, row, "person-1").id))  # type: ignore[misc]
    world.stage.azure.weather = Fair()


def told_to_wait(world: Run) -> None:
    """What the process was told by Azure lets it create nothing for a while yet."""
    registered(world)
    known = world.host.processes[0].closed_until
    known[SHARD, CallKind.SNAPSHOT] = world.stage.scheduler.now + timedelta(seconds=40)


def nothing(world: Run) -> None:
    return


def shard_poked(world: Run) -> None:
    world.stage.queues.put(SHARDS, shard_text(SHARD), timedelta(0))


def message(name: str, prepare: Callable[[Run], None], queue: str, text: str) -> Scene:
    def arrives(world: Run) -> None:
        world.stage.queues.put(queue, text, timedelta(0))

    return Scene(name, prepare, queue, arrives)


CAPTURES = (
    Scene("an event is received", nothing, "receive", created),
    message("a machine is registered", created, VMS, VmKey(FIRST.id).text()),
    message("a machine was untagged", untagged, VMS, VmKey(FIRST.id).text()),
    message("a machine is gone", missed_once, VMS, VmKey(FIRST.id, FIRST.uid, SHARD).text()),
    message("a machine was made again", made_again, VMS, VmKey(FIRST.id, FIRST.uid, SHARD).text()),
    Scene("a sweep finds what is new", created, "sweep", nothing),
    Scene("a sweep finds what is due", slot_has_come, "sweep", nothing),
    message("first points are started", registered, SHARDS, shard_text(SHARD)),
    message("points are confirmed", started, SHARDS, shard_text(SHARD)),
    message("a slot begins", slot_has_come, SHARDS, shard_text(SHARD)),
    message("missed slots are caught up", slots_were_missed, SHARDS, shard_text(SHARD)),
    message("a killed drainer is followed", half_sent, SHARDS, shard_text(SHARD)),
    message("a failed attempt is begun anew", failed_in_azure, SHARDS, shard_text(SHARD)),
    message("a slice waits for its turn", told_to_wait, SHARDS, shard_text(SHARD)),
    message("a capture waits for room", crowded, SHARDS, shard_text(SHARD)),
    message("what nobody can serve is kept", nothing, f"{REQUESTS}{POISON}", "{"),
    message("the rest of a set follows", half_of_a_set, SHARDS, shard_text(SHARD)),
    message("a torn set is begun anew", torn_set, SHARDS, shard_text(SHARD)),
    message("what never became ready is given up", never_ready, SHARDS, shard_text(SHARD)),
)
