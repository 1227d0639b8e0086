"""The contract of ports.Ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import LostRace
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from shared.model.operation import State
from shared.model.transition import Held, Record, Row, Transition, Write
from shared.ports.storage import Ledger
from tests.rows import (
    DAY,
    EXACT,
    SLOT,
    bare_machine,
    full_machine,
    full_operation,
    full_point,
    new_uid,
    operation,
    point,
)


def put(ledger: Ledger, shard: Shard, uid: VmUid, *rows: Row) -> tuple[str, ...]:
    return ledger.commit(Transition(shard, uid, tuple(Write(row, None) for row in rows)))


def record(ledger: Ledger, shard: Shard, uid: VmUid) -> Record:
    found = ledger.record(shard, uid)
    assert found is not None
    return found


def machine(ledger: Ledger, shard: Shard, uid: VmUid) -> Held[Machine]:
    return record(ledger, shard, uid).machine


def test_a_machine_that_was_never_registered_has_no_record_and_no_points(ledger: Ledger, shard: Shard) -> None:
    assert ledger.record(shard, new_uid()) is None
    assert ledger.points(shard, new_uid()) == ()
    assert list(ledger.machines(shard)) == []
    assert list(ledger.due(shard, EXACT)) == []
    assert shard not in ledger.shards()


def test_rows_come_back_as_they_were_written_with_every_field(ledger: Ledger, shard: Shard) -> None:
    uid = new_uid()
    rows = full_machine(shard, uid), full_operation(uid), full_point(shard, uid)
    put(ledger, shard, uid, *rows)
    found = record(ledger, shard, uid)
    assert (found.machine.row, found.operations[0].row) == rows[:2]
    assert [held.row for held in ledger.points(shard, uid)] == [rows[2]]


def test_rows_come_back_as_they_were_written_with_only_what_is_needed(ledger: Ledger, shard: Shard) -> None:
    uid = new_uid()
    rows = bare_machine(shard, uid), operation(uid), point(shard, uid)
    put(ledger, shard, uid, *rows)
    found = record(ledger, shard, uid)
    assert (found.machine.row, found.operations[0].row) == rows[:2]
    assert [held.row for held in ledger.points(shard, uid)] == [rows[2]]


def test_a_field_that_is_taken_back_is_gone(ledger: Ledger, shard: Shard) -> None:
    uid = new_uid()
    put(ledger, shard, uid, full_machine(shard, uid))
    held = machine(ledger, shard, uid)
    bare = replace(held.row, next_look=None, settled=None, tags={}, disks=(), problems=())
    ledger.commit(Transition(shard, uid, (Write(bare, held.etag),)))
    assert machine(ledger, shard, uid).row == bare


def test_a_commit_answers_etags_that_the_next_commit_can_use(ledger: Ledger, shard: Shard) -> None:
    uid = new_uid()
    first = bare_machine(shard, uid)
    etags = put(ledger, shard, uid, first, operation(uid))
    assert len(etags) == 2
    second = replace(first, because="changed")
    [etag, _] = ledger.commit(
        Transition(shard, uid, (Write(second, etags[0]), Write(operation(uid, state=State.STARTED), etags[1])))
    )
    found = record(ledger, shard, uid)
    assert found.machine == Held(second, etag)
    assert found.operations[0].row.state is State.STARTED


def test_a_row_that_exists_is_not_created_again_and_nothing_of_the_transition_is_written(
    ledger: Ledger, shard: Shard
) -> None:
    uid = new_uid()
    put(ledger, shard, uid, bare_machine(shard, uid))
    with pytest.raises(LostRace):
        put(ledger, shard, uid, operation(uid), full_machine(shard, uid))
    found = record(ledger, shard, uid)
    assert found.machine.row == bare_machine(shard, uid)
    assert found.operations == ()


def test_a_row_that_changed_since_it_was_read_is_not_replaced_and_nothing_else_is_written(
    ledger: Ledger, shard: Shard
) -> None:
    uid = new_uid()
    put(ledger, shard, uid, bare_machine(shard, uid))
    stale = machine(ledger, shard, uid)
    ledger.commit(Transition(shard, uid, (Write(replace(stale.row, because="first"), stale.etag),)))
    late = (Write(operation(uid), None), Write(replace(stale.row, because="second"), stale.etag))
    with pytest.raises(LostRace):
        ledger.commit(Transition(shard, uid, late))
    found = record(ledger, shard, uid)
    assert found.machine.row.because == "first"
    assert found.operations == ()


def test_a_row_that_is_gone_is_not_replaced(ledger: Ledger, shard: Shard) -> None:
    uid = new_uid()
    put(ledger, shard, uid, bare_machine(shard, uid), operation(uid))
    found = record(ledger, shard, uid)
    ledger.commit(Transition(shard, uid, (Write(found.machine.row, found.machine.etag),), removed=found.operations))
    held = found.operations[0]
    with pytest.raises(LostRace):
        ledger.commit(Transition(shard, uid, (Write(held.row, held.etag),)))
    assert record(ledger, shard, uid).operations == ()


def test_an_operation_that_changed_is_not_removed(ledger: Ledger, shard: Shard) -> None:
    uid = new_uid()
    put(ledger, shard, uid, bare_machine(shard, uid), operation(uid))
    found = record(ledger, shard, uid)
    held = found.operations[0]
    ledger.commit(Transition(shard, uid, (Write(replace(held.row, state=State.STARTED), held.etag),)))
    with pytest.raises(LostRace):
        ledger.commit(Transition(shard, uid, (Write(found.machine.row, found.machine.etag),), removed=(held,)))
    after = record(ledger, shard, uid)
    assert after.operations[0].row.state is State.STARTED
    assert after.machine == found.machine


def test_operations_and_points_belong_to_their_machine_alone(ledger: Ledger, shard: Shard) -> None:
    uids = sorted((new_uid(), new_uid(), new_uid()))
    for uid in uids:
        put(ledger, shard, uid, bare_machine(shard, uid), operation(uid), point(shard, uid))
    for uid in uids:
        assert [held.row.uid for held in record(ledger, shard, uid).operations] == [uid]
        assert [held.row.uid for held in ledger.points(shard, uid)] == [uid]


def test_the_snapshots_of_a_shard_are_counted_by_its_machines_rows(ledger: Ledger, shard: Shard) -> None:
    assert ledger.snapshots(shard) == 0
    for count in (3, 0, 40):
        uid = new_uid()
        put(ledger, shard, uid, replace(bare_machine(shard, uid), snapshots=count), operation(uid), point(shard, uid))
    assert ledger.snapshots(shard) == 43


def test_points_come_oldest_slot_first(ledger: Ledger, shard: Shard) -> None:
    uid = new_uid()
    put(ledger, shard, uid, bare_machine(shard, uid))
    slots = [SLOT + days * DAY for days in (40, 0, 3, -30, 20)]
    put(ledger, shard, uid, *(point(shard, uid, slot) for slot in slots))
    assert [held.row.slot for held in ledger.points(shard, uid)] == sorted(slots)


def test_the_machines_of_a_shard_are_all_there_and_no_others(ledger: Ledger, shard: Shard) -> None:
    other = Shard(shard.subscription, "westeurope2")
    uids = {new_uid() for _ in range(7)}
    for uid in uids:
        put(ledger, shard, uid, bare_machine(shard, uid), operation(uid), point(shard, uid))
    stranger = new_uid()
    put(ledger, other, stranger, bare_machine(other, stranger))
    assert {held.row.uid for held in ledger.machines(shard)} == uids
    assert {held.row.uid for held in ledger.machines(other)} == {stranger}
    assert {shard, other} <= set(ledger.shards())
    assert ledger.record(other, next(iter(uids))) is None


def test_due_machines_come_earliest_first_and_then_by_uid(ledger: Ledger, shard: Shard) -> None:
    first, *twins = [new_uid(), *sorted((new_uid(), new_uid()))]
    for uid in reversed(twins):
        put(ledger, shard, uid, replace(bare_machine(shard, uid), next_due=EXACT))
    put(ledger, shard, first, replace(bare_machine(shard, first), next_look=EXACT - DAY, next_due=EXACT + DAY))
    for late in (EXACT + timedelta(microseconds=1), None):
        uid = new_uid()
        put(ledger, shard, uid, replace(bare_machine(shard, uid), next_look=late))
    assert [found.machine.row.uid for found in ledger.due(shard, EXACT)] == [first, *twins]


def test_due_machines_come_with_the_operations_that_their_status_depends_on(ledger: Ledger, shard: Shard) -> None:
    uid = new_uid()
    states = {state: operation(uid, f"slot-{state.value}", state) for state in State}
    put(ledger, shard, uid, replace(bare_machine(shard, uid), next_look=EXACT), *states.values())
    other = new_uid()
    put(ledger, shard, other, bare_machine(shard, other), operation(other))
    [found] = ledger.due(shard, EXACT)
    assert {held.row.state for held in found.operations} == {*(state for state in State if state.open), State.GAVE_UP}
    assert len(record(ledger, shard, uid).operations) == len(states)
    assert {held.etag for held in found.operations} <= {held.etag for held in record(ledger, shard, uid).operations}


def test_a_machine_is_registered_once(ledger: Ledger, shard: Shard) -> None:
    uid = new_uid()
    put(ledger, shard, uid, bare_machine(shard, uid))
    with pytest.raises(LostRace):
        put(ledger, shard, uid, full_machine(shard, uid))
    assert [held.row for held in ledger.machines(shard)] == [bare_machine(shard, uid)]


def test_the_machines_whose_points_want_a_look_are_listed_and_no_others(ledger: Ledger, shard: Shard) -> None:
    assert list(ledger.expiring(shard, EXACT)) == []
    now, earlier = (replace(bare_machine(shard, new_uid()), next_expiry=EXACT - ago) for ago in (DAY * 0, DAY))
    later, never = (replace(bare_machine(shard, new_uid()), next_expiry=at) for at in (EXACT + DAY, None))
    for one in (now, earlier, later, never):
        put(ledger, shard, one.uid, one)
    assert {held.row.uid for held in ledger.expiring(shard, EXACT)} == {now.uid, earlier.uid}
    assert [held.row for held in ledger.expiring(shard, EXACT - timedelta(microseconds=1))] == [earlier]
    assert list(ledger.expiring(Shard(shard.subscription, "elsewhere"), EXACT)) == []


def test_machines_are_read_together_with_what_is_unresolved_and_with_their_points(ledger: Ledger, shard: Shard) -> None:
    uids = sorted(new_uid() for _ in range(25))
    slots = [EXACT - DAY * age for age in range(3)]
    for uid in uids:
        ended = replace(operation(uid, "slot-ended"), state=State.SUCCEEDED)
        points = [point(shard, uid, slot) for slot in slots]
        put(ledger, shard, uid, bare_machine(shard, uid), operation(uid), ended, *points)
    wanted = [held for held in ledger.machines(shard) if held.row.uid in uids[::2]]
    batches = [*ledger.with_points(shard, wanted, 4)]
    assert {len(batch) for batch in batches} <= {1, 2, 3, 4}
    found = [one for batch in batches for one in batch]
    assert found[0][0].machine == wanted[0], "whose turn it is comes first"
    assert sorted((each.machine for each, _ in found), key=lambda held: held.row.uid) == wanted
    for each, read in found:
        uid = each.machine.row.uid
        assert [held.row for held in each.operations] == [operation(uid)]
        assert read == ledger.points(shard, uid)
        assert [held.row.slot for held in read] == sorted(slots)
    assert list(ledger.with_points(shard, (), 4)) == []


def test_the_operations_of_a_shard_are_listed_open_or_not(ledger: Ledger, shard: Shard) -> None:
    one, other = new_uid(), new_uid()
    ended = replace(operation(other), state=State.SUCCEEDED)
    put(ledger, shard, one, bare_machine(shard, one), operation(one))
    put(ledger, shard, other, bare_machine(shard, other), ended)
    assert {held.row for held in ledger.operations(shard)} == {operation(one), ended}
    assert list(ledger.operations(Shard(shard.subscription, "elsewhere"))) == []


def test_the_operations_that_ended_since_an_instant_are_listed_without_any_that_is_open(
    ledger: Ledger, shard: Shard
) -> None:
    uids = [new_uid() for _ in range(3)]
    for uid, age in zip(uids, (0, 1, 2), strict=True):
        ended = replace(operation(uid, "slot-ended"), state=State.SUCCEEDED, ended_at=EXACT - DAY * age)
        put(ledger, shard, uid, bare_machine(shard, uid), operation(uid), ended)
    assert {held.row.uid for held in ledger.operations(shard, EXACT - DAY)} == {*uids[:2]}


def test_the_next_that_is_wanted_is_the_earliest_up_to_an_instant(ledger: Ledger, shard: Shard) -> None:
    assert ledger.next_wanted(shard, EXACT) is None
    for late in (EXACT + DAY, EXACT, EXACT + 2 * DAY, None):
        uid = new_uid()
        put(ledger, shard, uid, replace(bare_machine(shard, uid), next_due=late))
    assert ledger.next_wanted(shard, EXACT - timedelta(microseconds=1)) is None
    assert ledger.next_wanted(shard, EXACT) == EXACT
    assert ledger.next_wanted(shard, EXACT + 9 * DAY) == EXACT
