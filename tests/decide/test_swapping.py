"""The body that swaps a machine's disks: what Azure alone writes is not sent, everything else is as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from shared.decide import blueprint
from shared.decide.subtraction import at
from shared.decide.swapping import detached, former, power, restored, swapped, swaps, unmarkable
from shared.model.restore import ArmPath, Restore, RestoreMode, Stage, Swap
from tests.decide.test_blueprint import NOW, SOURCES, drawing

DISKS = "/subscriptions/s/resourceGroups/web/providers/Microsoft.Compute/disks"
WANTED: Mapping[int | None, Mapping[str, Any]] = {
    3: {"lun": 3, "name": "new", "createOption": "Attach", "managedDisk": {"id": f"{DISKS}/new"}}
}


def machine(*data: str, beside: Mapping[str, Any] | None = None, inside: Mapping[str, Any] | None = None) -> Any:
    disks = [{"lun": 3, "name": name, "managedDisk": {"id": f"{DISKS}/{name}"}} for name in data]
    profile = {"osDisk": {"name": "os", "managedDisk": {"id": f"{DISKS}/os"}}, "dataDisks": disks}
    properties = {"licenseType": "RHEL_BYOS", **(inside or {}), "storageProfile": profile}
    return {"location": "westeurope", "tags": {"Env": "prod"}, **(beside or {}), "properties": properties}


def both_writes(beside: Mapping[str, Any], inside: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The write that takes the old disk off and the one that attaches the new: of a machine with something more."""
    off = detached(machine("old", beside=beside, inside=inside), WANTED, frozenset())
    on = swapped(machine(beside=beside, inside=inside), WANTED)
    assert off is not None
    assert on is not None
    return [off, on]


@pytest.mark.parametrize("name", ["id", "name", "type", "etag", "resources"])
def test_what_names_the_machine_and_its_extensions_is_not_in_the_body(name: str) -> None:
    for body in both_writes({name: "x"}, {}):
        assert body.keys() == {"location", "tags", "properties"}


@pytest.mark.parametrize("name", ["vmId", "timeCreated", "provisioningState", "instanceView"])
def test_what_azure_alone_writes_is_not_among_the_properties(name: str) -> None:
    for body in both_writes({}, {name: "x"}):
        assert body["properties"].keys() == {"licenseType", "storageProfile"}


def test_everything_else_is_sent_as_it_was() -> None:
    for body in both_writes({"zones": ["1"], "identity": {"type": "SystemAssigned"}}, {"osProfile": {"a": "b"}}):
        assert (body["zones"], body["identity"], body["tags"]) == (["1"], {"type": "SystemAssigned"}, {"Env": "prod"})
        assert (at(body, "properties.osProfile"), at(body, "properties.licenseType")) == ({"a": "b"}, "RHEL_BYOS")
        assert at(body, "properties.storageProfile.osDisk.name") == "os"


def test_the_old_disk_leaves_in_one_write_and_the_new_one_comes_in_the_next() -> None:
    off, on = both_writes({}, {})
    assert at(off, "properties.storageProfile.dataDisks") == []
    assert at(on, "properties.storageProfile.dataDisks") == [WANTED[3]]


def test_the_new_os_disk_takes_the_place_and_the_ways_of_the_old_but_neither_its_size_nor_its_image() -> None:
    body = machine("new")
    old = {"osType": "Linux", "createOption": "FromImage", "diskSizeGB": 30, "vhd": {"uri": "x"}, "caching": "ReadOnly"}
    body["properties"]["storageProfile"]["osDisk"] |= old
    wanted: Mapping[int | None, Mapping[str, Any]] = {
        None: {"name": "os-2", "caching": "ReadWrite", "managedDisk": {"id": f"{DISKS}/os-2", "more": 1}}
    }
    on = swapped(body, wanted)
    assert on is not None
    assert at(on, "properties.storageProfile.osDisk") == {
        "name": "os-2",
        "osType": "Linux",
        "createOption": "FromImage",
        "caching": "ReadWrite",
        "managedDisk": {"id": f"{DISKS}/os-2"},
    }
    assert swapped(on, wanted) is None


def test_what_was_swapped_is_known_as_it_was_attached_and_is_put_back_so() -> None:
    body = machine("old")
    body["properties"]["storageProfile"]["dataDisks"][0] |= {
        "caching": "ReadOnly",
        "deleteOption": "Delete",
        "writeAcceleratorEnabled": True,
    }
    restore = Restore("", NOW, 0, SOURCES, "", ArmPath("/vm"), (), NOW, NOW, Stage.CLAIM)
    found = swaps(body, restore)
    assert found == (
        Swap(ArmPath(f"{DISKS}/os"), None),
        Swap(ArmPath(f"{DISKS}/old"), 3, "ReadOnly", "Delete", write_accelerated=True),
    )
    assert former(replace(restore, swaps=(Swap(ArmPath(f"{DISKS}/os"), None, "ReadWrite"),)))[None] == {
        "osType": "Linux",
        "name": "os",
        "createOption": "Attach",
        "caching": "ReadWrite",
        "managedDisk": {"id": f"{DISKS}/os"},
    }
    assert former(replace(restore, swaps=found))[3] == {
        "lun": 3,
        "name": "old",
        "createOption": "Attach",
        "caching": "ReadOnly",
        "deleteOption": "Delete",
        "writeAcceleratorEnabled": True,
        "managedDisk": {"id": f"{DISKS}/old"},
    }


def test_each_restored_disk_takes_its_place_under_the_name_that_it_was_made_with() -> None:
    drawn = drawing(RestoreMode.IN_PLACE)
    made = {lun: entry["managedDisk"]["id"] for lun, entry in restored(drawn).items()}
    assert made == {source.lun: piece.id for source, piece in zip(SOURCES, blueprint.disks(drawn), strict=True)}
    assert {lun: entry.get("caching") for lun, entry in restored(drawn).items()} == {None: "ReadWrite", 3: "ReadOnly"}


@pytest.mark.parametrize(
    ("codes", "state"),
    [
        (["ProvisioningState/succeeded", "PowerState/Running"], "running"),
        (["ProvisioningState/succeeded"], ""),
        ([], ""),
    ],
)
def test_the_power_state_stands_in_the_instance_view(codes: list[str], state: str) -> None:
    assert power({"properties": {"instanceView": {"statuses": [{"code": code} for code in codes]}}}) == state


def test_a_machine_without_room_for_the_claim_is_not_changed_unless_it_has_it() -> None:
    tags = {f"n{number}": "" for number in range(50)}
    full, fewer = {"name": "web-1", "tags": tags}, dict(list(tags.items())[1:])
    assert (
        unmarkable(full) == "web-1 has 50 tags, as many as it may: take one away, for tagback-swapping needs its place"
    )
    assert unmarkable({**full, "tags": fewer}) == ""
    assert unmarkable({**full, "tags": {**fewer, "Tagback-Swapping": "me"}}) == ""
    assert unmarkable({"name": "web-1"}) == ""


def test_a_disk_that_is_in_its_place_is_not_in_the_way() -> None:
    assert detached(machine("new"), WANTED, frozenset()) is None


def test_a_disk_that_the_machine_has_no_more_is_not_swapped() -> None:
    restore = Restore("", NOW, 0, SOURCES, "", ArmPath("/vm"), (), NOW, NOW, Stage.CLAIM)
    assert [one.lun for one in swaps(machine("old"), restore)] == [None, 3]
    assert [one.lun for one in swaps(machine(), restore)] == [None]
