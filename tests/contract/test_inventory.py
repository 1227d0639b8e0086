"""The contract of ports.Inventory."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from shared.model.identity import DiskUid, ResourceId, Shard
from shared.model.machine import Absent, GroupSeen, Lens, Sighting
from shared.ports import Inventory
from tests.contract.clouds import Cloud

TAGS = {"Backup": "Silver", "env": "Prod"}


@pytest.fixture
def name() -> str:
    return f"Vm-{uuid.uuid4().hex[:8]}"


def looked(inventory: Inventory, machine: ResourceId) -> Sighting:
    seen = inventory.look(machine)
    assert isinstance(seen, Sighting)
    return seen


def examined(inventory: Inventory, machine: ResourceId) -> Sighting:
    seen = inventory.examine(machine)
    assert isinstance(seen, Sighting)
    return seen


def test_a_look_shows_enough_to_register_a_machine(inventory: Inventory, cloud: Cloud, name: str) -> None:
    machine = cloud.machine(name, TAGS)
    seen = looked(inventory, machine)
    assert (seen.id, seen.name, seen.shard, dict(seen.tags)) == (machine, name, cloud.shard, TAGS)
    assert seen.uid == seen.uid.lower() != ""
    assert [(disk.lun, disk.uid, disk.left_out) for disk in seen.disks] == [(None, "", ""), (3, "", ""), (4, "", "")]
    assert (seen.unsupported, seen.scale_set, seen.model, seen.lens) == ((), False, {}, Lens.GET)


def test_an_examination_shows_all_that_a_capture_needs(inventory: Inventory, cloud: Cloud, name: str) -> None:
    machine = cloud.machine(name, TAGS)
    brief, seen = looked(inventory, machine), examined(inventory, machine)
    assert [disk.left_out for disk in seen.disks] == ["", "", "tagged backup = off"]
    uids = [disk.uid for disk in seen.disks]
    assert len(set(uids)) == 3
    assert all(uid == uid.lower() != "" for uid in uids)
    assert seen.model
    assert seen.as_of >= brief.as_of
    bare = tuple(replace(disk, uid=DiskUid(""), left_out="") for disk in seen.disks)
    assert replace(seen, disks=bare, model={}, as_of=brief.as_of) == brief


def test_what_is_not_there_is_absent_to_both(inventory: Inventory, cloud: Cloud, name: str) -> None:
    machine = cloud.machine(name, TAGS)
    before = looked(inventory, machine).as_of
    cloud.delete(machine)
    for seen in (inventory.look(machine), inventory.examine(machine)):
        assert isinstance(seen, Absent)
        assert seen.id == machine
        assert seen.as_of >= before


def test_a_machine_made_again_under_its_name_is_another(inventory: Inventory, cloud: Cloud, name: str) -> None:
    first = looked(inventory, cloud.machine(name, TAGS))
    cloud.delete(first.id)
    second = looked(inventory, cloud.machine(name, {}))
    assert (second.id, dict(second.tags)) == (first.id, {})
    assert second.uid != first.uid


def test_the_fleet_shows_a_machine_as_a_look_does_by_the_bulk_lens(
    inventory: Inventory, cloud: Cloud, name: str
) -> None:
    machine = cloud.machine(name, TAGS)
    cloud.settle()
    brief = looked(inventory, machine)
    [seen] = [each for page in inventory.fleet([cloud.shard.subscription]) for each in page if each.id == machine]
    assert replace(seen, lens=Lens.GET, as_of=brief.as_of) == brief
    assert seen.lens is Lens.BULK


def test_the_shard_shows_a_machine_as_an_examination_does_by_the_bulk_lens(
    inventory: Inventory, cloud: Cloud, name: str
) -> None:
    machine = cloud.machine(name, TAGS)
    cloud.settle()
    whole = examined(inventory, machine)
    seen = inventory.shard(cloud.shard)[whole.uid]
    assert replace(seen, lens=Lens.GET, as_of=whole.as_of) == whole
    assert seen.lens is Lens.BULK
    elsewhere = inventory.shard(Shard(cloud.shard.subscription, "northeurope"))
    assert whole.uid not in elsewhere


def test_no_subscriptions_have_no_machines(inventory: Inventory, cloud: Cloud) -> None:
    assert [each for page in inventory.fleet([]) for each in page] == []


def test_a_subscription_is_enabled_only_when_it_can_be_read(inventory: Inventory, cloud: Cloud) -> None:
    assert inventory.enabled(cloud.shard.subscription)
    assert not inventory.enabled(str(uuid.uuid4()))


def test_every_look_shows_the_resource_group_where_tags_are_inherited(
    inheriting: Inventory, cloud: Cloud, name: str
) -> None:
    cloud.group(f"Own-{name}", {"Backup": "Gold", "team": "x"}, "/subscriptions/s/managedClusters/c")
    machine = cloud.machine(name, {}, f"Own-{name}")
    cloud.settle()
    expected = GroupSeen({"Backup": "Gold", "team": "x"}, "/subscriptions/s/managedClusters/c")
    whole = examined(inheriting, machine)
    assert (looked(inheriting, machine).group, whole.group) == (expected, expected)
    [brief] = [each for page in inheriting.fleet([cloud.shard.subscription]) for each in page if each.id == machine]
    assert (brief.group, inheriting.shard(cloud.shard)[whole.uid].group) == (expected, expected)


def test_no_look_asks_for_the_resource_group_where_tags_are_not_inherited(
    inventory: Inventory, cloud: Cloud, name: str
) -> None:
    cloud.group(f"Own-{name}", {"Backup": "Gold"})
    machine = cloud.machine(name, {}, f"Own-{name}")
    cloud.settle()
    whole = examined(inventory, machine)
    assert (looked(inventory, machine).group, whole.group) == (None, None)
    assert inventory.shard(cloud.shard)[whole.uid].group is None
