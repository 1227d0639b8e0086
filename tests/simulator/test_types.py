"""Types that are rows: every one is created, read, listed, changed and deleted alike; and what a few add to that."""

from typing import Any

import pytest

from local.simulator import eras
from local.simulator.clock import parse_time
from tests.simulator.running import COMPUTE, GROUP, SUBSCRIPTION, Running, snapshot_body, snapshot_path

VM = f"{COMPUTE}/virtualMachines/vm1"
ALL = f"/subscriptions/{SUBSCRIPTION}/providers"
EVENT_GRID = f"{GROUP}/providers/Microsoft.EventGrid"
KEY = {"keyUrl": "https://vault.vault.azure.net/keys/k/1"}
IMAGE = {"osType": "Linux", "osState": "Generalized", "identifier": {"publisher": "p", "offer": "o", "sku": "s"}}
ROWS: list[tuple[str, str, dict[str, Any]]] = [
    ("Microsoft.Compute/availabilitySets", "2024-07-01", {"sku": {"name": "Aligned"}, "properties": {}}),
    ("Microsoft.Compute/proximityPlacementGroups", "2024-07-01", {"properties": {}}),
    ("Microsoft.Compute/hostGroups", "2024-07-01", {"properties": {"platformFaultDomainCount": 2}}),
    ("Microsoft.Compute/capacityReservationGroups", "2024-07-01", {}),
    ("Microsoft.Compute/sshPublicKeys", "2024-07-01", {"properties": {"publicKey": "ssh-rsa AAAA"}}),
    ("Microsoft.Compute/galleries", "2024-03-03", {"properties": {"description": "d"}}),
    ("Microsoft.Compute/diskEncryptionSets", "2024-03-02",
     {"identity": {"type": "SystemAssigned"}, "properties": {"activeKey": KEY}}),
    ("Microsoft.Compute/diskAccesses", "2024-03-02", {}),
    ("Microsoft.Compute/images", "2024-07-01",
     {"properties": {"storageProfile": {"osDisk": {"osType": "Linux", "osState": "Generalized",
                                                  "managedDisk": {"id": f"{COMPUTE}/disks/vm1-os"}}}}}),
    ("Microsoft.Compute/restorePointCollections", "2024-07-01", {"properties": {"source": {"id": VM}}}),
    ("Microsoft.EventGrid/topics", "2025-02-15", {"properties": {}}),
    ("Microsoft.EventGrid/domains", "2025-02-15", {"properties": {}}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "version", "body"), ROWS, ids=[row[0] for row in ROWS])
def test_a_type_is_created_read_listed_tagged_and_deleted(
    sim: Running, kind: str, version: str, body: dict[str, Any]
) -> None:
    path, query = f"{GROUP}/providers/{kind}/thing", f"?api-version={version}"
    assert sim.ask("GET", path + query).code == "ResourceNotFound"
    made = sim.ask("PUT", path + query, {"location": "westeurope", "tags": {"a": "b"}, **body})
    assert made.status in (200, 201, 202), made
    sim.advance(600)
    shown = sim.ask("GET", path + query).body
    assert (shown["name"], shown["tags"], shown["location"]) == ("thing", {"a": "b"}, "westeurope")
    assert shown["properties"].get("provisioningState", "Succeeded") == "Succeeded"
    for where in (f"{GROUP}/providers/{kind}", f"/subscriptions/{SUBSCRIPTION}/providers/{kind}"):
        assert [one["id"] for one in sim.ask("GET", where + query).body["value"]] == [shown["id"]]
    changed = sim.ask("PATCH", path + query, {"tags": {"c": "d"}})
    assert changed.status in (200, 201, 202), changed
    sim.advance(600)
    assert sim.ask("GET", path + query).body["tags"] == {"c": "d"}
    assert shown["id"] in [one["id"] for one in sim.ask("GET", f"{GROUP}/resources").body["value"]]
    assert sim.ask("DELETE", path + query).status in (200, 202)
    sim.advance(600)
    assert sim.ask("GET", path + query).status == 404
    assert sim.ask("DELETE", path + query).status == 204


