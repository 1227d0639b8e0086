"""The scenes of the exhaustive driver: each capture flow in each of its situations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.flows.asking import ask_backup
from shared.flows.draining import drain
from shared.flows.registering import reconcile
from shared.messages import REQUESTS, SHARDS, VMS, VmKey, request_text, shard_text
from shared.model.identity import DiskUid, ResourceId, Shard, VmUid
from tests.world.catalogue import rules
from tests.world.exhaustive import Scene, pass_time, perform
from tests.world.scheduler import Invocation, Killed
from tests.world.seeded import Run
from tests.world.steps import Call, Calm, Phase
from tests.world.twins.azure import DiskTruth, Fair, Fate, VmTruth, disk_place, vm_place

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


def asked_for(world: Run) -> None:
    complete(world)
    pass_time(world, timedelta(minutes=7))
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    assert record is not None
    perform(world, lambda ports: world.life.asked.append(ask_backup(ports, record.machine.row, "person-1").id))


def nothing(world: Run) -> None:
    return


def request_arrives(world: Run) -> None:
    world.stage.queues.put(REQUESTS, request_text(world.life.asked[0]), timedelta(0))


def _message(name: str, prepare: Callable[[Run], None], queue: str, text: str) -> Scene:
    def arrives(world: Run) -> None:
        world.stage.queues.put(queue, text, timedelta(0))

    return Scene(name, prepare, queue, arrives)


SCENES = (
    Scene("an event is received", nothing, "receive", created),
    _message("a machine is registered", created, VMS, VmKey(FIRST.id).text()),
    _message("a machine was untagged", untagged, VMS, VmKey(FIRST.id).text()),
    _message("a machine is gone", missed_once, VMS, VmKey(FIRST.id, FIRST.uid, SHARD).text()),
    _message("a machine was made again", made_again, VMS, VmKey(FIRST.id, FIRST.uid, SHARD).text()),
    Scene("a sweep finds what is new", created, "sweep", nothing),
    Scene("a sweep finds what is due", slot_has_come, "sweep", nothing),
    _message("first points are started", registered, SHARDS, shard_text(SHARD)),
    _message("points are confirmed", started, SHARDS, shard_text(SHARD)),
    _message("a slot begins", slot_has_come, SHARDS, shard_text(SHARD)),
    _message("missed slots are caught up", slots_were_missed, SHARDS, shard_text(SHARD)),
    _message("a killed drainer is followed", half_sent, SHARDS, shard_text(SHARD)),
    _message("a failed attempt is begun anew", failed_in_azure, SHARDS, shard_text(SHARD)),
    Scene("a request is taken up", asked_for, REQUESTS, request_arrives),
)
