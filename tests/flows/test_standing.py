"""Reading how everything stands: whole, in a stable order, and calm about rows that go while it reads."""

from __future__ import annotations

from dataclasses import replace

from shared.flows.standing import standing
from shared.model.identity import Shard
from shared.model.machine import Status
from tests.fleet import DAY, LAST_SLOT, capture, empty_fleet, machine, usual_fleet


def test_machines_of_every_shard_stand_by_name() -> None:
    fleet = usual_fleet()
    fleet.put(replace(machine(5, "Alpha"), shard=Shard("another-subscription", "northeurope")))
    assert [one.name for one in standing(*fleet.open()).machines] == ["Alpha", "jump", "old", "web-1"]


def test_operations_stand_in_order_of_intent() -> None:
    fleet = empty_fleet()
    first, second = machine(1, "web-1"), machine(2, "web-2")
    fleet.put(first, capture(first), capture(first, LAST_SLOT - 2 * DAY))
    fleet.put(second, capture(second, LAST_SLOT - DAY))
    found = standing(*fleet.open()).operations
    assert [operation.slot for operation in found] == [LAST_SLOT - 2 * DAY, LAST_SLOT - DAY, LAST_SLOT]


def test_a_machine_whose_row_goes_meanwhile_has_no_operations() -> None:
    fleet = usual_fleet()
    fleet.stage.ledger.record = lambda *_: None  # type: ignore[method-assign] # gone between the two reads
    assert standing(*fleet.open()).operations == ()


def test_machines_that_were_never_enrolled_cost_no_read_of_their_own() -> None:
    fleet = empty_fleet()
    fleet.put(machine(1, "jump", Status.EXCLUDED))
    fleet.put(machine(2, "web-1"))
    before = fleet.stage.steps.calls["ledger.record"]
    standing(*fleet.open())
    assert fleet.stage.steps.calls["ledger.record"] - before == 1
