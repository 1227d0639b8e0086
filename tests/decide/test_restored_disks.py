"""What a restored disk has of the captured one, property by property, and how it is attached."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.decide.restored_disks import attachment, disk_body
from shared.model.identity import ResourceId
from shared.model.restore import ArmPath, Source

DISK = "/subscriptions/s/resourceGroups/web/providers/Microsoft.Compute/disks/data"
SOURCE = Source(
    ResourceId("s", "tagback-we", "microsoft.compute/snapshots", "tb-data"),
    ResourceId.parse(DISK),
    3,
)
ALWAYS = {"creationData", "networkAccessPolicy", "publicNetworkAccess"}


def properties_of(sku: str, **captured: Any) -> dict[str, Any]:
    made = disk_body(SOURCE, {"sku": {"name": sku}, "properties": captured}, "westeurope")
    properties: dict[str, Any] = made["properties"]
    return {name: value for name, value in properties.items() if name not in ALWAYS}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("osType", "Windows"),
        ("hyperVGeneration", "V2"),
        ("securityProfile", {"securityType": "TrustedLaunch"}),
        ("supportedCapabilities", {"architecture": "Arm64", "acceleratedNetwork": True}),
        ("supportsHibernation", True),
        ("purchasePlan", {"name": "p", "publisher": "q", "product": "r"}),
        ("maxShares", 2),
        ("burstingEnabled", True),
        ("optimizedForFrequentAttach", True),
        ("tier", "P50"),
    ],
)
def test_a_disk_is_what_the_captured_one_was(name: str, value: Any) -> None:
    assert properties_of("Premium_LRS", **{name: value}) == {name: value}


@pytest.mark.parametrize("name", ["uniqueId", "diskState", "timeCreated", "provisioningState", "diskSizeBytes"])
def test_what_azure_says_of_a_disk_is_not_sent_back(name: str) -> None:
    assert properties_of("Premium_LRS", **{name: "x"}) == {}


@pytest.mark.parametrize("sku", ["UltraSSD_LRS", "PremiumV2_LRS"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("diskIOPSReadWrite", 9000),
        ("diskMBpsReadWrite", 300),
        ("diskIOPSReadOnly", 8000),
        ("diskMBpsReadOnly", 200),
    ],
)
def test_performance_that_is_set_apart_from_the_size_is_set_again(sku: str, name: str, value: int) -> None:
    assert properties_of(sku, **{name: value}) == {name: value}


@pytest.mark.parametrize("sku", ["Premium_LRS", "Premium_ZRS", "StandardSSD_LRS", "Standard_LRS"])
def test_performance_that_follows_from_the_size_is_left_to_azure(sku: str) -> None:
    assert properties_of(sku, diskIOPSReadWrite=500, diskMBpsReadWrite=60) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("caching", "ReadOnly"),
        ("writeAcceleratorEnabled", True),
        ("deleteOption", "Delete"),
        ("detachOption", "ForceDetach"),
    ],
)
def test_a_disk_is_attached_as_the_captured_one_was(name: str, value: Any) -> None:
    captured = {"lun": 3, "name": "data", "createOption": "Empty", "diskSizeGB": 30, name: value}
    assert attachment(captured, ArmPath(DISK), 3) == {
        "lun": 3,
        "name": "data",
        "createOption": "Attach",
        name: value,
        "managedDisk": {"id": DISK},
    }


@pytest.mark.parametrize(
    ("captured", "system"), [({}, "Linux"), ({"osType": "Windows"}, "Windows"), ({"osType": "Linux"}, "Linux")]
)
def test_an_os_disk_is_attached_as_what_it_was(captured: dict[str, Any], system: str) -> None:
    assert attachment(captured, ArmPath("data"), None) == {
        "osType": system,
        "name": "data",
        "createOption": "Attach",
        "managedDisk": {"id": "data"},
    }


@pytest.mark.parametrize(("sku", "stays"), [("Premium_LRS", True), ("premium_zrs", True), ("StandardSSD_LRS", False)])
def test_a_performance_tier_is_of_premium_disks_only(sku: str, stays: bool) -> None:
    assert ("tier" in properties_of(sku, tier="P50")) is stays


@pytest.mark.parametrize(
    ("place", "option"),
    [("microsoft.compute/snapshots", "Copy"), ("microsoft.compute/restorepointcollections", "Restore")],
)
def test_a_disk_is_copied_from_a_snapshot_and_restored_from_a_restore_point(place: str, option: str) -> None:
    source = replace(SOURCE, snapshot=replace(SOURCE.snapshot, type=place))
    made = disk_body(source, None, "westeurope")
    assert made["properties"]["creationData"] == {"createOption": option, "sourceResourceId": str(source.snapshot)}
