"""Resource groups through ARM: one query for all of them, one GET for one, and what cannot be read is unknown."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from shared.cloud.arm import Arm
from shared.cloud.graph import Graph
from shared.cloud.groups import ReadGroups
from shared.cloud.pace import HeardPace
from shared.cloud.rows import entity_of, row_of
from shared.errors import Unavailable
from shared.model.identity import vm_id
from shared.model.machine import GroupSeen, Machine
from tests.contract.clouds import SimulatedClock
from tests.decide.plans import machine
from tests.simulator.running import SUBSCRIPTION, Running


@pytest.fixture
def groups(manager: tuple[Arm, HeardPace], simulator_clock: SimulatedClock) -> ReadGroups:
    arm, pace = manager
    return ReadGroups(arm, Graph(arm, simulator_clock, pace, page=2))


@pytest.fixture
def faults(simulated: Running) -> Iterator[Running]:
    yield simulated
    simulated.control("DELETE", "faults")


def made(running: Running, tags: dict[str, str] | None, managed_by: str = "") -> str:
    name = f"Rg-{uuid.uuid4().hex[:8]}"
    body = {"location": "westeurope", "tags": tags, **({"managedBy": managed_by} if managed_by else {})}
    assert running.ask("PUT", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}", body).status == 201
    return name


def machine_in(name: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}/providers/Microsoft.Compute/virtualMachines/x"


def test_all_groups_are_read_over_every_page_whatever_their_case(simulated: Running, groups: ReadGroups) -> None:
    expected = {}
    for number in range(3):
        name = made(simulated, {"Backup": f"{number}"}, f"/clusters/{number}")
        expected[SUBSCRIPTION, name.lower()] = GroupSeen({"Backup": f"{number}"}, f"/clusters/{number}")
    bare = made(simulated, None)
    simulated.advance(120)
    found = groups.all([SUBSCRIPTION])
    assert {place: found[place] for place in expected} == expected
    assert found[SUBSCRIPTION, bare.lower()] == GroupSeen({})


def test_a_group_that_is_not_there_or_may_not_be_read_is_unknown(faults: Running, groups: ReadGroups) -> None:
    name = made(faults, {"backup": "silver"})
    assert groups.of(vm_id(machine_in(name))) == GroupSeen({"backup": "silver"})
    assert groups.of(vm_id(machine_in("nowhere"))) is None
    action = "Microsoft.Resources/subscriptions/resourceGroups/read"
    faults.control("POST", "faults", {"match": {"operation": action}, "effect": {"status": 403}})
    assert groups.of(vm_id(machine_in(name))) is None


def test_a_group_that_could_not_be_asked_for_is_asked_for_again(faults: Running, groups: ReadGroups) -> None:
    name = made(faults, {})
    action = "Microsoft.Resources/subscriptions/resourceGroups/read"
    faults.control("POST", "faults", {"match": {"operation": action}, "effect": {"status": 503}})
    with pytest.raises(Unavailable):
        groups.of(vm_id(machine_in(name)))


@pytest.mark.parametrize("group", [None, GroupSeen({}), GroupSeen({"backup": "silver"}, "/clusters/one")])
def test_the_ledger_remembers_the_group_of_a_machine(group: GroupSeen | None) -> None:
    row = machine(group=group, scale_set=group is not None)
    assert row_of(Machine, entity_of(row, "p")) == row
