"""What stands around a machine comes back with it: place, group, network, identities, keys, tags."""

from __future__ import annotations

from typing import Any

import pytest

from shared.model.request import Progress
from shared.model.restore import RestoreMode, RestoreOrder
from tests.restore.estate import NET, ROUNDS, VM, Estate, Wanted, disks_of

HERE = {"location": "westeurope"}
PLACES: dict[str, dict[str, Any]] = {"zone": {"zones": ["2"]}, "availability set": {}}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("mode", [RestoreMode.REBUILD, RestoreMode.NEW])
def test_zone_availability_set_group_security_and_licence_come_back(
    estate: Estate, place: str, mode: RestoreMode
) -> None:
    estate.ask("PUT", f"{estate.compute}/proximityPlacementGroups/near", HERE, VM)
    security = {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True}}
    extra: dict[str, Any] = {
        "proximityPlacementGroup": {"id": f"{estate.compute}/proximityPlacementGroups/near"},
        "licenseType": "RHEL_BYOS",
        "securityProfile": security,
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
    }
    if place == "availability set":
        pair = {**HERE, "sku": {"name": "Aligned"}, "properties": {"platformFaultDomainCount": 2}}
        estate.ask("PUT", f"{estate.compute}/availabilitySets/pair", pair, VM)
        extra["availabilitySet"] = {"id": f"{estate.compute}/availabilitySets/pair"}
    machine = estate.machine(Wanted(properties=extra, top=PLACES[place]))
    [row], before, held = estate.protected(machine), estate.body(machine), estate.contents(machine)
    if mode is RestoreMode.REBUILD:
        estate.delete(machine)
    done = estate.restored(row, RestoreOrder(mode))
    assert done.progress is Progress.DONE, done
    copy = before["id"] if mode is RestoreMode.REBUILD else f"{before['id']}-restored"
    after = estate.body(copy)
    assert estate.contents(copy) == held
    assert after.get("zones") == before.get("zones")
    for name in extra:
        assert str(after["properties"][name]).lower() == str(before["properties"][name]).lower(), name
    for disk in disks_of(after).values():
        assert estate.ask("GET", disk).get("zones") == before.get("zones")


def test_another_group_name_and_network(estate: Estate) -> None:
    machine = estate.machine(Wanted())
    [row], held = estate.protected(machine), estate.contents(machine)
    other = estate.group.replace("Web", "Rescue")
    estate.ask("PUT", other, HERE, "2024-11-01")
    order = RestoreOrder(RestoreMode.NEW, group="Rescue", name="Saved-1", subnet=estate.subnet("b"))
    done = estate.restored(row, order)
    assert done.progress is Progress.DONE, done
    copy = f"{other}/providers/Microsoft.Compute/virtualMachines/Saved-1"
    body = estate.body(copy)
    assert (body["name"], estate.contents(copy)) == ("Saved-1", held)
    assert all(place.startswith(other) for place in disks_of(body).values())
    [card] = body["properties"]["networkProfile"]["networkInterfaces"]
    address = estate.ask("GET", card["id"], version=NET)["properties"]["ipConfigurations"][0]["properties"]
    assert address["subnet"]["id"] == estate.subnet("b")


def test_protection_comes_back_only_when_asked_for(estate: Estate) -> None:
    machine = estate.machine(Wanted(tags={"Backup": "gold", "backup-keep": "9d", "Env": "prod"}))
    [row] = estate.protected(machine)
    estate.delete(machine)
    done = estate.restored(row, RestoreOrder(RestoreMode.REBUILD, protect=True))
    assert done.progress is Progress.DONE, done
    tags = {name.lower(): value for name, value in estate.body(machine)["tags"].items()}
    assert (tags["backup"], tags["backup-keep"]) == ("gold", "9d")


def test_an_interface_that_is_gone_is_made_again_under_its_name(estate: Estate) -> None:
    machine = estate.machine(Wanted())
    [row], before = estate.protected(machine), estate.body(machine)
    card = before["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
    estate.delete(machine)
    estate.ask("DELETE", card, version=NET)
    estate.running.advance(30)
    done = estate.restored(row, RestoreOrder(RestoreMode.REBUILD))
    assert done.progress is Progress.DONE, done
    made = estate.ask("GET", card, version=NET)
    assert made["properties"]["virtualMachine"]["id"].lower() == str(machine)
    assert made["tags"]["tagback-restore"] == done.id


def test_a_point_of_a_fast_disk_is_complete_only_once_azure_lets_disks_be_made_of_it(estate: Estate) -> None:
    fast = {"storageAccountType": "PremiumV2_LRS"}
    data = {"lun": 1, "createOption": "Empty", "diskSizeGB": 256, "caching": "None", "managedDisk": fast}
    machine = estate.machine(Wanted(disks=1, data=(data,), top={"zones": ["1"]}))
    [row] = estate.protected(machine)
    assert row.last_point is None, "its data is copied in the background still"
    [held] = estate.contents(machine)
    for _ in range(ROUNDS):
        if estate.row(machine).last_point:
            break
        estate.captured()
    done = estate.carried(estate.asked(estate.row(machine), RestoreOrder(RestoreMode.DISKS)), most=12)[0]
    assert done.progress is Progress.DONE, done
    assert done.restore is not None
    state = estate.state()
    assert [state[place.lower()]["content"] for place in done.restore.makes] == list(held.values())


def test_a_customers_key_goes_with_the_disks(estate: Estate) -> None:
    place = f"{estate.compute}/diskEncryptionSets/keys"
    key = {
        "keyUrl": "https://vault.example/keys/k/1",
        "sourceVault": {"id": f"{estate.group}/providers/Microsoft.KeyVault/vaults/v"},
    }
    body = {**HERE, "identity": {"type": "SystemAssigned"}, "properties": {"activeKey": key}}
    estate.ask("PUT", place, body, "2024-03-02")
    estate.running.advance(60)
    machine = estate.machine(Wanted(disks=2))
    for disk in disks_of(estate.body(machine)).values():
        encryption = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": place}
        estate.ask("PATCH", disk, {"properties": {"encryption": encryption}})
    estate.running.advance(60)
    [row] = estate.protected(machine)
    estate.delete(machine)
    done = estate.restored(row, RestoreOrder(RestoreMode.REBUILD))
    assert done.progress is Progress.DONE, done
    for disk in disks_of(estate.body(machine)).values():
        assert estate.ask("GET", disk)["properties"]["encryption"]["diskEncryptionSetId"].lower() == place.lower()
