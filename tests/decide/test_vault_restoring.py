"""Which job answers for a restore from a vault, which disks it made, and where each of them goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.decide.drawing import Captured, disk_place
from shared.decide.vault_restoring import Unclear, failed, job_of, left_out, made, misfit, refused, retagged
from shared.decide.vaults import VAULT_TYPE
from shared.model.fault import Area, Task, Trouble
from shared.model.identity import VM_TYPE, ResourceId
from shared.model.restore import ArmPath, Recovery, Source
from shared.model.vault import JobError, JobSeen, JobStatus, VaultPoint, VaultTask
from shared.model.vault_restore import DiskSeen
from tests.decide.test_blueprint import drawing
from tests.fleet import NOW, RULES

MINUTE = timedelta(minutes=1)
VAULT = ResourceId("s", "backups", VAULT_TYPE, "v")
VM = ResourceId("s", "web", VM_TYPE, "web-1")
GROUP = "/subscriptions/s/resourceGroups/Web/providers/Microsoft.Compute/disks"
ENDED = NOW + 4 * MINUTE


def recovery(sent_at: datetime | None = NOW, former: tuple[str, ...] = ()) -> Recovery:
    return Recovery(VaultPoint(VAULT, "7", NOW), VM, "", VaultTask(VAULT, sent_at=sent_at, former=former))


def job(name: str = "j", began: datetime = NOW, operation: str = "Restore", container: str = "web;web-1") -> JobSeen:
    return JobSeen(VAULT, name, operation, JobStatus.IN_PROGRESS, container, began)


def test_the_first_restore_of_the_machine_since_the_vault_was_asked_answers_for_it() -> None:
    later = job("later", NOW + 2 * MINUTE)
    assert job_of(recovery(), [later, job("first", NOW + MINUTE)]) == job("first", NOW + MINUTE)
    assert job_of(recovery(former=("first",)), [later, job("first", NOW + MINUTE)]) == later
    assert job_of(recovery(), []) is None


@pytest.mark.parametrize(
    "other",
    [job(operation="Backup"), job(container="web;web-2"), job(began=NOW - 2 * MINUTE - timedelta(seconds=1))],
    ids=["a backup", "another machine", "before"],
)
def test_other_jobs_do_not_answer_for_it(other: JobSeen) -> None:
    assert job_of(recovery(), [other]) is None


def test_clocks_may_differ_by_minutes_and_what_was_never_asked_has_no_job() -> None:
    assert job_of(recovery(), [job(began=NOW - 2 * MINUTE)]) is not None
    assert job_of(recovery(sent_at=None), [job()]) is None


def test_a_failed_job_says_why_by_the_error_that_a_rule_knows() -> None:
    errors = (JobError("400", "it failed"), JobError("5", "UserErrorInstantRpNotFound: it is gone", "take another"))
    fault = failed(replace(job(), errors=errors))
    assert (fault.trouble, fault.code, fault.area, fault.task) == (
        Trouble.CONFLICT, "UserErrorInstantRpNotFound", Area.VAULT, Task.RESTORE,
    )  # fmt: skip
    assert fault.message == "UserErrorInstantRpNotFound: it is gone; take another"
    assert failed(job()).message == "job j failed and names no reason"
    assert refused(JobError("x", "no"), Trouble.REFUSED).trouble is Trouble.REFUSED


def disk(name: str, at: datetime | None = NOW + 3 * MINUTE, zones: tuple[str, ...] = ()) -> DiskSeen:
    return DiskSeen(f"{GROUP}/{name}", at, zones)


def source(name: str, lun: int | None, zones: tuple[str, ...] = ()) -> Source:
    place = ArmPath(f"{GROUP}/{name}")
    return Source(VAULT, ResourceId.parse(place), lun, place, zones)


DONE = replace(job(), status=JobStatus.COMPLETED, ended=ENDED)


def test_the_disks_of_a_job_are_known_by_name_and_time_the_os_disk_first() -> None:
    seen = [disk("web1-datadisk-010-20261121-120300"), disk("web1-osdisk-20261121-120300"),
            disk("web1-datadisk-000-20261121-120300", zones=("2",)),
            disk("Web-1-datadisk-002-20261121-120300")]  # fmt: skip
    assert made(seen, recovery(), DONE, ENDED) == (
        source("web1-osdisk-20261121-120300", None),
        source("web1-datadisk-000-20261121-120300", 0, ("2",)),
        source("Web-1-datadisk-002-20261121-120300", 2),
        source("web1-datadisk-010-20261121-120300", 10),
    )


@pytest.mark.parametrize(
    "other",
    [
        disk("web1-osdisk-20261121-120300", NOW - timedelta(seconds=1)),
        disk("web1-osdisk-20261121-120300", ENDED + 2 * MINUTE + timedelta(seconds=1)),
        disk("web1-osdisk-20261121-120300", None),
        disk("web10-osdisk-20261121-120300"),
        disk("app1-osdisk-20261121-120300"),
        disk("web1_OsDisk_1_abc"),
        disk("web1-osdisk"),
        disk("web1-datadisk-1-20261121-120300"),
    ],
)
def test_other_disks_are_not_taken_for_its_own(other: DiskSeen) -> None:
    assert made([other], recovery(), DONE, ENDED) == ()


def test_while_its_job_runs_the_present_is_its_end() -> None:
    late = disk("web1-osdisk-20261121-1203", NOW + 30 * MINUTE)
    assert made([late], recovery(), job(), NOW + 30 * MINUTE) == (source("web1-osdisk-20261121-1203", None),)
    assert made([disk("web1-osdisk-20261121-1200", NOW)], recovery(), job(), NOW)
    assert made([disk("web1-osdisk-20261121-1206", ENDED + 2 * MINUTE)], recovery(), DONE, ENDED)


def test_the_disks_of_two_restores_at_one_time_are_nobodys() -> None:
    seen = [disk("web1-osdisk-20261121-120300"), disk("web1-osdisk-20261121-120301")]
    found = made(seen, recovery(), DONE, ENDED)
    assert found == Unclear("two restores of web-1 made disks at the same time: 20261121-120300, 20261121-120301")


def test_a_disk_of_a_vault_is_where_the_vault_made_it() -> None:
    beside = ArmPath("/subscriptions/s/resourceGroups/Web/providers/Microsoft.Compute/virtualMachines/Web-1")
    made_by_vault = source("web1-osdisk-20261121-120300", None)
    assert disk_place("request-1", beside, made_by_vault) == made_by_vault.made
    own = replace(made_by_vault, made=ArmPath(""))
    assert disk_place("request-1", beside, own).startswith(f"{GROUP}/tb-")


def machine(*luns: int) -> dict[str, Any]:
    return {"properties": {"storageProfile": {"osDisk": {}, "dataDisks": [{"lun": lun} for lun in luns]}}}


def test_disks_take_the_places_of_a_machine_only_where_their_numbers_are_its_luns() -> None:
    system, first = source("os", None), source("d", 1)
    assert misfit([system, first], machine(1)) == ""
    assert misfit([system], machine()) == ""
    assert misfit([system], {}) == ""
    said = "the vault's data disks are numbered [1], and the machine has LUNs ['0']"
    assert misfit([system, first], machine(0)) == said
    assert misfit([system], machine(2)) == "the vault's data disks are numbered [], and the machine has LUNs ['2']"
    assert misfit([first], machine(1)) == "the vault restored no OS disk"


def test_disks_that_are_left_out_of_points_need_not_be_there() -> None:
    system, first = source("os", None), source("d", 0)
    assert misfit([system, first], machine(0, 1), frozenset({1})) == ""
    told = misfit([system, first], machine(0, 1, 2), frozenset({1}))
    assert told == "the vault's data disks are numbered [0], and the machine has LUNs ['0', '2']"


@pytest.mark.parametrize(
    ("tags", "out"),
    [({"Backup": " OFF "}, True), ({"backup": "gold"}, False), ({"backup-keep": "off"}, False), ({}, False)],
)
def test_what_a_disks_own_tag_leaves_out_is_known_by_its_lun(tags: dict[str, str], out: bool) -> None:
    attached = [{"lun": 4, "managedDisk": {"id": f"{GROUP}/D"}}, {"lun": 5, "managedDisk": {"id": f"{GROUP}/other"}}]
    vm = {"properties": {"storageProfile": {"dataDisks": attached}}}
    known = Captured(vm, ({"id": f"{GROUP}/d", "tags": tags}, {"id": f"{GROUP}/none"}))
    assert left_out(known, RULES) == (frozenset({4}) if out else frozenset())
    assert left_out(Captured(), RULES) == frozenset()


def test_a_restored_disk_loses_what_its_source_was_told_by_tags_and_keeps_the_rest() -> None:
    wanted = drawing().tags(None)
    found = retagged(
        {"tags": {"Env": "prod", "Backup": "off", "TAGBACK-drill": "old", "tagback-restore": "old"}}, drawing()
    )
    assert (found.put, found.gone) == (wanted, {"Backup": "off", "TAGBACK-drill": "old"})
    again = retagged({"tags": {**wanted, "Env": "prod"}}, drawing())
    assert (again.put, again.gone) == ({}, {})
    assert retagged({}, drawing()).put == wanted
