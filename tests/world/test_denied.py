"""F21 for a whole fleet: the permission is lost at a slot, few calls find it out, and it recovers by itself."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from shared.flows.registering import reconcile
from shared.messages import VmKey
from shared.model.identity import Shard
from shared.model.operation import Operation, State
from shared.ports import World
from tests.world.exhaustive import pass_time, perform, small_world
from tests.world.scenes import RULES, SHARD, machine
from tests.world.seeded import Run
from tests.world.twins.azure import VmTruth

MACHINES = 40
HOUR = timedelta(hours=1)
SLOT = datetime.fromisoformat("2026-06-03T12:00:00+00:00")
STOPPED_AFTER = 10  # calls, until nobody calls any more [reliability F21]


def fleet() -> tuple[Run, list[VmTruth]]:
    """Forty machines, each with its first point; everything runs by itself from here on."""
    world = small_world()
    machines = [machine(number, 2, "gold") for number in range(1, MACHINES + 1)]
    for vm in machines:
        world.stage.azure.write(vm)

    def register_all(ports: World) -> None:
        for vm in machines:
            reconcile(ports, RULES, VmKey(vm.id))

    perform(world, register_all)
    world.host.start()
    pass_time(world, HOUR)
    return world, machines


def operations(world: Run, shard: Shard = SHARD) -> list[Operation]:
    return [held.row for held in world.stage.world.ledger.operations(shard)]


def denied(world: Run) -> Counter[str]:
    return world.stage.throttle.scopes.denied


def test_a_fleet_without_permission_costs_few_calls_and_recovers_by_itself() -> None:
    world, machines = fleet()
    world.stage.scheduler.run(SLOT - timedelta(minutes=1))
    world.stage.azure.disabled.add(SHARD.subscription)
    world.stage.scheduler.run(SLOT + HOUR)
    waiting = [one for one in operations(world) if one.state is State.NEEDS_PERSON]
    assert len(waiting) == MACHINES
    assert {one.failure.code for one in waiting if one.failure} == {"AuthorizationFailed"}
    assert 0 < sum(denied(world).values()) <= STOPPED_AFTER
    before = denied(world).copy()
    pass_time(world, 3 * HOUR)
    probes = sum((denied(world) - before).values())
    assert 0 < probes <= 3 * HOUR / timedelta(minutes=10)
    world.stage.azure.disabled.clear()
    pass_time(world, 90 * timedelta(minutes=1))
    complete = Counter(one.uid for one in operations(world) if one.state is State.SUCCEEDED and one.slot == SLOT)
    assert len(complete) == len(machines)
    assert not [one for one in operations(world) if one.state.open]
    assert not world.promises.violations


def test_a_person_is_alarmed_once_and_not_by_every_look() -> None:
    world, _ = fleet()
    world.stage.scheduler.run(SLOT - timedelta(minutes=1))
    world.stage.azure.disabled.add(SHARD.subscription)
    world.stage.scheduler.run(SLOT + HOUR)
    first = {one.uid: one.failure.since for one in operations(world) if one.failure}
    pass_time(world, 3 * HOUR)
    again = [one for one in operations(world) if one.state is State.NEEDS_PERSON and one.failure]
    assert {one.uid: one.failure.since for one in again if one.failure} == first
    assert all(one.failure.times > 2 for one in again if one.failure)
