"""Every machine and every disk is seen, and seen once: beyond a full page of Resource Graph, and with several cards."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.cloud.arm import Arm
from shared.cloud.graph import PAGE, Graph
from shared.cloud.identity import Identity, Login
from shared.cloud.inventory import AzureInventory
from shared.cloud.pace import HeardPace
from shared.model.identity import ResourceId, Shard
from shared.model.machine import Sighting
from tests.contract.clouds import SimulatedClock, body_of
from tests.simulator.running import SEED, SUBSCRIPTION, Running, simulator

REGION = "westeurope"
MANY = f"""
[[vm]]
subscription = "{SUBSCRIPTION}"
group = "many"
location = "{REGION}"
name = "vm-%d"
"""


@pytest.fixture
def crowded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A simulator with one machine more than a page holds."""
    seed = SEED.partition("[[vm]]")[0] + "".join(MANY % number for number in range(PAGE + 1))
    with simulator(tmp_path, "--tls-dir", str(tmp_path / "tls"), seed=seed) as running:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.ca))
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{running.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "x")
        yield running


def inventory(running: Running, arm: Arm, pace: HeardPace) -> AzureInventory:
    clock = SimulatedClock(running)
    return AzureInventory(arm, Graph(arm, clock, pace), clock, "backup")


def test_the_machine_after_the_first_thousand_is_seen(crowded: Running) -> None:
    clock = SimulatedClock(crowded)
    pace = HeardPace(clock, 0.3)
    with closing(Identity(Login(managed=True))) as us, closing(Arm(crowded.url, us, clock, pace)) as arm:
        seen = inventory(crowded, arm, pace)
        fleet = [one for page in seen.fleet([SUBSCRIPTION]) for one in page]
        whole = seen.shard(Shard(SUBSCRIPTION, REGION))
    names = {f"vm-{number}" for number in range(PAGE + 1)}
    assert len(fleet) == len(whole) == PAGE + 1
    assert {one.name for one in fleet} == {one.name for one in whole.values()} == names
    disks = [disk.uid for one in whole.values() for disk in one.disks]
    assert len(disks) == len(set(disks)) == PAGE + 1


def test_a_machine_with_several_cards_and_addresses_has_each_disk_once(
    simulated: Running, manager: tuple[Arm, HeardPace]
) -> None:
    region = f"region{uuid.uuid4().hex[:8]}"
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/cards-{region}"
    simulated.ask("PUT", group, {"location": region})
    machine = f"{group}/providers/Microsoft.Compute/virtualMachines/router"
    cards = [
        {
            "id": card_of(simulated, f"{group}/providers/Microsoft.Network", region, number),
            "properties": {"primary": not number},
        }
        for number in range(2)
    ]
    body = body_of("router", region, {"backup": "silver"})
    properties = body["properties"]
    assert isinstance(properties, dict)
    simulated.put_done(machine, {**body, "properties": {**properties, "networkProfile": {"networkInterfaces": cards}}})
    simulated.advance(7200)
    seen = inventory(simulated, *manager)
    alone = seen.examine(ResourceId.parse(machine))
    assert isinstance(alone, Sighting)
    [listed] = [one for page in seen.fleet([SUBSCRIPTION]) for one in page if one.shard.region == region]
    [whole] = seen.shard(Shard(SUBSCRIPTION, region)).values()
    assert listed.uid == whole.uid == alone.uid
    assert whole.disks == alone.disks
    assert len({disk.uid for disk in whole.disks}) == len(whole.disks) == 3


def card_of(running: Running, network: str, region: str, number: int) -> str:
    """A network card with two addresses."""
    subnets = [{"name": "default", "properties": {"addressPrefix": "10.0.0.0/24"}}]
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets}
    running.put_done(f"{network}/virtualNetworks/net", {"location": region, "properties": space})
    subnet = {"subnet": {"id": f"{network}/virtualNetworks/net/subnets/default"}}
    addresses = [{"name": name, "properties": {**subnet, "primary": name == "one"}} for name in ("one", "two")]
    card = f"{network}/networkInterfaces/card-{number}"
    running.put_done(card, {"location": region, "properties": {"ipConfigurations": addresses}})
    return card
