"""Reading how everything stands: whole, in a stable order, and calm about rows that go while it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

from shared.errors import NewerRows
from shared.flows.show import status
from shared.flows.standing import standing
from shared.model.identity import Shard
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.transition import Held
from shared.ports.storage import Ledger
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


def test_however_many_machines_stand_they_cost_one_read_of_operations_per_shard() -> None:
    fleet = empty_fleet()
    for number in range(5):
        fleet.put(one := machine(number, f"web-{number}"), capture(one))
    before = fleet.stage.steps.calls.copy()
    assert len(standing(*fleet.open()).operations) == 5
    made = fleet.stage.steps.calls - before
    assert (made["ledger.operations"], made["ledger.record"]) == (1, 0)


class HalfNewer:
    """The ledger of a fleet to which a newer build has added a row: the rest can be read, and then it says so."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def shards(self) -> Sequence[Shard]:
        return self._ledger.shards()

    def machines(self, shard: Shard) -> Iterator[Held[Machine]]:
        yield from self._ledger.machines(shard)
        raise NewerRows("row m|9 is of version 2")

    def operations(self, shard: Shard) -> Iterator[Held[Operation]]:
        yield from self._ledger.operations(shard)


def test_rows_that_only_a_newer_build_can_read_are_said_and_nothing_is_called_well() -> None:
    fleet = usual_fleet()
    world = replace(fleet.world, ledger=cast(Ledger, HalfNewer(fleet.world.ledger)))
    stands = standing(world, fleet.rules)
    assert len(stands.machines) == 3
    assert stands.newer == ("row m|9 is of version 2",)
    shown = status(stands)
    assert (shown["all_is_well"], shown["newer"]) == (False, ["row m|9 is of version 2"])
