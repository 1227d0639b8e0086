"""Restores over the twins: who may go on, what the messages do, and what other flows leave alone meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.tag_values import CLAIM
from shared.errors import BadInput, Unknown
from shared.flows.asking import ask_backup
from shared.flows.draining import drain
from shared.flows.expiring import expire
from shared.flows.ordering import ask_restore, ask_undo
from shared.flows.registering import reconcile
from shared.flows.requesting import run as run_request
from shared.flows.restoring import advance, overdue
from shared.messages import VmKey
from shared.model.machine import Machine, Status
from shared.model.operation import State
from shared.model.request import Asked, Progress, Request
from shared.model.restore import RestoreMode, RestoreOrder
from tests.world.exhaustive import pass_time, perform, small_world
from tests.world.restores import BESIDE
from tests.world.scenes import FIRST, RULES, SHARD, complete
from tests.world.seeded import Run
from tests.world.twins.azure import Fair

ORDER = RestoreOrder(RestoreMode.NEW)


def known(world: Run) -> Machine:
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    assert record is not None
    return record.machine.row


@pytest.fixture
def world() -> Run:
    made = small_world()
    complete(made)
    return made


def asked(world: Run, order: RestoreOrder = ORDER) -> Request:
    return ask_restore(world.stage.world, known(world), order, "person")


def slice_of(world: Run, request: Request) -> Request:
    perform(world, lambda ports: run_request(ports, RULES, request.id))
    return world.stage.requests.asked[request.id]


def test_a_message_that_comes_early_changes_nothing_and_asks_for_nothing(world: Run) -> None:
    request = slice_of(world, asked(world))
    assert request.restore is not None
    assert request.restore.next_look is not None
    world.stage.queues.messages.clear()
    assert slice_of(world, request) == request
    assert not world.stage.queues.messages


def test_of_two_who_carry_a_restore_on_one_gives_way(world: Run) -> None:
    request = slice_of(world, asked(world))
    pass_time(world, timedelta(seconds=30))
    slice_of(world, request)
    world.stage.queues.messages.clear()
    now = world.stage.requests.asked[request.id]
    world.stage.requests.asked[request.id] = replace(now, revision=now.revision + 1)
    perform(world, lambda ports: run_request(ports, RULES, request.id))
    assert world.stage.requests.asked[request.id].revision == now.revision + 1


def test_a_restored_machine_is_seen_and_not_enrolled(world: Run) -> None:
    request = asked(world)
    for _ in range(6):
        request = slice_of(world, request)
        pass_time(world, timedelta(seconds=15))
    assert request.progress is Progress.DONE
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(BESIDE)))
    made = world.stage.azure.vm(BESIDE)
    assert made is not None
    record = world.stage.ledger.held(SHARD, made.uid)
    assert record is not None
    assert record.machine.row.status is Status.EXCLUDED


def test_a_machine_whose_disks_are_being_swapped_is_not_captured(world: Run) -> None:
    world.stage.azure.write(replace(FIRST, tags={**FIRST.tags, CLAIM: "request-1"}))
    world.stage.scheduler.run(world.stage.scheduler.now.replace(hour=12, minute=31))
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    assert record is not None
    last = max((held.row for held in record.operations), key=lambda operation: operation.slot)
    assert (last.state, last.failure.message if last.failure else "") == (
        State.FAILED,
        "a restore is changing its disks",
    )


class Late(Fair):
    """The bulk lens shows what was so a minute ago."""

    def lag(self, subject: str) -> timedelta:
        return timedelta(minutes=1)


def test_a_list_that_lags_does_not_hide_that_disks_are_being_swapped_from_whoever_has_looked(world: Run) -> None:
    world.stage.azure.weather = Late()
    pass_time(world, timedelta(minutes=2))
    world.stage.azure.write(replace(FIRST, tags={**FIRST.tags, CLAIM: "request-1"}))
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(FIRST.id)))
    made = len(world.stage.azure.snapshots)
    slice_of(world, ask_backup(world.stage.world, known(world), "person"))
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    assert len(world.stage.azure.snapshots) == made
    world.stage.azure.write(FIRST)
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(FIRST.id)))
    assert CLAIM not in known(world).tags


def test_restores_that_nobody_looks_at_any_more_are_overdue(world: Run) -> None:
    now = world.stage.scheduler.now
    request = asked(world)
    assert overdue([request], now) == ()
    assert overdue([request], now + timedelta(minutes=2)) == (request,)
    begun = slice_of(world, request)
    assert overdue([begun], now + timedelta(seconds=30)) == ()
    assert overdue([begun], now + timedelta(minutes=2)) == (begun,)


def test_a_restore_that_is_undone_while_it_is_under_way_stops_first(world: Run) -> None:
    request = slice_of(world, asked(world))
    undo = ask_undo(world.stage.world, request.id, "person")
    undo = slice_of(world, undo)
    assert world.stage.requests.asked[request.id].progress is Progress.FAILED
    assert undo.progress is Progress.ASKED
    for _ in range(20):
        pass_time(world, timedelta(seconds=15))
        undo = slice_of(world, undo)
    assert undo.progress is Progress.DONE
    assert not [disk for disk in world.stage.azure.made_from if world.stage.azure.disk(disk)]


def test_only_restores_that_began_are_undone(world: Run) -> None:
    request = asked(world)
    with pytest.raises(Unknown, match="made nothing"):
        ask_undo(world.stage.world, request.id, "person")
    with pytest.raises(Unknown):
        ask_undo(world.stage.world, "nobody", "person")
    begun = slice_of(world, request)
    undo = ask_undo(world.stage.world, begun.id, "person")
    with pytest.raises(BadInput, match="is no restore"):
        ask_undo(world.stage.world, undo.id, "person")


def carried(world: Run, request: Request) -> Request:
    for _ in range(12):
        request = slice_of(world, request)
        pass_time(world, timedelta(seconds=15))
    return request


def tidied(world: Run) -> list[Request]:
    """The requests that the timer files; each is carried to its end."""
    perform(world, lambda ports: expire(ports, RULES))
    filed = [one for one in world.stage.requests.asked.values() if one.asked is Asked.TIDY]
    return [carried(world, one) for one in filed if one.progress is Progress.ASKED]


def test_the_old_disks_of_a_machine_in_place_go_when_their_time_is_over(world: Run) -> None:
    done = carried(world, asked(world, RestoreOrder(RestoreMode.IN_PLACE)))
    assert done.progress is Progress.DONE
    assert done.restore is not None
    pass_time(world, timedelta(days=6))
    assert tidied(world) == []
    pass_time(world, timedelta(days=1, hours=1))
    [tidy] = tidied(world)
    assert tidy.progress is Progress.DONE
    assert [world.stage.azure.disk(disk.id) for disk in FIRST.disks] == [None, None]
    vm = world.stage.azure.vm(FIRST.id)
    assert vm is not None
    assert {str(disk.id) for disk in vm.disks} == {place.lower() for place in done.restore.makes}
    assert tidied(world) == [], "once for each restore"


@pytest.mark.parametrize("slices", [3, 12])
def test_a_restore_in_place_is_undone_although_its_machine_is_gone(world: Run, slices: int) -> None:
    request = asked(world, RestoreOrder(RestoreMode.IN_PLACE))
    for _ in range(slices):
        request = slice_of(world, request)
        pass_time(world, timedelta(seconds=15))
    vm = world.stage.azure.vm(FIRST.id)
    assert vm is not None
    world.stage.azure.delete(vm)
    world.stage.azure.loose |= {disk.id: disk for disk in vm.disks}
    undo = ask_undo(world.stage.world, request.id, "person")
    began = world.stage.scheduler.now
    for _ in range(60):
        undo = slice_of(world, undo)
        if undo.progress is not Progress.ASKED:
            break
        pass_time(world, timedelta(minutes=1))
    assert undo.progress is Progress.DONE, undo
    assert world.stage.scheduler.now - began > timedelta(minutes=3), "one look that finds nothing says nothing"
    assert not [disk for disk in world.stage.azure.made_from if world.stage.azure.disk(disk)]


@pytest.mark.parametrize("mode", [RestoreMode.NEW, RestoreMode.DISKS])
def test_what_was_brought_back_stays_however_old_it_gets(world: Run, mode: RestoreMode) -> None:
    done = carried(world, asked(world, RestoreOrder(mode)))
    assert done.restore is not None
    pass_time(world, timedelta(days=8))
    tidied(world)
    assert all(world.stage.azure.disk(disk) for disk in world.stage.azure.made_from)
    assert (world.stage.azure.vm(BESIDE) is not None) == (mode is RestoreMode.NEW)


def test_an_ended_restore_is_not_taken_up_again(world: Run) -> None:
    request = replace(asked(world), progress=Progress.DONE)
    assert advance(world.stage.world, RULES, request) is None
