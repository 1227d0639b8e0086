"""Points of all disks at one instant: what people are shown of them, and what Azure alone still knows of them."""

from __future__ import annotations

from typing import Any

from shared.flows.direct import alone, meant, remembered
from shared.flows.explaining import explain
from shared.flows.holding import ask_hold
from shared.flows.requesting import run
from shared.flows.show import points
from shared.model.machine import Machine
from shared.model.point import Consistency, Engine
from tests.world.exhaustive import perform, small_world
from tests.world.scenes import RULES, SHARD
from tests.world.seeded import Run
from tests.world.whole_scenes import VM, complete, drained, partly_taken, refused, registered


def row(world: Run) -> Machine:
    found = world.stage.ledger.held(SHARD, VM.uid)
    assert found is not None
    return found.machine.row


def reasons(world: Run) -> list[str]:
    found: Any = explain(world.stage.world, RULES, row(world))["because"]
    return list(found)


def shown(world: Run) -> Any:
    [point] = points(world.stage.world, row(world))
    return point


def test_a_point_shows_its_engine_what_it_promises_and_every_disk_in_it() -> None:
    world = small_world()
    complete(world)
    point = shown(world)
    assert (point["engine"], point["consistency"], point["complete"]) == ("restore-point", "application", True)
    assert [part["lun"] for part in point["parts"]] == [None, 1, 2]
    assert [part["disk"] for part in point["parts"]] == [str(disk.id) for disk in VM.disks]
    assert len({part["id"] for part in point["parts"]}) == 1


def test_what_became_of_the_wish_is_explained() -> None:
    world = small_world()
    registered(world)
    because = reasons(world)
    assert "its disks are to be taken at one instant, as far as Azure takes them so" in because
    drained(world)
    world.stage.scheduler.run(world.stage.scheduler.now.replace(minute=30))
    drained(world)
    because = reasons(world)
    assert "its newest point is application, by a restore point" in because


def test_what_azure_refuses_is_taken_as_snapshots_and_says_so() -> None:
    world = small_world()
    refused(world)
    for _ in range(2):
        drained(world)
        world.stage.scheduler.run(world.stage.scheduler.now.replace(second=59))
    [held] = world.stage.world.ledger.points(SHARD, VM.uid)
    assert held.row.consistency is Consistency.PER_DISK
    assert not any(part.is_restore_point for part in held.row.live_parts)
    because = reasons(world)
    assert "its newest point is per-disk, by snapshots, as no restore point of it could be taken then" in because


def test_azure_alone_remembers_it_with_its_hold() -> None:
    world = small_world()
    complete(world)
    asked = ask_hold(world.stage.world, row(world), "forever", None, "person-1")
    perform(world, lambda ports: run(ports, RULES, asked.id))
    [known] = remembered(alone(world.stage.world), RULES)
    [point] = known.points
    assert meant([known], VM.name) == known
    assert (point.engine, point.consistency, point.complete) == (Engine.RESTORE_POINT, Consistency.APPLICATION, True)
    assert point.held_until is not None
    assert [disk.disk for disk in point.disks] == [disk.id for disk in VM.disks]
    [held] = world.stage.world.ledger.points(SHARD, VM.uid)
    assert {part.id for part in point.parts} == {part.id for part in held.row.parts}


def test_a_mixed_point_is_a_restore_point_and_snapshots_beside_it() -> None:
    world = small_world()
    partly_taken(world)
    drained(world)
    [held] = world.stage.world.ledger.points(SHARD, VM.uid)
    assert (held.row.consistency, held.row.complete) == (Consistency.MIXED, True)
    assert [part.is_restore_point for part in held.row.live_parts] == [True, False]
    [known] = remembered(alone(world.stage.world), RULES)
    assert [(one.consistency, one.complete) for one in known.points] == [(Consistency.MIXED, True)]
    world.stage.azure.remove(world.stage.azure.snapshots[held.row.live_parts[1].id])
    [known] = remembered(alone(world.stage.world), RULES)
    assert not known.points[0].complete
