"""Rebuilding: what Azure holds comes back, nothing that is there is taken back, and no tag is believed blindly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.naming import stamp
from shared.decide.protection import hold_of
from shared.decide.tag_values import FOREVER
from shared.flows.asking import ask_rebuild
from shared.flows.draining import drain
from shared.flows.registering import reconcile
from shared.flows.requesting import run as take_up
from shared.messages import VmKey
from shared.model.identity import VmUid
from shared.model.machine import Machine, Status
from shared.model.operation import State
from shared.model.point import PartState, Point, PointState
from shared.model.request import Progress, Request
from tests.world.exhaustive import pass_time, perform, small_world
from tests.world.scenes import FIRST, RULES, SECOND, SHARD, complete, started
from tests.world.seeded import Run
from tests.world.twins.azure import SnapshotTruth


@pytest.fixture
def world() -> Run:
    """Two machines, the first with two disks, each with a complete point; then every table is deleted."""
    made = small_world()
    complete(made)
    pass_time(made, timedelta(hours=1))
    return made


def points(world: Run, uid: VmUid = FIRST.uid) -> list[Point]:
    rows = world.stage.ledger.rows.get(SHARD, {}).get(uid)
    return [held.row for held in rows.points.values()] if rows else []


def machine(world: Run, uid: VmUid = FIRST.uid) -> Machine:
    record = world.stage.ledger.held(SHARD, uid)
    assert record is not None
    return record.machine.row


def snapshots(world: Run, uid: VmUid = FIRST.uid) -> list[SnapshotTruth]:
    return [one for one in world.stage.azure.snapshots.values() if one.tags["tagback-vm"] == uid]


def rebuilt(world: Run, drain_for: timedelta = RULES.drain_for) -> Request:
    """What became of a request for a rebuild, taken up as often as it asks for."""
    ids: list[str] = []
    perform(world, lambda ports: ids.append(ask_rebuild(ports, SHARD, "me").id))
    rules = replace(RULES, drain_for=drain_for)
    for _ in range(10):
        perform(world, lambda ports: take_up(ports, rules, ids[0]))
        if world.stage.requests.asked[ids[0]].progress is Progress.DONE:
            break
    return world.stage.requests.asked[ids[0]]


def test_points_machines_and_slots_come_back(world: Run) -> None:
    before = {uid: points(world, uid) for uid in (FIRST.uid, SECOND.uid)}
    world.loss.strike()
    done = rebuilt(world)
    assert (done.progress, done.because) == (Progress.DONE, "2 machines were found by 3 parts of points")
    for uid, [old] in before.items():
        [new] = points(world, uid)
        assert (new.slot, new.origin, new.attempt, new.complete) == (old.slot, old.origin, old.attempt, True)
        assert {(part.id, part.disk, part.lun) for part in new.parts} == {(p.id, p.disk, p.lun) for p in old.parts}
        assert (new.keep_until, new.model) == (old.keep_until, old.model)
        assert new.rebuilt_at is not None
    row = machine(world)
    assert (row.id, row.status, row.last_point) == (FIRST.id, Status.PROTECTED, before[FIRST.uid][0].slot)
    world.loss.check()
    assert not world.promises.violations


def test_repeating_it_changes_nothing(world: Run) -> None:
    world.loss.strike()
    rebuilt(world)
    rows = {uid: list(held) for uid, held in world.stage.ledger.rows[SHARD].items()}
    rebuilt(world)
    assert {uid: list(held) for uid, held in world.stage.ledger.rows[SHARD].items()} == rows


def test_a_ledger_that_lost_nothing_is_left_as_it_is(world: Run) -> None:
    rows = {uid: list(held) for uid, held in world.stage.ledger.rows[SHARD].items()}
    assert rebuilt(world).progress is Progress.DONE
    assert {uid: list(held) for uid, held in world.stage.ledger.rows[SHARD].items()} == rows


def test_a_point_with_a_part_missing_is_not_complete_and_its_slot_is_answered(world: Run) -> None:
    gone, left = snapshots(world)
    del world.stage.azure.snapshots[gone.id]
    world.loss.strike()
    rebuilt(world)
    [point] = points(world)
    assert (point.state, [part.id for part in point.parts]) == (PointState.INCOMPLETE, [left.id])
    assert [part.state for part in point.parts] == [PartState.ABANDONED]
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    assert record is not None
    [operation] = [held.row for held in record.operations if held.row.slot == point.slot]
    assert (operation.state, "cut off" in operation.because) == (State.SKIPPED, True)


def test_what_is_still_in_the_making_is_confirmed_later() -> None:
    world = small_world()
    started(world)
    for one in snapshots(world):
        one.ready_at = world.stage.scheduler.now + timedelta(minutes=5)
    world.loss.strike()
    rebuilt(world)
    assert [point.state for point in points(world)] == [PointState.TAKING]
    pass_time(world, timedelta(minutes=20))
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    assert [point.state for point in points(world)] == [PointState.COMPLETE]
    assert not world.promises.violations


def test_holds_are_read_back_and_unreadable_ones_hold_for_ever(world: Run) -> None:
    first, second = snapshots(world)
    first.tags["backup-hold"], second.tags["Backup-Hold"] = "2031-01-31", "until the audit is over"
    world.loss.strike()
    rebuilt(world)
    assert [point.held_until for point in points(world)] == [FOREVER]


def test_a_hold_that_the_ledger_does_not_know_is_added_to_a_row_that_is_there(world: Run) -> None:
    snapshots(world)[0].tags["backup-hold"] = "forever"
    [before] = points(world)
    rebuilt(world)
    assert points(world) == [replace(before, held_until=FOREVER)]


Tamper = Callable[[SnapshotTruth], None]


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(lambda one: one.tags.update({"tagback-owner": "somebody"}), id="another owner"),
        pytest.param(lambda one: one.tags.update({"tagback-vm": "uid-2"}), id="another machine"),
        pytest.param(lambda one: one.tags.update({"tagback-slot": "20200101T0000Z"}), id="another slot"),
        pytest.param(lambda one: one.tags.update({"tagback-attempt": "2"}), id="another attempt"),
        pytest.param(lambda one: one.tags.update({"tagback-disk": "disk-9"}), id="another disk"),
        pytest.param(lambda one: one.tags.update({"tagback-keep-until": "soon"}), id="no date"),
        pytest.param(lambda one: one.tags.pop("tagback-lun"), id="a tag missing"),
    ],
)
def test_a_snapshot_whose_tags_were_changed_belongs_to_no_point(world: Run, tamper: Tamper) -> None:
    tamper(snapshots(world)[0])
    world.loss.strike()
    rebuilt(world)
    [point] = points(world)
    assert (point.complete, len(point.parts)) == (False, 1)
    assert [one.complete for one in points(world, SECOND.uid)] == [True]


def test_a_date_in_a_tag_can_only_lengthen(world: Run) -> None:
    [before] = points(world)
    early, late = before.slot - timedelta(days=1), before.keep_until + timedelta(days=400)
    for one in snapshots(world):
        one.tags["tagback-keep-until"] = stamp(early)
    for one in snapshots(world, SECOND.uid):
        one.tags["tagback-keep-until"] = stamp(late)
    world.loss.strike()
    rebuilt(world)
    assert points(world)[0].keep_until >= before.slot + timedelta(days=2)
    assert points(world, SECOND.uid)[0].keep_until == late


def test_a_claim_of_consistency_is_not_believed(world: Run) -> None:
    for one in snapshots(world):
        one.tags["tagback-consistency"] = "application"
    world.loss.strike()
    rebuilt(world)
    assert [point.consistency.value for point in points(world)] == ["per-disk"]


def test_a_machine_that_is_gone_comes_back_with_its_points_and_a_question(world: Run) -> None:
    world.stage.azure.delete(FIRST)
    world.stage.queues.messages.clear()
    world.loss.strike()
    rebuilt(world)
    row = machine(world)
    assert (row.id, row.enrolled_at, row.status) == (FIRST.id, None, Status.EXCLUDED)
    assert [point.complete for point in points(world)] == [True]
    asked = [message.text for message in world.stage.queues.messages.values() if message.queue == "vms"]
    assert any(FIRST.uid in text for text in asked)


def test_it_goes_on_where_a_slice_ended(world: Run) -> None:
    world.loss.strike()
    done = rebuilt(world, drain_for=timedelta(0))
    assert done.progress is Progress.ASKED
    assert any(message.queue == "requests" for message in world.stage.queues.messages.values())
    assert rebuilt(world).progress is Progress.DONE


def test_a_hold_of_a_machine_that_is_gone_comes_back_with_its_points(world: Run) -> None:
    held = replace(FIRST, tags={**FIRST.tags, "Backup-Hold": "forever"})
    world.stage.azure.write(held)
    perform(world, lambda ports: reconcile(ports, RULES, VmKey(FIRST.id)))
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    pass_time(world, timedelta(days=1))
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    pass_time(world, timedelta(hours=1))
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    world.stage.azure.delete(held)
    world.loss.strike()
    rebuilt(world)
    row = machine(world)
    assert row.tags == {"backup-hold": "forever"}
    assert hold_of(row, RULES) == FOREVER
    assert (row.enrolled_at, row.status) == (None, Status.EXCLUDED), "and nothing else is asked for in its name"
