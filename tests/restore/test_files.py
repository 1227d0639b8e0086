"""Single files: another machine gets the disks of a point for a day, with what was on them, and gives them back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.flows.asking import filed, new_request
from shared.flows.registering import reconcile
from shared.messages import VmKey
from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.request import Asked, Progress, Request
from shared.model.restore import RestoreMode, RestoreOrder
from tests.restore.estate import Estate, Wanted, disks_of


def pair(estate: Estate, **reader: Any) -> tuple[Machine, ResourceId]:
    """A machine of three disks with a point, and one that is to read."""
    of, by = estate.machines([Wanted(disks=3), Wanted(disks=2, **reader)])
    return estate.protected(of)[0], by


def order(reader: ResourceId | str, **said: Any) -> RestoreOrder:
    return RestoreOrder(RestoreMode.FILES, reader=str(reader), **said)


def lent(estate: Estate, reader: ResourceId, done: Request) -> dict[int | None, object]:
    """What the reader finds at each LUN that it was given, by the LUN that the disk had."""
    assert done.restore is not None
    [held] = estate.contents(reader)
    return {one.was: held[one.lun] for one in done.restore.lent}


def test_a_machine_reads_every_disk_as_it_was_and_gives_all_of_them_back(estate: Estate) -> None:
    row, reader = pair(estate)
    before, [held], [own] = estate.body(reader), estate.contents(row.id), estate.contents(reader)
    there = estate.state().keys()
    for place in disks_of(estate.body(row.id)).values():
        estate.write(place, "deleted by mistake")
    done = estate.restored(row, order(reader))
    assert (done.progress, done.because) == (
        Progress.DONE,
        f"{reader.name} has disks as of {row.last_point:%Y-%m-%d %H:%M}Z",
    )
    assert done.restore is not None
    assert lent(estate, reader, done) == held
    assert [one.lun for one in done.restore.lent] == [0, 2, 3]
    assert done.restore.expires - done.restore.started_at == timedelta(days=1)
    with_disks = estate.body(reader)
    assert with_disks["tags"] == before["tags"]
    state = estate.state()
    for one in done.restore.lent:
        disk = state[one.disk.lower()]
        assert disk["tags"]["backup"] == "off"
        assert disk["tags"]["tagback-expires"]
        entry = next(each for each in with_disks["properties"]["storageProfile"]["dataDisks"] if each["lun"] == one.lun)
        assert (entry["caching"], entry["deleteOption"]) == ("None", "Detach")
    undone = estate.undone(done)
    assert undone.progress is Progress.DONE, undone
    assert estate.contents(reader) == [own]
    assert estate.body(reader)["tags"] == before["tags"]
    assert estate.state().keys() == there


def test_a_protected_reader_is_captured_without_what_it_was_lent_and_gives_it_back_by_itself(estate: Estate) -> None:
    row, reader = pair(estate)
    [own] = estate.protected(reader)
    done = estate.restored(row, order(reader, disk="os"))
    assert done.restore is not None
    [one] = done.restore.lent
    assert (one.was, one.lun) == (None, 0)
    reconcile(estate.world, estate.rules, VmKey(reader))
    estate.running.advance(timedelta(hours=23).total_seconds())
    estate.captured()
    assert [disk.left_out for disk in estate.row(reader).disks if disk.lun == 0] == ["tagged backup = off"]
    points = [held.row for held in estate.world.ledger.points(own.shard, own.uid)]
    assert len(points) > 1
    assert all(point.complete for point in points), points
    captured = {disk.disk for point in points for disk in point.disks}
    assert captured == {disk.id for disk in own.disks}
    estate.running.advance(timedelta(hours=2).total_seconds())
    asked = new_request(estate.world, Asked.TIDY, done.shard, done.uid, "expiry")  # as the timer files it
    [ended] = estate.carried(filed(estate.world, replace(asked, operation=done.id, order=done.order)))
    assert ended.progress is Progress.DONE, ended
    assert estate.find(one.disk) is None
    assert set(disks_of(estate.body(reader))) == {None, 1}
    reconcile(estate.world, estate.rules, VmKey(reader))
    assert {disk.uid for disk in estate.row(reader).disks} == {disk.uid for disk in own.disks}


def test_a_reader_in_a_zone_gets_disks_of_that_zone_and_a_full_one_none(estate: Estate) -> None:
    of, zoned, full = estate.machines([Wanted(disks=2), Wanted(disks=1, top={"zones": ["2"]}), Wanted(disks=4)])
    [row] = estate.protected(of)
    there = estate.state().keys()
    refused, done = estate.carried(estate.asked(row, order(full)), estate.asked(row, order(zoned)))
    assert (refused.progress, "has no LUN free for 2 more disks" in refused.because) == (Progress.REFUSED, True)
    assert (done.progress, lent(estate, zoned, done)) == (Progress.DONE, estate.contents(of)[0])
    assert done.restore is not None
    assert [estate.ask("GET", one.disk)["zones"] for one in done.restore.lent] == [["2"], ["2"]]
    estate.undone(done)
    assert estate.state().keys() == there


def test_disks_that_azure_will_not_attach_are_taken_back(estate: Estate) -> None:
    row, reader = pair(estate)
    there, tags = estate.state().keys(), estate.body(reader)["tags"]
    effect = {"status": 400, "code": "InvalidParameter"}
    match = {"operation": "Microsoft.Compute/virtualMachines/attachDetachDataDisks/action"}
    estate.running.control("POST", "faults", {"match": match, "count": 1, "effect": effect})
    done = estate.restored(row, order(reader))
    assert (done.progress, "it could not be done, and was put back" in done.because) == (Progress.FAILED, True)
    assert (estate.state().keys(), estate.body(reader)["tags"]) == (there, tags)
