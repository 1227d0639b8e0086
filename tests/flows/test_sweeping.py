"""The sweep: what no event says is found by it, changed plans included."""

from __future__ import annotations

from dataclasses import replace

from shared.flows.registering import reconcile
from shared.flows.sweeping import sweep
from shared.messages import VMS, VmKey, parse_vm
from shared.model.machine import Status
from shared.model.rules import Mode
from tests.fleet import RULES, SUBSCRIPTION, Fleet
from tests.flows.test_registering import VM, living, row


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
