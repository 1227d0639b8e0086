"""What stands in the way of a restore is said, nothing is half done for ever, and what passes is waited for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.errors import BadInput
from shared.flows import ordering
from shared.model.machine import Machine
from shared.model.request import Progress, Request
from shared.model.restore import Restore, RestoreMode, RestoreOrder
from tests.cli.running import run_with
from tests.restore.estate import NET, Estate, Wanted, disks_of


def protected(estate: Estate, wanted: Wanted | None = None) -> Machine:
    [row] = estate.protected(estate.machine(wanted or Wanted(disks=2)))
    return row


def fault(estate: Estate, operation: str, **effect: Any) -> None:
    """One answer of Azure goes wrong."""
    match = {"operation": operation}
    estate.running.control("POST", "faults", {"match": match, "count": 1, "effect": effect})


def test_a_machine_that_is_there_is_never_replaced(estate: Estate) -> None:
    row = protected(estate)
    before = estate.state().keys()
    done = estate.restored(row, RestoreOrder(RestoreMode.REBUILD))
    assert (done.progress, "there is a machine" in done.because) == (Progress.REFUSED, True)
    assert estate.state().keys() == before


def test_in_place_needs_the_very_machine(estate: Estate) -> None:
    row = protected(estate)
    estate.delete(row.id)
    gone = estate.restored(row, RestoreOrder(RestoreMode.IN_PLACE))
    assert (gone.progress, "there is no machine" in gone.because) == (Progress.REFUSED, True)
    estate.restored(row, RestoreOrder(RestoreMode.REBUILD))
    other = estate.restored(row, RestoreOrder(RestoreMode.IN_PLACE))
    assert (other.progress, "is another one now" in other.because) == (Progress.REFUSED, True)


def lose_a_part(estate: Estate, row: Machine) -> str:
    [point] = [held.row for held in estate.world.ledger.points(row.shard, row.uid)]
    estate.ask("DELETE", str(point.live_parts[1].id))
    estate.running.advance(60)
    return point.live_parts[1].id.name


def test_a_part_that_is_missing_is_said_before_anything_is_made(estate: Estate) -> None:
    row = protected(estate)
    estate.delete(row.id)
    name = lose_a_part(estate, row)
    before = estate.state().keys()
    done = estate.restored(row, RestoreOrder(RestoreMode.REBUILD))
    assert (done.progress, name in done.because) == (Progress.REFUSED, True), done
    assert estate.state().keys() == before


def test_a_part_that_is_missing_or_a_name_that_is_taken_stops_every_mode_before_anything_is_made(
    estate: Estate,
) -> None:
    whole, broken = estate.protected(*estate.machines([Wanted(disks=1), Wanted(disks=2)]))
    name = lose_a_part(estate, broken)
    before = estate.state().keys()
    modes = (RestoreMode.NEW, RestoreMode.IN_PLACE, RestoreMode.DISKS)
    orders = [*map(RestoreOrder, modes), RestoreOrder(RestoreMode.FILES, reader=str(whole.id))]
    done = estate.carried(*(estate.asked(broken, order) for order in orders))
    assert [(one.progress, name in one.because) for one in done] == [(Progress.REFUSED, True)] * 4, done
    taken = estate.restored(whole, RestoreOrder(RestoreMode.NEW, name=broken.id.name))
    assert (taken.progress, "take another name" in taken.because) == (Progress.REFUSED, True)
    assert estate.state().keys() == before


def test_a_point_that_dies_meanwhile_leaves_a_machine_in_place_as_it_is(estate: Estate) -> None:
    row = protected(estate)
    machine, [held], before = estate.body(row.id), estate.contents(row.id), estate.state().keys()
    fault(estate, "Microsoft.Compute/disks/write", status=409, code="AnotherOperationInProgress")
    asked = estate.asked(row, RestoreOrder(RestoreMode.IN_PLACE))
    estate.slice(asked)
    name = lose_a_part(estate, row)
    estate.running.advance(600)
    [done] = estate.carried(asked)
    assert (done.progress, name in done.because) == (Progress.FAILED, True), done
    assert (disks_of(estate.body(row.id)), estate.contents(row.id)) == (disks_of(machine), [held])
    assert estate.undone(done).progress is Progress.DONE
    assert estate.state().keys() < before, "but for the part that was lost"


def test_a_point_that_dies_meanwhile_fails_the_restore_and_its_undoing_removes_what_was_made(estate: Estate) -> None:
    row = protected(estate)
    estate.delete(row.id)
    before = estate.state().keys()
    fault(estate, "Microsoft.Compute/disks/write", status=409, code="AnotherOperationInProgress")
    asked = estate.asked(row, RestoreOrder(RestoreMode.REBUILD))
    estate.slice(asked)
    name = lose_a_part(estate, row)
    estate.running.advance(600)
    [done] = estate.carried(asked)
    assert (done.progress, name in done.because) == (Progress.FAILED, True), done
    assert estate.undone(done).progress is Progress.DONE
    assert estate.state().keys() < before


def until_set_back(estate: Estate, asked: Request) -> Restore:
    """How far the restore is when it has just met with a failure."""
    for _ in range(8):
        estate.slice(asked)
        found = estate.world.requests.find(asked.id)
        assert found is not None
        assert found.progress is Progress.ASKED, found
        if found.restore and found.restore.failure:
            return found.restore
        estate.running.advance(15)
    raise AssertionError(f"nothing failed: {found}")


@pytest.mark.parametrize(
    ("operation", "effect", "said"),
    [
        ("Microsoft.Compute/virtualMachines/write", {"status": 409, "code": "QuotaExceeded"}, "QuotaExceeded"),
        ("Microsoft.Compute/virtualMachines/write", {"status": 409, "code": "SkuNotAvailable"}, "SkuNotAvailable"),
        ("Microsoft.Compute/disks/write", {"status": 409, "code": "ScopeLocked"}, "ScopeLocked"),
        ("Microsoft.Compute/disks/write", {"status": 403, "code": "AuthorizationFailed"}, "AuthorizationFailed"),
        (
            "Microsoft.Compute/disks/write",
            {"status": 403, "code": "RequestDisallowedByPolicy"},
            "RequestDisallowedByPolicy",
        ),
    ],
)
def test_what_people_can_mend_is_said_and_waited_for(
    estate: Estate, operation: str, effect: dict[str, Any], said: str
) -> None:
    row = protected(estate)
    estate.delete(row.id)
    fault(estate, operation, **effect)
    asked = estate.asked(row, RestoreOrder(RestoreMode.REBUILD))
    far = until_set_back(estate, asked)
    assert far.failure is not None
    assert far.failure.code == said
    assert far.next_look is not None
    estate.running.advance((far.next_look - estate.world.clock.now()).total_seconds() + 1)
    [done] = estate.carried(asked)
    assert done.progress is Progress.DONE, done


@pytest.mark.parametrize("operation", ["Microsoft.Compute/disks/write", "Microsoft.Compute/virtualMachines/write"])
def test_answers_that_are_lost_make_nothing_twice(estate: Estate, operation: str) -> None:
    row = protected(estate, Wanted(disks=3))
    [held] = estate.contents(row.id)
    estate.delete(row.id)
    before = estate.state().keys()
    fault(estate, operation, cut="after")
    done = estate.restored(row, RestoreOrder(RestoreMode.REBUILD))
    assert done.progress is Progress.DONE, done
    assert done.restore is not None
    assert estate.contents(row.id) == [held]
    assert estate.state().keys() - before == {place.lower() for place in done.restore.makes}


def test_a_disk_or_machine_that_azure_gives_up_is_made_again(estate: Estate) -> None:
    row = protected(estate)
    [held] = estate.contents(row.id)
    estate.delete(row.id)
    fault(estate, "Microsoft.Compute/disks/write", lro="fail")
    fault(estate, "Microsoft.Compute/virtualMachines/write", lro="fail")
    asked = estate.asked(row, RestoreOrder(RestoreMode.REBUILD))
    for _ in range(200):
        estate.slice(asked)
        estate.running.advance(60)
        found = estate.world.requests.find(asked.id)
        if found and found.progress is not Progress.ASKED:
            break
    assert found is not None
    assert found.progress is Progress.DONE, found
    assert estate.contents(row.id) == [held]


def test_a_machine_with_all_the_tags_and_the_longest_name_comes_back_beside_itself_and_is_not_claimed(
    estate: Estate,
) -> None:
    own = {f"n{number:02}": "x" for number in range(49)}
    row = protected(estate, Wanted(disks=2, tags={"backup": "gold", **own}, name="V" + "m" * 63))
    done = estate.restored(row, RestoreOrder(RestoreMode.NEW))
    assert done.progress is Progress.DONE, done
    assert done.restore is not None
    assert done.restore.machine.endswith(f"/V{'m' * 54}-restored")
    assert "tag n48: there is no room for it beside ours" in done.restore.lacking
    assert estate.body(done.restore.machine)["tags"]["backup"] == "off"
    refused = estate.restored(row, RestoreOrder(RestoreMode.IN_PLACE))
    assert (refused.progress, "has 50 tags" in refused.because) == (Progress.REFUSED, True)


def test_a_group_that_is_not_there_is_said_at_once(estate: Estate) -> None:
    done = estate.restored(protected(estate), RestoreOrder(RestoreMode.NEW, group="nowhere"))
    assert (done.progress, "resourceGroups/nowhere: make it, or name another with --group" in done.because) == (
        Progress.FAILED,
        True,
    )


def test_a_swap_that_cannot_be_done_is_put_back(estate: Estate) -> None:
    row = protected(estate, Wanted(disks=3))
    before = estate.body(row.id)
    held = estate.contents(row.id)
    match = {"operation": "Microsoft.Compute/virtualMachines/write"}
    effect = {"status": 400, "code": "InvalidParameter"}
    estate.running.control("POST", "faults", {"match": match, "count": 2, "effect": effect})
    asked = estate.asked(row, RestoreOrder(RestoreMode.IN_PLACE))
    [done] = estate.carried(asked)
    estate.running.control("DELETE", "faults")
    assert done.progress is Progress.FAILED, done
    assert "put back" in done.because
    assert disks_of(estate.body(row.id)) == disks_of(before)
    assert estate.contents(row.id) == held
    assert "tagback-swapping" not in estate.body(row.id)["tags"]


def test_a_subnet_that_is_gone_is_asked_for(estate: Estate) -> None:
    row = protected(estate)
    card = estate.body(row.id)["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
    estate.delete(row.id)
    estate.ask("DELETE", card, version=NET)
    estate.running.advance(30)
    away = RestoreOrder(RestoreMode.REBUILD, subnet=estate.subnet("nowhere"))
    refused = estate.restored(row, away)
    assert (refused.progress, "choose another with --subnet" in refused.because) == (Progress.REFUSED, True)
    done = estate.restored(row, RestoreOrder(RestoreMode.REBUILD, subnet=estate.subnet("b")))
    assert done.progress is Progress.DONE, done


def test_what_is_no_more_is_listed_and_left_out(estate: Estate) -> None:
    near = f"{estate.compute}/proximityPlacementGroups/near-{len(estate.state())}"
    guard = f"{estate.group}/providers/Microsoft.Network/networkSecurityGroups/guard"
    here = {"location": "westeurope"}
    estate.ask("PUT", near, here, "2026-04-01")
    estate.ask("PUT", guard, here, NET)
    machine = estate.machine(Wanted(properties={"proximityPlacementGroup": {"id": near}}))
    card = estate.body(machine)["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
    known = estate.ask("GET", card, version=NET)
    estate.ask("PUT", card, {**here, "properties": {**known["properties"], "networkSecurityGroup": {"id": guard}}}, NET)
    estate.running.advance(600)
    [row] = estate.protected(machine)
    estate.delete(machine)
    for place, version in ((near, "2026-04-01"), (card, NET), (guard, NET)):
        estate.ask("DELETE", place, version=version)
        estate.running.advance(30)
    done = estate.restored(row, RestoreOrder(RestoreMode.REBUILD))
    assert done.progress is Progress.DONE, done
    assert done.restore is not None
    told = " ".join(done.restore.lacking)
    assert "proximity placement group near" in told
    assert "network security group guard" in told


def test_no_point_no_restore(estate: Estate) -> None:
    row = protected(estate)
    slot = row.last_point
    assert slot is not None
    for order, said in (
        (RestoreOrder(RestoreMode.REBUILD, before=slot - timedelta(days=1)), "or later"),
        (RestoreOrder(RestoreMode.REBUILD, slot=slot - timedelta(days=1)), "it has no point of"),
    ):
        with pytest.raises(BadInput, match=said):
            ordering.foreseen(estate.world, row, order)
        done = estate.restored(row, order)
        assert (done.progress, said in done.because) == (Progress.REFUSED, True)


def test_every_problem_of_an_order_is_told_at_once(estate: Estate) -> None:
    words = ("--mode", "magic", "--before", "yesterday", "--zone", "Mars/Olympus", "--slot", "late", "--subnet", "x")
    result = run_with(lambda: (estate.world, estate.rules), "restore", "vm", *words)
    assert result.exit_code == 2
    for said in ("no mode", "is no time;", "no time zone", "is not a slot", "not by both", "id of a subnet"):
        assert said in result.stderr
