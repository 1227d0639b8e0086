"""A whole machine comes back from a point in a vault: made of the vault's disks and of the model that we keep."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.decide.restoring import tag_of
from shared.model.identity import ResourceId
from shared.model.machine import Status
from shared.model.request import Progress, Request
from shared.model.restore import RestoreMode, RestoreOrder
from shared.model.rules import Mode
from shared.model.vault import ItemState, JobStatus
from tests.flows.vaulting import MINUTE, STAGING, Vaulted
from tests.world.scenes import SHARD
from tests.world.twins.azure import VmTruth
from tests.world.twins.builder import BuilderTwin, Thing
from tests.world.vault_scenes import builder_of

DAY = timedelta(days=1)
OTHER = "sub-other"
REBUILD = RestoreOrder(RestoreMode.REBUILD, staging=STAGING)
BESIDE = RestoreOrder(RestoreMode.NEW, staging=STAGING)


@pytest.fixture
def backed() -> Vaulted:
    return Vaulted()


@pytest.fixture
def vm(backed: Vaulted) -> VmTruth:
    return backed.backed_up()


@pytest.fixture
def lost(backed: Vaulted, vm: VmTruth) -> VmTruth:
    """A machine that somebody deleted, and that is known to be gone."""
    backed.world.stage.azure.delete(vm)
    backed.look(vm)
    backed.wait(11 * MINUTE)
    backed.look(vm)
    assert backed.row(vm).status is Status.GONE
    return vm


def builder(backed: Vaulted) -> BuilderTwin:
    return builder_of(backed.world)


def sources(done: Request) -> dict[str, int | None]:
    assert done.restore is not None
    return {str(ResourceId.parse(one.made)): one.lun for one in done.restore.sources}


def there(backed: Vaulted, place: ResourceId) -> dict[str, int | None]:
    made = backed.world.stage.azure.vm(place)
    assert made is not None, f"{place} is not there"
    return {str(disk.id): disk.lun for disk in made.disks}


def test_a_machine_that_is_gone_comes_back_under_its_own_name_unprotected(backed: Vaulted, lost: VmTruth) -> None:
    done = backed.carried(backed.ask(lost, REBUILD))
    assert done.progress is Progress.DONE, done
    assert there(backed, lost.id) == sources(done)
    assert backed.restores() == [JobStatus.COMPLETED]
    made = backed.world.stage.azure.vm(lost.id)
    assert made is not None
    assert made.uid != lost.uid
    assert (made.tags["backup"], made.tags["tagback-restore"]) == ("off", done.id)
    assert "tagback-expires" not in made.tags
    backed.look(made)
    assert backed.row(made).status is Status.EXCLUDED


def test_the_vault_takes_no_more_points_of_a_machine_that_came_back_and_asks_for_none(
    backed: Vaulted, vm: VmTruth
) -> None:
    """It has the name of the former one, and an item of a vault knows names only."""
    known = backed.points(vm)
    backed.world.stage.azure.delete(vm)
    done = backed.carried(backed.ask(vm, REBUILD))
    made = backed.world.stage.azure.vm(vm.id)
    assert made is not None, done
    backed.look(made)
    backed.live(DAY, 20 * MINUTE)
    assert len(backed.item(vm).points) > len(known), "its vault goes on as long as nobody misses the former machine"
    backed.look(vm)
    missed = backed.points(vm)
    backed.live(DAY, 20 * MINUTE)
    taken = len(backed.item(vm).points)
    assert (taken > len(missed), backed.points(vm)) == (True, missed), "what was taken since is none of the former one"
    backed.look(vm)
    backed.live(timedelta(hours=1))
    assert backed.item(vm).state is ItemState.STOPPED
    backed.live(2 * DAY, 20 * MINUTE)
    assert len(backed.item(vm).points) == taken
    assert backed.points(made) == []


def test_it_is_protected_at_once_where_that_is_asked_for(backed: Vaulted, lost: VmTruth) -> None:
    done = backed.carried(backed.ask(lost, replace(REBUILD, protect=True)))
    assert done.progress is Progress.DONE, done
    made = backed.world.stage.azure.vm(lost.id)
    assert made is not None
    assert made.tags["backup"] == lost.tags["backup"]


def test_a_machine_is_made_beside_the_one_that_stands(backed: Vaulted, vm: VmTruth) -> None:
    done = backed.carried(backed.ask(vm, BESIDE))
    assert done.progress is Progress.DONE, done
    assert there(backed, replace(vm.id, name=f"{vm.id.name}-restored")) == sources(done)
    assert backed.world.stage.azure.vm(vm.id) == vm
    assert done.restore is not None
    assert done.restore.lacking == ()


def test_a_machine_goes_to_the_group_and_network_that_are_named(backed: Vaulted, vm: VmTruth) -> None:
    backed.world.stage.azure.tag_group(SHARD.subscription, "rescue", {})
    network = f"/subscriptions/{SHARD.subscription}/resourceGroups/quiet/providers/Microsoft.Network/virtualNetworks/q"
    subnet = f"{network}/subnets/a"
    done = backed.carried(backed.ask(vm, replace(BESIDE, name="check-1", group="rescue", subnet=subnet)))
    assert done.progress is Progress.DONE, done
    assert there(backed, replace(vm.id, group="rescue", name="check-1")) == sources(done)
    cards = [one.body for place, one in builder(backed).made.items() if "/networkinterfaces/" in place]
    assert [at["properties"]["subnet"]["id"] for one in cards for at in one["properties"]["ipConfigurations"]] == [
        subnet
    ]


@pytest.mark.parametrize("mode", [RestoreMode.NEW, RestoreMode.DISKS])
def test_a_vault_restores_into_another_subscription(backed: Vaulted, vm: VmTruth, mode: RestoreMode) -> None:
    backed.rules = replace(backed.rules, subscriptions={**backed.rules.subscriptions, OTHER: Mode.ENFORCE})
    backed.world.stage.azure.tag_group(OTHER, "rescue", {})
    network = f"/subscriptions/{OTHER}/resourceGroups/quiet/providers/Microsoft.Network/virtualNetworks/q"
    order = replace(BESIDE, mode=mode, group=f"/subscriptions/{OTHER}/resourceGroups/Rescue")
    whole = mode is RestoreMode.NEW
    done = backed.carried(backed.ask(vm, replace(order, subnet=f"{network}/subnets/a") if whole else order))
    assert done.progress is Progress.DONE, done
    assert done.restore is not None
    assert {(one.disk.subscription, one.disk.group) for one in done.restore.sources} == {(OTHER, "rescue")}
    beside = replace(vm.id, subscription=OTHER, group="rescue", name=f"{vm.id.name}-restored")
    assert (backed.world.stage.azure.vm(beside) is not None) is whole
    assert backed.world.stage.azure.vm(vm.id) == vm
    undone = backed.carried(backed.undo(done))
    assert (undone.progress, backed.world.stage.azure.vm(beside), left(backed)) == (Progress.DONE, None, [])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "TAGBACK_SUBSCRIPTIONS"),
        ({"mode": RestoreMode.NEW}, "TAGBACK_SUBSCRIPTIONS"),
        ({"mode": RestoreMode.NEW, "known": True}, f"--subnet in {OTHER}"),
    ],
)
def test_what_another_subscription_lacks_is_said_before_anything_is_made(
    backed: Vaulted, vm: VmTruth, change: dict[str, Any], said: str
) -> None:
    if change.pop("known", False):
        backed.rules = replace(backed.rules, subscriptions={**backed.rules.subscriptions, OTHER: Mode.ENFORCE})
    order = RestoreOrder(RestoreMode.DISKS, group=f"/subscriptions/{OTHER}/resourceGroups/rescue", staging=STAGING)
    refused = backed.carried(backed.ask(vm, replace(order, **change)))
    assert (refused.progress, said in refused.because) == (Progress.REFUSED, True)
    assert backed.restores() == []


def test_what_somebody_else_made_under_the_name_meanwhile_is_left_alone(backed: Vaulted, lost: VmTruth) -> None:
    request = backed.slice_of(backed.ask(lost, REBUILD))
    another = replace(lost, uid=type(lost.uid)("another"), disks=lost.disks[:1])
    backed.world.stage.azure.write(another)
    ended = backed.carried(request)
    assert (ended.progress, "something else is at" in ended.because) == (Progress.FAILED, True)
    assert backed.world.stage.azure.vm(lost.id) == another
    undone = backed.carried(backed.undo(ended))
    assert undone.progress is Progress.DONE, undone
    assert backed.world.stage.azure.vm(lost.id) == another
    assert not left(backed)


def left(backed: Vaulted) -> list[str]:
    return [str(one) for one in backed.world.stage.vaults.restored if backed.world.stage.azure.disk(one)]


@pytest.mark.parametrize("slices", [1, 30])
def test_an_undone_rebuilding_leaves_neither_machine_nor_disks(backed: Vaulted, lost: VmTruth, slices: int) -> None:
    request = backed.ask(lost, REBUILD)
    done = backed.carried(request, slices * timedelta(seconds=30))
    undone = backed.carried(backed.undo(done))
    assert undone.progress is Progress.DONE, undone
    assert backed.world.stage.azure.vm(lost.id) is None
    assert not left(backed)
    assert backed.restores() == [JobStatus.CANCELLED if slices == 1 else JobStatus.COMPLETED]


def test_a_name_that_is_taken_is_said_before_the_vault_is_asked(backed: Vaulted, vm: VmTruth) -> None:
    refused = backed.carried(backed.ask(vm, REBUILD))
    assert refused.progress is Progress.REFUSED
    assert "there is a machine" in refused.because
    assert backed.restores() == []


def test_without_a_model_only_disks_are_promised(backed: Vaulted, lost: VmTruth) -> None:
    [point] = backed.points(lost)
    backed.world.stage.models.kept.pop(point.model)
    refused = backed.carried(backed.ask(lost, REBUILD))
    assert refused.progress is Progress.REFUSED
    assert "only its disks can be brought back: --mode disks" in refused.because
    done = backed.carried(backed.ask(lost, RestoreOrder(RestoreMode.DISKS, staging=STAGING)))
    assert done.progress is Progress.DONE, done


def test_tags_that_a_vault_puts_back_make_no_restored_disk_anybodys_else(backed: Vaulted, lost: VmTruth) -> None:
    request = backed.slice_of(backed.ask(lost, REBUILD))
    backed.wait(10 * MINUTE)
    old = {"Env": "prod", "backup": "off", "TagBack-Drill": "an old one", "tagback-restore": "another"}
    for place in backed.world.stage.vaults.restored:
        builder(backed).made[str(place)] = Thing({"tags": old}, backed.world.stage.scheduler.now)
    done = backed.carried(request)
    assert done.progress is Progress.DONE, done
    for one in done.restore.sources if done.restore else ():
        tags: Any = (backed.body(one.made) or {})["tags"]
        assert tags["Env"] == "prod"
        assert tag_of({"tags": tags}, "tagback-restore") == done.id
        assert not {"backup", "tagback-drill", "tagback-expires"} & {name.lower() for name in tags}


def test_the_model_of_a_point_is_that_of_the_machine_when_the_point_was_first_seen(
    backed: Vaulted, vm: VmTruth
) -> None:
    [first] = backed.points(vm)
    assert backed.row(vm).model == first.model != ""
    calls = backed.world.stage.steps.calls
    grown = replace(vm, disks=(*vm.disks, replace(vm.disks[-1], id=replace(vm.disks[-1].id, name="d9"), lun=9)))
    backed.world.stage.azure.write(grown)
    backed.live(DAY, 20 * MINUTE)
    newest = max(backed.points(vm), key=lambda one: one.slot)
    assert newest.model not in ("", first.model)
    before = calls.copy()
    backed.live(DAY, 20 * MINUTE)
    again = max(backed.points(vm), key=lambda one: one.slot)
    made = calls - before
    assert (again.slot > newest.slot, again.model) == (True, newest.model)
    assert (made["models.keep"], made["inventory.examine"]) == (0, 0), (
        "an unchanged machine is neither read nor kept anew"
    )


def test_disks_that_fit_no_lun_of_the_model_are_left_for_a_person(backed: Vaulted, lost: VmTruth) -> None:
    moved = tuple(replace(one, lun=None if one.lun is None else one.lun + 4) for one in lost.disks)
    backed.world.stage.vaults.disks_of[lost.id] = moved
    ended = backed.carried(backed.ask(lost, REBUILD))
    assert ended.progress is Progress.FAILED
    assert "attach them by hand" in ended.because
    assert backed.world.stage.azure.vm(lost.id) is None
    assert len(left(backed)) == len(moved)
    assert backed.carried(backed.undo(ended)).progress is Progress.DONE
    assert not left(backed)
