"""What leaves a captured machine's body before it is created again, path by path, and what people are told of it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.decide.subtraction import at, lacking, references, subtracted

NOTHING_ABSENT = frozenset[str]()
GROUP = "/subscriptions/s/resourceGroups/Web/providers/Microsoft.Compute"


def body_with(path: str, value: Any) -> dict[str, Any]:
    """A body that has something at a path, and something beside it that stays."""
    name, _, rest = path.partition(".")
    return {name: body_with(rest, value) if rest else value, "stays": 1}


@pytest.mark.parametrize(
    "path",
    [
        "id",
        "name",
        "type",
        "etag",
        "resources",
        "tags",
        "identity",
        "properties.vmId",
        "properties.timeCreated",
        "properties.provisioningState",
        "properties.instanceView",
        "properties.osProfile",
        "properties.networkProfile",
        "properties.storageProfile.imageReference",
        "properties.storageProfile.osDisk",
        "properties.storageProfile.dataDisks",
    ],
)
def test_what_is_read_only_or_written_anew_does_not_go_back(path: str) -> None:
    captured = body_with(path, {"type": "SystemAssigned"})
    body = subtracted(captured, NOTHING_ABSENT)
    assert at(body, path) is None
    beside = f"{path.rpartition('.')[0]}.stays".lstrip(".")
    assert at(body, beside) == 1


def test_only_the_os_profile_is_told_of_what_leaves_every_machine() -> None:
    captured = {
        "id": "i",
        "tags": {"a": "b"},
        "properties": {
            "vmId": "u",
            "osProfile": {"computerName": "web-1"},
            "networkProfile": {"networkInterfaces": [{"id": "n"}]},
            "storageProfile": {"osDisk": {"name": "os"}},
        },
    }
    assert list(lacking(captured, NOTHING_ABSENT)) == [
        "what the OS profile said (patch settings, update mode): the guest on the disk keeps its accounts and its name"
    ]
    assert list(lacking({"properties": {"vmId": "u"}}, NOTHING_ABSENT)) == []


@pytest.mark.parametrize(
    ("path", "leaves", "what"),
    [
        ("properties.availabilitySet.id", "availabilitySet", "the availability set"),
        ("properties.proximityPlacementGroup.id", "proximityPlacementGroup", "the proximity placement group"),
        ("properties.host.id", "host", "the dedicated host"),
        ("properties.hostGroup.id", "hostGroup", "the host group"),
        (
            "properties.capacityReservation.capacityReservationGroup.id",
            "capacityReservation",
            "the capacity reservation",
        ),
    ],
)
def test_a_machine_goes_back_to_what_it_was_placed_in_unless_that_is_no_more(path: str, leaves: str, what: str) -> None:
    place = f"{GROUP}/places/Pair"
    captured = body_with(path, place)
    absent = frozenset({place.lower()})
    assert [found for _, found in references(captured)] == [place]
    assert at(subtracted(captured, NOTHING_ABSENT), path) == place
    assert list(lacking(captured, NOTHING_ABSENT)) == []
    assert subtracted(captured, absent)["properties"] == {"stays": 1}
    assert leaves in captured["properties"]
    assert list(lacking(captured, absent)) == [f"{what} Pair: it is gone or elsewhere"]


@pytest.mark.parametrize("value", [{}, [], "", None])
def test_what_says_nothing_is_not_sent(value: Any) -> None:
    assert subtracted({"location": "westeurope", "zones": value}, NOTHING_ABSENT) == {"location": "westeurope"}


@pytest.mark.parametrize("value", [False, 0, ["1"], {"name": "p"}])
def test_a_refusal_and_a_zero_say_something(value: Any) -> None:
    assert subtracted({"plan": value}, NOTHING_ABSENT) == {"plan": value}


def test_an_identity_that_is_no_more_is_told_and_the_others_go_back() -> None:
    first, second = (f"{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/{name}" for name in ("one", "Two"))
    captured = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {first: {"x": 1}, second: {}}}}
    absent = frozenset({second.lower()})
    assert list(lacking(captured, absent)) == ["the identity Two: it does not exist any more"]
    alone: dict[str, Any] = {"properties": {"availabilitySet": {"id": "Pair"}}}
    assert list(lacking(alone, frozenset({"pair"}))) == ["the availability set Pair: it is gone or elsewhere"]
    bare: dict[str, Any] = {"identity": {"userAssignedIdentities": {"Two": {}}}}
    assert list(lacking(bare, frozenset({"two"}))) == ["the identity Two: it does not exist any more"]
    assert subtracted(captured, absent)["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {first: {}}}
