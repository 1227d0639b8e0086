"""A machine of disks that a vault made: where it is put, and what is said of disks that are not in the point."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.decide import blueprint
from shared.decide.drawing import Drawing
from shared.decide.subtraction import without
from shared.decide.vaults import VAULT_TYPE
from shared.model.identity import VM_TYPE, ResourceId
from shared.model.restore import ArmPath, Recovery, RestoreMode, Source
from shared.model.vault import VaultPoint, VaultTask
from tests.decide.test_blueprint import IDENTITY, MACHINE, MODEL, SET, SUBNET, drawing
from tests.fleet import NOW

VAULT = ResourceId("s", "backups", VAULT_TYPE, "v")
RECOVERY = Recovery(VaultPoint(VAULT, "7", NOW), ResourceId("s", "web", VM_TYPE, "web-1"), "", VaultTask())
DISKS = "/subscriptions/s/resourceGroups/Web/providers/Microsoft.Compute/disks"


def source(name: str, lun: int | None, zones: tuple[str, ...] = ()) -> Source:
    place = ArmPath(f"{DISKS}/{name}")
    return Source(VAULT, ResourceId.parse(place), lun, place, zones)


def of_vault(*sources: Source, mode: RestoreMode = RestoreMode.REBUILD, zones: tuple[str, ...] = ()) -> Drawing:
    machine = without(MACHINE, "zones")
    if zones:
        machine["zones"] = list(zones)
    return drawing(mode, {**MODEL, "vm": machine}, recovery=RECOVERY, sources=sources)


def zones_of(found: Drawing) -> Any:
    return blueprint.machine(found).body.get("zones")


def test_the_machine_has_the_disks_where_the_vault_made_them() -> None:
    storage = blueprint.machine(of_vault(source("os-1", None), source("data-1", 3))).body["properties"][
        "storageProfile"
    ]
    assert storage["osDisk"]["managedDisk"]["id"] == f"{DISKS}/os-1"
    assert [(one["lun"], one["managedDisk"]["id"]) for one in storage["dataDisks"]] == [(3, f"{DISKS}/data-1")]


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (("1",), ("2",), ["zone 1: the vault made the disks in 2"]),
        (("1",), (), ["zone 1: the vault made the disks in none"]),
        ((), ("2",), ["zone none: the vault made the disks in 2"]),
        (("1",), ("1",), []),
        ((), (), []),
    ],
)
def test_it_is_put_into_the_zone_of_its_os_disk(was: tuple[str, ...], now: tuple[str, ...], told: list[str]) -> None:
    found = of_vault(source("os-1", None, now), source("data-1", 3, ("3",)), zones=was)
    assert zones_of(found) == (list(now) or None)
    assert [one for one in blueprint.lacking(found) if one.startswith("zone")] == told


def test_a_machine_from_a_point_of_ours_keeps_its_zone() -> None:
    assert zones_of(drawing()) == ["1"]
    assert not [one for one in blueprint.lacking(drawing()) if one.startswith("zone")]


@pytest.mark.parametrize("mode", [RestoreMode.REBUILD, RestoreMode.DISKS])
def test_disks_that_the_vault_did_not_make_are_told_once_it_has_made_the_others(mode: RestoreMode) -> None:
    def missing(*sources: Source) -> list[str]:
        return [one for one in blueprint.lacking(of_vault(*sources, mode=mode)) if "not in the point" in one]

    assert missing() == []
    assert missing(source("os-1", None)) == ["disk data: it is not in the point"]
    assert missing(source("os-1", None), source("data-1", 3)) == []


def test_a_disk_that_was_only_lent_when_the_vault_took_its_point_is_missed_by_nobody() -> None:
    found = of_vault(source("os-1", None), mode=RestoreMode.DISKS)
    bodies = [{**one, "tags": {"tagback-expires": "20261121T0200Z"}} for one in found.captured.disks]
    assert blueprint.lacking(found) == ("disk data: it is not in the point",)
    assert blueprint.lacking(replace(found, captured=replace(found.captured, disks=tuple(bodies)))) == ()


def test_before_the_vault_made_anything_only_the_machine_and_its_interfaces_are_known() -> None:
    found = of_vault()
    assert blueprint.makes(found) == (found.restore.machine, *(piece.id for piece in blueprint.interfaces(found)))
    assert not [one for one in blueprint.lacking(replace(found)) if one.startswith("zone")]


def test_in_another_subscription_a_machine_refers_to_nothing_of_its_own_but_identities() -> None:
    machine = ArmPath("/subscriptions/There/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/Web-1")
    there = drawing(recovery=RECOVERY, sources=(), machine=machine)
    assert set(blueprint.left_behind(there)) == set(blueprint.needed(there)) - {IDENTITY}
    assert SET in blueprint.left_behind(there)
    assert blueprint.left_behind(drawing(recovery=RECOVERY, sources=())) == ()
    moved = replace(there.captured, machine={**MACHINE, "id": machine})
    assert blueprint.left_behind(replace(there, captured=moved)) == ()


def test_in_a_paired_region_a_machine_is_made_there_and_refers_to_nothing_of_its_own_but_identities() -> None:
    there = drawing(subnet=SUBNET, recovery=replace(RECOVERY, region="northeurope"), sources=(source("os-1", None),))
    here = drawing(subnet=SUBNET, recovery=RECOVERY, sources=(source("os-1", None),))
    assert (there.region, here.region) == ("northeurope", here.request.shard.region)
    assert set(blueprint.left_behind(there)) == set(blueprint.needed(there)) - {IDENTITY}
    assert SET in blueprint.left_behind(there)
    assert blueprint.left_behind(here) == ()
    assert blueprint.machine(there).body["location"] == "northeurope"
    assert blueprint.machine(here).body["location"] == MACHINE["location"]
    assert {piece.body["location"] for piece in blueprint.interfaces(there)} == {"northeurope"}
    told = f"region {here.request.shard.region}: it is made in northeurope, of its vault's copy there"
    assert told in blueprint.lacking(there)
    assert not [one for one in blueprint.lacking(here) if one.startswith("region ")]
