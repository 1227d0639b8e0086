"""The sweep: what no event says is found by it, changed plans included."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.schedule import lateness
from shared.flows.registering import reconcile
from shared.flows.sweeping import sweep
from shared.messages import VMS, VmKey, parse_vm
from shared.model.identity import VmUid
from shared.model.machine import Machine, Sighting, Status
from shared.model.rules import Mode
from tests.fleet import RULES, SHARD, SUBSCRIPTION, Fleet, place, uid_of
from tests.flows.test_registering import VM, living, reachable, row, truth
from tests.world import scenes
from tests.world.exhaustive import pass_time, perform, small_world
from tests.world.seeded import Run
from tests.world.twins.azure import Fair

EVERY = timedelta(minutes=15)  # the sweep


def asked(fleet: Fleet) -> list[VmKey]:
    messages = fleet.stage.queues.messages.values()
    return [parse_vm(message.text) for message in messages if message.queue == VMS]


def test_the_switch_from_observing_to_enforcing_enrols_what_was_tagged_before() -> None:
    fleet = living({"backup": "silver"})
    observed = replace(RULES, subscriptions={SUBSCRIPTION: Mode.OBSERVE})
    reconcile(fleet.world, observed, VmKey(VM))
    sweep(fleet.world, observed)
    assert asked(fleet) == []
    sweep(fleet.world, RULES)
    assert asked(fleet) == [VmKey(VM)]
    reconcile(fleet.world, RULES, VmKey(VM))
    found = row(fleet)
    assert found is not None
    assert (found.status, found.enrolled_at is not None) == (Status.PENDING, True)
    sweep(fleet.world, RULES)
    assert asked(fleet) == [VmKey(VM)]


class Blank(Fair):
    """Every list is answered, with nothing in it."""

    def pages(self, subject: str, rows: list[Sighting]) -> list[list[Sighting]]:
        return [[]]

    def hides(self, subject: str) -> bool:
        return True


def crowd(count: int) -> Fleet:
    """A fleet of so many machines, in Azure as in the ledger."""
    fleet = reachable()
    for number in range(count):
        vm = replace(truth({"backup": "silver"}, place("web", f"web-{number}")), uid=uid_of(number))
        fleet.stage.azure.write(vm)
        reconcile(fleet.world, RULES, VmKey(vm.id))
    return fleet


def told_of_loss(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("list.shrunk")]
    caplog.clear()
    return lines


def test_a_list_that_lost_more_than_a_fifth_is_told_of_by_each_sweep_and_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fleet = crowd(6)
    sweep(fleet.world, RULES)
    assert told_of_loss(caplog) == []
    fleet.stage.azure.weather = Blank()
    for _ in range(2):
        sweep(fleet.world, RULES)
        [line] = told_of_loss(caplog)
        assert line.startswith(f"list.shrunk shard={SHARD} missing=6 of=6 because='no list shows them any more;")
    fleet.stage.azure.weather = Fair()
    sweep(fleet.world, RULES)
    assert told_of_loss(caplog) == []


def test_a_few_machines_that_vanish_are_not_told_of_and_neither_is_a_subscription_that_nobody_looks_at(
    caplog: pytest.LogCaptureFixture,
) -> None:
    few = crowd(4)
    few.stage.azure.weather = Blank()
    sweep(few.world, RULES)
    sweep(crowd(6).world, replace(RULES, subscriptions={}))
    assert told_of_loss(caplog) == []


def test_lists_that_show_nothing_take_nothing_away() -> None:
    fleet = living({"backup": "silver"})
    reconcile(fleet.world, RULES, VmKey(VM))
    before = row(fleet)
    assert before is not None
    fleet.stage.azure.weather = Blank()
    for _ in range(8):
        fleet.stage.scheduler.run(fleet.stage.scheduler.now + timedelta(hours=6))
        sweep(fleet.world, RULES)
        for key in asked(fleet):
            reconcile(fleet.world, RULES, key)
    after = row(fleet)
    assert after is not None
    assert (after.plan, after.enrolled_at, after.disks) == (before.plan, before.enrolled_at, before.disks)
    assert (after.left_at, after.absent_since) == (None, None)


def stored(world: Run, uid: VmUid) -> Machine:
    record = world.stage.ledger.held(scenes.SHARD, uid)
    assert record is not None
    return record.machine.row


def test_a_machine_that_becomes_late_is_told_of_by_the_next_sweep_and_not_by_its_next_slot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, vm = small_world(), scenes.machine(1, 1, "silver")
    world.stage.azure.write(vm)
    perform(world, lambda ports: reconcile(ports, scenes.RULES, VmKey(vm.id)))
    world.host.start()
    pass_time(world, timedelta(days=2))
    healthy = stored(world, vm.uid)
    assert healthy.last_point
    late = lateness(scenes.RULES.plans.by_name["silver"].schedule, healthy.last_point).since
    monkeypatch.setattr("shared.decide.room.PER_DISK", 0)
    pass_time(world, late - world.stage.scheduler.now)
    before = stored(world, vm.uid)
    pass_time(world, EVERY + timedelta(minutes=1))
    after = stored(world, vm.uid)
    assert (healthy.status, before.status, after.status) == (Status.PROTECTED, Status.PROTECTED, Status.DEGRADED)
    assert "overdue" in after.because
