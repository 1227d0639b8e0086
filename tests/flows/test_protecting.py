"""A tagged machine goes into a vault and stays well there: over twins, with the product's own drainer."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import Denied, OutcomeUnknown, Unavailable
from shared.model.identity import DiskUid, ResourceId, VmUid
from shared.model.machine import Status
from shared.model.operation import Kind, State
from shared.model.plan import Plans
from shared.model.point import Consistency, Origin
from shared.model.rules import Mode
from shared.model.vault import ItemState, Standing, VaultRules
from tests.flows.vaulting import MINUTE, SNAPSHOTS, VAULT, Backed, rules_of
from tests.world.scenes import SHARD
from tests.world.twins.azure import VmTruth

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SETTLED = 2 * HOUR
MACHINES = int(os.environ.get("VAULTED_MACHINES", "40"))  # a thousand, in two vaults, take half a minute of CPU


def backed(**rules: Any) -> tuple[Backed, VmTruth]:
    """A machine that is protected, its first backup done."""
    estate = Backed(rules_of(**rules))
    vm = estate.vm()
    estate.live(SETTLED)
    return estate, vm


def test_a_tagged_machine_is_protected_and_backed_up_without_a_hand() -> None:
    estate, vm = backed()
    row = estate.row(vm)
    assert row.protection is not None
    assert (row.status, row.protection.state) == (Status.PROTECTED, Standing.PROTECTED)
    [point] = estate.points(vm)
    assert (point.complete, point.consistency, point.parts) == (True, Consistency.APPLICATION, ())
    assert point.vault is not None
    assert row.last_point == point.slot
    done = [
        (one.kind, one.state) for one in (*estate.operations(vm, Kind.PROTECT), *estate.operations(vm, Kind.BACK_UP))
    ]
    assert done == [(Kind.PROTECT, State.SUCCEEDED), (Kind.BACK_UP, State.SUCCEEDED)]
    assert estate.operations(vm, Kind.CAPTURE) == []


def test_a_plan_with_both_takes_snapshots_and_points_of_a_vault() -> None:
    estate, vm = backed(snapshots=SNAPSHOTS)
    assert [one.state for one in estate.operations(vm, Kind.CAPTURE)] == [State.SUCCEEDED]
    assert len(estate.points(vm)) == 1
    assert estate.row(vm).status is Status.PROTECTED


def test_writes_and_reads_stay_below_three_and_two_for_each_of_many_machines() -> None:
    estate = Backed()
    estate.vault()
    vms = [estate.vm(number) for number in range(1, MACHINES + 1)]
    before = estate.world.stage.steps.calls.copy()
    estate.live(SETTLED)
    made = estate.world.stage.steps.calls - before
    assert all(len(estate.points(vm)) == 1 for vm in vms)
    holding = [len(vault.items) for vault in estate.world.stage.vaults.all.values()]
    assert max(holding) <= 900
    writes = sum(made[f"vaults.{verb}"] for verb in ("change", "back_up", "refresh", "write_policy", "make"))
    single = sum(made[f"vaults.{verb}"] for verb in ("points", "job", "tracked", "refusal"))
    assert writes <= 3 * len(vms)
    assert single <= 2 * len(vms)
    assert made["vaults.refresh"] == made["vaults.write_policy"] == len(holding)


def test_a_vault_that_is_there_is_found_by_its_tag_and_none_is_made() -> None:
    estate = Backed()
    there = estate.vault("keeps-everything")
    vm = estate.vm()
    estate.live(SETTLED)
    assert estate.world.stage.vaults.holder(vm.id) is there
    assert estate.world.stage.steps.calls["vaults.make"] == 0


def test_without_leave_to_make_one_a_person_is_asked_and_the_status_says_so() -> None:
    rules = replace(rules_of(), vaults=VaultRules(create=False))
    estate = Backed(rules)
    vm = estate.vm()
    estate.live(SETTLED)
    [operation] = estate.operations(vm, Kind.PROTECT)
    assert operation.failure is not None
    assert operation.failure.code == "NoVault"
    row = estate.row(vm)
    assert row.status is not Status.PROTECTED
    assert estate.world.stage.vaults.all == {}


def test_the_scheduled_backups_of_a_vault_are_told_of_without_being_asked_for() -> None:
    estate, vm = backed()
    estate.live(2 * DAY, 20 * MINUTE)
    assert len(estate.points(vm)) == 3
    scheduled = [one for one in estate.operations(vm, Kind.BACK_UP) if one.origin is Origin.SLOT]
    assert [one.state for one in scheduled] == [State.SUCCEEDED, State.SUCCEEDED]
    assert estate.item(vm).asked == 1


def test_untagged_means_stopped_with_everything_kept_and_tagged_again_resumed() -> None:
    estate, vm = backed()
    estate.tagged(vm, "off")
    estate.live(HOUR)
    assert estate.item(vm).state is ItemState.STOPPED
    assert len(estate.item(vm).points) == len(estate.points(vm)) == 1
    row = estate.row(vm)
    assert row.protection is not None
    assert (row.status, row.protection.state) == (Status.EXCLUDED, Standing.STOPPED)
    estate.tagged(vm, "gold")
    estate.live(HOUR)
    assert estate.item(vm).state is ItemState.PROTECTED
    assert [one.state for one in estate.operations(vm, Kind.STOP)] == [State.SUCCEEDED]


def test_a_plan_without_a_vault_part_stops_the_vault_of_its_machines() -> None:
    estate, vm = backed()
    estate.tagged(vm, "bare")
    estate.live(HOUR)
    assert estate.item(vm).state is ItemState.STOPPED


def test_a_machine_that_is_gone_keeps_its_points_and_its_protection_stops() -> None:
    estate, vm = backed()
    estate.world.stage.azure.delete(vm)
    estate.look(vm)
    estate.wait(11 * MINUTE)
    estate.look(vm)
    assert estate.row(vm).status is Status.GONE
    estate.live(HOUR)
    assert estate.item(vm).state is ItemState.STOPPED
    assert [one.state for one in estate.operations(vm, Kind.STOP)] == [State.SUCCEEDED]
    assert len(estate.points(vm)) == 1


def test_a_typo_in_the_tag_stops_nothing() -> None:
    estate, vm = backed()
    estate.tagged(vm, "godl")
    estate.live(HOUR)
    estate.live(9 * DAY, 6 * HOUR)
    assert estate.item(vm).state is ItemState.PROTECTED


def test_an_observed_subscription_is_left_alone() -> None:
    estate, vm = backed()
    estate.rules = replace(estate.rules, subscriptions={SHARD.subscription: Mode.OBSERVE})
    before = estate.world.stage.steps.calls.copy()
    estate.tagged(vm, "off")
    estate.live(2 * DAY, HOUR)
    made = estate.world.stage.steps.calls - before
    assert made["vaults.change"] == made["vaults.back_up"] == 0
    assert estate.item(vm).state is ItemState.PROTECTED


def test_what_is_deleted_softly_is_taken_back_and_resumed() -> None:
    estate, vm = backed()
    estate.tagged(vm, "off")
    estate.live(HOUR)
    estate.item(vm).soft_deleted = True
    estate.tagged(vm, "gold")
    estate.live(HOUR)
    item = estate.item(vm)
    assert (item.soft_deleted, item.state) == (False, ItemState.PROTECTED)
    assert [one.state for one in estate.operations(vm, Kind.UNDELETE)] == [State.SUCCEEDED]


def test_what_others_protect_is_reported_and_never_touched() -> None:
    estate = Backed()
    foreign = estate.vault("not-ours", owner="somebody-else")
    vm = estate.vm()
    foreign.discovered.add(vm.id)
    foreign.policies["Theirs"] = {"schedulePolicy": {"scheduleRunTimes": ["2026-01-01T01:00:00Z"]}}
    estate.world.stage.vaults.protect(foreign, vm.id, "Theirs", ())
    estate.live(SETTLED)
    row = estate.row(vm)
    assert row.protection is not None
    assert row.protection.state is Standing.ELSEWHERE
    assert "not-ours" in " ".join(row.problems)
    assert estate.operations(vm, Kind.PROTECT) == []
    assert estate.item(vm).policy == "Theirs"


def with_keep(keep: str) -> Plans:
    return rules_of(vault={**VAULT, "keep": keep}).plans


def test_a_plan_that_keeps_longer_is_assigned_at_once() -> None:
    estate, vm = backed()
    before = estate.item(vm).policy
    estate.rules = replace(estate.rules, plans=with_keep("60d12w"))
    estate.look(vm)
    estate.live(HOUR)
    assert estate.item(vm).policy != before
    assert estate.row(vm).status is Status.PROTECTED


def test_a_plan_that_keeps_less_is_for_people_and_says_what_would_be_lost() -> None:
    estate, vm = backed()
    before = estate.item(vm).policy
    estate.rules = replace(estate.rules, plans=with_keep("7d12w"))
    estate.look(vm)
    estate.live(HOUR)
    assert estate.item(vm).policy == before
    row = estate.row(vm)
    assert row.status is Status.DEGRADED
    assert "daily points from 30 to 7 days" in row.because


def test_disks_that_are_left_out_are_left_out_of_the_vault_too() -> None:
    estate = Backed(rules_of(snapshots=SNAPSHOTS))
    vm = estate.vm()
    off = replace(vm, disks=(vm.disks[0], replace(vm.disks[1], left_out="tagged backup = off")))
    estate.world.stage.azure.write(off)
    estate.live(SETTLED)
    assert estate.item(vm).left_out == (1,)


FAILURES = [
    ("BackUpOperationFailed", State.SUCCEEDED),
    ("UserErrorBackupOperationInProgress", State.SUCCEEDED),
    ("UserErrorVmNotInDesirableState", State.SUCCEEDED),
    ("UserErrorGuestAgentStatusUnavailable", State.SUCCEEDED),
    ("UserErrorFsFreezeFailed", State.NEEDS_PERSON),
    ("ExtensionSnapshotBitlockerError", State.NEEDS_PERSON),
    ("UserErrorUnsupportedDiskSize", State.GAVE_UP),
]


@pytest.mark.parametrize(("code", "ends"), FAILURES, ids=[code for code, _ in FAILURES])
def test_a_backup_that_failed_goes_on_by_the_rule_of_its_code(code: str, ends: State) -> None:
    estate = Backed()
    vm = estate.vm()
    estate.world.stage.vaults.fates[vm.id] = [code]
    estate.live(4 * HOUR)
    [first] = estate.operations(vm, Kind.BACK_UP)
    assert first.state is ends
    assert (len(estate.points(vm)) > 0) == (ends is State.SUCCEEDED)
    if ends is not State.SUCCEEDED:
        assert first.failure is not None
        assert first.failure.code == code
        assert first.failure.remedy
        assert estate.row(vm).status is Status.UNPROTECTED


def test_a_failure_ends_when_a_newer_point_is_complete() -> None:
    estate = Backed()
    vm = estate.vm()
    estate.world.stage.vaults.fates[vm.id] = ["UserErrorFsFreezeFailed"]
    estate.live(3 * DAY, 15 * MINUTE)
    first = min(estate.operations(vm, Kind.BACK_UP), key=lambda one: one.intended_at)
    assert first.state is State.SUPERSEDED
    assert estate.row(vm).status is Status.PROTECTED


def test_a_job_that_was_cancelled_is_not_begun_again_by_itself() -> None:
    estate = Backed()
    vm = estate.vm()
    estate.live(10 * MINUTE)
    vault = estate.world.stage.vaults.holder(vm.id)
    assert vault is not None
    [running] = [job for job in vault.jobs.values() if job.operation == "Backup"]
    estate.world.stage.vaults.cancel(vault, running.name)
    estate.live(HOUR)
    [operation] = estate.operations(vm, Kind.BACK_UP)
    assert operation.state is State.SKIPPED
    assert estate.item(vm).asked == 1


def test_a_guarded_vault_wants_a_persons_approval_and_is_not_asked_again_and_again() -> None:
    estate, vm = backed()
    holder = estate.world.stage.vaults.holder(vm.id)
    assert holder is not None
    holder.guarded = True
    estate.tagged(vm, "off")
    before = estate.world.stage.steps.calls["vaults.change"]
    estate.live(4 * HOUR)
    [stop] = estate.operations(vm, Kind.STOP)
    assert stop.state is State.NEEDS_PERSON
    assert stop.failure is not None
    assert "needs approval" in stop.failure.remedy
    assert estate.world.stage.steps.calls["vaults.change"] - before == 1


def test_silence_is_an_alarm_after_one_and_a_half_intervals_and_two_hours() -> None:
    estate, vm = backed()
    estate.world.stage.vaults.fates[vm.id] = ["UserErrorFsFreezeFailed"] * 20
    estate.live(timedelta(days=1, hours=18), 15 * MINUTE)
    row = estate.row(vm)
    assert row.status is Status.DEGRADED
    assert row.last_point is not None


@pytest.mark.parametrize("trouble", [Unavailable("timeout", "x"), Denied("AuthorizationFailed", "no", 403)], ids=str)
def test_vaults_that_cannot_be_read_hold_nothing_up_and_change_nothing(
    trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = Backed(rules_of(snapshots=SNAPSHOTS))

    def fails(shard: object) -> None:
        raise trouble

    monkeypatch.setattr(estate.world.stage.world.vaults, "vaults", fails)
    vm = estate.vm()
    estate.live(20 * MINUTE)
    assert [one.state for one in estate.operations(vm, Kind.CAPTURE)] == [State.SUCCEEDED]
    row = estate.row(vm)
    assert row.protection is not None
    assert row.protection.state is Standing.WANTED
    monkeypatch.undo()
    estate.live(SETTLED)
    assert len(estate.points(vm)) == 1


@pytest.mark.parametrize("taken", [True, False], ids=["it was taken", "it was lost"])
def test_a_backup_whose_answer_was_lost_is_asked_for_once_in_effect(
    taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = Backed()
    vm = estate.vm()
    jobs = estate.world.stage.world.vault_jobs
    real = jobs.back_up
    lost: list[ResourceId] = []

    def loses(vault: ResourceId, of: ResourceId, until: Any) -> str:
        if lost:
            return real(vault, of, until)
        lost.append(of)
        if taken:
            real(vault, of, until)
        raise OutcomeUnknown("timeout", "the answer was lost")

    monkeypatch.setattr(jobs, "back_up", loses)
    estate.live(3 * HOUR)
    assert len(estate.points(vm)) == 1
    [operation] = estate.operations(vm, Kind.BACK_UP)
    assert operation.state is State.SUCCEEDED
    assert estate.item(vm).asked == 1


def made_again(estate: Backed, vm: VmTruth) -> VmTruth:
    """Another machine under the same name, with other disks, registered."""
    estate.world.stage.azure.delete(vm)
    disks = tuple(replace(disk, uid=DiskUid(f"{disk.uid}-again")) for disk in vm.disks)
    again = replace(vm, uid=VmUid("uid-again"), disks=disks)
    estate.world.stage.azure.write(again)
    estate.look(again)
    return again


@pytest.mark.parametrize("known_gone", [True, False], ids=["after it was known to be gone", "at once"])
def test_a_machine_made_again_takes_over_no_point_of_the_former_one(known_gone: bool) -> None:
    estate, vm = backed()
    estate.live(DAY, 20 * MINUTE)
    former = {point.slot for point in estate.points(vm)}
    assert len(former) == 2
    if known_gone:
        estate.world.stage.azure.delete(vm)
        estate.look(vm)
        estate.wait(11 * MINUTE)
        estate.look(vm)
        estate.live(HOUR)
    again = made_again(estate, vm)
    estate.drain()
    known = estate.row(again).protection
    assert known is not None
    assert known.last_point is None
    assert estate.row(again).status is not Status.PROTECTED
    estate.look(vm)
    estate.wait(11 * MINUTE)
    estate.look(vm)
    estate.live(3 * HOUR, 5 * MINUTE)
    assert {point.slot for point in estate.points(vm)} == former
    own = {point.slot for point in estate.points(again)}
    assert len(own) == 1
    assert min(own) > max(former)
    assert estate.row(again).status is Status.PROTECTED


def test_the_points_of_a_machine_that_no_snapshot_can_be_taken_of_are_its_own_after_another_of_its_name() -> None:
    estate, vm = backed()
    former = {point.slot for point in estate.points(vm)}
    estate.world.stage.azure.delete(vm)
    estate.look(vm)
    estate.wait(11 * MINUTE)
    estate.look(vm)
    again = replace(vm, uid=VmUid("uid-again"), disks=(), unsupported=("OS disk is ephemeral",))
    estate.world.stage.azure.write(again)
    estate.look(again)
    assert estate.row(again).enrolled_at is None
    estate.live(2 * DAY, 20 * MINUTE)
    own = {point.slot for point in estate.points(again)}
    assert own
    assert min(own) > max(former)


def test_the_row_of_a_former_machine_never_stops_the_protection_of_its_successor() -> None:
    estate, vm = backed()
    again = made_again(estate, vm)
    estate.look(vm)
    estate.wait(11 * MINUTE)
    estate.look(vm)
    assert estate.row(vm).status is Status.GONE
    estate.live(22 * DAY, 2 * HOUR)
    assert estate.item(again).state is ItemState.PROTECTED
    assert len(estate.operations(vm, Kind.STOP)) <= 1
    assert estate.row(again).status is Status.PROTECTED
    assert len(estate.points(again)) > 20
