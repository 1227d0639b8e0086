"""Protection where something stands in the way: limits, slow vaults, lost races, slices that end, pauses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from shared.decide.policies import MOST_POLICIES
from shared.errors import CloudError, Denied, LostRace, Missing, Refused, Throttled, Unavailable
from shared.flows.asking import ask_backup
from shared.flows.pausing import ask_pause, ask_resume
from shared.flows.requesting import run
from shared.model.identity import ResourceId
from shared.model.machine import Status
from shared.model.operation import Kind, State
from shared.model.rules import Mode
from shared.model.transition import Transition
from shared.model.vault import ItemOrder, ItemState, JobError, Standing, Tracked
from tests.flows.vaulting import MINUTE, VAULT, Backed, rules_of
from tests.world.exhaustive import perform
from tests.world.scenes import SHARD
from tests.world.twins import process, vault_truth

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_vault_with_as_many_policies_as_it_may_have_wants_a_person() -> None:
    estate = Backed()
    full = estate.vault()
    full.policies |= {f"policy-{number}": {} for number in range(MOST_POLICIES)}
    vm = estate.vm()
    estate.live(20 * MINUTE)
    [operation] = estate.operations(vm, Kind.PROTECT)
    assert operation.failure is not None
    assert (operation.state, operation.failure.code) == (State.NEEDS_PERSON, "UserErrorPolicyLimit")
    full.policies.clear()
    estate.live(8 * HOUR, 10 * MINUTE)
    assert len(estate.points(vm)) == 1


def test_a_discovery_that_takes_its_time_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_truth, "REFRESH", 9 * MINUTE)
    estate = Backed()
    vms = [estate.vm(number) for number in (1, 2)]
    estate.live(2 * HOUR, MINUTE)
    assert all(len(estate.points(vm)) == 1 for vm in vms)
    assert estate.world.stage.steps.calls["vaults.refresh"] == 1


def test_a_discovery_that_somebody_else_began_is_waited_for() -> None:
    estate = Backed()
    there = estate.vault()
    estate.world.stage.vaults.discover(there)
    vm = estate.vm()
    estate.live(3 * HOUR)
    assert len(estate.points(vm)) == 1


def test_a_vault_of_others_that_may_not_be_read_hides_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = Backed()
    foreign = estate.vault("theirs", owner="somebody-else")
    ours = estate.vault()
    items = estate.world.stage.world.vault_items
    real: Callable[[ResourceId], Any] = items.items

    def denied(vault: ResourceId) -> Any:
        if vault == foreign.id:
            raise Denied("AuthorizationFailed", "not yours", 403)
        return real(vault)

    monkeypatch.setattr(items, "items", denied)
    vm = estate.vm()
    estate.live(2 * HOUR)
    assert vm.id in ours.items
    assert len(estate.points(vm)) == 1


def test_a_vault_that_hides_the_machine_is_found_out_by_a_dry_run_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = Backed()
    foreign = estate.vault("theirs", owner="somebody-else")
    estate.vault()
    items = estate.world.stage.world.vault_items
    real: Callable[[ResourceId], Any] = items.items

    def denied(vault: ResourceId) -> Any:
        if vault == foreign.id:
            raise Denied("AuthorizationFailed", "not yours", 403)
        return real(vault)

    monkeypatch.setattr(items, "items", denied)
    vm = estate.vm()
    foreign.policies["Theirs"] = {"schedulePolicy": {"scheduleRunTimes": ["2026-01-01T01:00:00Z"]}}
    estate.world.stage.vaults.protect(foreign, vm.id, "Theirs", ())
    estate.live(HOUR)
    [operation] = estate.operations(vm, Kind.PROTECT)
    assert operation.failure is not None
    assert (operation.state, operation.failure.code) == (State.NEEDS_PERSON, "UserErrorVMAlreadyProtected")
    assert "another vault has it" in operation.failure.message
    assert estate.world.stage.steps.calls["vaults.change"] == 0


@pytest.mark.parametrize("error", [Denied("AuthorizationFailed", "no role", 403), Unavailable("timeout", "x")], ids=str)
def test_a_dry_run_that_cannot_be_asked_for_forbids_nothing(error: CloudError, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise error

    estate = Backed()
    monkeypatch.setattr(estate.world.stage.world.vault_items, "refusal", fails)
    vm = estate.vm()
    estate.live(2 * HOUR)
    assert len(estate.points(vm)) == 1


def test_a_dry_run_that_is_throttled_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise Throttled("429", "too many", 5 * MINUTE)

    estate = Backed()
    with monkeypatch.context() as patch:
        patch.setattr(estate.world.stage.world.vault_items, "refusal", fails)
        vm = estate.vm()
        estate.live(30 * MINUTE)
        assert estate.world.stage.steps.calls["vaults.change"] == 0
    estate.live(2 * HOUR)
    assert len(estate.points(vm)) == 1


def test_a_job_that_does_not_end_is_told_of_after_half_a_day_and_ends_well_when_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vault_truth, "SNAPSHOT", 20 * HOUR)
    monkeypatch.setattr(vault_truth, "BACKUP", 21 * HOUR)
    estate = Backed()
    vm = estate.vm()
    estate.live(11 * HOUR, 10 * MINUTE)
    [running] = estate.operations(vm, Kind.BACK_UP)
    assert running.state is State.STARTED
    estate.live(3 * HOUR, 10 * MINUTE)
    [endless] = estate.operations(vm, Kind.BACK_UP)
    assert endless.state is State.NEEDS_PERSON
    assert "longer than it should take" in " ".join(estate.row(vm).problems)
    assert estate.item(vm).asked == 1
    estate.live(8 * HOUR, 10 * MINUTE)
    first = min(estate.operations(vm, Kind.BACK_UP), key=lambda one: one.intended_at)
    assert first.state in (State.SUCCEEDED, State.SUPERSEDED)
    assert estate.row(vm).status is Status.PROTECTED


def test_a_lost_race_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = Backed()
    ledger = estate.world.stage.ledger
    real, lost = ledger.commit, [0]

    def racing(transition: Transition) -> tuple[str, ...]:
        lost[0] += 1
        if lost[0] in (2, 4, 7):
            raise LostRace("somebody was faster")
        return real(transition)

    vm = estate.vm()
    monkeypatch.setattr(ledger, "commit", racing)
    estate.live(2 * HOUR)
    assert len(estate.points(vm)) == 1


def test_a_race_lost_while_nothing_can_be_read_is_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = Backed()
    vm = estate.vm()

    def denied(shard: object) -> None:
        raise Denied("AuthorizationFailed", "no", 403)

    def racing(transition: object) -> None:
        raise LostRace("somebody was faster")

    with monkeypatch.context() as patch:
        patch.setattr(estate.world.stage.world.vaults, "vaults", denied)
        patch.setattr(estate.world.stage.ledger, "commit", racing)
        estate.drain()
    estate.live(2 * HOUR)
    assert len(estate.points(vm)) == 1


def test_what_azures_own_operation_says_decides_where_nothing_else_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = Backed()
    vm = estate.vm()
    items = estate.world.stage.world.vault_items
    told = Tracked(True, "", JobError("UserErrorVmAlreadyProtected", "already protected in another vault"))

    def nothing_happens(order: ItemOrder) -> str:
        return "operation-1"

    with monkeypatch.context() as patch:
        patch.setattr(items, "change", nothing_happens)
        patch.setattr(items, "tracked", lambda vault, operation: told)
        estate.live(20 * MINUTE)
    [operation] = estate.operations(vm, Kind.PROTECT)
    assert operation.failure is not None
    assert (operation.state, operation.failure.code) == (State.NEEDS_PERSON, "UserErrorVmAlreadyProtected")


def test_a_refusal_for_good_is_given_up_and_the_machine_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = Backed()
    vm = estate.vm()

    def refuses(order: ItemOrder) -> str:
        raise Refused("UserErrorUnsupportedDiskSize", "too large", 400)

    monkeypatch.setattr(estate.world.stage.world.vault_items, "change", refuses)
    estate.world.stage.queues.messages.clear()
    estate.live(20 * MINUTE)
    [operation] = estate.operations(vm, Kind.PROTECT)
    assert operation.state is State.GAVE_UP
    estate.live(DAY, HOUR)
    assert len(estate.operations(vm, Kind.PROTECT)) == 1


def test_captures_that_are_paused_begin_no_protection_either() -> None:
    estate = Backed()
    vm = estate.vm()
    ports = estate.world.stage.world
    asked = ask_pause(ports, "captures", "a change freeze", "person-1")
    perform(estate.world, lambda world: run(world, estate.rules, asked.id))
    estate.live(HOUR)
    assert estate.operations(vm, Kind.PROTECT) == []
    row = estate.row(vm)
    assert row.protection is not None
    assert "a change freeze" in row.protection.because


def test_a_protection_that_should_stop_while_captures_are_paused_stops_afterwards() -> None:
    estate = Backed()
    vm = estate.vm()
    estate.live(2 * HOUR)
    ports = estate.world.stage.world
    asked = ask_pause(ports, "captures", "a change freeze", "person-1")
    perform(estate.world, lambda world: run(world, estate.rules, asked.id))
    vm = estate.tagged(vm, "off")
    estate.live(20 * MINUTE)
    assert estate.item(vm).state is ItemState.PROTECTED
    again = ask_resume(ports, "captures", "", "person-1")
    perform(estate.world, lambda world: run(world, estate.rules, again.id))
    estate.live(20 * MINUTE)
    assert estate.item(vm).state is ItemState.STOPPED


def test_what_was_intended_before_a_subscription_was_only_observed_is_not_sent() -> None:
    estate = Backed()
    vm = estate.vm()
    estate.drain()
    assert estate.operations(vm, Kind.PROTECT)[0].state is State.INTENDED
    estate.rules = replace(estate.rules, subscriptions={SHARD.subscription: Mode.OBSERVE})
    estate.live(3 * HOUR, 10 * MINUTE)
    assert estate.world.stage.steps.calls["vaults.change"] == 0


def test_what_was_intended_ends_when_nobody_asks_for_it_any_more() -> None:
    estate = Backed()
    vm = estate.vm()
    estate.drain()
    estate.tagged(vm, "off")
    estate.live(HOUR)
    assert [one.state for one in estate.operations(vm, Kind.PROTECT)] == [State.SKIPPED]
    assert estate.world.stage.vaults.holder(vm.id) is None


def test_a_backup_asked_for_before_there_is_a_vault_waits_for_it() -> None:
    estate = Backed()
    vm = estate.vm()
    ports = estate.world.stage.world
    asked = ask_backup(ports, estate.row(vm), "person-1")
    perform(estate.world, lambda world: run(world, estate.rules, asked.id))
    estate.live(3 * HOUR)
    assert len(estate.points(vm)) >= 1
    assert all(one.state is State.SUCCEEDED for one in estate.operations(vm, Kind.BACK_UP))


def test_expired_points_leave_the_ledger_and_nothing_else_does() -> None:
    estate = Backed()
    vm = estate.vm()
    estate.live(2 * HOUR)
    first = estate.points(vm)[0]
    estate.live(33 * DAY, 3 * HOUR)
    slots = [point.slot for point in estate.points(vm)]
    assert first.slot not in slots
    assert len(slots) >= 30


def test_a_failed_job_that_the_vault_forgot_is_a_failure_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = Backed()
    vm = estate.vm()
    estate.world.stage.vaults.fates[vm.id] = ["BackUpOperationFailed"]
    monkeypatch.setattr(estate.world.stage.world.vault_jobs, "job", lambda vault, name: None)
    estate.live(4 * HOUR)
    [operation] = estate.operations(vm, Kind.BACK_UP)
    assert operation.state is State.SUCCEEDED


def test_an_item_that_vanishes_is_protected_again() -> None:
    estate = Backed()
    vm = estate.vm()
    estate.live(2 * HOUR)
    holder = estate.world.stage.vaults.holder(vm.id)
    assert holder is not None
    del holder.items[vm.id]
    estate.live(2 * DAY, 15 * MINUTE)
    row = estate.row(vm)
    assert row.protection is not None
    assert (row.protection.state, estate.item(vm).state) == (Standing.PROTECTED, ItemState.PROTECTED)


def test_a_vault_that_is_gone_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = Backed()
    vm = estate.vm()
    estate.drain()
    estate.wait(2 * MINUTE)
    estate.drain()
    with pytest.raises(Missing):
        estate.world.stage.world.vault_jobs.points(next(iter(estate.world.stage.vaults.all)), vm.id)
    estate.world.stage.vaults.all.clear()
    estate.live(DAY, 10 * MINUTE)
    assert len(estate.points(vm)) >= 1


def test_a_full_vault_is_left_for_another_even_by_those_that_waited_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.decide.vaults.MOST_MACHINES", 3)
    monkeypatch.setattr("shared.flows.vault_desk.MOST_MACHINES", 3)
    estate = Backed()
    vms = [estate.vm(number) for number in range(1, 8)]
    estate.live(3 * HOUR)
    assert sorted(len(vault.items) for vault in estate.world.stage.vaults.all.values()) == [1, 3, 3]
    assert all(estate.points(vm) for vm in vms)


def test_the_policies_that_a_vault_takes_a_day_are_counted_in_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.decide.policies.WRITES_A_DAY", 2)
    estate = Backed(rules_of({**VAULT, "window": "90min"}))
    there = estate.vault()
    vms = [estate.vm(number) for number in range(1, 13)]
    before = estate.world.stage.steps.calls["vaults.write_policy"]
    estate.live(20 * HOUR, 10 * MINUTE)
    assert len(there.policies) == 2
    waiting = [one for vm in vms for one in estate.operations(vm, Kind.PROTECT) if one.state.open]
    assert waiting
    assert {one.state for one in waiting} == {State.INTENDED}
    assert all("takes no more policies now" in one.because for one in waiting)
    estate.live(8 * HOUR, 10 * MINUTE)
    assert len(there.policies) == 4
    assert estate.world.stage.steps.calls["vaults.write_policy"] - before == 4
    estate.live(3 * HOUR, 10 * MINUTE)
    assert all(estate.points(vm) for vm in vms)


def test_a_policy_that_may_have_been_written_counts_even_if_the_writer_died(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.decide.policies.WRITES_A_DAY", 1)
    estate = Backed()
    estate.vault()
    vaults = estate.world.stage.world.vaults

    def fails(*given: object) -> None:
        raise Unavailable("ServerBusy", "not now")

    vm = estate.vm()
    with monkeypatch.context() as patch:
        patch.setattr(vaults, "write_policy", fails)
        estate.live(10 * MINUTE)
    [operation] = estate.operations(vm, Kind.PROTECT)
    assert operation.task is not None
    assert operation.task.policy_at is not None
    estate.live(20 * HOUR, 10 * MINUTE)
    assert estate.world.stage.steps.calls["vaults.write_policy"] == 0
    estate.live(6 * HOUR, 10 * MINUTE)
    assert len(estate.points(vm)) >= 1


def test_a_clock_that_goes_on_between_two_readings_does_not_keep_a_policy_from_being_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = process.ClockTwin.now
    ticks = count()
    monkeypatch.setattr(process.ClockTwin, "now", lambda clock: read(clock) + timedelta(microseconds=next(ticks)))
    estate = Backed()
    vm = estate.vm()
    estate.live(3 * HOUR, MINUTE)
    assert len(estate.points(vm)) == 1
