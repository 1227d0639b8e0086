"""The scenes of Azure Backup for the exhaustive driver: each step of a protection in each of its situations."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from shared.flows.approving import approve
from shared.flows.draining import drain
from shared.flows.emptying import ask_delete
from shared.flows.reaping import reap
from shared.flows.registering import reconcile
from shared.flows.requesting import run as run_request
from shared.messages import REAP, REQUESTS, SHARDS, VmKey, request_text, shard_text
from shared.model.restore import Power
from shared.ports import World
from tests.world.exhaustive import Scene, pass_time, perform
from tests.world.scenes import RULES, SHARD, machine
from tests.world.seeded import Run
from tests.world.twins.builder import BuilderTwin

VM = machine(1, 2, "vaulted")
MINUTE = timedelta(minutes=1)


def drained(world: Run, times: int, pause: timedelta = 2 * MINUTE) -> None:
    for _ in range(times):
        perform(world, lambda ports: drain(ports, RULES, SHARD))
        pass_time(world, pause)


def looked_at(world: Run) -> None:
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(VM.id, VM.uid, SHARD)))


def registered(world: Run) -> None:
    """It is registered, and there is no vault."""
    world.stage.azure.write(VM)
    looked_at(world)


def vault_made(world: Run) -> None:
    """The vault is made, and does not know the machine."""
    registered(world)
    drained(world, 1)


def discovered(world: Run) -> None:
    """The vault knows the machine; what is left is to protect it."""
    registered(world)
    drained(world, 2)


def protected(world: Run) -> None:
    """Protection has begun; the first backup is still to be asked for."""
    registered(world)
    drained(world, 3)


def backing_up(world: Run) -> None:
    """The first backup was asked for, and its job has ended by now."""
    protected(world)
    drained(world, 1)
    pass_time(world, 50 * MINUTE)


def backed_up(world: Run) -> None:
    backing_up(world)
    drained(world, 2)


def failed(world: Run) -> None:
    """The first backup failed for a reason that passes, and is to be tried again."""
    world.stage.vaults.fates[VM.id] = ["BackUpOperationFailed"]
    protected(world)
    drained(world, 8)
    pass_time(world, 10 * MINUTE)


def untagged(world: Run) -> None:
    backed_up(world)
    world.stage.azure.write(replace(VM, tags={}))
    looked_at(world)


def gone(world: Run) -> None:
    backed_up(world)
    world.stage.azure.delete(VM)
    looked_at(world)
    pass_time(world, 11 * MINUTE)
    looked_at(world)


def tagged_again(world: Run) -> None:
    """Its protection was stopped and its data deleted by somebody; now it asks again."""
    untagged(world)
    drained(world, 3)
    holder = world.stage.vaults.holder(VM.id)
    assert holder is not None
    holder.items[VM.id].soft_deleted = True
    world.stage.azure.write(VM)
    looked_at(world)


def builder_of(world: Run) -> BuilderTwin:
    builder = world.stage.world.builder
    assert isinstance(builder, BuilderTwin)
    return builder


def turned_off(world: Run) -> None:
    """Its VM was stopped by its owner before the first backup, which fails for that; the plan lets it be started."""
    builder = builder_of(world)
    world.stage.vaults.offline = lambda vm: builder.is_off(vm)
    protected(world)
    builder.power_of[VM.id] = (Power.STOP, world.stage.scheduler.now)
    drained(world, 1)
    pass_time(world, 50 * MINUTE)


def started(world: Run) -> None:
    """The VM was asked to start for its backup, and runs by now."""
    turned_off(world)
    drained(world, 1)
    pass_time(world, 6 * MINUTE)
    assert not builder_of(world).is_off(VM.id)


def deletion_asked(world: Run) -> None:
    """Its protection stopped; somebody asks that all that the vault has of it be deleted."""
    untagged(world)
    drained(world, 3)
    record = world.stage.ledger.held(SHARD, VM.uid)
    assert record is not None
    row = record.machine.row

    def ask(ports: World) -> None:
        world.life.asked.append(ask_delete(ports, RULES, row, "it was a test machine", "person-1").id)

    perform(world, ask)


def deletion_agreed(world: Run) -> None:
    """The same, and two people agreed."""
    deletion_asked(world)
    perform(world, lambda ports: run_request(ports, RULES, world.life.asked[0]))
    for person in ("person-1", "person-2"):
        perform(world, partial(_agree, person))


def _agree(person: str, ports: World) -> None:
    approve(ports, [], person)


def deleted(world: Run) -> None:
    """The vault was asked to delete, and did."""
    deletion_agreed(world)
    perform(world, lambda ports: reap(ports, RULES, SHARD))
    pass_time(world, 3 * MINUTE)
    holder = world.stage.vaults.holder(VM.id)
    assert holder is not None
    assert holder.items[VM.id].soft_deleted


def _asked(world: Run) -> None:
    world.stage.queues.put(REQUESTS, request_text(world.life.asked[0]), timedelta(0))


def _reap(world: Run) -> None:
    world.stage.queues.put(REAP, shard_text(SHARD), timedelta(0))


def _poke(world: Run) -> None:
    world.stage.queues.put(SHARDS, shard_text(SHARD), timedelta(0))


VAULT_SCENES = (
    Scene("a vault is made", registered, SHARDS, _poke),
    Scene("a vault discovers a machine", vault_made, SHARDS, _poke),
    Scene("a machine is protected", discovered, SHARDS, _poke),
    Scene("a first backup is asked for", protected, SHARDS, _poke),
    Scene("a backup has ended", backing_up, SHARDS, _poke),
    Scene("a backup that failed is tried again", failed, SHARDS, _poke),
    Scene("a protection stops", untagged, SHARDS, _poke),
    Scene("the protection of a machine that is gone stops", gone, SHARDS, _poke),
    Scene("a deleted protection is taken back", tagged_again, SHARDS, _poke),
    Scene("a VM is started for its backup", turned_off, SHARDS, _poke),
    Scene("a VM that was started is backed up", started, SHARDS, _poke),
    Scene("a deletion of a vault's data is filed", deletion_asked, REQUESTS, _asked),
    Scene("a vault deletes what two people agreed to", deletion_agreed, REAP, _reap),
    Scene("what a vault deleted leaves the ledger", deleted, SHARDS, _poke),
)
