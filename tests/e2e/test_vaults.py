"""Azure Backup end to end: the wired product on the simulator and Azurite, one machine per family of what happens."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from local.azurite.server import Azurite
from shared.flows import show
from shared.flows.approving import approve
from shared.flows.asking import ask_backup
from shared.flows.cancelling import ask_cancel, running_job
from shared.flows.emptying import ask_delete
from shared.flows.explaining import explain
from shared.flows.reaping import reap
from shared.model.identity import ResourceId
from shared.model.machine import Status
from shared.model.operation import Kind, State
from shared.model.point import Consistency, Origin
from shared.model.request import Progress
from shared.model.vault import Standing
from tests.contract.clouds import SimulatedClock
from tests.e2e.vault_night import VaultNight, beside, vault_night
from tests.simulator.running import Running, simulator

GOLD = {"backup": "gold"}
# Where hours are lived through until a backup must have ended, they are three or more: one in twenty takes up to 2.6.


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, str]]:
    """An Azure of this module's own: its clock runs through days."""
    directory, subscription = tmp_path_factory.mktemp("vaults"), str(uuid.uuid4())
    seed = "".join(f'[[subscription]]\nid = "{one}"\n' for one in (subscription, beside(subscription)))
    with simulator(directory, "--tls-dir", str(directory / "tls"), seed=seed) as running:
        yield running, subscription


