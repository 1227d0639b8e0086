"""Inventory and snapshots on the simulator beyond their contracts: odd machines, lag, pages, and what is sent."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from shared.cloud.arm import Arm
from shared.cloud.graph import Graph, literal
from shared.cloud.inventory import AzureInventory
from shared.cloud.pace import HeardPace
from shared.cloud.sightings import Attachments, Incomplete, Look, brief, complete, seen_disk, seen_vm
from shared.cloud.snapshots import AzureSnapshots, Recovery
from shared.errors import Conflict, Refused, Unavailable
from shared.model.identity import ResourceId, Shard
from shared.model.machine import Lens, Sighting
from shared.model.snapshot import SnapshotOrder
from tests.contract.clouds import SimulatedClock, SimulatedCloud, body_of
from tests.rows import EXACT
from tests.simulator.running import SUBSCRIPTION, Running

LOOK = Look(Lens.GET, EXACT)
BASE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Odd/providers"


@pytest.fixture
def region() -> str:
    """A region of the test's own, so that its shard holds its machines alone."""
    return f"region{uuid.uuid4().hex[:8]}"


@pytest.fixture
def cloud(simulated: Running, region: str) -> SimulatedCloud:
    return SimulatedCloud(simulated, Shard(SUBSCRIPTION, region))


@pytest.fixture
def graph(manager: tuple[Arm, HeardPace], simulator_clock: SimulatedClock) -> Graph:
    arm, pace = manager
    return Graph(arm, simulator_clock, pace, page=2)


@pytest.fixture
def inventory(manager: tuple[Arm, HeardPace], graph: Graph, simulator_clock: SimulatedClock) -> AzureInventory:
    return AzureInventory(manager[0], graph, simulator_clock, "backup")


@pytest.fixture
def faults(simulated: Running) -> Iterator[Running]:
    yield simulated
    simulated.control("DELETE", "faults")


def vm(**properties: Any) -> dict[str, Any]:
    """A VM's body with what every VM has."""
    profile = {"osDisk": {"managedDisk": {"id": f"{BASE}/Microsoft.Compute/disks/OS"}}, "dataDisks": []}
    usual = {"vmId": "ABCD-1", "storageProfile": profile, "provisioningState": "Succeeded"}
    return {
        "id": f"{BASE}/Microsoft.Compute/virtualMachines/Odd-1",
        "name": "Odd-1",
        "type": "Microsoft.Compute/virtualMachines",
        "location": "West Europe",
        "tags": None,
        "properties": {**usual, **properties},
    }


def disk(name: str, tags: Mapping[str, str] | None = None) -> dict[str, Any]:
    place = f"{BASE}/Microsoft.Compute/disks/{name}"
    return {"id": place, "location": "westeurope", "tags": tags, "properties": {"uniqueId": f"{name}-UID"}}


def attached(*disks: dict[str, Any]) -> Attachments:
    return Attachments({each["id"].lower(): seen_disk(each, "backup") for each in disks}, {}, {})


def test_names_of_azure_are_read_whatever_their_case_and_missing_tags_are_none() -> None:
    seen = brief(vm(), LOOK)
    assert (seen.uid, seen.name, seen.shard.region, seen.tags) == ("abcd-1", "Odd-1", "westeurope", {})
    assert seen.id.group == "odd"


def test_disks_that_no_snapshot_can_take_are_named_with_their_place() -> None:
    profile = {
        "osDisk": {"diffDiskSettings": {"option": "Local"}, "managedDisk": {"id": f"{BASE}/Microsoft.Compute/disks/e"}},
        "dataDisks": [{"lun": 7, "vhd": {"uri": "https://x.blob.core.windows.net/v/d.vhd"}}],
    }
    seen = brief(vm(storageProfile=profile), LOOK)
    assert seen.disks == ()
    assert seen.unsupported == (
        "OS disk is ephemeral (lives on the host only)",
        "data disk LUN 7 is unmanaged (a VHD in a storage account)",
    )


def test_an_unmanaged_os_disk_is_named() -> None:
    seen = brief(vm(storageProfile={"osDisk": {"vhd": {"uri": "https://x/y"}}}), LOOK)
    assert seen.unsupported == ("OS disk is unmanaged (a VHD in a storage account)",)


@pytest.mark.parametrize("profile", [{}, {"osDisk": {"name": "os"}}, {"osDisk": {"managedDisk": {"id": None}}}])
def test_a_machine_whose_disks_are_being_made_is_incomplete(profile: dict[str, Any]) -> None:
    with pytest.raises(Incomplete):
        brief(vm(storageProfile=profile), LOOK)


