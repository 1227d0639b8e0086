"""The contract of ports.Snapshots, and what both sides of ports.Pace share."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from shared.decide.naming import is_ready, stamp
from shared.errors import Missing
from shared.model.draining import CallKind
from shared.model.machine import Sighting
from shared.model.snapshot import SnapshotOrder
from shared.ports import Holdings, Inventory, Pace, Snapshots
from tests.contract.clouds import Cloud

SLOT = datetime(2026, 11, 20, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def machine(inventory: Inventory, cloud: Cloud) -> Sighting:
    seen = inventory.examine(cloud.machine(f"Vm-{uuid.uuid4().hex[:8]}", {}))
    assert isinstance(seen, Sighting)
    return seen


def order_of(snapshots: Snapshots, machine: Sighting, slot: datetime = SLOT, disk: int = 0) -> SnapshotOrder:
    place = snapshots.place(machine.shard, f"tb-{uuid.uuid4().hex}")
    tags = {"tagback-slot": stamp(slot), "tagback-owner": "tagback-test", "Env": "prod"}
    return SnapshotOrder(place, machine.disks[disk].id, machine.shard, tags)


def test_a_snapshot_that_was_never_made_is_none(snapshots: Snapshots, cloud: Cloud) -> None:
    assert snapshots.find(snapshots.place(cloud.shard, "tb-0")) is None


def test_a_snapshot_needs_its_recovery_group(snapshots: Snapshots, machine: Sighting) -> None:
    order = order_of(snapshots, machine)
    with pytest.raises(Missing) as refused:
        snapshots.create(order)
    assert refused.value.code == "ResourceGroupNotFound"
    assert snapshots.find(order.id) is None


def test_a_snapshot_is_there_at_once_and_ready_later(snapshots: Snapshots, machine: Sighting, cloud: Cloud) -> None:
    snapshots.prepare(machine.shard)
    snapshots.prepare(machine.shard)
    order = order_of(snapshots, machine)
    snapshots.create(order)
    seen = snapshots.find(order.id)
    assert seen is not None
    assert (seen.id, dict(seen.tags)) == (order.id, dict(order.tags))
    assert seen.source_uid in ("", machine.disks[0].uid)
    cloud.settle()
    done = snapshots.find(order.id)
    assert done is not None
    assert is_ready(done)
    assert done.source_uid == machine.disks[0].uid
    assert dict(done.tags) == dict(order.tags)


def test_the_snapshots_of_slots_are_listed_as_they_are_found(
    snapshots: Snapshots, machine: Sighting, cloud: Cloud
) -> None:
    snapshots.prepare(machine.shard)
    wanted = [order_of(snapshots, machine, SLOT), order_of(snapshots, machine, SLOT + HOUR, disk=1)]
    other = order_of(snapshots, machine, SLOT + 2 * HOUR)
    for order in (*wanted, other):
        snapshots.create(order)
    cloud.settle()
    listed = {seen.id: seen for seen in snapshots.taken(machine.shard, [SLOT, SLOT + HOUR])}
    assert set(listed) == {order.id for order in wanted}
    assert all(snapshots.find(place) == seen for place, seen in listed.items())
    assert list(snapshots.taken(machine.shard, [])) == []
    assert list(snapshots.taken(machine.shard, [SLOT - HOUR])) == []


def test_a_disk_that_is_gone_cannot_be_captured(snapshots: Snapshots, machine: Sighting) -> None:
    snapshots.prepare(machine.shard)
    order = order_of(snapshots, machine)
    gone = SnapshotOrder(
        order.id,
        type(order.source)(order.source.subscription, order.source.group, order.source.type, "gone"),
        order.shard,
        order.tags,
    )
    with pytest.raises(Missing) as refused:
        snapshots.create(gone)
    assert refused.value.code != "ResourceGroupNotFound"


def test_a_place_is_the_same_for_the_same_name_and_differs_by_region(snapshots: Snapshots, cloud: Cloud) -> None:
    here = snapshots.place(cloud.shard, "tb-1")
    elsewhere = snapshots.place(type(cloud.shard)(cloud.shard.subscription, "northeurope"), "tb-1")
    assert here == snapshots.place(cloud.shard, "tb-1")
    assert (here.subscription, here.type, here.name) == (
        cloud.shard.subscription,
        "microsoft.compute/snapshots",
        "tb-1",
    )
    assert here.group != elsewhere.group


def test_the_first_call_of_a_kind_need_not_wait(pace: Pace, cloud: Cloud) -> None:
    for kind in CallKind:
        assert pace.wait(cloud.shard, kind) == timedelta(0)


def test_azure_itself_says_which_shards_and_snapshots_are_ours(
    snapshots: Snapshots, holdings: Holdings, machine: Sighting, cloud: Cloud
) -> None:
    shard = machine.shard
    assert shard not in holdings.shards(shard.subscription)
    assert list(holdings.snapshots(shard)) == []
    snapshots.prepare(shard)
    orders = [order_of(snapshots, machine, disk=number) for number in (0, 1)]
    for order in orders:
        snapshots.create(order)
    assert {seen.id for seen in holdings.snapshots(shard)} == {order.id for order in orders}
    cloud.settle()
    assert shard in holdings.shards(shard.subscription)
    found = {seen.id: seen for seen in holdings.snapshots(shard)}
    for order, disk in zip(orders, machine.disks, strict=False):
        seen = found[order.id]
        assert (seen.source, seen.source_uid, dict(seen.tags)) == (disk.id, disk.uid, dict(order.tags))
        assert seen.created is not None
        assert is_ready(seen)
