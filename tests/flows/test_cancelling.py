"""People ask Azure Backup for a backup now, and for the end of one; and they are told how a machine stands with it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.errors import BadInput, Refused, Unknown
from shared.flows import show
from shared.flows.asking import ask_backup
from shared.flows.cancelling import ask_cancel, running_job
from shared.flows.explaining import explain
from shared.flows.requesting import run
from shared.flows.retrying import ask_retry, failed_job
from shared.flows.standing import standing
from shared.model.operation import Kind, State
from shared.model.point import Origin
from shared.model.request import Progress, Request
from tests.flows.vaulting import MINUTE, SNAPSHOTS, VAULT, Backed, rules_of
from tests.world.exhaustive import perform
from tests.world.twins.azure import VmTruth

HOUR = timedelta(hours=1)


def served(estate: Backed, asked: Request) -> Request:
    perform(estate.world, lambda ports: run(ports, estate.rules, asked.id))
    return estate.world.stage.requests.asked[asked.id]


def backing_up(estate: Backed) -> VmTruth:
    vm = estate.vm()
    estate.live(10 * MINUTE)
    return vm


def test_a_backup_asked_for_is_taken_by_every_engine_of_the_plan() -> None:
    estate = Backed(rules_of(snapshots=SNAPSHOTS))
    vm = estate.vm()
    estate.live(2 * HOUR)
    settled = served(estate, ask_backup(estate.world.stage.world, estate.row(vm), "person-1"))
    assert settled.progress is Progress.TAKEN
    assert settled.because == "it is being captured and Azure Backup is asked for a backup"
    estate.live(2 * HOUR)
    mine = [one for kind in (Kind.CAPTURE, Kind.BACK_UP) for one in estate.operations(vm, kind)]
    assert [(one.kind, one.state) for one in mine if one.origin is Origin.REQUEST] == [
        (Kind.CAPTURE, State.SUCCEEDED),
        (Kind.BACK_UP, State.SUCCEEDED),
    ]
    assert len(estate.points(vm)) == 2


def test_a_backup_asked_for_while_one_runs_waits_for_its_end() -> None:
    estate = Backed()
    vm = backing_up(estate)
    settled = served(estate, ask_backup(estate.world.stage.world, estate.row(vm), "person-1"))
    assert settled.because == "Azure Backup is asked for a backup"
    estate.live(10 * MINUTE)
    assert estate.item(vm).asked == 1
    estate.live(2 * HOUR)
    assert estate.item(vm).asked == 2
    assert len(estate.points(vm)) == 2


def test_more_than_three_backups_a_day_wait_for_the_next() -> None:
    estate = Backed()
    vm = backing_up(estate)
    for _ in range(4):
        served(estate, ask_backup(estate.world.stage.world, estate.row(vm), "person-1"))
        estate.live(2 * HOUR)
    assert estate.item(vm).asked == 3
    waiting = [one for one in estate.operations(vm, Kind.BACK_UP) if one.state.open]
    assert all("three backups a day" in one.because for one in waiting)
    estate.live(22 * HOUR, 10 * MINUTE)
    assert estate.item(vm).asked == 5


def test_a_running_job_is_cancelled_by_its_vault() -> None:
    estate = Backed()
    vm = backing_up(estate)
    ports = estate.world.stage.world
    machine, operation = running_job(ports, vm.name)
    settled = served(estate, ask_cancel(ports, machine, operation, "person-1"))
    assert settled.progress is Progress.DONE
    estate.live(HOUR)
    [backup] = estate.operations(vm, Kind.BACK_UP)
    assert backup.state is State.SKIPPED
    assert "cancelled" in backup.because


def test_what_is_not_running_cannot_be_cancelled() -> None:
    estate = Backed()
    vm = estate.vm()
    estate.live(2 * HOUR)
    ports = estate.world.stage.world
    with pytest.raises(Unknown):
        running_job(ports, vm.name)
    with pytest.raises(Unknown):
        running_job(ports, f"{vm.uid}|nothing")
    machine, ended = running_job(ports, f"{vm.uid}|{estate.operations(vm, Kind.BACK_UP)[0].id}")
    with pytest.raises(BadInput, match="it is succeeded"):
        ask_cancel(ports, machine, ended, "person-1")


def test_what_ended_meanwhile_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = Backed()
    vm = backing_up(estate)
    ports = estate.world.stage.world
    first, second = (ask_cancel(ports, *running_job(ports, vm.name), "person-1") for _ in range(2))

    def refuses(vault: object, job: object) -> None:
        raise Refused("UserErrorJobNotCancellable", "the job is not in a cancellable state", 400)

    monkeypatch.setattr(ports.vault_jobs, "cancel", refuses)
    assert "not in a cancellable state" in served(estate, first).because
    estate.live(2 * HOUR)
    assert served(estate, second).because == "it is succeeded"


def test_what_was_given_up_is_begun_anew_when_a_person_asks() -> None:
    estate = Backed()
    vm = estate.vm()
    estate.world.stage.vaults.fates[vm.id] = ["UserErrorUnsupportedDiskSize"]
    estate.live(HOUR)
    ports = estate.world.stage.world
    machine, operation = failed_job(ports, vm.name)
    assert operation.state is State.GAVE_UP
    assert served(estate, ask_retry(ports, machine, operation, "person-1")).progress is Progress.TAKEN
    estate.live(2 * HOUR)
    [backup] = estate.operations(vm, Kind.BACK_UP)
    assert backup.state is State.SUCCEEDED
    assert len(estate.points(vm)) == 1


def test_explain_tells_the_way_from_the_tag_to_the_point() -> None:
    estate = Backed(rules_of(vault={**VAULT, "zone": "Europe/Berlin"}))
    vm = estate.vm()
    vm = estate.tagged(vm, "gold")
    estate.live(2 * HOUR)
    ports = estate.world.stage.world
    told = "\n".join(str(each) for each in list(explain(ports, estate.rules, estate.row(vm))["because"]))  # type: ignore[call-overload]  # JSON
    for words in (
        "asks for plan gold",
        "has Azure Backup take its points, and no snapshots",
        "Azure Backup runs every day from 22:00 Europe/Berlin on, by a standard policy that keeps 30d12w",
        "does not follow changes of the clocks",
        "protected in vault tagback-northeu by policy tagback-gold-2200-",
        "the vault's newest point is of 2026-06-03",
    ):
        assert words in told, f"{words!r} is not in:\n{told}"


def test_points_and_jobs_show_what_the_vault_made() -> None:
    estate = Backed()
    vm = estate.vm()
    estate.live(2 * HOUR)
    ports = estate.world.stage.world
    [point] = show.points(ports, estate.row(vm))
    assert (point["engine"], point["consistency"], point["parts"]) == ("vault", "application", [])
    assert point["vault"]["tiers"] == ["InstantRP"]  # type: ignore[index]  # JSON
    jobs = show.jobs(ports, standing(ports, estate.rules))
    assert {job["kind"]: job["state"] for job in jobs} == {"protect": "succeeded", "back-up": "succeeded"}


def test_a_modifier_that_no_policy_can_express_is_a_problem_and_changes_nothing() -> None:
    estate = Backed()
    vm = estate.vm()
    estate.live(2 * HOUR)
    changed = VmTruth(vm.id, vm.uid, vm.name, vm.region, {"backup": "gold", "backup-keep": "1y"}, vm.disks)
    estate.world.stage.azure.write(changed)
    estate.look(changed)
    row = estate.row(vm)
    assert row.status.value == "degraded"
    assert "does not reach Azure Backup" in row.because
