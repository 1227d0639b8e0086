"""Restores in the paired region: why a vault does none there, which points are there, which job answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.paired_region import answers, placed, refusal, there
from shared.decide.vault_restoring import job_of
from shared.decide.vaults import VAULT_TYPE
from shared.model.identity import VM_TYPE, ResourceId
from shared.model.point import Engine
from shared.model.restore import Recovery
from shared.model.vault import JobSeen, JobStatus, PointSeen, VaultPoint, VaultSeen, VaultTask
from tests.fleet import NOW, machine, point

VAULT = ResourceId("s", "backups", VAULT_TYPE, "v")
VM = ResourceId("s", "web", VM_TYPE, "web-1")
SEEN = VaultSeen(VAULT, "westeurope", {}, redundancy="GeoRedundant", crosses=True)
OFF = "cross-region restore is off in v: turn it on, and its points follow within 48 hours"
STORES = "v stores what it has {}: only what is GeoRedundant has copies in a paired region"


@pytest.mark.parametrize(
    ("vault", "pair", "said"),
    [
        (SEEN, "northeurope", ""),
        (replace(SEEN, redundancy="georedundant"), "northeurope", ""),
        (None, "northeurope", "the vault of the point is not there any more"),
        (SEEN, "ukwest", "v is in westeurope, which is paired with ukwest: it has no copies in northeurope"),
        (SEEN, "", "v is in westeurope, which is paired with no region: it has no copies in northeurope"),
        (replace(SEEN, redundancy="LocallyRedundant"), "northeurope", STORES.format("LocallyRedundant")),
        (replace(SEEN, redundancy=""), "northeurope", STORES.format("in a way that it does not say")),
        (replace(SEEN, crosses=False), "northeurope", OFF),
    ],
)
def test_a_vault_restores_in_its_paired_region_only_if_it_has_copies_there(
    vault: VaultSeen | None, pair: str, said: str
) -> None:
    assert refusal(vault, "northeurope", pair) == said


def test_the_points_that_are_there_are_those_listed_in_a_tier_of_the_vaults() -> None:
    row = machine(1, "web-1")
    rows = [
        replace(point(row, NOW - number * timedelta(days=1)), engine=Engine.VAULT, vault=VaultPoint(vault, name, NOW))
        for number, (vault, name) in enumerate(
            ((VAULT, "1"), (VAULT, "2"), (VAULT, "3"), (replace(VAULT, name="w"), "1"))
        )
    ]
    ours = point(row, NOW)
    seen = [
        PointSeen("1", NOW, "AppConsistent", ("InstantRP", "HardenedRP")),
        PointSeen("2", NOW, "AppConsistent", ("InstantRP",)),
        PointSeen("3", NOW, "AppConsistent", ()),
    ]
    assert there([*rows, ours], VAULT, seen) == [rows[0], rows[2]]
    assert there([*rows, ours], VAULT, []) == []


def job(operation: str = "CrossRegionRestore", named: str = "web-1", container: str = "") -> JobSeen:
    return JobSeen(VAULT, "j", operation, JobStatus.IN_PROGRESS, container, NOW, machine=named)


def test_a_job_of_a_paired_region_is_known_by_the_name_of_the_machine() -> None:
    assert answers(job(), "Web-1")
    assert not answers(job(named="web-2"), "web-1")
    assert not answers(job("Restore"), "web-1")


def test_a_restore_looks_for_its_job_where_it_was_asked_for() -> None:
    task = VaultTask(VAULT, sent_at=NOW)
    here = Recovery(VaultPoint(VAULT, "1", NOW), VM, "", task)
    own, paired = job("Restore", container="web;web-1"), job()
    assert job_of(here, [paired, own]) == own
    assert job_of(replace(here, region="northeurope"), [own, paired]) == paired


@pytest.mark.parametrize(
    ("location", "region"), [("West Europe", "westeurope"), ("westeurope", "westeurope"), (None, "")]
)
def test_a_region_is_written_in_one_way(location: str | None, region: str) -> None:
    assert placed(location) == region
