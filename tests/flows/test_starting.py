"""A backup that failed because its VM does not run: waited for, or started where the plan allows, through the flows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.errors import Denied
from shared.model.operation import Kind, Operation, State
from shared.model.restore import Power
from tests.flows.vaulting import MINUTE, VAULT, Backed, rules_of
from tests.world.twins.azure import VmTruth
from tests.world.twins.builder import BuilderTwin
from tests.world.twins.stores import AuditTwin

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OFFLINE = "AzureVmOffline"


def builder_of(estate: Backed) -> BuilderTwin:
    twin = estate.world.stage.world.builder
    assert isinstance(twin, BuilderTwin)
    return twin


def stopped(when_stopped: str) -> tuple[Backed, VmTruth]:
    """A machine that does not run, and whose first backup will fail because of that, until it runs."""
    estate = Backed(rules_of({**VAULT, "when_stopped": when_stopped}))
    vm = estate.vm()
    builder, vaults = builder_of(estate), estate.world.stage.vaults
    builder.power_of[vm.id] = (Power.STOP, estate.world.stage.world.clock.now())
    vaults.offline = lambda place: builder.power_of.get(place, (Power.START,))[0] is Power.STOP
    return estate, vm


def backup(estate: Backed, vm: VmTruth) -> Operation:
    [operation] = estate.operations(vm, Kind.BACK_UP)
    return operation


def calls(estate: Backed, verb: str) -> int:
    return estate.world.stage.steps.calls[verb]


def test_a_plan_that_allows_it_has_the_machine_started_and_backed_up_at_once() -> None:
    estate, vm = stopped("start")
    estate.live(2 * HOUR)
    operation = backup(estate, vm)
    assert operation.state is State.SUCCEEDED
    assert len(estate.points(vm)) == 1
    assert calls(estate, "builder.power") == 1
    assert calls(estate, "vaults.back_up") == 2
    assert operation.ended_at is not None
    assert operation.ended_at - operation.intended_at < timedelta(hours=1, minutes=15)
    audit = estate.world.stage.world.audit
    assert isinstance(audit, AuditTwin)
    told = [line for _, _, line in audit.lines if '"event": "vm.start"' in line]
    assert len(told) == 1
    assert "as plan gold allows" in told[0]


def test_without_leave_the_machine_is_waited_for_and_no_backup_is_asked_for_in_vain() -> None:
    estate, vm = stopped("wait")
    estate.live(6 * HOUR, 5 * MINUTE)
    operation = backup(estate, vm)
    assert operation.failure is not None
    assert (operation.state, operation.failure.waits_for) == (State.FAILED, "the VM is running")
    assert operation.failure.times > 1
    assert calls(estate, "builder.power") == 0
    assert calls(estate, "vaults.back_up") == 1
    builder_of(estate).power_of[vm.id] = (Power.START, estate.world.stage.world.clock.now())
    estate.live(8 * HOUR, 5 * MINUTE)
    assert backup(estate, vm).state is State.SUCCEEDED


def test_a_machine_that_stays_stopped_ends_with_a_person_who_is_told_to_start_it() -> None:
    estate, vm = stopped("wait")
    estate.live(2 * DAY, 20 * MINUTE)
    operation = min(estate.operations(vm, Kind.BACK_UP), key=lambda one: one.intended_at)
    assert operation.state is State.NEEDS_PERSON
    assert operation.failure is not None
    assert "start the VM" in operation.failure.remedy
    assert operation.failure.remedy in " ".join(estate.row(vm).problems)


def test_a_machine_that_somebody_stops_again_is_started_once_a_day() -> None:
    estate, vm = stopped("start")
    builder = builder_of(estate)
    for _ in range(20):
        estate.live(HOUR, 10 * MINUTE)
        builder.power_of[vm.id] = (Power.STOP, estate.world.stage.world.clock.now() - DAY)
        estate.world.stage.vaults.fates[vm.id] = [OFFLINE]
    assert calls(estate, "builder.power") <= 2


def test_a_start_that_is_denied_is_a_failure_that_names_the_missing_right(monkeypatch: pytest.MonkeyPatch) -> None:
    estate, vm = stopped("start")

    def denied(shard: object, place: object, wanted: object) -> None:
        raise Denied("AuthorizationFailed", "no virtualMachines/start/action", 403)

    monkeypatch.setattr(estate.world.stage.world.builder, "power", denied)
    estate.live(HOUR)
    operation = backup(estate, vm)
    assert operation.failure is not None
    assert operation.state is State.NEEDS_PERSON
    assert operation.failure.message == "no virtualMachines/start/action"
    assert "grant the action" in operation.failure.remedy


def test_a_machine_that_is_gone_is_not_started() -> None:
    estate, vm = stopped("start")
    estate.live(6 * MINUTE)
    estate.world.stage.azure.delete(vm)
    estate.live(2 * HOUR)
    assert calls(estate, "builder.power") == 0
    assert backup(estate, vm).state in (State.FAILED, State.GAVE_UP)