def test_a_machine_without_an_identity_yet_is_incomplete() -> None:
    with pytest.raises(Incomplete):
        brief(vm(vmId=None), LOOK)


def test_an_instance_of_a_scale_set_is_known() -> None:
    assert brief(vm(virtualMachineScaleSet={"id": "/x"}), LOOK).scale_set


@pytest.mark.parametrize(
    ("tags", "left_out"),
    [
        (None, ""),
        ({"Backup": " OFF "}, "tagged backup = off"),
        ({"backup": "silver"}, ""),
        ({"backup-at": "off"}, ""),
    ],
)
def test_a_disk_is_left_out_by_its_own_tag(tags: dict[str, str] | None, left_out: str) -> None:
    [seen] = complete(seen_vm(vm(), LOOK), attached(disk("OS", tags))).disks
    assert (seen.uid, seen.left_out) == ("os-uid", left_out)


def test_a_machine_with_a_disk_that_is_not_seen_is_incomplete() -> None:
    with pytest.raises(Incomplete, match="OS disk"):
        complete(seen_vm(vm(), LOOK), attached(disk("other")))


def test_a_row_that_is_listed_twice_is_there_once() -> None:
    seen = seen_vm(vm(), LOOK)
    script = b'{"name":"Script"}'
    parts = Attachments(attached(disk("OS")).disks, {}, {str(seen.brief.id): [script, script]})
    assert complete(seen, parts).model["extensions"] == [{"name": "Script"}]


def test_the_model_stays_the_same_while_the_machine_does() -> None:
    parts = attached(disk("OS"))
    first = complete(seen_vm(vm(), LOOK), parts).model
    lively = vm(provisioningState="Updating", instanceView={"x": 1}, extended={"instanceView": {}})
    lively.update(type="microsoft.compute/virtualmachines", etag="7")
    assert complete(seen_vm(lively, LOOK), parts).model == first
    assert complete(seen_vm(vm(licenseType="Windows_Server"), LOOK), parts).model != first
    assert json.loads(json.dumps(dict(first))) == first


def test_interfaces_and_extensions_are_in_the_model_by_either_lens(
    faults: Running, cloud: SimulatedCloud, inventory: AzureInventory, region: str
) -> None:
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Odd"
    faults.ask("PUT", group, {"location": region})
    network = f"{group}/providers/Microsoft.Network"
    subnet = {"name": "default", "properties": {"addressPrefix": "10.0.0.0/24"}}
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]}
    faults.put_done(f"{network}/virtualNetworks/{region}", {"location": region, "properties": space})
    place = {"subnet": {"id": f"{network}/virtualNetworks/{region}/subnets/default"}}
    addresses = {"ipConfigurations": [{"name": "one", "properties": place}]}
    card = f"{network}/networkInterfaces/Card-{region}"
    faults.put_done(card, {"location": region, "properties": addresses})
    body: dict[str, Any] = body_of("x", region, {})
    body["properties"]["networkProfile"] = {"networkInterfaces": [{"id": card}]}
    machine = f"{group}/providers/Microsoft.Compute/virtualMachines/{region}"
    faults.put_done(machine, body)
    kind = {"publisher": "Microsoft.Azure.Extensions", "type": "CustomScript", "typeHandlerVersion": "2.1"}
    faults.put_done(f"{machine}/extensions/Script", {"location": region, "properties": kind})
    cloud.settle()
    whole = inventory.examine(ResourceId.parse(machine))
    assert isinstance(whole, Sighting)
    [seen] = inventory.shard(cloud.shard).values()
    assert seen.model == whole.model
    model: Any = seen.model
    assert [each["name"] for each in model["interfaces"]] == [f"Card-{region}"]
    assert [each["name"].rpartition("/")[2] for each in model["extensions"]] == ["Script"]
    assert model["interfaces_not_seen"] == []
    denied = {"match": {"operation": "Microsoft.Network/networkInterfaces/read"}, "effect": {"status": 403}}
    faults.control("POST", "faults", denied)
    unread = inventory.examine(ResourceId.parse(machine))
    assert isinstance(unread, Sighting)
    assert (unread.model["interfaces"], unread.model["interfaces_not_seen"]) == ([], [card.lower()])


def test_a_machine_that_is_being_made_is_a_conflict_to_a_look(
    simulated: Running, inventory: AzureInventory, region: str
) -> None:
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Odd"
    simulated.ask("PUT", group, {"location": region})
    machine = f"{group}/providers/Microsoft.Compute/virtualMachines/{region}"
    assert simulated.ask("PUT", machine, body_of("x", region, {})).status == 201
    for see in (inventory.look, inventory.examine):
        with pytest.raises(Conflict):
            see(ResourceId.parse(machine))


