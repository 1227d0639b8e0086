"""Restores from a vault over the twins: asked once, followed, found, marked; and what a vault does that is not so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.decide.restoring import tag_of
from shared.errors import CloudError, OutcomeUnknown, Refused, Throttled
from shared.flows.show_restore import restore as shown
from shared.model.request import Asked, Progress
from shared.model.restore import RestoreMode, RestoreOrder
from shared.model.vault import ItemState, JobStatus
from tests.flows.vaulting import DISKS, IN_PLACE, MINUTE, STAGING, Vaulted
from tests.world.scenes import SHARD
from tests.world.steps import Call, Calm, Phase
from tests.world.twins.azure import VmTruth


@pytest.fixture
def backed() -> Vaulted:
    return Vaulted()


@pytest.fixture
def vm(backed: Vaulted) -> VmTruth:
    return backed.backed_up()


def test_the_disks_of_a_point_come_back_marked_and_lose_their_expiry_when_all_is_done(
    backed: Vaulted, vm: VmTruth
) -> None:
    asked = backed.ask(vm)
    done = backed.carried(asked)
    assert done.progress is Progress.DONE, done
    assert done.restore is not None
    assert [source.lun for source in done.restore.sources] == [disk.lun for disk in vm.disks]
    assert done.restore.makes == tuple(source.made for source in done.restore.sources)
    for place in done.restore.makes:
        body = backed.body(place)
        assert body is not None
        assert (tag_of(body, "tagback-restore"), tag_of(body, "tagback-expires")) == (asked.id, "")
        assert tag_of(body, "tagback-owner")
    assert backed.restores() == [JobStatus.COMPLETED]
    assert [one["state"] for one in shown(done)["stages"]] == ["done"] * 5
    assert backed.world.stage.azure.vm(vm.id) == vm


def test_while_a_job_runs_nothing_is_waited_for_and_nothing_asked_again(backed: Vaulted, vm: VmTruth) -> None:
    request = backed.slice_of(backed.ask(vm))
    began = backed.world.stage.scheduler.now
    assert request.restore is not None
    assert request.restore.next_look == began + timedelta(seconds=30)
    backed.wait(timedelta(seconds=40))
    backed.slice_of(request)
    assert backed.restores() == [JobStatus.IN_PROGRESS]


def test_a_machine_in_place_gets_the_disks_of_the_vault_and_they_go_again_when_undone(
    backed: Vaulted, vm: VmTruth
) -> None:
    done = backed.carried(backed.ask(vm, IN_PLACE))
    assert done.progress is Progress.DONE, done
    assert done.restore is not None
    now = backed.world.stage.azure.vm(vm.id)
    assert now is not None
    assert {str(disk.id): disk.lun for disk in now.disks} == {one.made: one.lun for one in done.restore.sources}
    undone = backed.carried(backed.undo(done))
    assert undone.progress is Progress.DONE, undone
    now = backed.world.stage.azure.vm(vm.id)
    assert now is not None
    assert {disk.id: disk.lun for disk in now.disks} == {disk.id: disk.lun for disk in vm.disks}
    assert [backed.body(place) for place in done.restore.makes] == [None] * len(vm.disks)


def test_an_undone_restore_leaves_no_disk_of_a_job_that_was_still_running(backed: Vaulted, vm: VmTruth) -> None:
    request = backed.slice_of(backed.ask(vm))
    undone = backed.carried(backed.undo(request))
    assert undone.progress is Progress.DONE, undone
    assert backed.restores() == [JobStatus.CANCELLED]
    assert not backed.world.stage.vaults.restored


def test_an_undone_restore_removes_what_its_job_had_made_unseen(backed: Vaulted, vm: VmTruth) -> None:
    request = backed.slice_of(backed.ask(vm))
    backed.wait(10 * MINUTE)
    assert backed.world.stage.vaults.restored
    undone = backed.carried(backed.undo(request))
    assert undone.progress is Progress.DONE, undone
    assert not [one for one in backed.world.stage.vaults.restored if backed.world.stage.azure.disk(one)]


class Losing(Calm):
    """The answer to one restore gets lost, before or after the vault heard of it."""

    def __init__(self, phase: Phase) -> None:
        self._phase = phase

    def step(self, invocation: Any, call: Call, phase: Phase) -> None:
        if call.verb == "vaults.restore" and phase is self._phase:
            self._phase = None  # type: ignore[assignment]  # once
            raise OutcomeUnknown("timeout", "the answer was lost")


@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.AFTER])
def test_after_a_lost_answer_the_jobs_of_the_vault_say_whether_to_ask_again(
    backed: Vaulted, vm: VmTruth, phase: Phase
) -> None:
    backed.world.stage.steps.interference = Losing(phase)
    done = backed.carried(backed.ask(vm), timedelta(minutes=30))
    assert done.progress is Progress.DONE, done
    assert backed.restores() == [JobStatus.COMPLETED]


def test_a_restore_that_somebody_else_asked_for_before_is_not_taken_for_ours(backed: Vaulted, vm: VmTruth) -> None:
    [vault] = backed.world.stage.vaults.all.values()
    backed.world.stage.vaults.restore(vault, vm.id, f"/subscriptions/{SHARD.subscription}/resourceGroups/{vm.id.group}")
    backed.wait(5 * MINUTE)
    done = backed.carried(backed.ask(vm))
    assert done.progress is Progress.DONE, done
    assert len(done.restore.makes if done.restore else ()) == len(vm.disks)
    assert len(backed.world.stage.vaults.restored) == 2 * len(vm.disks)


def test_two_restores_of_one_machine_at_one_time_are_told_apart_by_nobody(backed: Vaulted, vm: VmTruth) -> None:
    request = backed.slice_of(backed.ask(vm))
    backed.wait(MINUTE)
    [vault] = backed.world.stage.vaults.all.values()
    backed.world.stage.vaults.restore(vault, vm.id, f"/subscriptions/{SHARD.subscription}/resourceGroups/{vm.id.group}")
    backed.wait(10 * MINUTE)
    ended = backed.carried(request)
    assert ended.progress is Progress.FAILED
    assert "at the same time" in ended.because


def test_a_job_that_failed_for_a_while_is_asked_for_again(backed: Vaulted, vm: VmTruth) -> None:
    backed.world.stage.vaults.restore_fates[vm.id] = ["CopyingVHDsFromBackUpVaultTakingLongTime"]
    done = backed.carried(backed.ask(vm), timedelta(hours=2))
    assert done.progress is Progress.DONE, done
    assert backed.restores() == [JobStatus.FAILED, JobStatus.COMPLETED]


def test_a_job_that_cannot_succeed_ends_the_restore_with_what_to_do(backed: Vaulted, vm: VmTruth) -> None:
    backed.world.stage.vaults.restore_fates[vm.id] = ["UserErrorInstantRpNotFound"]
    ended = backed.carried(backed.ask(vm))
    assert ended.progress is Progress.FAILED
    assert ended.restore is not None
    assert ended.restore.failure is not None
    assert ended.restore.failure.remedy == "choose another recovery point"


def test_a_job_that_somebody_cancelled_is_not_asked_for_again(backed: Vaulted, vm: VmTruth) -> None:
    request = backed.slice_of(backed.ask(vm))
    [vault] = backed.world.stage.vaults.all.values()
    backed.world.stage.vaults.cancel(vault, next(one.name for one in vault.jobs.values() if one.operation == "Restore"))
    ended = backed.carried(request)
    assert (ended.progress, "cancelled in the vault" in ended.because) == (Progress.FAILED, True)
    assert backed.restores() == [JobStatus.CANCELLED]


GUARDED = Refused("UserErrorResourceGuardOperationRequestIdMissing", "ResourceGuard Operation requestid is null", 400)


def test_what_a_guard_forbids_ends_as_needing_approval(backed: Vaulted, vm: VmTruth) -> None:
    backed.world.stage.vaults.refusals[vm.id] = [GUARDED]
    ended = backed.carried(backed.ask(vm))
    assert ended.progress is Progress.FAILED
    assert ended.because.startswith("needs approval")
    assert ended.restore is not None
    assert ended.restore.failure is not None
    assert ended.restore.failure.remedy.startswith("needs approval")


def test_what_was_deleted_softly_needs_approval_before_anything_is_asked(backed: Vaulted, vm: VmTruth) -> None:
    item = backed.item(vm)
    item.soft_deleted, item.state = True, ItemState.STOPPED
    ended = backed.carried(backed.ask(vm))
    assert ended.progress is Progress.FAILED
    assert ended.because.startswith("needs approval")
    assert backed.restores() == []


@pytest.mark.parametrize(
    "error", [Throttled("TooMany", "wait", timedelta(seconds=40)), Refused("Conflict", "wait", 409)]
)
def test_what_passes_is_asked_for_again_and_only_once(backed: Vaulted, vm: VmTruth, error: CloudError) -> None:
    backed.world.stage.vaults.refusals[vm.id] = [error]
    done = backed.carried(backed.ask(vm), timedelta(hours=2))
    assert done.progress is Progress.DONE, done
    assert backed.restores() == [JobStatus.COMPLETED]


def test_the_vault_says_by_its_tag_which_storage_account_it_restores_by(backed: Vaulted, vm: VmTruth) -> None:
    refused = backed.carried(backed.ask(vm, RestoreOrder(RestoreMode.DISKS)))
    assert refused.progress is Progress.REFUSED
    assert "tagback-staging" in refused.because
    [vault] = backed.world.stage.vaults.all.values()
    vault.tags = {**vault.tags, "Tagback-Staging": STAGING}
    done = backed.carried(backed.ask(vm, RestoreOrder(RestoreMode.DISKS)))
    assert done.progress is Progress.DONE, done
    assert done.restore is not None
    assert done.restore.recovery is not None
    assert done.restore.recovery.staging == STAGING


@pytest.mark.parametrize(
    ("staging", "said"),
    [(STAGING.replace(SHARD.subscription, "another"), "TAGBACK_SUBSCRIPTIONS"), ("tbstage", "is not the id")],
)
def test_a_tag_may_not_lead_a_restore_out_of_the_installation(
    backed: Vaulted, vm: VmTruth, staging: str, said: str
) -> None:
    [vault] = backed.world.stage.vaults.all.values()
    vault.tags = {**vault.tags, "tagback-staging": staging}
    refused = backed.carried(backed.ask(vm, RestoreOrder(RestoreMode.DISKS)))
    assert refused.progress is Progress.REFUSED
    assert said in refused.because
    assert backed.restores() == []


def test_a_group_that_is_not_there_is_said_before_anything_is_made(backed: Vaulted, vm: VmTruth) -> None:
    refused = backed.carried(backed.ask(vm, replace(DISKS, group="nowhere")))
    assert refused.progress is Progress.REFUSED
    assert "choose another with --group" in refused.because


def test_disks_go_to_the_group_that_is_named(backed: Vaulted, vm: VmTruth) -> None:
    backed.world.stage.azure.tag_group(SHARD.subscription, "rescue", {})
    done = backed.carried(backed.ask(vm, replace(DISKS, group="rescue")))
    assert done.restore is not None
    assert {source.disk.group for source in done.restore.sources} == {"rescue"}


def test_disks_that_fit_no_lun_are_restored_and_left_for_a_person(backed: Vaulted, vm: VmTruth) -> None:
    moved = replace(vm, disks=tuple(replace(one, lun=None if one.lun is None else one.lun + 4) for one in vm.disks))
    backed.world.stage.azure.write(moved)
    ended = backed.carried(backed.ask(vm, IN_PLACE))
    assert ended.progress is Progress.FAILED
    assert "attach them by hand" in ended.because
    assert backed.world.stage.azure.vm(vm.id) == moved
    undone = backed.carried(backed.undo(ended))
    assert undone.progress is Progress.DONE, undone
    assert not [one for one in backed.world.stage.vaults.restored if backed.world.stage.azure.disk(one)]


def test_what_partial_disks_a_failed_restore_leaves_expire(backed: Vaulted, vm: VmTruth) -> None:
    moved = replace(vm, disks=tuple(replace(one, lun=None if one.lun is None else one.lun + 4) for one in vm.disks))
    backed.world.stage.azure.write(moved)
    ended = backed.carried(backed.ask(vm, IN_PLACE))
    assert ended.restore is not None
    for place in ended.restore.makes:
        assert tag_of(backed.body(place) or {}, "tagback-expires")
    assert [one for one in backed.world.stage.requests.asked.values() if one.asked is Asked.RESTORE]
