"""Restores in the paired region over the twins: which point is there, what is refused, and an undo that has to wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import OutcomeUnknown
from shared.model.identity import VM_TYPE, ResourceId
from shared.model.request import Progress
from shared.model.restore import RestoreMode, RestoreOrder
from shared.model.vault import JobStatus
from tests.flows.vaulting import MINUTE, STAGING, Vaulted
from tests.world.scenes import SHARD
from tests.world.steps import Call, Calm, Phase
from tests.world.twins.azure import VmTruth
from tests.world.twins.builder import Thing
from tests.world.twins.paired_regions import COPIED
from tests.world.twins.vault_truth import VaultTruth
from tests.world.vault_scenes import builder_of

FAR = "farregion"
NETWORK = f"/subscriptions/{SHARD.subscription}/resourceGroups/far/providers/Microsoft.Network/virtualNetworks/net"
DISKS = RestoreOrder(RestoreMode.DISKS, group="far", from_vault=True, staging=STAGING, region=FAR)
BESIDE = replace(DISKS, mode=RestoreMode.NEW, subnet=f"{NETWORK}/subnets/a")


@pytest.fixture
def backed() -> Vaulted:
    """Vaults restore in the paired region, where there is a group and a network."""
    made = Vaulted()
    made.world.stage.vaults.pairs[SHARD.region] = FAR
    made.world.stage.azure.tag_group(SHARD.subscription, "far", {})
    network = {"id": NETWORK, "location": "Far Region", "properties": {"provisioningState": "Succeeded"}}
    builder_of(made.world).made[NETWORK.lower()] = Thing(network, made.world.stage.scheduler.now)
    return made


@pytest.fixture
def vm(backed: Vaulted) -> VmTruth:
    """Its point has been copied by now."""
    found = backed.backed_up()
    vault(backed).crosses = True
    backed.wait(COPIED)
    return found


def vault(backed: Vaulted) -> VaultTruth:
    [found] = backed.world.stage.vaults.all.values()
    return found


def crossings(backed: Vaulted) -> list[JobStatus]:
    return [job.status for job in vault(backed).jobs.values() if job.operation == "CrossRegionRestore"]


def left(backed: Vaulted) -> list[ResourceId]:
    return [one for one in backed.world.stage.vaults.restored if backed.world.stage.azure.disk(one)]


def test_the_disks_of_a_point_come_back_in_the_paired_region(backed: Vaulted, vm: VmTruth) -> None:
    done = backed.carried(backed.ask(vm, DISKS))
    assert done.progress is Progress.DONE, done
    assert done.restore is not None
    assert {source.disk.group for source in done.restore.sources} == {"far"}
    assert [source.lun for source in done.restore.sources] == [disk.lun for disk in vm.disks]
    assert (crossings(backed), backed.restores()) == ([JobStatus.COMPLETED], [])


@pytest.mark.parametrize("mode", [RestoreMode.NEW, RestoreMode.REBUILD])
def test_a_machine_comes_back_in_the_paired_region_without_anything_of_its_own(
    backed: Vaulted, vm: VmTruth, mode: RestoreMode
) -> None:
    done = backed.carried(backed.ask(vm, replace(BESIDE, mode=mode)))
    assert done.progress is Progress.DONE, done
    assert done.restore is not None
    name = f"{vm.id.name}-restored" if mode is RestoreMode.NEW else vm.id.name
    made = backed.world.stage.azure.vm(ResourceId(SHARD.subscription, "far", VM_TYPE, name))
    assert made is not None
    assert made.tags["backup"] == "off"
    assert made.shard.region == FAR
    assert f"region {SHARD.region}: it is made in {FAR}, of its vault's copy there" in done.restore.lacking
    cards = [one.body for place, one in builder_of(backed.world).made.items() if "/networkinterfaces/" in place]
    assert [card["location"] for card in cards] == [FAR] * len(cards)
    assert cards
    undone = backed.carried(backed.undo(done))
    assert (undone.progress, left(backed)) == (Progress.DONE, [])
    assert backed.world.stage.azure.vm(vm.id) == vm


def test_the_newest_point_that_is_there_is_used(backed: Vaulted, vm: VmTruth) -> None:
    first = backed.points(vm)[0]
    backed.live(timedelta(hours=23), timedelta(minutes=20))
    newest = max(backed.points(vm), key=lambda one: one.slot)
    assert newest.slot > first.slot
    item = backed.item(vm)
    assert newest.vault is not None
    at = item.points[newest.vault.name].at
    item.points[newest.vault.name] = replace(item.points[newest.vault.name], at=at + timedelta(days=2))
    done = backed.carried(backed.ask(vm, DISKS))
    assert done.progress is Progress.DONE, done
    assert done.restore is not None
    assert done.restore.slot < newest.slot
    assert done.restore.lost_seconds > 0
    assert "that is in farregion: what is there is up to 36 hours behind (documented)" in done.restore.because


def test_a_point_that_has_not_been_copied_is_refused_before_the_vault_is_asked(backed: Vaulted) -> None:
    vm = backed.backed_up()
    vault(backed).crosses = True
    slot = backed.points(vm)[0].slot
    for order, said in (
        (DISKS, "of the points that are in farregion, it has no recovery point"),
        (replace(DISKS, slot=slot), f"it has no point of {slot:%Y-%m-%d %H:%M}Z"),
    ):
        refused = backed.carried(backed.ask(vm, order))
        assert (refused.progress, crossings(backed)) == (Progress.REFUSED, [])
        assert said in refused.because
        assert refused.because.endswith("what is there is up to 36 hours behind (documented)")


def _gone(backed: Vaulted) -> None:
    backed.world.stage.vaults.all.clear()


def _off(backed: Vaulted) -> None:
    vault(backed).crosses = False


def _local(backed: Vaulted) -> None:
    vault(backed).redundancy = "LocallyRedundant"


def _unpaired(backed: Vaulted) -> None:
    backed.world.stage.vaults.pairs.clear()


def _no_group(backed: Vaulted) -> None:
    backed.world.stage.azure.resource_groups.pop((SHARD.subscription, "far"))


def _near(backed: Vaulted) -> None:
    builder_of(backed.world).made[NETWORK.lower()].body["location"] = "northeu"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_gone, "the vault of the point is not there any more"),
        (_off, "cross-region restore is off"),
        (_local, "LocallyRedundant"),
        (_unpaired, "which is paired with no region"),
        (_no_group, "choose another with --group"),
        (_near, "the network net is in northeu, not in farregion: --subnet"),
    ],
)
def test_what_the_other_region_lacks_is_said_before_the_vault_is_asked(
    backed: Vaulted, vm: VmTruth, change: Any, said: str
) -> None:
    change(backed)
    refused = backed.carried(backed.ask(vm, BESIDE))
    assert refused.progress is Progress.REFUSED
    assert said in refused.because
    assert not backed.world.stage.vaults.restored


def test_its_own_region_is_no_other(backed: Vaulted, vm: VmTruth) -> None:
    refused = backed.carried(backed.ask(vm, replace(DISKS, region=SHARD.region)))
    assert (refused.progress, "without --region" in refused.because) == (Progress.REFUSED, True)


def test_an_undo_waits_for_the_job_that_nobody_can_cancel_and_removes_what_it_made(
    backed: Vaulted, vm: VmTruth
) -> None:
    request = backed.slice_of(backed.ask(vm, DISKS))
    assert crossings(backed) == [JobStatus.IN_PROGRESS]
    undone = backed.undo(request)
    backed.wait(2 * MINUTE)
    under_way = backed.slice_of(undone)
    assert "cannot be cancelled, so its end is waited for" in under_way.because
    assert under_way.progress is Progress.ASKED
    undone = backed.carried(undone)
    assert undone.progress is Progress.DONE, undone
    assert crossings(backed) == [JobStatus.COMPLETED]
    assert not left(backed)


class Losing(Calm):
    """The answer to one restore gets lost, before or after the vault heard of it."""

    def __init__(self, phase: Phase) -> None:
        self._phase: Phase | None = phase

    def step(self, invocation: Any, call: Call, phase: Phase) -> None:
        if call.verb == "paired_regions.restore" and phase is self._phase:
            self._phase = None
            raise OutcomeUnknown("timeout", "the answer was lost")


@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.AFTER])
def test_after_a_lost_answer_the_jobs_of_the_region_say_whether_to_ask_again(
    backed: Vaulted, vm: VmTruth, phase: Phase
) -> None:
    backed.world.stage.steps.interference = Losing(phase)
    done = backed.carried(backed.ask(vm, DISKS), timedelta(minutes=30))
    assert done.progress is Progress.DONE, done
    assert crossings(backed) == [JobStatus.COMPLETED]
