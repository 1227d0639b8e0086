"""Denied scopes over the wire: three answers are believed, the others spared, and a grant is found out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.cloud.arm import Arm
from shared.cloud.gates import Target, target
from shared.cloud.graph import Graph
from shared.cloud.inventory import AzureInventory
from shared.cloud.pace import HeardPace
from shared.decide.gate import FIRST
from shared.errors import Denied
from shared.model.identity import ResourceId, vm_id
from shared.model.machine import Absent
from tests.contract.clouds import SimulatedClock
from tests.simulator.running import OTHER, Running

READ = "Microsoft.Compute/virtualMachines/read"


@pytest.fixture(autouse=True)
def _no_faults_left(simulated: Running) -> Iterator[None]:
    yield
    simulated.control("DELETE", "faults")


@pytest.fixture
def inventory(manager: tuple[Arm, HeardPace], simulator_clock: SimulatedClock) -> AzureInventory:
    arm, pace = manager
    return AzureInventory(arm, Graph(arm, simulator_clock, pace), simulator_clock, "backup")


def machine(number: int, group: str = "denied") -> ResourceId:
    base = f"/subscriptions/{OTHER}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines"
    return vm_id(f"{base}/vm-{number}")


def deny(simulated: Running, code: str = "AuthorizationFailed") -> None:
    effect = {"status": 403, "body": {"error": {"code": code, "message": "no role"}}}
    simulated.control("POST", "faults", {"match": {"operation": READ}, "effect": effect})


def calls(simulated: Running) -> int:
    return sum(call["status"] == 403 for call in simulated.control("GET", "calls"))


def denials(inventory: AzureInventory, machines: range, group: str = "denied") -> list[str]:
    said = []
    for number in machines:
        with pytest.raises(Denied) as refused:
            inventory.look(machine(number, group))
        said.append(refused.value.message)
    return said


def test_a_group_that_is_denied_costs_three_calls_and_is_found_again_by_itself(
    simulated: Running, inventory: AzureInventory
) -> None:
    simulated.control("DELETE", "calls")
    deny(simulated)
    said = denials(inventory, range(60))
    assert calls(simulated) == 3
    assert said[-1] == f"the permission is missing for the whole of {OTHER}/denied; Azure said: no role"
    simulated.advance(FIRST.total_seconds())
    denials(inventory, range(60))
    assert calls(simulated) == 4
    simulated.control("DELETE", "faults")
    denials(inventory, range(1))
    simulated.advance(2 * FIRST.total_seconds())
    assert all(isinstance(inventory.look(machine(number)), Absent) for number in range(5))


def test_three_groups_of_a_subscription_speak_for_all_of_it(simulated: Running, inventory: AzureInventory) -> None:
    simulated.control("DELETE", "calls")
    deny(simulated)
    for group in range(20):
        denials(inventory, range(1), f"group-{group}")
    assert calls(simulated) == 3


def test_a_refusal_that_is_no_missing_role_shuts_nothing(simulated: Running, inventory: AzureInventory) -> None:
    simulated.control("DELETE", "calls")
    deny(simulated, "RequestDisallowedByPolicy")
    denials(inventory, range(6))
    assert calls(simulated) == 6


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("GET", "https://x/subscriptions/S/resourceGroups/G?api-version=1", Target("read", "s", "g", "")),
        (
            "PUT",
            "https://x/subscriptions/S/resourceGroups/G/providers/A/b/c",
            Target("write", "s", "g", "/providers/a/b/c"),
        ),
        (
            "DELETE",
            "https://x/subscriptions/S/resourcegroups/G/providers/A/b/c",
            Target("delete", "s", "g", "/providers/a/b/c"),
        ),
        ("GET", "https://x/subscriptions/S", None),
        ("POST", "https://x/providers/Microsoft.ResourceGraph/resources", None),
    ],
)
def test_what_a_request_is_about_is_read_off_its_url(method: str, url: str, expected: Target | None) -> None:
    assert target(method, url) == expected
