"""The contracts of ports.Deletions and ports.Budgets, and of merging tags onto a snapshot."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from shared.cloud.budgets import TableBudgets
from shared.cloud.deletions import AzureDeletions
from shared.cloud.snapshots import Recovery
from shared.cloud.storage import Storage
from shared.decide.naming import stamp
from shared.errors import Blocked, LostRace, Missing
from shared.model.identity import Shard
from shared.model.machine import Sighting
from shared.model.snapshot import SnapshotOrder
from shared.model.spending import Hour, Spending
from shared.ports import Deletions, Holdings, Inventory, Snapshots
from shared.ports.storage import Budgets
from tests.contract.clouds import Cloud, SimulatedClock
from tests.simulator.running import Running
from tests.world.stage import Stage
from tests.world.twins.azure import Lock

SLOT = datetime(2026, 11, 20, 2, tzinfo=UTC)


@pytest.fixture
def deletions(implementation: str, recovery: Recovery, request: pytest.FixtureRequest) -> Deletions:
    if implementation == "twin":
        twins: Stage = request.getfixturevalue("twins")
        return twins.world.deletions
    arm, _ = request.getfixturevalue("manager")
    return AzureDeletions(arm, recovery)


@pytest.fixture
def budgets(implementation: str, request: pytest.FixtureRequest) -> Budgets:
    if implementation == "twin":
        twins: Stage = request.getfixturevalue("twins")
        return twins.world.budgets
    storage: Storage = request.getfixturevalue("storage")
    return TableBudgets(storage)


@pytest.fixture
def made(snapshots: Snapshots, inventory: Inventory, cloud: Cloud) -> SnapshotOrder:
    """A snapshot that is ready."""
    machine = inventory.examine(cloud.machine(f"Vm-{uuid.uuid4().hex[:8]}", {}))
    assert isinstance(machine, Sighting)
    snapshots.prepare(machine.shard)
    place = snapshots.place(machine.shard, f"tb-{uuid.uuid4().hex}")
    tags = {"tagback-slot": stamp(SLOT), "tagback-owner": "tagback-test", "Env": "prod"}
    order = SnapshotOrder(place, machine.disks[0].id, machine.shard, tags)
    snapshots.create(order)
    cloud.settle()
    return order


def test_a_deleted_snapshot_is_gone_a_little_later(
    deletions: Deletions, snapshots: Snapshots, holdings: Holdings, made: SnapshotOrder, cloud: Cloud
) -> None:
    deletions.delete(made.shard, made.id)
    cloud.settle()
    assert snapshots.find(made.id) is None
    assert [seen.id for seen in holdings.snapshots(made.shard)] == []
    deletions.delete(made.shard, made.id)


def test_nothing_there_is_deleted_already(deletions: Deletions, snapshots: Snapshots, cloud: Cloud) -> None:
    deletions.delete(cloud.shard, snapshots.place(cloud.shard, "tb-0"))


def test_azure_tells_its_time_to_the_second(
    deletions: Deletions, made: SnapshotOrder, implementation: str, request: pytest.FixtureRequest
) -> None:
    if implementation == "twin":
        twins: Stage = request.getfixturevalue("twins")
        now = twins.scheduler.now
    else:
        clock: SimulatedClock = request.getfixturevalue("simulator_clock")
        now = clock.now()
    assert abs(deletions.azure_now(made.shard) - now) <= timedelta(seconds=2)


def test_a_shard_without_recovery_group_has_no_time_to_tell(deletions: Deletions, cloud: Cloud) -> None:
    with pytest.raises(Missing):
        deletions.azure_now(cloud.shard)


def test_a_snapshot_that_somebody_reads_is_not_deleted(
    deletions: Deletions,
    snapshots: Snapshots,
    made: SnapshotOrder,
    implementation: str,
    request: pytest.FixtureRequest,
) -> None:
    if implementation == "twin":
        twins: Stage = request.getfixturevalue("twins")
        twins.azure.snapshots[made.id].read_by_sas = True
    else:
        simulated: Running = request.getfixturevalue("simulated")
        body = {"access": "Read", "durationInSeconds": 86400}
        assert simulated.ask("POST", f"{made.id}/beginGetAccess", body).status == 202
        simulated.advance(60)
    seen = snapshots.find(made.id)
    assert seen is not None
    assert seen.disk_state == "ActiveSAS"
    with pytest.raises(Blocked):
        deletions.delete(made.shard, made.id)
    assert snapshots.find(made.id) is not None


def test_what_is_locked_is_not_deleted_and_the_lock_stays(
    deletions: Deletions,
    snapshots: Snapshots,
    made: SnapshotOrder,
    implementation: str,
    request: pytest.FixtureRequest,
) -> None:
    if implementation == "twin":
        twins: Stage = request.getfixturevalue("twins")
        twins.azure.locks[made.shard] = Lock.CANNOT_DELETE
        with pytest.raises(Blocked):
            deletions.delete(made.shard, made.id)
        assert twins.azure.locks == {made.shard: Lock.CANNOT_DELETE}
    else:
        simulated: Running = request.getfixturevalue("simulated")
        lock = f"{made.id}/providers/Microsoft.Authorization/locks/keep"
        assert simulated.ask("PUT", lock, {"properties": {"level": "CanNotDelete"}}).status == 201
        with pytest.raises(Blocked):
            deletions.delete(made.shard, made.id)
        assert simulated.ask("GET", lock).status == 200
    assert snapshots.find(made.id) is not None


def test_merged_tags_stand_beside_the_others_and_replace_those_of_their_names(
    snapshots: Snapshots, made: SnapshotOrder
) -> None:
    for _ in range(2):
        snapshots.merge(made.id, {"tagback-slot": "another", "backup-hold": "forever"})
    seen = snapshots.find(made.id)
    assert seen is not None
    wanted = {"tagback-slot": "another", "tagback-owner": "tagback-test", "Env": "prod", "backup-hold": "forever"}
    assert dict(seen.tags) == wanted


def test_no_tags_are_merged_onto_nothing(snapshots: Snapshots, made: SnapshotOrder) -> None:
    nowhere = snapshots.place(made.shard, "tb-nothing")
    with pytest.raises(Missing):
        snapshots.merge(nowhere, {"backup-hold": "forever"})


def test_what_was_spent_is_read_back_and_never_overwritten_unread(budgets: Budgets, shard: Shard) -> None:
    empty = budgets.spending(shard)
    assert empty == Spending(shard)
    hours = (Hour(SLOT, 3, 1), Hour(SLOT + timedelta(hours=1), 0, 2))
    budgets.spend(Spending(shard, hours))
    with pytest.raises(LostRace):
        budgets.spend(Spending(shard, hours[:1]))
    stored = budgets.spending(shard)
    assert stored.hours == hours
    budgets.spend(Spending(shard, hours[1:], stored.etag))
    with pytest.raises(LostRace):
        budgets.spend(stored)
    assert budgets.spending(shard).hours == hours[1:]
