"""Bodies of a restore compared whole: nothing goes to Azure that is not here, and nothing that is here is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.decide import blueprint
from shared.decide.drawing import Piece, group_of, made_name
from shared.model.restore import ArmPath, RestoreMode
from tests.decide.test_blueprint import (
    ADDRESS,
    APPS,
    CARD,
    DISK_BODIES,
    DISKS,
    GROUP,
    GUARD,
    IDENTITY,
    MACHINE,
    MODEL,
    NET,
    POOL,
    SET,
    SOURCES,
    SUBNET,
    drawing,
)
from tests.fleet import RULES

OURS = {
    "tagback-owner": "tagback-test",
    "tagback-restore": "r1",
    "tagback-restored-slot": "20261120T1200Z",
    "tagback-expires": "20261120T1200Z",
}
OTHER_SUBNET = f"{NET}/virtualNetworks/other/subnets/b"
BESIDE = f"{NET}/networkInterfaces/{made_name('r1', f'interface|{CARD.lower()}')}"
ALONE = f"{NET}/networkInterfaces/{made_name('r1', 'interface|')}"
SYSTEM, DATA = (f"{DISKS}/{made_name('r1', f'disk|{source.disk}|{source.lun}')}" for source in SOURCES)
UNSEEN = {**MODEL, "interfaces": []}
BARE = {**MODEL, "vm": {**MACHINE, "properties": {**MACHINE["properties"], "networkProfile": {}}}}  # type: ignore[dict-item] # bodies are open


def test_disks_lie_beside_the_machine_in_its_region_with_the_tags_they_had() -> None:
    model = {**MODEL, "disks": [{**DISK_BODIES[0], "tags": {"Env": "prod"}}, *DISK_BODIES[1:]]}
    private = {"networkAccessPolicy": "DenyAll", "publicNetworkAccess": "Disabled"}
    system, data = blueprint.disks(drawing(model=model))
    assert system == Piece(
        ArmPath(SYSTEM),
        {
            "location": "westeurope",
            "sku": {"name": "Premium_LRS"},
            "zones": ["1"],
            "tags": {**OURS, "Env": "prod"},
            "properties": {
                "osType": "Linux",
                "hyperVGeneration": "V2",
                "tier": "P10",
                "creationData": {"createOption": "Copy", "sourceResourceId": str(SOURCES[0].snapshot)},
                **private,
            },
        },
    )
    assert (data.id, data.body["tags"], data.body["sku"]) == (DATA, OURS, {"name": "UltraSSD_LRS"})


def test_tags_are_ours_first_then_the_operators_then_as_many_of_the_captured_ones_as_there_is_room_for() -> None:
    rules = replace(RULES, extra_tags={"Team": "storage", "TagBack-Owner": "somebody"})
    drawn = replace(drawing(), rules=rules)
    assert drawn.tags({"tags": {"team": "web", "Env": "prod"}}) == {**OURS, "Team": "storage", "Env": "prod"}
    body = {"tags": {f"tag-{number:02}": "x" for number in range(41)}}
    many = drawn.tags(body)
    assert (len(many), list(many)[-1], drawn.left_out(body)) == (44, "tag-38", ("tag-39", "tag-40"))
    assert drawn.left_out({"tags": dict(list(body["tags"].items())[:39])}) == ()
    assert drawn.captured.disk(SOURCES[0].snapshot) is None


def test_the_group_of_a_thing_is_where_its_id_begins() -> None:
    assert group_of(f"{DISKS}/os") == GROUP
    assert group_of(f"{DISKS}/os".upper()) == GROUP.upper()
    assert group_of(GROUP) == GROUP
    assert group_of(f"{DISKS}/os/providers/Microsoft.Insights/diagnosticSettings/d") == GROUP
    assert group_of("/providers/Microsoft.Management/managementGroups/m") == ""  # in none


def addressed(**properties: Any) -> dict[str, Any]:
    return {"ipConfigurations": [{"name": "one", "properties": properties}]}


FIXED = {"privateIPAllocationMethod": "Static", "privateIPAddress": "10.0.0.7"}
MOVING = {"privateIPAllocationMethod": "Dynamic"}
CONFIGURED = {"primary": True, "privateIPAddressVersion": "IPv4", "subnet": {"id": SUBNET}}
SET_UP = {
    "enableAcceleratedNetworking": True,
    "enableIPForwarding": False,
    "dnsSettings": {"dnsServers": ["10.0.0.4"]},
    "networkSecurityGroup": {"id": GUARD},
}
MEMBER = {"applicationSecurityGroups": [{"id": APPS}]}
IN_ITS_PLACE = {"publicIPAddress": {"id": ADDRESS}, **MEMBER, "loadBalancerBackendAddressPools": [{"id": POOL}]}


@pytest.mark.parametrize(
    ("mode", "known", "place", "address"),
    [
        (RestoreMode.NEW, {}, BESIDE, {**CONFIGURED, **MOVING, **MEMBER}),
        (RestoreMode.NEW, {"subnet": OTHER_SUBNET}, BESIDE, {**CONFIGURED, "subnet": {"id": OTHER_SUBNET}, **MOVING}),
        (RestoreMode.REBUILD, {"absent": (ArmPath(CARD),)}, CARD, {**CONFIGURED, **FIXED, **IN_ITS_PLACE}),
    ],
    ids=["beside", "on another subnet", "in its place"],
)
def test_an_interface_is_made_as_the_captured_one_was(
    mode: RestoreMode, known: dict[str, Any], place: str, address: dict[str, Any]
) -> None:
    [made] = blueprint.interfaces(drawing(mode, **known))
    properties = {**SET_UP, **addressed(**address)}
    assert made == Piece(
        ArmPath(place), {"location": "westeurope", "tags": {**OURS, "Env": "prod"}, "properties": properties}
    )
    assert blueprint.interface_places(drawing(mode, **known)) == (place,)


def test_an_interface_that_nobody_captured_is_a_plain_one_on_the_chosen_subnet() -> None:
    unknown = drawing(model=UNSEEN, absent=(ArmPath(CARD),), subnet=SUBNET)
    address = {"subnet": {"id": SUBNET}, "privateIPAllocationMethod": "Dynamic", "primary": True}
    properties = {"ipConfigurations": [{"name": "restored", "properties": address}]}
    assert blueprint.interfaces(unknown) == (
        Piece(ArmPath(ALONE), {"location": "westeurope", "tags": OURS, "properties": properties}),
    )


def test_a_machine_is_compared_whole() -> None:
    made = blueprint.machine(drawing())
    assert made == Piece(
        ArmPath(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/Web-1"),
        {
            "location": "westeurope",
            "zones": ["1"],
            "plan": {"name": "p"},
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
            "tags": {**OURS, "Env": "prod", "backup": "off"},
            "properties": {
                "licenseType": "RHEL_BYOS",
                "whatAzureAddsLater": {"kept": True},
                "availabilitySet": {"id": SET},
                "storageProfile": {
                    "diskControllerType": "SCSI",
                    "osDisk": {
                        "osType": "Linux",
                        "name": SYSTEM.rsplit("/", 1)[-1],
                        "createOption": "Attach",
                        "caching": "ReadWrite",
                        "managedDisk": {"id": SYSTEM},
                    },
                    "dataDisks": [
                        {
                            "lun": 3,
                            "name": DATA.rsplit("/", 1)[-1],
                            "createOption": "Attach",
                            "caching": "ReadOnly",
                            "writeAcceleratorEnabled": True,
                            "deleteOption": "Delete",
                            "managedDisk": {"id": DATA},
                        }
                    ],
                },
                "networkProfile": {
                    "networkInterfaces": [{"id": CARD, "properties": {"primary": True, "deleteOption": "Delete"}}]
                },
            },
        },
    )


def test_data_disks_are_attached_in_the_order_of_their_luns() -> None:
    eleventh, second = (replace(SOURCES[1], lun=lun) for lun in (10, 2))
    made = blueprint.machine(drawing(sources=(eleventh, SOURCES[0], SOURCES[1], second)))
    assert [each["lun"] for each in made.body["properties"]["storageProfile"]["dataDisks"]] == [2, 3, 10]


@pytest.mark.parametrize(
    ("primary", "after"),
    [
        (({"primary": True}, {}), ({"primary": True}, {})),
        (({}, {"primary": True}), ({}, {"primary": True})),
        (({"primary": False}, {"deleteOption": "Detach"}), ({"primary": True}, {"deleteOption": "Detach"})),
        ((None, None), ({"primary": True}, {})),
    ],
    ids=["first", "second", "none", "nothing said"],
)
def test_the_machine_names_one_primary_interface_and_keeps_the_rest_of_its_profile(
    primary: tuple[Any, Any], after: tuple[Any, Any]
) -> None:
    places = [f"{NET}/networkInterfaces/card-{number}" for number in (1, 2)]
    said = [{"id": place, "properties": each} for place, each in zip(places, primary, strict=True)]
    profile = {"networkApiVersion": "2022-11-01", "networkInterfaces": said}
    vm = {**MACHINE, "properties": {**MACHINE["properties"], "networkProfile": profile}}  # type: ignore[dict-item] # bodies are open
    made = blueprint.machine(drawing(model={**MODEL, "vm": vm}))
    cards = [{"id": place, "properties": each} for place, each in zip(places, after, strict=True)]
    assert made.body["properties"]["networkProfile"] == {
        "networkApiVersion": "2022-11-01",
        "networkInterfaces": cards,
    }


def test_a_machine_without_any_interface_has_none_until_a_subnet_is_chosen() -> None:
    without = blueprint.machine(drawing(model=BARE))
    assert without.body["properties"]["networkProfile"] == {"networkInterfaces": []}
    chosen = blueprint.machine(drawing(model=BARE, subnet=SUBNET))
    assert chosen.body["properties"]["networkProfile"] == {
        "networkInterfaces": [{"id": ALONE, "properties": {"primary": True}}]
    }


LOOKED_FOR = (SET, IDENTITY, GUARD, ADDRESS, APPS, POOL.partition("/backendAddressPools")[0])


@pytest.mark.parametrize(
    ("mode", "subnet", "places"),
    [
        (RestoreMode.NEW, "", LOOKED_FOR),
        (RestoreMode.REBUILD, "", (*LOOKED_FOR, CARD)),
        (RestoreMode.REBUILD, OTHER_SUBNET, LOOKED_FOR),
        (RestoreMode.IN_PLACE, "", ()),
        (RestoreMode.DRILL, "", ()),
    ],
)
def test_what_is_looked_for_is_what_the_machine_would_refer_to(
    mode: RestoreMode, subnet: str, places: tuple[str, ...]
) -> None:
    assert blueprint.needed(drawing(mode, subnet=subnet)) == places


STAYS = "it stays with the machine that has it"
NOT_BESIDE = "not for a machine beside the other, nor in another network"
OF_THE_MACHINE = (
    "disk scratch: it is not in the point",
    "what the OS profile said (patch settings, update mode): the guest on the disk keeps its accounts and its name",
    "the system-assigned identity: a machine made again gets another one; grant its roles anew",
)
EXTENSION = "extension agent: install it anew; Azure keeps its secrets"
OF_THE_CARD = (
    f"public IP address ip of Web-1-nic: {STAYS}",
    f"load balancer's pool all of Web-1-nic: {NOT_BESIDE}",
)
GONE = (ArmPath(POOL.partition("/backendAddressPools")[0]),)


@pytest.mark.parametrize(
    ("mode", "known", "told"),
    [
        (RestoreMode.NEW, {}, (*OF_THE_MACHINE, *OF_THE_CARD, EXTENSION)),
        (RestoreMode.REBUILD, {}, (*OF_THE_MACHINE, EXTENSION)),
        (RestoreMode.REBUILD, {"absent": GONE}, (*OF_THE_MACHINE, EXTENSION)),
        (
            RestoreMode.REBUILD,
            {"absent": (*GONE, ArmPath(CARD))},
            (
                *OF_THE_MACHINE,
                "load balancer's pool all of Web-1-nic: it is gone, elsewhere, or another has it",
                EXTENSION,
            ),
        ),
        (
            RestoreMode.REBUILD,
            {"model": UNSEEN, "absent": (ArmPath(CARD),), "subnet": SUBNET},
            (*OF_THE_MACHINE, EXTENSION),
        ),
        (RestoreMode.DRILL, {}, ()),
    ],
    ids=["beside", "in its place", "interface kept", "interface made again", "interface unknown", "drill"],
)
def test_everything_that_cannot_come_back_is_told_once_and_in_order(
    mode: RestoreMode, known: dict[str, Any], told: tuple[str, ...]
) -> None:
    assert blueprint.lacking(drawing(mode, **known)) == told
