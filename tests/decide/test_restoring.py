"""The stages of restores, what a look at a piece says, and how a machine in place changes its disks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.decide import swapping
from shared.decide.failure import AskPerson, GiveUp, Retry
from shared.decide.restoring import (
    STAGES,
    UNDOING,
    Standing,
    failure,
    first_of_removal,
    is_on_trial,
    is_verdict,
    lasts,
    must_be_put_back,
    next_stage,
    pause_after,
    reverts,
    stages,
    standing,
    tag_of,
    takes_too_long,
    way_back,
)
from shared.decide.vaults import VAULT_TYPE
from shared.model.drill import Probing
from shared.model.fault import Fault, Trouble
from shared.model.identity import VM_TYPE, ResourceId
from shared.model.restore import ArmPath, Recovery, Restore, RestoreMode, Stage, Swap
from shared.model.vault import VaultPoint, VaultTask
from tests.decide.test_blueprint import NOW, SOURCES, drawing

OLD = tuple(Swap(ArmPath(f"/d/old-{lun}"), lun, "ReadOnly", "Detach", lun == 3) for lun in (None, 3))


def restore(stage: Stage, undoing: bool = False) -> Restore:
    return Restore("", NOW, 0, SOURCES, "", ArmPath("/vm"), (), NOW, NOW, stage, swaps=OLD, undoing=undoing)


@pytest.mark.parametrize("mode", RestoreMode)
@pytest.mark.parametrize("undoing", [False, True])
def test_every_stage_is_followed_by_the_next_and_the_last_by_none(mode: RestoreMode, undoing: bool) -> None:
    order = (UNDOING if undoing else STAGES)[mode]
    assert len(set(order)) == len(order)
    seen, stage = [order[0]], next_stage(mode, restore(order[0], undoing))
    while stage is not None:
        seen.append(stage)
        stage = next_stage(mode, restore(stage, undoing))
    assert tuple(seen) == order
    assert next_stage(mode, restore(Stage.LEFTOVERS, undoing)) is None


def test_a_stage_that_its_way_does_not_have_is_followed_by_the_first() -> None:
    assert Stage.CLAIM not in STAGES[RestoreMode.NEW]
    assert next_stage(RestoreMode.NEW, restore(Stage.CLAIM)) is STAGES[RestoreMode.NEW][0]


@pytest.mark.parametrize("state", ["Canceled", "canceled", "Failed"])
def test_a_piece_that_azure_gave_up_has_failed(state: str) -> None:
    seen = {"tags": {"tagback-restore": "r1"}, "properties": {"provisioningState": state}}
    assert standing(seen, "r1") is Standing.FAILED


def test_a_tag_is_found_whatever_the_case_of_its_name() -> None:
    assert tag_of({"tags": {"TagBack-Restore": "r1"}}, "tagback-restore") == "r1"
    assert tag_of({"tags": {"other": "r1"}}, "tagback-restore") == ""
    assert tag_of({}, "tagback-restore") == ""


SOON = {
    Stage.DISKS: 5, Stage.INTERFACES: 3, Stage.REMOVE_INTERFACES: 3, Stage.RULES: 3, Stage.NETWORK: 3,
    Stage.REMOVE_NETWORK: 3, Stage.REMOVE_RULES: 3, Stage.RECOVER: 30, Stage.MOUNT: 15, Stage.UNMOUNT: 15,
}  # fmt: skip
BETWEEN = {Stage.CLAIM, Stage.STOP, Stage.DETACH, Stage.SWAP, Stage.START, Stage.LET_GO}


@pytest.mark.parametrize("stage", Stage)
def test_azure_is_looked_at_again_as_soon_as_its_work_can_be_done(stage: Stage) -> None:
    assert pause_after(stage).total_seconds() == SOON.get(stage, 10)


TRIED = (
    Stage.SURVEY, Stage.RULES, Stage.NETWORK, Stage.DISKS, Stage.INTERFACES, Stage.MACHINE, Stage.PROBE, Stage.COMMAND,
)  # fmt: skip
JUDGED = (
    Stage.VERDICT, Stage.REMOVE_MACHINE, Stage.REMOVE_INTERFACES, Stage.REMOVE_DISKS, Stage.REMOVE_NETWORK,
    Stage.REMOVE_RULES,
)  # fmt: skip


def test_a_drill_makes_tries_judges_and_removes_in_this_order() -> None:
    assert STAGES[RestoreMode.DRILL] == (*TRIED, *JUDGED)
    assert UNDOING[RestoreMode.DRILL] == JUDGED
    assert first_of_removal(RestoreMode.DRILL, restore(Stage.VERDICT)) is Stage.REMOVE_MACHINE


def test_disks_are_lent_and_taken_back_in_this_order() -> None:
    lent = (Stage.SURVEY, Stage.DISKS, Stage.CLAIM, Stage.ATTACH, Stage.LET_GO)
    assert STAGES[RestoreMode.FILES] == lent
    back = (Stage.CLAIM, Stage.DETACH, Stage.LET_GO, Stage.REMOVE_DISKS)
    assert UNDOING[RestoreMode.FILES] == back
    assert first_of_removal(RestoreMode.FILES, restore(Stage.ATTACH)) is Stage.CLAIM
    for stage in lent:
        assert reverts(RestoreMode.FILES, restore(stage)) is (stage is not Stage.SURVEY)
        assert not reverts(RestoreMode.FILES, restore(stage, undoing=True))
        assert not reverts(RestoreMode.IN_PLACE, restore(stage))
    assert reverts(RestoreMode.DRILL, restore(Stage.PROBE))
    assert not reverts(RestoreMode.DRILL, restore(Stage.VERDICT))


@pytest.mark.parametrize("mode", RestoreMode)
def test_what_is_left_behind_goes_after_a_week_and_what_was_lent_or_tried_after_a_day(mode: RestoreMode) -> None:
    days = 1 if mode in (RestoreMode.DRILL, RestoreMode.FILES) else 7
    assert lasts(mode) == timedelta(days=days)
    assert lasts(mode, of_vault=True) == (timedelta(hours=12) if mode is RestoreMode.FILES else timedelta(days=days))


RECOVERED = (Stage.RECOVER, Stage.FIND, Stage.ADOPT)
SWAPPED = (Stage.CLAIM, Stage.STOP, Stage.DETACH, Stage.SWAP, Stage.START, Stage.LET_GO, Stage.RELEASE)


def in_vault(undoing: bool = False, swapped: bool = False) -> Restore:
    vault = ResourceId("s", "g", VAULT_TYPE, "v")
    recovery = Recovery(VaultPoint(vault, "1", NOW), ResourceId("s", "g", VM_TYPE, "vm"), "", VaultTask())
    return replace(restore(Stage.SURVEY, undoing), recovery=recovery, swaps=OLD if swapped else ())


def test_a_vault_mounts_a_point_and_unmounts_it() -> None:
    assert stages(RestoreMode.FILES, in_vault()) == (Stage.SURVEY, Stage.MOUNT)
    assert stages(RestoreMode.FILES, in_vault(undoing=True)) == (Stage.UNMOUNT,)
    assert first_of_removal(RestoreMode.FILES, in_vault()) is Stage.UNMOUNT
    assert way_back(RestoreMode.FILES, in_vault()) is Stage.UNMOUNT
    for mode in RestoreMode:
        assert way_back(mode, restore(Stage.SURVEY)) is UNDOING[mode][0]
    assert way_back(RestoreMode.IN_PLACE, in_vault()) is Stage.CLAIM
    assert next_stage(RestoreMode.FILES, replace(in_vault(), stage=Stage.MOUNT)) is None
    assert reverts(RestoreMode.FILES, replace(in_vault(), stage=Stage.MOUNT))


def test_a_vault_makes_the_disks_and_then_they_are_found() -> None:
    assert stages(RestoreMode.DISKS, in_vault()) == (Stage.SURVEY, *RECOVERED, Stage.RELEASE)
    assert stages(RestoreMode.IN_PLACE, in_vault()) == (Stage.SURVEY, *RECOVERED, *SWAPPED)
    for mode in (RestoreMode.NEW, RestoreMode.REBUILD):
        made = (Stage.INTERFACES, Stage.MACHINE, Stage.RELEASE)
        assert stages(mode, in_vault()) == (Stage.SURVEY, *RECOVERED, *made)
    assert stages(RestoreMode.DISKS, restore(Stage.SURVEY)) == (Stage.SURVEY, Stage.DISKS, Stage.RELEASE)


@pytest.mark.parametrize("mode", [RestoreMode.DISKS, RestoreMode.IN_PLACE])
def test_what_a_vault_made_is_looked_for_where_it_is_undone(mode: RestoreMode) -> None:
    assert stages(mode, in_vault(undoing=True)) == (*RECOVERED, Stage.REMOVE_DISKS)
    assert first_of_removal(mode, in_vault()) is Stage.RECOVER


@pytest.mark.parametrize("mode", [RestoreMode.NEW, RestoreMode.REBUILD])
def test_a_machine_made_of_a_vaults_disks_goes_before_them(mode: RestoreMode) -> None:
    removed = (Stage.REMOVE_MACHINE, Stage.REMOVE_INTERFACES, Stage.REMOVE_DISKS)
    assert stages(mode, in_vault(undoing=True)) == (*RECOVERED, *removed)
    assert first_of_removal(mode, in_vault()) is Stage.RECOVER


def test_a_machine_whose_disks_were_swapped_gets_its_own_back_first() -> None:
    swapped = in_vault(undoing=True, swapped=True)
    assert stages(RestoreMode.IN_PLACE, swapped) == (*SWAPPED, Stage.REMOVE_DISKS)
    assert first_of_removal(RestoreMode.IN_PLACE, in_vault(swapped=True)) is Stage.CLAIM
    assert first_of_removal(RestoreMode.IN_PLACE, restore(Stage.SURVEY)) is Stage.CLAIM
    assert first_of_removal(RestoreMode.IN_PLACE, replace(restore(Stage.SURVEY), swaps=())) is Stage.REMOVE_DISKS
    assert first_of_removal(RestoreMode.NEW, replace(restore(Stage.SURVEY), swaps=())) is Stage.REMOVE_MACHINE


@pytest.mark.parametrize("stage", Stage)
def test_a_drill_is_on_trial_until_its_verdict(stage: Stage) -> None:
    assert is_on_trial(RestoreMode.DRILL, restore(stage)) is (stage in TRIED)
    assert not is_on_trial(RestoreMode.DRILL, restore(stage, undoing=True))
    assert not is_on_trial(RestoreMode.NEW, restore(stage))


def test_a_drill_waits_for_what_passes_by_itself_and_not_for_ever() -> None:
    soon, tomorrow = Retry(timedelta(minutes=5), "throttled"), Retry(timedelta(hours=5), "no room")
    assert not is_verdict(soon, NOW, NOW)
    assert not is_verdict(soon, NOW, NOW + timedelta(hours=3, minutes=55))
    assert is_verdict(soon, NOW, NOW + timedelta(hours=3, minutes=56))
    assert is_verdict(tomorrow, NOW, NOW)
    assert is_verdict(GiveUp("refused"), NOW, NOW)
    assert is_verdict(AskPerson(timedelta(minutes=5), "ask for quota", "quota"), NOW, NOW)


def test_a_drill_waits_four_hours_for_what_it_makes_and_no_longer() -> None:
    late = NOW + timedelta(hours=4, seconds=1)
    assert not takes_too_long(RestoreMode.DRILL, restore(Stage.DISKS), NOW + timedelta(hours=4))
    assert takes_too_long(RestoreMode.DRILL, restore(Stage.DISKS), late)
    assert not takes_too_long(RestoreMode.NEW, restore(Stage.DISKS), late)
    assert not takes_too_long(RestoreMode.DRILL, restore(Stage.REMOVE_DISKS), late)
    tried = replace(restore(Stage.PROBE), probing=Probing(NOW))
    assert not takes_too_long(RestoreMode.DRILL, tried, late)


@pytest.mark.parametrize("stage", Stage)
def test_only_a_machine_that_is_between_its_disks_must_be_put_back(stage: Stage) -> None:
    assert must_be_put_back(restore(stage)) is (stage in BETWEEN)
    assert not must_be_put_back(restore(stage, undoing=True))


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (None, Standing.ABSENT),
        ({"tags": {"Tagback-Restore": "r1"}, "properties": {"provisioningState": "Succeeded"}}, Standing.READY),
        ({"tags": {"tagback-restore": "r1"}, "properties": {"provisioningState": "Creating"}}, Standing.WORKING),
        ({"tags": {"tagback-restore": "r1"}}, Standing.WORKING),
        ({"tags": {"tagback-restore": "r1"}, "properties": {"provisioningState": "Failed"}}, Standing.FAILED),
        ({"tags": {"tagback-restore": "r2"}, "properties": {"provisioningState": "Succeeded"}}, Standing.FOREIGN),
        ({"tags": None, "properties": {"provisioningState": "Succeeded"}}, Standing.FOREIGN),
    ],
)
def test_only_what_carries_the_requests_id_is_ours(seen: dict[str, Any] | None, found: Standing) -> None:
    assert standing(seen, "r1") is found


def test_why_azure_gave_a_machine_up_stands_in_its_instance_view() -> None:
    statuses = [{"code": "ProvisioningState/failed/AllocationFailed", "message": "no room"}]
    told = failure({"properties": {"instanceView": {"statuses": statuses}}})
    assert told == Fault(Trouble.CONFLICT, "AllocationFailed", "no room")
    [wordless] = [{"code": "ProvisioningState/failed/AllocationFailed"}]
    assert failure({"properties": {"instanceView": {"statuses": [wordless]}}}).message == ""
    untold = Fault(Trouble.CONFLICT, "ProvisioningFailed", "Azure says that disk-1 could not be made")
    assert failure({"name": "disk-1"}) == untold


@pytest.mark.parametrize(
    "statuses",
    [
        [],
        [{"code": "ProvisioningState/succeeded"}],
        [{"code": "ProvisioningState/failed"}],
        [{"code": "A/failed/X"}],
        [{}],
    ],
)
def test_where_azure_says_nothing_of_why_the_piece_is_named(statuses: list[dict[str, str]]) -> None:
    fault = failure({"id": "/vm", "name": "web", "properties": {"instanceView": {"statuses": statuses}}})
    assert (fault.code, fault.message) == ("ProvisioningFailed", "Azure says that web could not be made")
    assert failure({"id": "/vm"}).message == "Azure says that /vm could not be made"


def machine(*data: tuple[int, str], system: str = "/d/old-None") -> dict[str, Any]:
    disks = [{"lun": lun, "managedDisk": {"id": place}, "caching": "None"} for lun, place in data]
    system_disk = {"name": "os", "createOption": "FromImage", "diskSizeGB": 30, "managedDisk": {"id": system}}
    storage = {"osDisk": system_disk, "dataDisks": disks, "imageReference": {"offer": "x"}}
    return {
        "id": "/vm",
        "location": "we",
        "etag": '"1"',
        "tags": {"a": "b"},
        "properties": {"vmId": "u", "provisioningState": "Succeeded", "storageProfile": storage, "instanceView": {}},
    }


def test_data_disks_in_the_way_leave_first_and_others_stay() -> None:
    wanted = swapping.restored(drawing())
    body = swapping.detached(machine((3, "/d/old-3"), (7, "/d/mine")), wanted, frozenset())
    assert body is not None
    assert [disk["lun"] for disk in body["properties"]["storageProfile"]["dataDisks"]] == [7]
    assert not {"id", "etag"} & body.keys()
    assert not {"vmId", "instanceView", "provisioningState"} & body["properties"].keys()
    assert swapping.detached(machine((7, "/d/mine")), wanted, frozenset()) is None


def test_every_wanted_disk_is_put_in_its_place_once() -> None:
    wanted = swapping.restored(drawing())
    body = swapping.swapped(machine((7, "/d/mine")), wanted)
    assert body is not None
    storage = body["properties"]["storageProfile"]
    assert {disk["lun"] for disk in storage["dataDisks"]} == {3, 7}
    assert storage["osDisk"]["managedDisk"] == {"id": wanted[None]["managedDisk"]["id"]}
    assert (storage["osDisk"]["createOption"], storage["osDisk"]["caching"]) == ("FromImage", "ReadWrite")
    assert "diskSizeGB" not in storage["osDisk"]
    done = {**body, "properties": {**body["properties"], "provisioningState": "Succeeded"}}
    assert swapping.swapped(done, wanted) is None


def test_putting_back_takes_away_what_no_former_disk_replaces() -> None:
    far = restore(Stage.DETACH, undoing=True)
    new = [source["managedDisk"]["id"] for source in swapping.restored(drawing()).values()]
    now = machine((3, new[1]), (9, "/d/new-9"), system=new[0])
    body = swapping.detached(now, swapping.former(far), frozenset({"/d/new-9"}))
    assert body is not None
    assert body["properties"]["storageProfile"]["dataDisks"] == []
    back = swapping.swapped({**now, **body}, swapping.former(far))
    assert back is not None
    [data] = back["properties"]["storageProfile"]["dataDisks"]
    assert (data["managedDisk"]["id"], data["caching"], data["writeAcceleratorEnabled"]) == (
        "/d/old-3",
        "ReadOnly",
        True,
    )
    assert back["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"] == "/d/old-None"


def test_how_disks_were_attached_is_remembered() -> None:
    now = machine((3, "/d/old-3"))
    now["properties"]["storageProfile"]["dataDisks"][0]["writeAcceleratorEnabled"] = True
    found = swapping.swaps(now, restore(Stage.CLAIM))
    assert [(swap.old, swap.lun) for swap in found] == [("/d/old-None", None), ("/d/old-3", 3)]
    assert (found[1].caching, found[1].write_accelerated) == ("None", True)


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ([{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/deallocated"}], "deallocated"),
        ([{"code": "PowerState/running"}], "running"),
        ([], ""),
    ],
)
def test_power_is_read_from_the_instance_view(statuses: list[dict[str, str]], state: str) -> None:
    assert swapping.power({"properties": {"instanceView": {"statuses": statuses}}}) == state