def test_what_the_bulk_lens_does_not_show_whole_is_left_out(
    simulated: Running, cloud: SimulatedCloud, inventory: AzureInventory, region: str
) -> None:
    first = cloud.machine(f"{region}-1", {})
    cloud.settle()
    late = cloud.machine(f"{region}-2", {})
    seen = inventory.shard(cloud.shard)
    assert {each.id for each in seen.values()} <= {first, late}
    assert first in {each.id for each in seen.values()}
    assert all(disk.uid for each in seen.values() for disk in each.disks)


def test_every_page_is_read_and_queries_keep_to_their_pace(
    simulated: Running, cloud: SimulatedCloud, inventory: AzureInventory, simulator_clock: SimulatedClock, region: str
) -> None:
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Many"
    simulated.ask("PUT", group, {"location": region})
    names = {f"{region}-{number}" for number in range(9)}
    for name in names:
        path = f"{group}/providers/Microsoft.Compute/virtualMachines/{name}"
        assert simulated.ask("PUT", path, body_of(name, region, {})).status == 201
    cloud.settle()
    simulated.control("DELETE", "calls")
    assert {seen.name for seen in inventory.shard(cloud.shard).values()} == names
    calls = [call for call in simulated.control("GET", "calls") if "resourcegraph" in call["path"].lower()]
    assert len(calls) == 18  # 9 machines with 3 disks each, 2 rows a page
    assert {call["status"] for call in calls} == {200}
    assert simulator_clock.slept


@pytest.mark.parametrize(
    "body",
    [
        {"totalRecords": 9, "count": 0, "data": [], "resultTruncated": "true"},
        {"totalRecords": 0, "count": 0, "resultTruncated": "false"},
    ],
)
def test_a_list_that_is_cut_off_is_an_error_and_never_a_short_list(
    faults: Running, inventory: AzureInventory, body: Mapping[str, Any]
) -> None:
    rule = {"match": {"operation": "Microsoft.ResourceGraph/resources/*"}, "effect": {"status": 200, "body": body}}
    faults.control("POST", "faults", rule)
    with pytest.raises(Unavailable):
        list(inventory.fleet([SUBSCRIPTION]))


@pytest.mark.parametrize("text", ["a'b", 'a"b', "a\\b", "a\nb"])
def test_nothing_leaves_the_quotes_of_a_query(text: str) -> None:
    with pytest.raises(Refused):
        literal(text)


def test_what_is_created_is_incremental_and_private_and_sent_once(
    simulated: Running, cloud: SimulatedCloud, manager: tuple[Arm, HeardPace], graph: Graph, inventory: AzureInventory
) -> None:
    machine = inventory.examine(cloud.machine(f"vm-{cloud.shard.region}", {}))
    assert isinstance(machine, Sighting)
    snapshots = AzureSnapshots(manager[0], graph, Recovery("Tagback-{region}", "tagback-test"))
    snapshots.prepare(cloud.shard)
    place = snapshots.place(cloud.shard, "tb-1")
    simulated.control("DELETE", "calls")
    snapshots.create(SnapshotOrder(place, machine.disks[1].id, cloud.shard, {"tagback-lun": "3"}))
    assert [call["method"] for call in simulated.control("GET", "calls") if "/_sim/" not in call["path"]] == ["PUT"]
    simulated.advance(60)
    made = simulated.ask("GET", str(place)).body
    properties = made["properties"]
    assert (properties["incremental"], properties["creationData"]["createOption"]) == (True, "Copy")
    assert (properties["networkAccessPolicy"], properties["publicNetworkAccess"]) == ("DenyAll", "Disabled")
    assert properties["creationData"]["sourceUniqueId"] == machine.disks[1].uid
    assert (made["tags"], made["location"]) == ({"tagback-lun": "3"}, cloud.shard.region)


def test_a_recovery_group_is_tagged_as_ours_and_one_that_is_there_is_left_alone(
    simulated: Running, cloud: SimulatedCloud, manager: tuple[Arm, HeardPace], graph: Graph
) -> None:
    snapshots = AzureSnapshots(manager[0], graph, Recovery("Tagback-{region}", "tagback-test"))
    snapshots.prepare(cloud.shard)
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/tagback-{cloud.shard.region}"
    made = simulated.ask("GET", path).body
    assert (made["location"], made["tags"]) == (cloud.shard.region, {"tagback-owner": "tagback-test"})
    simulated.ask("PATCH", path, {"tags": {"mine": "too"}})
    snapshots.prepare(cloud.shard)
    assert simulated.ask("GET", path).body["tags"] == {"mine": "too"}
