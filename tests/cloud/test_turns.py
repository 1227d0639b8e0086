"""A look that nobody asked for leaves reads to others and to requests, and no function waits long for its turn."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.cloud.arm import PATIENCE, Arm
from shared.cloud.graph import Graph
from shared.cloud.inventory import AzureInventory
from shared.cloud.pace import HeardPace, Lane
from shared.model.draining import CallKind
from shared.model.identity import Shard, vm_id
from tests.contract.clouds import SimulatedClock
from tests.simulator.running import SUBSCRIPTION

SHARD, LANE = Shard(SUBSCRIPTION, ""), Lane(SUBSCRIPTION, "", CallKind.READ)
NOBODY = vm_id(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/nobody")


@pytest.fixture
def inventory(manager: tuple[Arm, HeardPace], simulator_clock: SimulatedClock) -> AzureInventory:
    arm, pace = manager
    return AzureInventory(arm, Graph(arm, simulator_clock, pace), simulator_clock, "backup")


def spend(pace: HeardPace) -> int:
    """Every read that is left neither to others nor to requests; how many that were."""
    sent = 0
    while not pace.wait(SHARD, CallKind.READ, gives_way=True):
        sent += 1
    return sent


def test_a_look_that_gives_way_waits_for_its_read_and_one_that_was_admitted_does_not(
    manager: tuple[Arm, HeardPace], inventory: AzureInventory, simulator_clock: SimulatedClock
) -> None:
    assert spend(manager[1]) > 100
    inventory.look(NOBODY)
    assert simulator_clock.slept == []
    inventory.look(NOBODY, gives_way=True)
    assert 0 < sum(simulator_clock.slept) < 1, "a read comes back every twenty-fifth of a second"


def test_many_looks_that_give_way_go_as_fast_as_reads_come_back(
    manager: tuple[Arm, HeardPace], simulator_clock: SimulatedClock
) -> None:
    arm, pace = manager
    spend(pace)
    for _ in range(50):
        arm.give_way(LANE)
    assert sum(simulator_clock.slept) == pytest.approx(2, rel=0.1)


def test_a_look_does_not_wait_for_what_azure_shut_for_longer_than_its_patience(
    manager: tuple[Arm, HeardPace], simulator_clock: SimulatedClock
) -> None:
    arm, pace = manager
    pace.refused(LANE, PATIENCE + timedelta(seconds=2), {})
    arm.give_way(LANE)
    assert simulator_clock.slept == [], "the call itself says until when, and the queue brings the message again"
    elsewhere = Lane("elsewhere", "", CallKind.READ)
    pace.refused(elsewhere, PATIENCE - timedelta(seconds=2), {})
    arm.give_way(elsewhere)
    assert sum(simulator_clock.slept) >= 3, "what passes sooner is waited for"
    assert not pace.closed(elsewhere)
