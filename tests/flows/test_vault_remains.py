"""After the loss of the ledger what vaults hold is known again, and what they let go of leaves the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.decide.vault_remains import uid_of
from shared.errors import Denied
from shared.flows.asking import ask_rebuild
from shared.flows.registering import reconcile
from shared.flows.requesting import run
from shared.messages import VmKey
from shared.model.identity import VmUid
from shared.model.machine import Machine, Status
from shared.model.plan import Plans
from shared.model.point import Point
from shared.model.request import Progress, Request
from shared.model.vault import ItemState, Standing
from tests.flows.vaulting import MINUTE, SNAPSHOTS, Backed, rules_of
from tests.world.exhaustive import perform
from tests.world.scenes import SHARD
from tests.world.twins.azure import VmTruth

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def stopped(**parts: Any) -> tuple[Backed, VmTruth]:
    """A machine whose protection is stopped, with a point in its vault."""
    estate = Backed(rules_of(**parts))
    vm = estate.vm()
    estate.live(2 * HOUR)
    vm = estate.tagged(vm, "off")
    estate.live(HOUR)
    assert estate.item(vm).state is ItemState.STOPPED
    assert len(estate.points(vm)) == 1
    return estate, vm


def rebuilt(estate: Backed) -> Request:
    """Every table is lost, and somebody has the ledger made anew."""
    estate.world.loss.strike()
    ports = estate.world.stage.world
    asked = ask_rebuild(ports, SHARD, "person-1")
    perform(estate.world, lambda world: run(world, estate.rules, asked.id))
    return estate.world.stage.requests.asked[asked.id]


def test_the_points_of_a_stopped_machine_come_back_although_nobody_asks_for_a_vault() -> None:
    estate, vm = stopped()
    before = estate.points(vm)
    done = rebuilt(estate)
    assert (done.progress, "vaults hold backups of 1 machines" in done.because) == (Progress.DONE, True)
    estate.live(10 * MINUTE)
    assert [point.vault for point in estate.points(vm)] == [point.vault for point in before]
    known = estate.row(vm).protection
    assert known is not None
    assert known.state is Standing.STOPPED


def test_the_points_of_a_machine_that_is_gone_come_back_where_its_snapshots_name_it() -> None:
    estate, vm = stopped(snapshots=SNAPSHOTS)
    estate.world.stage.azure.delete(vm)
    rebuilt(estate)
    estate.look(vm)
    estate.wait(11 * MINUTE)
    estate.look(vm)
    assert estate.row(vm).status is Status.GONE
    estate.live(10 * MINUTE)
    assert len(estate.points(vm)) == 1


def remembered(estate: Backed, vm: VmTruth) -> Machine:
    """The one row of a machine that is known by its vault alone."""
    [row] = [held.row for held in estate.world.stage.ledger.machines(SHARD)]
    assert (row.uid, row.id, row.name) == (uid_of(vm.id), vm.id, vm.id.name)
    return row


def points_of(estate: Backed, row: Machine) -> list[Point]:
    return [held.row for held in estate.world.stage.ledger.points(SHARD, row.uid)]


def asked_again(estate: Backed, row: Machine) -> None:
    """What a sweep asks of a machine that no list shows, well after the first time."""
    estate.wait(11 * MINUTE)
    perform(estate.world, lambda ports: reconcile(ports, estate.rules, VmKey(row.id, row.uid, SHARD)))


@pytest.mark.parametrize("tagged", [True, False], ids=["it was protected", "it was stopped"])
def test_a_machine_of_which_its_vault_alone_knows_comes_back_with_its_points(tagged: bool) -> None:
    estate, vm = stopped()
    if tagged:
        vm = estate.tagged(vm, "gold")
        estate.live(2 * HOUR)
    before = estate.points(vm)
    estate.world.stage.azure.delete(vm)
    told = rebuilt(estate).because
    assert told.endswith(
        "; vaults hold backups of 1 machines, of which 1 were not found and are known by their vaults alone"
    )
    row = remembered(estate, vm)
    assert row.status is Status.EXCLUDED
    assert [point.vault for point in points_of(estate, row)] == [point.vault for point in before]
    assert [point.keep_until for point in points_of(estate, row)] == [point.keep_until for point in before]
    asked_again(estate, row)
    estate.live(HOUR)
    row = remembered(estate, vm)
    assert row.status is Status.GONE
    assert estate.item(vm).state is ItemState.STOPPED
    assert len(points_of(estate, row)) == len(before)
    rebuilt_again = ask_rebuild(estate.world.stage.world, SHARD, "person-1")
    perform(estate.world, lambda world: run(world, estate.rules, rebuilt_again.id))
    assert remembered(estate, vm) == row


def test_a_machine_made_under_the_name_of_one_that_its_vault_alone_knows_takes_over_nothing_of_it() -> None:
    estate, vm = stopped()
    estate.world.stage.azure.delete(vm)
    rebuilt(estate)
    row = remembered(estate, vm)
    [former] = points_of(estate, row)
    estate.wait(MINUTE)
    again = replace(vm, uid=VmUid("uid-again"), tags={"backup": "gold"})
    estate.world.stage.azure.write(again)
    estate.look(again)
    estate.live(20 * MINUTE)
    asked_again(estate, row)
    estate.live(DAY, 10 * MINUTE)
    assert points_of(estate, row) == [former]
    own = {point.slot for point in estate.points(again)}
    assert own
    assert min(own) > former.slot


def with_many_points(estate: Backed, vm: VmTruth) -> None:
    """Two hundred older points in its vault."""
    holder = estate.world.stage.vaults.holder(vm.id)
    assert holder is not None
    item = estate.item(vm)
    [first] = item.points.values()
    for number in range(200):
        at = first.at - 3 * DAY - number * HOUR
        item.points[f"more-{number}"] = replace(first, name=f"more-{number}", at=at)
        estate.world.stage.azure.vault_points.add((holder.id, f"more-{number}"))


def test_many_points_of_a_machine_that_its_vault_alone_knows_come_back_over_several_transactions() -> None:
    estate, vm = stopped()
    with_many_points(estate, vm)
    estate.world.stage.azure.delete(vm)
    rebuilt(estate)
    assert len(points_of(estate, remembered(estate, vm))) == 201


def test_many_points_come_back_and_leave_over_several_transactions_and_are_no_news() -> None:
    estate, vm = stopped()
    with_many_points(estate, vm)
    rebuilt(estate)
    estate.live(10 * MINUTE)
    found = estate.points(vm)
    assert len(found) == 201
    assert sum(point.rebuilt_at is not None for point in found) == 200
    estate.item(vm).points.clear()
    estate.live(40 * DAY, 2 * DAY)
    assert estate.points(vm) == []
    assert estate.world.promises.violations == []


def test_a_machine_that_cannot_be_looked_at_is_not_called_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    estate, _ = stopped()

    def denied(_: object, **__: object) -> None:
        raise Denied("AuthorizationFailed", "no role", 403)

    monkeypatch.setattr(estate.world.stage.world.inventory, "look", denied)
    assert rebuilt(estate).because.endswith("vaults hold backups of 1 machines, and 1 could not be looked at")
    assert [*estate.world.stage.ledger.machines(SHARD)] == []


def test_what_a_vault_deleted_softly_of_a_gone_machine_is_known_without_points() -> None:
    estate, vm = stopped()
    estate.item(vm).soft_deleted = True
    estate.world.stage.azure.delete(vm)
    rebuilt(estate)
    row = remembered(estate, vm)
    asked_again(estate, row)
    estate.live(10 * MINUTE)
    known = remembered(estate, vm).protection
    assert known is not None
    assert (known.state, points_of(estate, row)) == (Standing.DELETED, [])


def test_who_may_not_read_vaults_leaves_them_to_the_drainer(monkeypatch: pytest.MonkeyPatch) -> None:
    estate, vm = stopped(snapshots=SNAPSHOTS)

    def denied(_: object, **__: object) -> None:
        raise Denied("AuthorizationFailed", "no role", 403)

    with monkeypatch.context() as patch:
        patch.setattr(estate.world.stage.world.vaults, "vaults", denied)
        done = rebuilt(estate)
    assert (done.progress, "left to the drainer" in done.because) == (Progress.DONE, True)
    estate.live(10 * MINUTE)
    assert len(estate.points(vm)) == 1


def test_where_no_plan_has_a_vault_none_is_read() -> None:
    estate, _ = stopped()
    estate.rules = replace(estate.rules, plans=Plans({"bare": estate.rules.plans.by_name["bare"]}, "bare", {}))
    before = estate.world.stage.steps.calls["vaults.vaults"]
    assert "vault" not in rebuilt(estate).because
    assert estate.world.stage.steps.calls["vaults.vaults"] == before