UBUNTU = {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS", "version": "latest"}


@pytest.mark.parametrize(
    ("kind", "name", "head"),
    [
        ("availabilitySets", "availabilitySet", {"sku": {"name": "Aligned"}}),
        ("proximityPlacementGroups", "proximityPlacementGroup", {}),
    ],
)
def test_what_machines_belong_to_shows_them_and_stays(sim: Running, kind: str, name: str, head: dict[str, Any]) -> None:
    path = f"{COMPUTE}/{kind}/set"
    sim.put_done(path + "?api-version=2024-07-01", {"location": "westeurope", **head, "properties": {}})
    body = {
        "location": "westeurope",
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"}, name: {"id": path},
            "storageProfile": {"imageReference": UBUNTU, "osDisk": {"createOption": "FromImage"}},
            "osProfile": {"computerName": "new", "adminUsername": "me", "adminPassword": "Secret-12345678"},
            "networkProfile": {"networkInterfaces": []},
        },
    }  # fmt: skip
    made = sim.ask("PUT", f"{COMPUTE}/virtualMachines/new", body)
    shown = made.body["properties"][name]["id"].rsplit("/", 1)[-1]
    assert (made.status, shown) == (201, "SET" if kind == "availabilitySets" else "set")
    members = sim.ask("GET", path + "?api-version=2024-07-01").body["properties"]["virtualMachines"]
    assert [one["id"].rsplit("/", 1)[-1].lower() for one in members] == ["new"]
    assert sim.ask("DELETE", path + "?api-version=2024-07-01").status == 409


@pytest.mark.parametrize(
    ("above", "word", "computed"),
    [("hostGroups", "hosts", "hostId"), ("capacityReservationGroups", "capacityReservations", "reservationId")],
)
def test_hardware_kept_for_one_tenant_is_part_of_its_group(sim: Running, above: str, word: str, computed: str) -> None:
    version = "?api-version=2024-07-01"
    group, one = f"{COMPUTE}/{above}/kept", f"{COMPUTE}/{above}/kept/{word}/first"
    body: dict[str, Any] = {"location": "westeurope", "sku": {"name": "DSv3-Type1", "capacity": 2}}
    assert sim.ask("PUT", one + version, body).code == "ParentResourceNotFound"
    sim.put_done(group + version, {"location": "westeurope", "properties": {"platformFaultDomainCount": 1}}
                 if above == "hostGroups" else {"location": "westeurope"})  # fmt: skip
    assert sim.ask("PUT", one + version, {"location": "westeurope", "sku": {}}).status == 400
    made = sim.ask("PUT", one + version, body)
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Creating")
    assert "azure-asyncoperation" in made.headers
    sim.advance(600)
    shown = sim.ask("GET", f"{one}{version}&$expand=instanceView").body["properties"]
    assert shown["provisioningState"] == "Succeeded"
    assert {computed, "provisioningTime", "timeCreated", "instanceView"} <= shown.keys()
    changed = sim.put_done(one + version, {**body, "tags": {"a": "b"}})
    assert changed["properties"][computed] == shown[computed]
    held = sim.ask("GET", f"{group}{version}&$expand=instanceView").body["properties"]
    assert [each["id"].rsplit("/", 1)[-1] for each in held[word]] == ["first"]
    assert [each["name"] for each in held["instanceView"][word]] == ["first"]
    assert [each["name"] for each in sim.ask("GET", f"{group}/{word}{version}").body["value"]] == ["first"]
    assert sim.ask("DELETE", group + version).code == "CannotDeleteResource"
    assert sim.ask("DELETE", one + version).status == 202
    sim.advance(600)
    assert sim.ask("DELETE", group + version).status == 200


def test_a_host_is_restarted_says_what_fits_and_stays_while_machines_are_on_it(sim: Running) -> None:
    version = "?api-version=2024-07-01"
    group, host = f"{COMPUTE}/hostGroups/kept", f"{COMPUTE}/hostGroups/kept/hosts/first"
    body: dict[str, Any] = {"location": "westeurope", "properties": {"platformFaultDomainCount": 1}}
    sim.put_done(group + version, body)
    sim.put_done(host + version, {"location": "westeurope", "sku": {"name": "DSv3-Type1"}})
    for action in ("restart", "redeploy"):
        assert sim.ask("POST", f"{host}/{action}{version}").status == 202
        sim.advance(600)
    assert "Standard_D2s_v5" in sim.ask("GET", f"{host}/hostSizes{version}").body["value"]
    machine = sim.ask("GET", VM + version).body
    machine["properties"]["host"] = {"id": host}
    sim.ask("PUT", VM + version, machine)
    machines = sim.ask("GET", host + version).body["properties"]["virtualMachines"]
    assert [each["id"].lower() for each in machines] == [VM.lower()]
    assert (refused := sim.ask("DELETE", host + version)).status == 409, refused


