"""Single files over the twins: who is refused, who waits for whom, and what goes when its time is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from shared.decide.drawing import DRILL
from shared.decide.tag_values import CLAIM
from shared.errors import Denied
from shared.flows.draining import drain
from shared.flows.expiring import expire
from shared.flows.ordering import ask_restore, ask_undo
from shared.flows.registering import reconcile
from shared.flows.requesting import run as run_request
from shared.messages import VmKey
from shared.model.identity import DiskUid, ResourceId, Shard
from shared.model.machine import Machine
from shared.model.request import Asked, Progress, Request
from shared.model.restore import ArmPath, RestoreMode, RestoreOrder
from shared.model.vault import Protection, Standing
from tests.world.drills import builder_of
from tests.world.exhaustive import pass_time, perform, small_world
from tests.world.scenes import FIRST, RULES, SECOND, SHARD, complete
from tests.world.seeded import Run
from tests.world.twins.azure import DiskTruth

ORDER = RestoreOrder(RestoreMode.FILES, reader=str(SECOND.id))


@pytest.fixture
def world() -> Run:
    made = small_world()
    complete(made)
    return made


def known(world: Run) -> Machine:
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    assert record is not None
    return record.machine.row


def asked(world: Run, order: RestoreOrder = ORDER) -> Request:
    return ask_restore(world.stage.world, known(world), order, "person")


def slice_of(world: Run, request: Request) -> Request:
    perform(world, lambda ports: run_request(ports, RULES, request.id))
    return world.stage.requests.asked[request.id]


def carried(world: Run, request: Request, slices: int = 8) -> Request:
    for _ in range(slices):
        request = slice_of(world, request)
        pass_time(world, timedelta(seconds=15))
    return request


def disks(world: Run) -> list[ResourceId]:
    """What the machine that reads has beside its own."""
    vm = world.stage.azure.vm(SECOND.id)
    return [disk.id for disk in vm.disks if disk not in SECOND.disks] if vm else []


def nothing_left(world: Run) -> bool:
    vm, azure = world.stage.azure.vm(SECOND.id), world.stage.azure
    made = [place for place in azure.made_from if azure.disk(place) is not None]
    return made == [] and (vm is None or CLAIM not in vm.tags)


def test_one_disk_alone_is_lent(world: Run) -> None:
    done = carried(world, asked(world, replace(ORDER, disk="os")))
    assert done.progress is Progress.DONE
    assert done.restore is not None
    assert [(one.was, one.lun) for one in done.restore.lent] == [(None, 0)]
    assert len(disks(world)) == 1


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (replace(ORDER, disk="9"), "the point has no disk '9'; it has os (vm-1-0), 1 (vm-1-1)"),
        (replace(ORDER, reader=str(replace(SECOND.id, name="none"))), "there is no machine none to read the disks"),
        (replace(ORDER, reader=str(replace(SECOND.id, subscription="other"))), "is in another subscription"),
        (replace(ORDER, reader=""), "files are read from a VM that you name: --to VM"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(world: Run, order: RestoreOrder, said: str) -> None:
    done = slice_of(world, asked(world, order))
    assert (done.progress, said in done.because) == (Progress.REFUSED, True), done.because
    assert world.stage.azure.made_from == {}


def test_a_machine_in_another_region_is_refused(world: Run) -> None:
    world.stage.azure.write(replace(SECOND, region="westeu"))
    done = slice_of(world, asked(world))
    assert (done.progress, "is in westeu, and the point in northeu" in done.because) == (Progress.REFUSED, True)


def test_a_machine_of_a_drill_is_refused(world: Run) -> None:
    world.stage.azure.write(replace(SECOND, tags={DRILL: "request-1"}))
    done = slice_of(world, asked(world))
    assert (done.progress, "is the machine of a drill" in done.because) == (Progress.REFUSED, True)


def test_a_machine_that_is_itself_restored_is_refused(world: Run) -> None:
    record = world.stage.ledger.held(SHARD, SECOND.uid)
    assert record is not None
    other = ask_restore(world.stage.world, record.machine.row, RestoreOrder(RestoreMode.IN_PLACE), "person")
    done = slice_of(world, asked(world))
    assert done.because == f"vm-2 is being restored itself ({other.id}): name another with --to"
    assert done.progress is Progress.REFUSED


def test_a_machine_that_is_being_made_by_a_restore_is_refused(world: Run) -> None:
    beside = replace(SECOND.id, name="vm-1-restored")
    other = asked(world, RestoreOrder(RestoreMode.NEW))
    for _ in range(3):
        slice_of(world, other)
        pass_time(world, timedelta(seconds=15))
    assert world.stage.azure.vm(beside) is not None
    assert world.stage.requests.asked[other.id].progress is Progress.ASKED
    done = slice_of(world, asked(world, replace(ORDER, reader=str(beside))))
    assert (done.progress, "is being restored itself" in done.because) == (Progress.REFUSED, True)


def test_a_machine_that_a_vault_backs_up_is_refused(world: Run) -> None:
    """Azure Backup takes every disk that is attached when its backup begins, the first one as well."""
    record = world.stage.ledger.held(SHARD, SECOND.uid)
    assert record is not None
    now = world.stage.scheduler.now
    rows = world.stage.ledger.rows[SHARD][SECOND.uid]
    for standing, wanted in product(Standing, ("", "tb-gold-0200")):
        protection = Protection(standing, "", now, asked=wanted)
        rows.machine = replace(record.machine, row=replace(record.machine.row, protection=protection))
        done = slice_of(world, asked(world))
        refused = bool(wanted) or standing not in (Standing.STOPPED, Standing.DELETED, Standing.NONE)
        assert ("Azure Backup would back the disks up with vm-2" in done.because) is refused, (standing, wanted)


def test_a_machine_without_room_is_refused(world: Run) -> None:
    builder_of(world).rooms = 1
    done = slice_of(world, asked(world))
    assert done.because == "vm-2 has no LUN free for 2 more disks: name one with --disk, or another VM"
    assert done.progress is Progress.REFUSED
    builder_of(world).rooms = None
    assert carried(world, asked(world)).progress is Progress.DONE, "where Azure does not say, it is tried"


def test_two_who_lend_to_one_machine_do_so_in_turn(world: Run) -> None:
    world.stage.azure.write(replace(SECOND, tags={**SECOND.tags, CLAIM: "another"}))
    first = carried(world, asked(world))
    assert first.progress is Progress.ASKED
    assert disks(world) == []
    world.stage.azure.write(SECOND)
    builder_of(world).made.pop(str(SECOND.id), None)
    assert carried(world, first).progress is Progress.DONE
    second = carried(world, asked(world, replace(ORDER, disk="os")))
    assert second.progress is Progress.DONE, second.because
    assert len(disks(world)) == 3


def test_what_cannot_be_lent_in_its_time_is_taken_back(world: Run) -> None:
    world.stage.azure.write(replace(SECOND, tags={**SECOND.tags, CLAIM: "another"}))
    request = carried(world, asked(world))
    pass_time(world, timedelta(days=1))
    done = carried(world, request)
    assert done.progress is Progress.FAILED
    assert (
        done.because == "it could not be done, and was put back: its time was over before the disks could be attached"
    )
    vm = world.stage.azure.vm(SECOND.id)
    assert vm is not None
    assert vm.tags[CLAIM] == "another"
    world.stage.azure.write(SECOND)
    assert nothing_left(world)


def test_a_machine_that_goes_meanwhile_leaves_nothing_behind(world: Run) -> None:
    request = carried(world, asked(world), slices=1)
    vm = world.stage.azure.vm(SECOND.id)
    assert vm is not None
    world.stage.azure.delete(vm)
    done = carried(world, request)
    assert (done.progress, "the machine vm-2 is not there any more" in done.because) == (Progress.FAILED, True)
    assert nothing_left(world)


def test_a_lun_that_is_taken_meanwhile_is_not_used(world: Run) -> None:
    request = carried(world, asked(world), slices=1)
    builder_of(world).rooms = 1
    done = carried(world, request)
    assert (done.progress, "vm-2 has no LUN free any more for 2 disks" in done.because) == (Progress.FAILED, True)
    assert nothing_left(world)


def test_where_the_rights_do_not_say_how_many_disks_fit_it_is_tried(world: Run) -> None:
    def denied(shard: Shard, machine: ArmPath, size: str) -> int | None:
        raise Denied("AuthorizationFailed", "vmSizes/read", 403)

    builder_of(world).room = denied  # type: ignore[method-assign] # this caller may not read it
    assert carried(world, asked(world)).progress is Progress.DONE


def tidied(world: Run) -> list[Request]:
    perform(world, lambda ports: expire(ports, RULES))
    filed = [one for one in world.stage.requests.asked.values() if one.asked is Asked.TIDY]
    return [carried(world, one) for one in filed if one.progress is Progress.ASKED]


def test_a_day_later_the_disks_go_by_themselves(world: Run) -> None:
    assert carried(world, asked(world)).progress is Progress.DONE
    pass_time(world, timedelta(hours=23))
    assert tidied(world) == []
    assert len(disks(world)) == 2
    pass_time(world, timedelta(hours=1))
    [tidy] = tidied(world)
    assert tidy.progress is Progress.DONE
    assert disks(world) == []
    assert nothing_left(world)
    assert tidied(world) == [], "once for each"


def test_disks_of_a_machine_that_was_deleted_go_all_the_same(world: Run) -> None:
    done = carried(world, asked(world))
    vm = world.stage.azure.vm(SECOND.id)
    assert vm is not None
    world.stage.azure.delete(vm)
    world.stage.azure.loose |= {disk.id: disk for disk in vm.disks}
    undo = carried(world, ask_undo(world.stage.world, done.id, "person"))
    assert undo.progress is Progress.DONE, undo.because
    assert undo.restore is not None
    assert undo.restore.lent == ()
    assert nothing_left(world)


def test_one_that_is_undone_while_it_is_under_way_leaves_nothing(world: Run) -> None:
    request = carried(world, asked(world), slices=3)
    undo = ask_undo(world.stage.world, request.id, "person")
    for _ in range(10):
        undo = carried(world, undo, slices=1)
    assert world.stage.requests.asked[request.id].progress is Progress.FAILED
    assert undo.progress is Progress.DONE
    assert disks(world) == []
    assert nothing_left(world)


def test_no_point_of_the_machine_that_reads_has_a_lent_disk(world: Run) -> None:
    carried(world, asked(world))
    assert len(disks(world)) == 2
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(SECOND.id)))
    world.stage.scheduler.run(world.stage.scheduler.now.replace(hour=12, minute=31))
    for _ in range(2):
        perform(world, lambda ports: drain(ports, RULES, SHARD))
        pass_time(world, timedelta(minutes=1))
    points = [held.row for held in world.stage.world.ledger.points(SHARD, SECOND.uid)]
    assert [point.complete for point in points] == [True, True]
    assert {part.disk for point in points for part in point.parts} == {disk.id for disk in SECOND.disks}


def test_while_its_disks_change_no_point_is_taken_of_the_machine_that_reads(world: Run) -> None:
    carried(world, asked(world), slices=2)
    vm = world.stage.azure.vm(SECOND.id)
    assert vm is not None
    assert CLAIM in vm.tags


def test_a_disk_that_somebody_moved_is_left_until_they_are_done(world: Run) -> None:
    done = carried(world, asked(world))
    moved = disks(world)[0]
    vm, azure = world.stage.azure.vm(SECOND.id), world.stage.azure
    assert vm is not None
    azure.write(replace(vm, disks=tuple(disk for disk in vm.disks if disk.id != moved)))
    azure.write(replace(FIRST, disks=(*FIRST.disks, DiskTruth(moved, DiskUid("moved"), 9, "tagged off"))))
    undo = carried(world, ask_undo(world.stage.world, done.id, "person"))
    assert undo.progress is Progress.ASKED
    assert disks(world) == []
    first = azure.vm(FIRST.id)
    assert first is not None
    assert moved in {disk.id for disk in first.disks}


def test_a_lun_that_somebody_takes_at_that_moment_is_left_to_them(world: Run) -> None:
    request = carried(world, asked(world, replace(ORDER, disk="os")), slices=2)
    builder, attach = builder_of(world), builder_of(world).attach

    def beaten(shard: Shard, machine: ArmPath, disks: Mapping[ArmPath, int]) -> None:
        vm = world.stage.azure.vm(SECOND.id)
        assert vm is not None
        own = DiskTruth(
            replace(SECOND.disks[0].id, name="own"), DiskUid("own"), next(iter(disks.values())), "tagged off"
        )
        world.stage.azure.write(replace(vm, disks=(*vm.disks, own)))
        builder.attach = attach  # type: ignore[method-assign] # once only
        attach(shard, machine, disks)

    builder.attach = beaten  # type: ignore[method-assign] # somebody else is faster
    done = carried(world, request)
    assert done.progress is Progress.DONE, done.because
    assert done.restore is not None
    assert [one.lun for one in done.restore.lent] == [1]


def test_a_machine_may_read_its_own_disks_as_they_were(world: Run) -> None:
    done = carried(world, asked(world, replace(ORDER, reader=str(FIRST.id))))
    assert done.progress is Progress.DONE, done.because
    vm = world.stage.azure.vm(FIRST.id)
    assert vm is not None
    assert len(vm.disks) == 4
    assert {disk.id for disk in FIRST.disks} < {disk.id for disk in vm.disks}
    undo = carried(world, ask_undo(world.stage.world, done.id, "person"))
    assert undo.progress is Progress.DONE
    vm = world.stage.azure.vm(FIRST.id)
    assert vm is not None
    assert {disk.id for disk in vm.disks} == {disk.id for disk in FIRST.disks}


def test_several_machines_are_read_by_one_though_they_are_asked_for_together(world: Run) -> None:
    record = world.stage.ledger.held(SHARD, SECOND.uid)
    assert record is not None
    first = asked(world)
    second = ask_restore(world.stage.world, record.machine.row, ORDER, "person")
    for _ in range(12):
        first, second = slice_of(world, first), slice_of(world, second)
        pass_time(world, timedelta(seconds=15))
    assert (first.progress, second.progress) == (Progress.DONE, Progress.DONE), (first.because, second.because)
    assert len(disks(world)) == 3
    vm = world.stage.azure.vm(SECOND.id)
    assert vm is not None
    assert CLAIM not in vm.tags
