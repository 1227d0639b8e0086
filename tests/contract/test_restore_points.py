"""The contract of ports.RestorePoints, and of what Holdings and Deletions say and do about restore points."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.cloud.deletions import AzureDeletions
from shared.cloud.snapshots import Recovery
from shared.decide.naming import is_ours, is_ready
from shared.decide.restore_points import as_part, home_of, order_of, restore_point_of
from shared.errors import Blocked, Conflict, Missing, Refused, Throttled
from shared.model.machine import Machine, Sighting
from shared.model.point import Consistency, Engine, Part, Point
from shared.model.restore_point import RestorePointOrder
from shared.model.rules import Rules
from shared.ports import Deletions, Holdings, Inventory
from shared.ports.restore_points import RestorePoints
from tests.contract.clouds import Cloud
from tests.decide.plans import PLANS, machine
from tests.decide.points import changed, point_of
from tests.world.stage import Stage

SLOT = datetime(2026, 11, 20, 2, tzinfo=UTC)
RULES = Rules(plans=PLANS, subscriptions={}, owner="tagback-test")
MODEL = "m" * 64


@pytest.fixture
def deletions(implementation: str, recovery: Recovery, request: pytest.FixtureRequest) -> Deletions:
    if implementation == "twin":
        twins: Stage = request.getfixturevalue("twins")
        return twins.world.deletions
    arm, _ = request.getfixturevalue("manager")
    return AzureDeletions(arm, recovery)


@pytest.fixture
def seen(inventory: Inventory, cloud: Cloud) -> Sighting:
    found = inventory.examine(cloud.machine(f"Vm-{uuid.uuid4().hex[:8]}", {}))
    assert isinstance(found, Sighting)
    return found


@pytest.fixture
def row(seen: Sighting) -> Machine:
    return machine(uid=seen.uid, id=seen.id, name=seen.name, shard=seen.shard, disks=seen.disks)


def planned(restore_points: RestorePoints, row: Machine, slot: datetime = SLOT) -> tuple[Point, Part]:
    """A point of the machine by a restore point in crash mode; its third disk is left out."""
    base = changed(point_of(slot), uid=row.uid, engine=Engine.RESTORE_POINT, consistency=Consistency.CRASH, model=MODEL)
    home = home_of(row.uid, row.id)
    collection = restore_points.place(row.shard, home.number, home.collection)
    part = restore_point_of(base, row, (), 1, collection)
    return replace(base, parts=(part,)), part


def ordered(restore_points: RestorePoints, row: Machine, slot: datetime = SLOT) -> RestorePointOrder:
    point, part = planned(restore_points, row, slot)
    return order_of(point, part, row, RULES, row.disks)


def test_a_restore_point_needs_its_collection(restore_points: RestorePoints, row: Machine) -> None:
    order = ordered(restore_points, row)
    with pytest.raises(Missing):
        restore_points.create(order)
    assert restore_points.find(order.id) is None
    assert not restore_points.of(order.id.top)
    with pytest.raises(Missing):
        restore_points.mark(order.id, {"tagback-hold-20261120T0200Z": "forever"})


def test_a_restore_point_is_there_at_once_ready_later_and_says_what_is_in_it(
    restore_points: RestorePoints, row: Machine, cloud: Cloud
) -> None:
    point, part = planned(restore_points, row)
    order = ordered(restore_points, row)
    restore_points.prepare(order)
    restore_points.prepare(order)
    restore_points.create(order)
    at_once = restore_points.find(order.id)
    assert at_once is not None
    assert not is_ready(as_part(at_once, "backup"))
    assert is_ours(as_part(at_once, "backup"), point, part, RULES.owner)
    cloud.settle()
    found = restore_points.find(order.id)
    assert found is not None
    shown = as_part(found, "backup")
    assert is_ready(shown)
    assert is_ours(shown, point, part, RULES.owner)
    assert (found.machine, found.machine_uid, found.mode) == (row.id, row.uid, "CrashConsistent")
    assert [(one.disk, one.lun) for one in found.inside] == [(disk.id, disk.lun) for disk in row.disks[:2]]
    assert all(one.id is not None and one.id.name.startswith(f"{order.id.name}/") for one in found.inside)
    assert found.created is not None
    assert dict(found.tags) == dict(order.tags)


def test_a_collection_tells_of_all_its_restore_points_and_holdings_of_every_collection(
    restore_points: RestorePoints, holdings: Holdings, row: Machine, cloud: Cloud
) -> None:
    order = ordered(restore_points, row)
    assert list(holdings.restore_points(row.shard)) == []
    restore_points.prepare(order)
    restore_points.create(order)
    cloud.settle()
    (listed,) = restore_points.of(order.id.top)
    found = restore_points.find(order.id)
    assert found is not None
    assert replace(found, completion=None) == replace(listed, completion=None)
    assert [one.id for one in holdings.restore_points(row.shard)] == [order.id]


def test_the_same_name_is_not_made_twice_and_no_second_one_soon_after(
    restore_points: RestorePoints, row: Machine, cloud: Cloud
) -> None:
    order = ordered(restore_points, row)
    restore_points.prepare(order)
    restore_points.create(order)
    with pytest.raises(Conflict):
        restore_points.create(order)
    later = ordered(restore_points, row, SLOT.replace(hour=4))
    with pytest.raises((Conflict, Blocked, Throttled)):
        restore_points.create(later)
    assert restore_points.find(later.id) is None


def test_a_mark_stands_on_the_collection_beside_what_is_there(
    restore_points: RestorePoints, row: Machine, cloud: Cloud
) -> None:
    order = ordered(restore_points, row)
    restore_points.prepare(order)
    restore_points.create(order)
    cloud.settle()
    for _ in range(2):
        restore_points.mark(order.id, {"tagback-hold-20261120T0200Z": "forever", "tagback-plan": "gold"})
    restore_points.prepare(order)
    found = restore_points.find(order.id)
    assert found is not None
    wanted = {**order.tags, "tagback-hold-20261120T0200Z": "forever", "tagback-plan": "gold"}
    assert dict(found.tags) == wanted
    assert as_part(found, "backup").tags["backup-hold"] == "forever"


def test_one_restore_point_is_deleted_and_never_a_collection(
    restore_points: RestorePoints, deletions: Deletions, row: Machine, cloud: Cloud
) -> None:
    order = ordered(restore_points, row)
    restore_points.prepare(order)
    restore_points.create(order)
    cloud.settle()
    with pytest.raises(Refused):
        deletions.delete(row.shard, order.id.top)
    assert restore_points.find(order.id) is not None
    deletions.delete(row.shard, order.id)
    cloud.settle()
    assert restore_points.find(order.id) is None
    assert not restore_points.of(order.id.top)
    deletions.delete(row.shard, order.id)


def test_a_place_follows_from_the_region_and_the_number(restore_points: RestorePoints, cloud: Cloud) -> None:
    first, second = (restore_points.place(cloud.shard, number, "tb-1") for number in (3, 14))
    assert (first.type, first.name) == ("microsoft.compute/restorepointcollections", "tb-1")
    assert first.group.endswith("-rp03")
    assert second.group.endswith("-rp14")