def test_an_encryption_set_knows_what_it_encrypts_and_keeps_its_old_keys(sim: Running) -> None:
    path, version = f"{COMPUTE}/diskEncryptionSets/keys", "?api-version=2024-03-02"
    body: dict[str, Any] = {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {"activeKey": KEY},
    }
    made = sim.put_done(path + version, body)
    assert made["identity"]["principalId"]
    encryption = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": path}
    sim.put_done(snapshot_path("s1"), snapshot_body(encryption=encryption))
    users = sim.ask("GET", f"{path}/associatedResources{version}").body["value"]
    assert [one.lower() for one in users] == [snapshot_path("s1").lower()]
    assert sim.ask("DELETE", path + version).status == 409
    body["properties"] = {"activeKey": {"keyUrl": KEY["keyUrl"][:-1] + "2"}}
    assert sim.put_done(path + version, body)["properties"]["previousKeys"] == [KEY]


def test_a_disk_access_says_what_private_endpoints_reach(sim: Running) -> None:
    path, version = f"{COMPUTE}/diskAccesses/private", "?api-version=2024-03-02"
    assert sim.ask("GET", f"{path}/privateLinkResources{version}").code == "ResourceNotFound"
    sim.put_done(path + version, {"location": "westeurope"})
    links = sim.ask("GET", f"{path}/privateLinkResources{version}").body["value"]
    assert [one["properties"]["groupId"] for one in links] == ["disks"]
    assert sim.ask("GET", f"{path}/privateEndpointConnections{version}").body == {"value": []}


def test_a_gallery_with_images_stays_and_a_version_says_where_it_is(sim: Running) -> None:
    gallery, version = f"{COMPUTE}/galleries/shelf", "?api-version=2024-03-03"
    sim.put_done(gallery + version, {"location": "westeurope", "properties": {}})
    sim.put_done(f"{gallery}/images/it{version}", {"location": "westeurope", "properties": IMAGE})
    source = {"storageProfile": {"osDiskImage": {"source": {"id": f"{COMPUTE}/disks/vm1-os"}}}}
    regions = {"publishingProfile": {"targetRegions": [{"name": "West Europe"}, {"name": "North Europe"}]}}
    at = f"{gallery}/images/it/versions/1.0.0"
    assert sim.ask("PUT", at + version, {"location": "westeurope", "properties": {**source, **regions}}).status == 201
    sim.advance(7200)
    shown = sim.ask("GET", f"{at}{version}&$expand=ReplicationStatus").body["properties"]
    assert shown["storageProfile"]["osDiskImage"]["sizeInGB"] == 30
    assert {one["region"] for one in shown["replicationStatus"]["summary"]} == {"West Europe", "North Europe"}
    for path in (gallery, f"{gallery}/images/it"):
        refused = sim.ask("DELETE", path + version)
        assert (refused.status, refused.code) == (409, "CannotDeleteResource")


def test_keys_of_a_topic_change_one_at_a_time(sim: Running) -> None:
    path, version = f"{EVENT_GRID}/topics/things", "?api-version=2025-02-15"
    sim.put_done(path + version, {"location": "westeurope", "properties": {}})
    before = sim.ask("POST", f"{path}/listKeys{version}").body
    after = sim.ask("POST", f"{path}/regenerateKey{version}", {"keyName": "key1"}).body
    assert (before["key1"] == after["key1"], before["key2"] == after["key2"]) == (False, True)
    assert sim.ask("POST", f"{path}/listKeys{version}").body == after
    assert sim.ask("POST", f"{path}/regenerateKey{version}", {"keyName": "key3"}).status == 400


