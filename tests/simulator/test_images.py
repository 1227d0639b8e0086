"""Image look-ups and what older api-versions leave out, asked over HTTP."""

from __future__ import annotations

import json

import pytest

from local.simulator.answers import encode
from local.simulator.clock import parse_time
from local.simulator.versions import NEWEST, known_to
from tests.simulator.running import START, SUBSCRIPTION, Running

NOW = parse_time(START)

PUBLISHERS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/eastus2euap/publishers"
UBUNTU = f"{PUBLISHERS}/Canonical/artifacttypes/vmimage/offers/UbuntuServer/skus/18.04-LTS/versions"


def test_an_image_is_found_by_its_newest_version(shared: Running) -> None:
    [newest] = shared.ask("GET", UBUNTU + "?$top=1&$orderby=name%20desc&api-version=2024-07-01").body
    assert newest["location"] == "EastUS2EUAP"
    found = shared.ask("GET", f"{UBUNTU}/{newest['name']}?api-version=2024-07-01").body
    assert (found["name"], found["id"]) == (newest["name"], newest["id"])
    assert found["properties"]["osDiskImage"] == {"operatingSystem": "Linux", "sizeInBytes": 32213303808}


@pytest.mark.parametrize(
    ("version", "keys", "sizes"),
    [
        ("2021-03-01", {"replicaType", "automaticOSUpgradeProperties", "osDiskImage", "dataDiskImages"}, {"sizeInGb"}),
        ("2022-11-01", {"hyperVGeneration", "architecture", "disallowed", "imageDeprecationStatus"}, {"sizeInGb"}),
        ("2024-07-01", {"hyperVGeneration", "features"}, {"sizeInBytes"}),
    ],
)
def test_older_versions_show_less_of_an_image(shared: Running, version: str, keys: set[str], sizes: set[str]) -> None:
    shown = shared.ask("GET", f"{UBUNTU}/18.04.202401161?api-version={version}").body["properties"]
    assert keys <= shown.keys()
    assert sizes <= shown["osDiskImage"].keys()
    assert ("architecture" in shown) == (version >= "2022")


def test_an_unknown_image_follows_the_rules_of_its_name(shared: Running) -> None:
    path = f"{PUBLISHERS}/Contoso/artifacttypes/vmimage/offers/WindowsThing/skus/x-g2/versions/1.2.3"
    shown = shared.ask("GET", path + "?api-version=2024-07-01").body["properties"]
    assert (shown["hyperVGeneration"], shown["replicaType"]) == ("V2", "Managed")
    assert shown["osDiskImage"] == {"operatingSystem": "Windows", "sizeInGb": 127}


DISK = {
    "type": "Microsoft.Compute/disks",
    "properties": {
        "uniqueId": "u",
        "publicNetworkAccess": "Enabled",
        "diskIOPSReadWrite": 500,
        "diskState": "Attached",
    },
}
MACHINE = {
    "type": "Microsoft.Compute/virtualMachines",
    "etag": '"1"',
    "properties": {
        "storageProfile": {"dataDisks": [{"lun": 0, "deleteOption": "Detach"}, {"lun": 1, "deleteOption": "x"}]}
    },
}


@pytest.mark.parametrize(
    ("version", "kept"),
    [
        ("2018-06-01", {"diskState"}),
        ("2018-09-30", {"diskState", "diskIOPSReadWrite"}),
        ("2020-09-30", {"diskState", "diskIOPSReadWrite", "uniqueId"}),
        ("2021-08-01", {"diskState", "diskIOPSReadWrite", "uniqueId", "publicNetworkAccess"}),
    ],
)
@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: {"value": [d]}, lambda d: {"properties": {"output": d}}])
def test_a_field_appears_with_its_version(version: str, kept: set[str], wrap: object) -> None:
    assert callable(wrap)
    shown = json.loads(known_to(version, json.dumps(wrap(DISK)).encode(), NOW))
    disk = shown["value"][0] if "value" in shown else shown["properties"].get("output", shown)
    assert disk["properties"].keys() == kept


def test_fields_of_every_element_of_an_array_are_left_out() -> None:
    shown = json.loads(known_to("2020-12-01", json.dumps(MACHINE).encode(), NOW))
    assert shown["properties"]["storageProfile"]["dataDisks"] == [{"lun": 0}, {"lun": 1}]
    assert "etag" not in shown


@pytest.mark.parametrize(("version", "first"), [("2017-07-01", "Subscriptions"), ("2021-01-01", "subscriptions")])
def test_ids_of_what_lies_in_vaults_began_with_a_capital_once(version: str, first: str) -> None:
    vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"
    item: dict[str, object] = {
        "type": "x",
        "id": f"{vault}/backupPolicies/p",
        "properties": {"sourceResourceId": "/subscriptions/s"},
    }
    shown = json.loads(known_to(version, encode({"value": [item, {"type": "x", "id": vault}]}), NOW))
    assert [one["id"].split("/")[1] for one in shown["value"]] == [first, "subscriptions"]
    assert shown["value"][0]["properties"] == item["properties"]


def test_the_newest_version_and_foreign_types_pass_untouched() -> None:
    body = json.dumps(DISK).encode()
    assert known_to(NEWEST, body, NOW) is body
    assert (
        known_to("2015-01-01", b'{"type":"Microsoft.Web/sites","properties":{"uniqueId":"u"}}', NOW).count(b"uniqueId")
        == 1
    )
    assert known_to("2015-01-01", b"", NOW) == b""
