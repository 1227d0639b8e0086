"""Disks that are lent to a machine which reads single files: who may read, at which LUN, and what they are like."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.decide.drawing import disk_place
from shared.decide.lending import (
    attached,
    chosen,
    disks,
    free_luns,
    known,
    lent,
    linux_path,
    misnamed,
    out_of_zone,
    unfit,
)
from shared.decide.subtraction import at
from shared.model.identity import Shard
from shared.model.restore import ArmPath, Lent, RestoreMode
from tests.decide.test_blueprint import DISK_BODIES, GROUP, MODEL, SOURCES, drawing

READER = ArmPath(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/Reader")
SHARD = Shard("s", "westeurope")
OS, DATA = SOURCES
PLACES = tuple(piece.id for piece in disks(drawing(RestoreMode.FILES, machine=READER), {}))


def reader(*luns: int, zones: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    data = [{"lun": lun, "managedDisk": {"id": f"/disks/own-{lun}"}} for lun in luns]
    properties = {"storageProfile": {"dataDisks": data}, **properties}
    return {"name": "Reader", "location": "West Europe", "zones": list(zones), "properties": properties}


def files(**known_: Any) -> Any:
    return drawing(RestoreMode.FILES, machine=READER, **known_)


ULTRA: dict[str, Any] = {"additionalCapabilities": {"ultraSSDEnabled": True}}


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (READER, ""),
        (READER.upper().replace("/SUBSCRIPTIONS/S/", "/subscriptions/S/"), ""),
        ("reader", "'reader' is not the id of a VM"),
        (f"{READER}/extensions/x", "is not the id of a VM"),
        (READER.replace("/s/", "/other/"), "is in another subscription: name a VM of s with --to"),
    ],
)
def test_the_machine_that_reads_is_a_vm_of_the_same_subscription(place: str, said: str) -> None:
    found = misnamed(place, SHARD)
    assert found == "" if not said else said in found


@pytest.mark.parametrize(
    ("disk", "meant"),
    [("", SOURCES), (" OS ", (OS,)), ("3", (DATA,)), ("Data", (DATA,)), ("4", ()), ("dat", ())],
)
def test_all_disks_are_meant_or_one_by_its_lun_or_name(disk: str, meant: object) -> None:
    assert chosen(SOURCES, disk) == meant


def test_what_a_point_has_is_told_as_it_can_be_named() -> None:
    assert known(SOURCES) == "os (os), 3 (data)"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"location": "northeurope"}, "Reader is in northeurope, and the point in westeurope"),
        ({"tags": {"Tagback-Drill": "r"}}, "Reader is the machine of a drill"),
        ({"properties": {"provisioningState": "Deleting"}}, "Reader is being deleted"),
        ({"properties": {}}, "disk data is UltraSSD_LRS: only a VM with ultraSSDEnabled can read it"),
        ({}, ""),
    ],
)
def test_a_machine_that_cannot_read_the_disks_is_told_so_before_any_is_made(change: dict[str, Any], said: str) -> None:
    found = unfit({**reader(**ULTRA), **change}, files())
    assert found == "" if not said else found.startswith(said)


def fast(sku: str, zones: list[str]) -> dict[str, Any]:
    data = {**DISK_BODIES[1], "sku": {"name": sku}, "zones": zones}
    return {**MODEL, "disks": (DISK_BODIES[0], data)}


@pytest.mark.parametrize("sku", ["PremiumV2_LRS", "UltraSSD_LRS"])
def test_a_fast_disk_that_had_a_zone_needs_a_machine_in_one(sku: str) -> None:
    drawn = files(model=fast(sku, ["2"]))
    assert unfit(reader(**ULTRA), drawn) == f"disk data is {sku}: only a VM in a zone can read it, and Reader has none"
    assert unfit(reader(zones=("1",), **ULTRA), drawn) == ""
    assert unfit(reader(**ULTRA), files(model=fast(sku, []))) == ""
    assert unfit(reader(), files(model=fast("Premium_LRS", ["2"]))) == ""


@pytest.mark.parametrize(
    ("zones", "sku", "fits"),
    [
        (("1",), "Standard_LRS", True),
        (("2",), "Standard_ZRS", True),
        (("2",), "", True),
        ((), "Standard_LRS", True),
        (("2",), "Standard_LRS", False),
    ],
)
def test_only_a_zone_redundant_snapshot_becomes_a_disk_in_another_zone(
    zones: tuple[str, ...], sku: str, fits: bool
) -> None:
    found = out_of_zone(OS, {"sku": {"name": sku}}, reader(zones=zones), files())
    assert (found == "") is fits
    if not fits:
        assert found == (
            "Reader is in zone 2, and disk os was in zone 1: its snapshot is Standard_LRS, name a VM there"
        )
    assert out_of_zone(DATA, {"sku": {"name": sku}}, reader(zones=zones), files()) == "", "it had no zone"


def test_a_lent_disk_lies_beside_its_reader_in_its_zone_and_is_left_out_of_points() -> None:
    model = {**MODEL, "disks": ({**DISK_BODIES[0], "tags": {"Env": "prod"}}, *DISK_BODIES[1:])}
    first, second = disks(files(model=model), reader(zones=("2",)))
    assert (first.id, first.body["tags"]["Env"]) == (disk_place("r1", READER, OS), "prod")
    assert first.id.startswith(f"{GROUP}/providers/Microsoft.Compute/disks/tb-")
    assert (first.body["zones"], second.body["zones"], first.body["location"]) == (["2"], ["2"], "westeurope")
    assert first.body["tags"]["backup"] == "off"
    assert {"tagback-owner", "tagback-restore", "tagback-expires"} <= first.body["tags"].keys()
    assert first.body["properties"]["osType"] == "Linux"
    assert at(second.body, "properties.encryption.diskEncryptionSetId") == "/keys"
    assert [("zones" in piece.body) for piece in disks(files(), reader())] == [False, False]


def test_a_disk_that_is_in_every_zone_names_none() -> None:
    model = {**MODEL, "disks": ({**DISK_BODIES[0], "sku": {"name": "Premium_ZRS"}}, DISK_BODIES[1])}
    first, _ = disks(files(model=model), reader(zones=("2",)))
    assert "zones" not in first.body


@pytest.mark.parametrize("name", ["tier", "burstingEnabled", "maxShares"])
def test_nothing_is_paid_for_that_a_reader_has_no_use_for(name: str) -> None:
    dear = {"tier": "P30", "burstingEnabled": True, "maxShares": 3}
    model = {**MODEL, "disks": ({**DISK_BODIES[0], "properties": {**DISK_BODIES[0]["properties"], **dear}},)}  # type: ignore[dict-item] # a body
    first, _ = disks(files(model=model), reader())
    assert name not in first.body["properties"]


def test_disks_get_the_lowest_free_luns_as_far_as_the_machine_takes_more() -> None:
    assert free_luns(reader(0, 2), 3, None) == [1, 3, 4]
    assert free_luns(reader(0, 2), 3, 4) == [1, 3]
    assert free_luns(reader(0, 2), 1, 4) == [1]
    assert free_luns(reader(*range(4)), 1, 4) == []
    assert free_luns(reader(*range(6)), 1, 4) == []
    assert free_luns(reader(), 70, None) == list(range(64))
    assert free_luns(reader(), 70, 100) == list(range(64))
    assert free_luns({}, 1, None) == [0]


def with_disk(lun: int, place: str) -> dict[str, Any]:
    found = reader(0)
    found["properties"]["storageProfile"]["dataDisks"].append({"lun": lun, "managedDisk": {"id": place.upper()}})
    return found


def test_what_is_attached_is_told_with_its_lun() -> None:
    drawn, (first, second) = files(), PLACES
    seen = with_disk(5, second)
    assert attached(seen, PLACES) == {second: 5}
    assert attached(reader(0), PLACES) == {}
    assert lent(drawn, seen) == (Lent(second, DATA.disk, 3, 5),)
    seen = with_disk(7, first)
    assert lent(replace(drawn), seen) == (Lent(first, OS.disk, None, 7),)
    assert linux_path(7) == "/dev/disk/azure/scsi1/lun7"