@pytest.fixture
def night(
    azure: tuple[Running, str], azurite: Azurite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[VaultNight]:
    running, subscription = azure
    wait_for_morning(running)
    with vault_night(running, azurite.connection_string, subscription, tmp_path, monkeypatch) as opened:
        yield opened


def wait_for_morning(running: Running) -> None:
    """Six o'clock: policies have vaults back up at ten in the evening, and that is among no test's own backups."""
    now = SimulatedClock(running).now()
    six = now.replace(hour=6, minute=0, second=0, microsecond=0)
    running.advance((six - now) % timedelta(days=1) / timedelta(seconds=1))


def backed_up(night: VaultNight) -> ResourceId:
    machine = night.machine(GOLD)
    night.live(3)
    assert night.points(machine)
    return machine


def item(night: VaultNight, machine: ResourceId) -> dict[str, object]:
    row = night.row(machine)
    assert row is not None
    assert row.protection is not None
    assert row.protection.vault is not None
    name = f"iaasvmcontainerv2;{machine.group};{machine.name}"
    container = f"{row.protection.vault}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;{name}"
    answer = night.running.ask("GET", f"{container}/protectedItems/vm;{name}?api-version=2025-02-01")
    found: dict[str, object] = answer.body["properties"]
    return found


def test_one_machine_from_its_tag_to_its_recovery_point(night: VaultNight, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="tagback"):
        machine = backed_up(night)
    row = night.row(machine)
    assert row is not None
    [point] = night.points(machine)
    assert point.complete
    assert point.consistency in (Consistency.APPLICATION, Consistency.FILE_SYSTEM)
    assert row.status is Status.PROTECTED
    told = [line.split()[0] for line in caplog.messages]
    way = ["vm.registered", "protect.intended", "vault.made", "policy.written", "protect.succeeded"]
    assert [name for name in told if name in way] == way
    assert {"back-up.intended", "point.recorded", "back-up.succeeded"} <= set(told)
    because = " / ".join(map(str, explain(night.world, night.rules, row)["because"]))  # type: ignore[call-overload]  # JSON
    assert "asks for plan gold" in because
    assert "protected in vault" in because
    [shown] = show.points(night.world, row)
    assert (shown["engine"], shown["consistency"]) == ("vault", point.consistency.value)


def test_the_vault_goes_on_by_its_policy_and_every_job_is_told_of(night: VaultNight) -> None:
    machine = backed_up(night)
    night.live(48, timedelta(minutes=30))
    scheduled = [one for one in night.operations(machine, Kind.BACK_UP) if one.origin is Origin.SLOT]
    assert [one.state for one in scheduled] == [State.SUCCEEDED] * len(scheduled)
    assert len(night.points(machine)) == 1 + len(scheduled) >= 3
    first = min(night.points(machine), key=lambda point: point.slot)
    assert first.because == "its vault says so", "what it was asked to keep is known once the vault names it"
    assert first.keep_until - first.slot < timedelta(days=31)


PASSES = ("BackUpOperationFailed", "GuestAgentSnapshotTaskStatusError", "UserErrorVmNotInDesirableState")
ASKS = ("UserErrorFsFreezeFailed", "ExtensionSnapshotBitlockerError", "UserErrorVmProvisioningStateFailed")


@pytest.mark.parametrize("code", PASSES)
def test_what_passes_is_tried_again_until_it_has_passed(night: VaultNight, code: str) -> None:
    machine = night.machine(GOLD)
    night.fails(machine, code)
    night.live(0.75)
    failed = night.operations(machine, Kind.BACK_UP)[0]
    assert failed.failure is not None
    assert failed.failure.code.lower() == code.lower()
    night.fails(machine, "")
    night.live(4)
    backup = night.operations(machine, Kind.BACK_UP)[0]
    assert backup.state is State.SUCCEEDED
    assert night.points(machine)


@pytest.mark.parametrize("code", ASKS)
def test_what_a_person_must_mend_waits_for_one_with_the_steps(night: VaultNight, code: str) -> None:
    machine = night.machine(GOLD)
    night.fails(machine, code)
    night.live(3)
    backup = night.operations(machine, Kind.BACK_UP)[0]
    assert backup.state is State.NEEDS_PERSON
    assert backup.failure is not None
    assert (backup.failure.code.lower(), bool(backup.failure.remedy)) == (code.lower(), True)
    row = night.row(machine)
    assert row is not None
    assert row.status is Status.UNPROTECTED
    assert backup.failure.remedy in row.because


def test_untagged_means_stopped_with_its_points_kept_and_tagged_again_resumed(night: VaultNight) -> None:
    machine = backed_up(night)
    night.tag(machine, {"backup": "off"})
    night.live(1)
    assert item(night, machine)["protectionState"] == "ProtectionStopped"
    assert night.points(machine)
    night.tag(machine, GOLD)
    night.live(1)
    assert item(night, machine)["protectionState"] == "Protected"


def test_what_somebody_deleted_is_taken_back_when_it_is_wanted_again(night: VaultNight) -> None:
    machine = backed_up(night)
    night.tag(machine, {"backup": "off"})
    night.live(1)
    row = night.row(machine)
    assert row is not None
    assert row.protection is not None
    name = f"iaasvmcontainerv2;{machine.group};{machine.name}"
    container = f"{row.protection.vault}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;{name}"
    gone = night.running.ask("DELETE", f"{container}/protectedItems/vm;{name}?api-version=2025-02-01")
    assert gone.status in (200, 202, 204)
    night.running.advance(600)
    night.tag(machine, GOLD)
    night.live(2)
    assert item(night, machine)["protectionState"] == "Protected"
    assert [one.state for one in night.operations(machine, Kind.UNDELETE)] == [State.SUCCEEDED]


def test_a_machine_that_is_gone_keeps_its_points(night: VaultNight) -> None:
    machine = backed_up(night)
    assert night.running.ask("DELETE", str(machine)).status in (200, 202)
    night.running.advance(120)
    night.look(machine)
    night.running.advance(11 * 60)
    night.look(machine)
    night.live(1)
    row = night.row(machine)
    assert row is not None
    assert row.protection is not None
    assert (row.status, row.protection.state) == (Status.GONE, Standing.STOPPED)
    assert night.points(machine)


def test_a_backup_on_demand(night: VaultNight) -> None:
    machine = backed_up(night)
    row = night.row(machine)
    assert row is not None
    night.serve(ask_backup(night.world, row, "person-1").id)
    night.live(3)
    asked_for = [one for one in night.operations(machine, Kind.BACK_UP) if one.origin is Origin.REQUEST]
    assert [one.state for one in asked_for] == [State.SUCCEEDED]
    assert len(night.points(machine)) >= 2


def test_a_vault_that_cannot_cancel_a_job_any_more_says_so_and_the_backup_ends_well(night: VaultNight) -> None:
    machine = night.machine(GOLD)
    for _ in range(90):
        night.live(1 / 60, timedelta(minutes=1))
        backups = night.operations(machine, Kind.BACK_UP)
        if backups and backups[0].task and backups[0].task.job and night.is_transferring(backups[0].task):
            break
    asked = ask_cancel(night.world, *running_job(night.world, machine.name), "person-1")
    night.serve(asked.id)
    settled = night.world.requests.find(asked.id)
    assert settled is not None
    assert settled.progress is Progress.REFUSED
    assert "it is transferring data to the vault" in settled.because
    night.live(3)
    assert night.operations(machine, Kind.BACK_UP)[0].state is State.SUCCEEDED


@pytest.mark.parametrize("plan", ["awake", "gold"])
def test_a_machine_that_does_not_run_is_started_only_where_its_plan_says_so(night: VaultNight, plan: str) -> None:
    machine = night.machine({"backup": "off"})
    night.running.control("POST", "vm", {"id": str(machine), "power": "deallocated"})
    night.tag(machine, {"backup": plan})
    night.live(5)
    shown = night.running.ask("GET", f"{machine}/instanceView").body
    running = any(status["code"] == "PowerState/running" for status in shown["statuses"])
    [backup] = night.operations(machine, Kind.BACK_UP)
    assert running is (plan == "awake")
    assert backup.state is (State.SUCCEEDED if running else State.FAILED)
    assert bool(night.points(machine)) is running


def test_what_two_people_agreed_to_is_deleted_softly_by_the_reaper_and_nothing_else(night: VaultNight) -> None:
    machine = backed_up(night)
    night.tag(machine, {"backup": "off"})
    night.live(1)
    row = night.row(machine)
    assert row is not None
    night.serve(ask_delete(night.world, night.rules, row, "a test", "ann").id)
    for person in ("ann", "bob"):
        reap(night.world, night.rules, night.shard)
        assert not item(night, machine).get("isScheduledForDeferredDelete")
        approve(night.world, [machine.name], person)
    reap(night.world, night.rules, night.shard)
    night.live(1)
    assert item(night, machine)["isScheduledForDeferredDelete"]
    assert [one.state for one in night.operations(machine, Kind.EMPTY)] == [State.SUCCEEDED]
    assert not night.points(machine)
