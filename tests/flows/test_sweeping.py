"""The sweep: what no event says is found by it, changed plans included."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.flows.registering import reconcile
from shared.flows.sweeping import sweep
from shared.messages import VMS, VmKey, parse_vm
from shared.model.machine import Sighting, Status
from shared.model.rules import Mode
from tests.fleet import RULES, SUBSCRIPTION, Fleet
from tests.flows.test_registering import VM, living, row
from tests.world.twins.azure import Fair


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
