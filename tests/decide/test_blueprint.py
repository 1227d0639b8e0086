"""What a restore makes: bodies by subtraction, interfaces, disks, names, and what is told to be lacking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.decide import blueprint
from shared.decide.drawing import Captured, Drawing
from shared.decide.restored_disks import attachment, captured_at, disk_body
from shared.decide.restored_network import Network, interface_body, lacking, needs, owner
from shared.decide.subtraction import at, subtracted, without
from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.request import Asked, Progress, Request
from shared.model.restore import ArmPath, Restore, RestoreMode, RestoreOrder, Source, Stage
from tests.fleet import RULES

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GROUP = "/subscriptions/s/resourceGroups/Web"
NET = f"{GROUP}/providers/Microsoft.Network"
DISKS = f"{GROUP}/providers/Microsoft.Compute/disks"
SUBNET = f"{NET}/virtualNetworks/net/subnets/a"
POOL = f"{NET}/loadBalancers/front/backendAddressPools/all"
GUARD, ADDRESS, APPS = (
    f"{NET}/networkSecurityGroups/guard",
    f"{NET}/publicIPAddresses/ip",
    f"{NET}/applicationSecurityGroups/web",
)
CARD = f"{NET}/networkInterfaces/Web-1-nic"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app"
SET = f"{GROUP}/providers/Microsoft.Compute/availabilitySets/pair"
EVERYTHING = frozenset[str]()

INTERFACE = {
    "id": CARD,
    "name": "Web-1-nic",
    "tags": {"Env": "prod"},
    "properties": {
        "enableAcceleratedNetworking": True,
        "enableIPForwarding": False,
        "macAddress": "00-11",
        "dnsSettings": {"dnsServers": ["10.0.0.4"], "internalDomainNameSuffix": "x"},
        "networkSecurityGroup": {"id": GUARD},
        "ipConfigurations": [
            {
                "name": "one",
                "properties": {
                    "primary": True,
                    "privateIPAddress": "10.0.0.7",
                    "privateIPAllocationMethod": "Static",
                    "privateIPAddressVersion": "IPv4",
                    "subnet": {"id": SUBNET},
                    "publicIPAddress": {"id": ADDRESS},
                    "applicationSecurityGroups": [{"id": APPS}],
                    "loadBalancerBackendAddressPools": [{"id": POOL}],
                },
            }
        ],
    },
}
MACHINE = {
    "id": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/Web-1",
    "name": "Web-1",
    "type": "microsoft.compute/virtualmachines",
    "location": "westeurope",
    "zones": ["1"],
    "plan": {"name": "p"},
    "tags": {"Backup": "gold", "tagback-restore": "old", "Env": "prod"},
    "identity": {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {IDENTITY: {"principalId": "x"}}},
    "properties": {
        "vmId": "uid-1",
        "licenseType": "RHEL_BYOS",
        "whatAzureAddsLater": {"kept": True},
        "osProfile": {"computerName": "web-1"},
        "availabilitySet": {"id": SET},
        "storageProfile": {
            "imageReference": {"offer": "x"},
            "diskControllerType": "SCSI",
            "osDisk": {
                "osType": "Linux",
                "name": "os",
                "createOption": "FromImage",
                "caching": "ReadWrite",
                "diskSizeGB": 30,
                "managedDisk": {"id": f"{DISKS}/os"},
            },
            "dataDisks": [
                {
                    "lun": 3,
                    "name": "data",
                    "caching": "ReadOnly",
                    "writeAcceleratorEnabled": True,
                    "deleteOption": "Delete",
                    "managedDisk": {"id": f"{DISKS}/data"},
                }
            ],
        },
        "networkProfile": {
            "networkInterfaces": [{"id": CARD, "properties": {"primary": True, "deleteOption": "Delete"}}]
        },
    },
}
DISK_BODIES = (
    {
        "id": f"{DISKS}/os",
        "name": "os",
        "sku": {"name": "Premium_LRS"},
        "zones": ["1"],
        "properties": {"osType": "Linux", "hyperVGeneration": "V2", "tier": "P10", "uniqueId": "u", "maxShares": 1},
    },
    {
        "id": f"{DISKS}/data",
        "name": "data",
        "sku": {"name": "UltraSSD_LRS"},
        "properties": {
            "diskIOPSReadWrite": 900,
            "burstingEnabled": True,
            "tier": "P10",
            "encryption": {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": "/keys"},
        },
    },
    {"id": f"{DISKS}/scratch", "name": "scratch", "properties": {}},
)
MODEL = {"vm": MACHINE, "disks": DISK_BODIES, "interfaces": [INTERFACE], "extensions": [{"name": "agent"}]}
SOURCES = tuple(
    Source(
        ResourceId("s", "tagback-we", "microsoft.compute/snapshots", f"tb-{name}"),
        ResourceId.parse(f"{DISKS}/{name}"),
        lun,
    )
    for name, lun in (("os", None), ("data", 3))
)


def drawing(
    mode: RestoreMode = RestoreMode.REBUILD, model: Mapping[str, Any] = MODEL, subnet: str = "", **known: Any
) -> Drawing:
    order = RestoreOrder(mode, subnet=subnet)
    name = "Web-1" if mode is RestoreMode.REBUILD else "Web-1-restored"
    restore = Restore(
        because="the newest",
        slot=NOW,
        lost_seconds=0,
        sources=SOURCES,
        model="m",
        makes=(),
        expires=NOW,
        started_at=NOW,
        machine=ArmPath(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"),
        stage=Stage.DISKS,
    )
    asked = Request("r1", Asked.RESTORE, Shard("s", "westeurope"), VmUid("uid-1"), "me", NOW, Progress.ASKED)
    return Drawing(asked, order, replace(restore, **known), Captured.of(model), RULES)


def test_what_is_not_named_in_the_table_goes_back_as_it_was() -> None:
    body = subtracted(MACHINE, EVERYTHING)
    assert body["properties"]["whatAzureAddsLater"] == {"kept": True}
    assert (body["zones"], body["plan"], body["properties"]["licenseType"]) == (["1"], {"name": "p"}, "RHEL_BYOS")
    assert body["properties"]["storageProfile"] == {"diskControllerType": "SCSI"}
    for gone in ("properties.vmId", "properties.osProfile", "properties.networkProfile", "id", "tags"):
        assert at(body, gone) is None


def test_identities_that_exist_come_back_and_the_systems_own_does_not() -> None:
    assert subtracted(MACHINE, EVERYTHING)["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": {IDENTITY: {}},
    }
    assert "identity" not in subtracted(MACHINE, frozenset({IDENTITY.lower()}))


def test_a_path_is_taken_out_and_its_neighbours_stay() -> None:
    assert without({"a": {"b": 1, "c": 2}}, "a.b") == {"a": {"c": 2}}
    assert without({"a": 1}, "a.b") == {"a": 1}
    assert without({"a": 1}, "x.y") == {"a": 1}


def test_a_machine_in_its_place_has_every_disk_and_its_own_interface() -> None:
    made = blueprint.machine(drawing())
    storage = made.body["properties"]["storageProfile"]
    system, [data] = storage["osDisk"], storage["dataDisks"]
    places = [piece.id for piece in blueprint.disks(drawing())]
    assert [system["managedDisk"]["id"], data["managedDisk"]["id"]] == places
    assert (system["osType"], system["createOption"], system["caching"]) == ("Linux", "Attach", "ReadWrite")
    assert "diskSizeGB" not in system
    assert (data["lun"], data["caching"], data["writeAcceleratorEnabled"], data["deleteOption"]) == (
        3,
        "ReadOnly",
        True,
        "Delete",
    )
    assert made.body["properties"]["networkProfile"]["networkInterfaces"] == [
        {"id": CARD, "properties": {"primary": True, "deleteOption": "Delete"}}
    ]
    assert blueprint.interfaces(drawing()) == ()


def test_a_restored_machine_is_out_of_backup_and_says_where_it_comes_from() -> None:
    tags = blueprint.machine(drawing()).body["tags"]
    assert (tags["backup"], tags["tagback-restore"], tags["Env"]) == ("off", "r1", "prod")
    assert tags["tagback-restored-slot"] == "20261120T1200Z"
    assert "Backup" not in tags


def test_names_follow_from_the_request_and_what_is_made() -> None:
    first, again = ([piece.id for piece in blueprint.disks(drawing())] for _ in range(2))
    assert first == again
    other = replace(drawing(), request=replace(drawing().request, id="r2"))
    assert not {piece.id for piece in blueprint.disks(other)} & set(first)
    undoing = replace(drawing(), request=replace(drawing().request, id="r9", operation="r1"))
    assert [piece.id for piece in blueprint.disks(undoing)] == first


def test_an_interface_that_is_gone_is_made_under_its_own_name_and_one_that_is_taken_under_another() -> None:
    [again] = blueprint.interfaces(drawing(absent=(ArmPath(CARD),)))
    assert again.id == CARD
    [other] = blueprint.interfaces(drawing(taken=(ArmPath(CARD),)))
    assert other.id.rsplit("/", 1)[-1].startswith("tb-")
    [place] = blueprint.interface_places(drawing(taken=(ArmPath(CARD),)))
    assert place == other.id


def test_an_interface_nobody_captured_is_used_where_it_is_and_replaced_on_a_chosen_subnet() -> None:
    unseen = {**MODEL, "interfaces": []}
    assert blueprint.interface_places(drawing(model=unseen)) == (CARD,)
    assert blueprint.interface_places(drawing(model=unseen, absent=(ArmPath(CARD),))) == ()
    [made] = blueprint.interfaces(drawing(model=unseen, absent=(ArmPath(CARD),), subnet=SUBNET))
    assert at(made.body, "properties.ipConfigurations")[0]["properties"]["subnet"] == {"id": SUBNET}
    machine = blueprint.machine(drawing(model=unseen, absent=(ArmPath(CARD),), subnet=SUBNET))
    [card] = machine.body["properties"]["networkProfile"]["networkInterfaces"]
    assert card == {"id": made.id, "properties": {"primary": True}}


def test_in_its_place_an_interface_has_its_address_its_groups_and_its_pools_again() -> None:
    body = interface_body(INTERFACE, Network(in_its_place=True, subnet="", gone=EVERYTHING))
    [one] = body["ipConfigurations"]
    assert (one["properties"]["privateIPAddress"], one["properties"]["privateIPAllocationMethod"]) == (
        "10.0.0.7",
        "Static",
    )
    assert one["properties"]["publicIPAddress"] == {"id": ADDRESS}
    assert one["properties"]["loadBalancerBackendAddressPools"] == [{"id": POOL}]
    assert body["networkSecurityGroup"] == {"id": GUARD}
    assert (body["dnsSettings"], body["enableAcceleratedNetworking"]) == ({"dnsServers": ["10.0.0.4"]}, True)
    assert "macAddress" not in body
    assert list(lacking(INTERFACE, Network(in_its_place=True, subnet="", gone=EVERYTHING))) == []


def test_beside_the_other_it_takes_neither_address_nor_traffic() -> None:
    beside = Network(in_its_place=False, subnet="", gone=EVERYTHING)
    [one] = interface_body(INTERFACE, beside)["ipConfigurations"]
    assert one["properties"]["privateIPAllocationMethod"] == "Dynamic"
    assert one["properties"]["applicationSecurityGroups"] == [{"id": APPS}]
    assert not {"publicIPAddress", "loadBalancerBackendAddressPools", "privateIPAddress"} & one["properties"].keys()
    told = " ".join(lacking(INTERFACE, beside))
    assert "public IP address ip" in told
    assert "load balancer's pool all" in told


def test_on_another_subnet_memberships_stay_behind() -> None:
    elsewhere = Network(in_its_place=True, subnet=SUBNET + "b", gone=EVERYTHING)
    [one] = interface_body(INTERFACE, elsewhere)["ipConfigurations"]
    assert one["properties"]["subnet"] == {"id": SUBNET + "b"}
    assert not {"applicationSecurityGroups", "loadBalancerBackendAddressPools"} & one["properties"].keys()


def test_what_is_no_more_is_left_out_with_its_whole_and_told() -> None:
    gone = frozenset(place.lower() for place in (GUARD, owner(POOL), ADDRESS, APPS))
    network = Network(in_its_place=True, subnet="", gone=gone)
    body = interface_body(INTERFACE, network)
    assert "networkSecurityGroup" not in body
    assert body["ipConfigurations"][0]["properties"].keys() == {
        "primary",
        "privateIPAddressVersion",
        "subnet",
        "privateIPAllocationMethod",
        "privateIPAddress",
    }
    assert len(list(lacking(INTERFACE, network))) == 4
    assert {what for what, _ in needs(INTERFACE)} >= {"subnet", "load balancer's pool"}


def test_a_disk_has_what_its_captured_self_needs_and_is_private() -> None:
    system = disk_body(SOURCES[0], DISK_BODIES[0], "westeurope")
    assert (system["sku"], system["zones"]) == ({"name": "Premium_LRS"}, ["1"])
    properties = system["properties"]
    assert (properties["osType"], properties["hyperVGeneration"], properties["tier"]) == ("Linux", "V2", "P10")
    assert (properties["networkAccessPolicy"], properties["publicNetworkAccess"]) == ("DenyAll", "Disabled")
    assert not {"uniqueId", "maxShares"} & properties.keys()
    data = disk_body(SOURCES[1], DISK_BODIES[1], "westeurope")["properties"]
    assert (data["diskIOPSReadWrite"], data["burstingEnabled"]) == (900, True)
    assert data["encryption"] == {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": "/keys"}


def test_without_a_model_a_disk_is_what_its_snapshot_says() -> None:
    bare = disk_body(SOURCES[0], None, "westeurope")
    assert bare.keys() == {"location", "properties"}
    assert at(bare, "properties.creationData.sourceResourceId") == str(SOURCES[0].snapshot)
    assert attachment(captured_at({}, None), ArmPath("/x/d"), None)["osType"] == "Linux"
    assert captured_at(MACHINE, 9) == {}


@pytest.mark.parametrize(("mode", "looked_for"), [(RestoreMode.REBUILD, True), (RestoreMode.NEW, False)])
def test_everything_that_is_referred_to_is_looked_for(mode: RestoreMode, looked_for: bool) -> None:
    found = blueprint.needed(drawing(mode))
    assert {SET, IDENTITY, GUARD, ADDRESS, APPS, owner(POOL)} <= set(found)
    assert (CARD in found) is looked_for
    assert not any("/subnets/" in place for place in found)
    assert blueprint.needed(drawing(RestoreMode.DISKS)) == ()


def test_what_cannot_come_back_is_told() -> None:
    told = " | ".join(blueprint.lacking(drawing(absent=(ArmPath(SET), ArmPath(IDENTITY)))))
    for said in (
        "disk scratch: it is not in the point",
        "system-assigned identity",
        "OS profile",
        "extension agent",
        "the availability set pair",
        "the identity app",
    ):
        assert said in told
    assert blueprint.lacking(drawing(RestoreMode.DISKS)) == ("disk scratch: it is not in the point",)


def test_tags_of_a_machine_that_find_no_room_are_told() -> None:
    found = drawing()
    own = {f"n{number:02}": "x" for number in range(50)}
    captured = replace(found.captured, machine={**found.captured.machine, "tags": own})
    told = blueprint.lacking(replace(found, captured=captured))
    assert [one for one in told if one.startswith("tag ")] == [
        f"tag n{number}: there is no room for it beside ours" for number in range(40, 50)
    ]
    assert len(blueprint.machine(replace(found, captured=captured)).body["tags"]) <= 45


def test_a_disk_that_the_machine_was_only_lent_is_missed_by_nobody() -> None:
    lent = {"id": f"{DISKS}/tb-lent", "name": "tb-lent", "tags": {"Tagback-Expires": "20261121T0200Z"}}
    found = drawing(RestoreMode.DISKS)
    captured = replace(found.captured, disks=(*found.captured.disks, lent))
    assert blueprint.lacking(replace(found, captured=captured)) == blueprint.lacking(found)


def test_what_may_be_made_is_known_beforehand_the_machine_first() -> None:
    beside = drawing(RestoreMode.NEW)
    made = blueprint.makes(beside)
    assert made[0] == beside.restore.machine
    assert [place.split("/")[-2] for place in made] == ["virtualMachines", "networkInterfaces", "disks", "disks"]
    assert len(blueprint.makes(drawing(RestoreMode.DISKS))) == 2


def test_a_drill_makes_a_machine_too_and_the_network_that_holds_it_apart() -> None:
    made = blueprint.makes(drawing(RestoreMode.DRILL))
    assert [place.split("/")[-2] for place in made] == [
        "virtualMachines",
        "networkInterfaces",
        "disks",
        "disks",
        "virtualNetworks",
        "networkSecurityGroups",
    ]
