"""After the loss of the ledger what vaults hold is known again, and what they let go of leaves the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import Denied
from shared.flows.asking import ask_rebuild
from shared.flows.requesting import run
from shared.model.machine import Status
from shared.model.plan import Plans
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


def test_what_nobody_can_be_named_for_stays_in_its_vault_and_is_counted() -> None:
    estate, vm = stopped()
    estate.world.stage.azure.delete(vm)
    assert "1 are gone and cannot be named" in rebuilt(estate).because


def test_who_may_not_read_vaults_leaves_them_to_the_drainer(monkeypatch: pytest.MonkeyPatch) -> None:
    estate, vm = stopped(snapshots=SNAPSHOTS)

    def denied(_: object) -> None:
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