def test_a_subscription_says_which_headers_its_deliveries_carry(sim: Running) -> None:
    topic, version = f"{EVENT_GRID}/topics/things", "?api-version=2025-02-15"
    sim.put_done(topic + version, {"location": "westeurope", "properties": {}})
    wanted = [{"name": "X-Kind", "type": "Static", "properties": {"value": "v", "isSecret": False}}]
    queue = {"resourceId": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a", "queueName": "q"}
    destination = {"endpointType": "StorageQueue", "properties": queue}
    at = f"{topic}/eventSubscriptions/listener"
    sim.put_done(at + version, {"properties": {"destination": destination}})
    assert sim.ask("POST", f"{at}/getDeliveryAttributes{version}").body == {"value": []}
    hub = {"resourceId": f"{GROUP}/providers/Microsoft.EventHub/namespaces/n/eventhubs/h"}
    destination = {"endpointType": "EventHub", "properties": {**hub, "deliveryAttributeMappings": wanted}}
    sim.put_done(at + version, {"properties": {"destination": destination}})
    assert sim.ask("POST", f"{at}/getDeliveryAttributes{version}").body == {"value": wanted}


def test_tag_names_are_kept_until_their_values_are_gone(sim: Running) -> None:
    name = f"/subscriptions/{SUBSCRIPTION}/tagNames/cost"
    assert sim.ask("PUT", name).status == 201
    assert sim.ask("PUT", f"{name}/tagValues/7").status == 201
    refused = sim.ask("DELETE", name)
    assert refused.status == 409
    assert sim.ask("DELETE", f"{name}/tagValues/7").status == 200
    assert sim.ask("DELETE", name).status == 200
    assert sim.ask("DELETE", name).status == 204


def test_a_key_pair_shows_its_private_half_once(sim: Running) -> None:
    path, version = f"{COMPUTE}/sshPublicKeys/mine", "?api-version=2024-07-01"
    sim.put_done(path + version, {"location": "westeurope", "properties": {}})
    made = sim.ask("POST", f"{path}/generateKeyPair{version}").body
    assert "PRIVATE KEY" in made["privateKey"]
    assert "privateKey" not in str(sim.ask("GET", path + version).body)


def test_what_exists_of_sizes_extensions_and_operations_can_be_looked_up(shared: Running) -> None:
    at = f"{ALL}/Microsoft.Compute/locations/westeurope"
    sizes = [one["name"] for one in shared.ask("GET", f"{at}/vmSizes?api-version=2024-07-01").body["value"]]
    assert "Standard_D2s_v5" in sizes
    assert shared.ask("GET", f"{at}/usages?api-version=2024-07-01").body["value"]
    assert shared.ask("GET", f"{ALL}/Microsoft.Compute/skus?api-version=2021-07-01").body["value"]
    operations = shared.ask("GET", "/providers/Microsoft.Compute/operations?api-version=2024-07-01").body["value"]
    assert "Microsoft.Compute/snapshots/write" in [one["name"] for one in operations]


def test_a_provider_names_every_type_it_serves_so_that_clients_find_a_version_for_it(sim: Running) -> None:
    shown = sim.ask("GET", f"{ALL}/Microsoft.Compute?api-version=2021-04-01").body["resourceTypes"]
    versions = {one["resourceType"]: one["apiVersions"] for one in shown}
    assert versions["restorePointCollections/restorePoints"][0] == "2026-04-01"
    assert versions["diskAccesses"][0] == "2026-03-02"
    lost = f"{COMPUTE}/availabilitySets/never/providers/Microsoft.Authorization/locks/stay?api-version=2016-09-01"
    assert sim.ask("PUT", lost, {"properties": {"level": "ReadOnly"}}).code == "ResourceNotFound"


def test_the_platform_of_a_day_is_the_one_of_that_day() -> None:
    assert not eras.ETAGS.reached(parse_time("2024-05-01T00:00:00Z"))
    assert eras.ETAGS.reached(parse_time("2026-11-20T00:00:00Z"))
    assert eras.DELETE_OPTIONS.reached(parse_time("2021-06-01T00:00:00Z"), "westeurope")
    assert not eras.DELETE_OPTIONS.reached(parse_time("2021-06-01T00:00:00Z"), "southeastasia")
