"""What vaults let go of leaves the ledger, and nothing else does: stopped, resumed, deleted, or another's by now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Denied
from shared.model.identity import DiskUid, ResourceId, VmUid
from shared.model.machine import Status
from shared.model.vault import ItemState, PointSeen, Standing
from tests.flows.vaulting import MINUTE, Backed
from tests.world.twins.azure import VmTruth

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def backed() -> tuple[Backed, VmTruth]:
    """A machine with one point in its vault, which goes after thirty days."""
    estate = Backed()
    vm = estate.vm()
    estate.live(2 * HOUR)
    [point] = estate.points(vm)
    assert point.keep_until - point.slot < 31 * DAY
    return estate, vm


def stopped() -> tuple[Backed, VmTruth]:
    estate, vm = backed()
    vm = estate.tagged(vm, "off")
    estate.live(HOUR)
    assert estate.item(vm).state is ItemState.STOPPED
    return estate, vm


def left(estate: Backed, vm: VmTruth) -> VmTruth:
    """The machine is gone, and known to be."""
    estate.world.stage.azure.delete(vm)
    estate.look(vm)
    estate.wait(11 * MINUTE)
    estate.look(vm)
    assert estate.row(vm).status is Status.GONE
    return vm


def made_again(estate: Backed, vm: VmTruth) -> VmTruth:
    disks = tuple(replace(disk, uid=DiskUid(f"{disk.uid}-again")) for disk in vm.disks)
    again = replace(vm, uid=VmUid("uid-again"), disks=disks)
    estate.world.stage.azure.write(again)
    estate.look(again)
    return again


def test_a_stopped_vault_keeps_its_points_past_their_dates_and_so_does_the_ledger() -> None:
    estate, vm = stopped()
    estate.live(100 * DAY, 12 * HOUR)
    assert len(estate.item(vm).points) == len(estate.points(vm)) == 1
    [point] = estate.points(vm)
    assert point.keep_until < estate.world.stage.world.clock.now()


def test_what_a_stopped_vault_keeps_stays_known_when_the_machine_moves_to_another_group() -> None:
    estate, vm = stopped()
    moved = replace(vm, id=replace(vm.id, group="elsewhere"))
    estate.world.stage.azure.move(vm, moved)
    estate.look(moved)
    estate.live(100 * DAY, 12 * HOUR)
    [kept] = estate.points(moved)
    assert kept.keep_until < estate.world.stage.world.clock.now()
    estate.item(vm).points.clear()
    estate.live(8 * DAY, 12 * HOUR)
    assert estate.points(moved) == []


def test_what_a_vault_keeps_of_a_machine_that_moved_stays_known_when_the_same_vault_protects_it_anew() -> None:
    estate, vm = stopped()
    [first] = estate.points(vm)
    moved = replace(vm, id=replace(vm.id, group="elsewhere"))
    estate.world.stage.azure.move(vm, moved)
    estate.look(moved)
    moved = estate.tagged(moved, "gold")
    estate.live(40 * DAY, 12 * HOUR)
    assert estate.item(moved).state is ItemState.PROTECTED
    assert len(estate.points(moved)) > 20
    assert first.slot in {point.slot for point in estate.points(moved)}, "its date is past, and the former item has it"
    estate.item(vm).points.clear()
    estate.live(3 * DAY, 12 * HOUR)
    assert first.slot not in {point.slot for point in estate.points(moved)}


def test_what_a_stopped_vault_had_kept_leaves_when_it_is_resumed() -> None:
    estate, vm = stopped()
    [first] = estate.points(vm)
    estate.live(40 * DAY, 12 * HOUR)
    estate.tagged(vm, "gold")
    estate.live(2 * DAY, 10 * MINUTE)
    assert first.slot not in {point.slot for point in estate.points(vm)}
    assert {one.at.replace(second=0, microsecond=0) for one in estate.item(vm).points.values()} == {
        point.slot for point in estate.points(vm)
    }


def test_what_is_suspended_is_left_as_it_is_and_its_vault_goes_on_letting_points_go() -> None:
    estate, vm = backed()
    estate.live(DAY, 20 * MINUTE)
    estate.item(vm).state = ItemState.SUSPENDED
    vm = estate.tagged(vm, "off")
    estate.live(HOUR)
    assert len(estate.points(vm)) == 2
    known = estate.row(vm).protection
    assert known is not None
    assert (estate.item(vm).state, known.state) == (ItemState.SUSPENDED, Standing.STOPPED)
    estate.live(40 * DAY, 12 * HOUR)
    assert len(estate.points(vm)) == len(estate.item(vm).points) == 1
    estate.tagged(vm, "gold")
    estate.live(2 * HOUR)
    assert estate.item(vm).state is ItemState.PROTECTED


def test_points_of_a_gone_machine_leave_when_their_vault_let_them_go_although_another_bears_its_name() -> None:
    estate, vm = backed()
    left(estate, vm)
    [former] = estate.points(vm)
    again = made_again(estate, vm)
    estate.live(DAY, 10 * MINUTE)
    assert estate.item(again).state is ItemState.PROTECTED
    estate.live(former.keep_until - estate.world.stage.world.clock.now() - HOUR, 6 * HOUR)
    assert estate.points(vm) == [former]
    estate.live(9 * DAY, 6 * HOUR)
    assert estate.points(vm) == []
    assert len(estate.points(again)) >= 30


def test_points_of_a_gone_machine_that_the_vault_still_lists_stay_known_past_their_date() -> None:
    estate, vm = backed()
    left(estate, vm)
    again = made_again(estate, vm)
    estate.live(HOUR)
    item = estate.item(again)
    [name] = [name for name, one in item.points.items() if one.at < estate.points(vm)[0].slot + MINUTE]
    item.points[name] = replace(item.points[name], expires=None)  # the newest of a machine is never let go of
    estate.live(60 * DAY, 12 * HOUR)
    assert [point.vault.name for point in estate.points(vm) if point.vault] == [name]
    item.points.pop(name)
    estate.live(8 * DAY, 12 * HOUR)
    assert estate.points(vm) == []


def test_what_somebody_deleted_for_good_leaves_after_its_date_and_a_deleted_vault_keeps_nothing_known() -> None:
    for gone in ("item", "vault"):
        estate, vm = stopped()
        holder = estate.world.stage.vaults.holder(vm.id)
        assert holder is not None
        if gone == "item":
            holder.items.clear()
        else:
            estate.world.stage.vaults.all.clear()
        estate.live(20 * DAY, 12 * HOUR)
        assert len(estate.points(vm)) == 1
        estate.live(25 * DAY, 12 * HOUR)
        assert estate.points(vm) == []


def test_what_is_deleted_softly_stays_known_until_it_cannot_be_taken_back() -> None:
    estate, vm = stopped()
    holder = estate.world.stage.vaults.holder(vm.id)
    assert holder is not None
    estate.item(vm).soft_deleted = True
    estate.live(45 * DAY, 12 * HOUR)
    assert len(estate.points(vm)) == 1
    holder.items.clear()
    estate.live(8 * DAY, 12 * HOUR)
    assert estate.points(vm) == []


def test_a_vault_that_may_not_be_read_says_nothing_of_its_points(monkeypatch: pytest.MonkeyPatch) -> None:
    estate, vm = stopped()
    holder = estate.world.stage.vaults.holder(vm.id)
    assert holder is not None
    holder.items.clear()

    def denied(_: ResourceId, __: ResourceId) -> list[PointSeen]:
        raise Denied("AuthorizationFailed", "no role", 403)

    with monkeypatch.context() as patch:
        patch.setattr(estate.world.stage.world.vault_jobs, "points", denied)
        estate.live(45 * DAY, 12 * HOUR)
        assert len(estate.points(vm)) == 1
    estate.live(8 * DAY, 12 * HOUR)
    assert estate.points(vm) == []


def test_a_machine_whose_points_are_all_gone_is_looked_at_no_more() -> None:
    estate, vm = backed()
    left(estate, vm)
    made_again(estate, vm)
    estate.live(45 * DAY, 12 * HOUR)
    known = estate.row(vm).protection
    assert known is not None
    assert (known.state, known.next_look, estate.points(vm)) == (Standing.NONE, None, [])
