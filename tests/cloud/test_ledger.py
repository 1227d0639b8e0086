"""The ledger in Table storage beyond its contract: keys, columns, slices, limits, and answers that never come."""

from __future__ import annotations

import socket
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from shared.cloud import slices
from shared.cloud.call import Calls
from shared.cloud.clock import SystemClock
from shared.cloud.held import slice_of as held_slice
from shared.cloud.identity import Identity, Login
from shared.cloud.ledger import TableLedger
from shared.cloud.rows import NEVER, entity_of, key, row_of
from shared.cloud.storage import Storage
from shared.cloud.table import Table, create
from shared.cloud.workers import ThreadWorkers
from shared.errors import CloudError, LostRace, NewerRows, OutcomeUnknown, Refused, Unavailable
from shared.model.account import StorageAccount
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from shared.model.operation import Operation, State
from shared.model.transition import Row, Transition, Write
from tests.rows import (
    EXACT,
    SLOT,
    bare_machine,
    full_machine,
    full_operation,
    full_point,
    new_uid,
    operation,
    part,
    point,
)

KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture
def shard() -> Shard:
    return Shard(str(uuid.uuid4()), "westeurope")


def put(ledger: TableLedger, shard: Shard, uid: VmUid, *rows: Row) -> None:
    ledger.commit(Transition(shard, uid, tuple(Write(row, None) for row in rows)))


def stored(storage: Storage, shard: Shard) -> dict[tuple[str, str], dict[str, Any]]:
    """Every row of a shard as the table holds it, by partition and key."""
    values = {"low": f"{shard}|", "high": f"{shard}}}"}
    found = storage.table("ledger").query_entities("PartitionKey ge @low and PartitionKey lt @high", parameters=values)
    return {(row["PartitionKey"], row["RowKey"]): dict(row) for row in found}


def test_rows_have_the_keys_and_columns_that_the_contract_pins(storage: Storage, shard: Shard) -> None:
    uid = new_uid()
    put(TableLedger(storage), shard, uid, full_machine(shard, uid), full_operation(uid), full_point(shard, uid))
    rows = stored(storage, shard)
    place = f"{shard}|00"
    machine, taken = rows[place, f"m|{uid}"], rows[place, f"p|{uid}|20261120T0200Z|disk"]
    assert (place, f"o|{uid}|slot-20261120T0200Z-disk") in rows
    assert (machine["plan"], machine["status"], machine["next_look"]) == ("silver", "degraded", EXACT)
    assert {"next_due", "next_expiry"} <= set(machine)
    assert (taken["state"], taken["complete"], taken["slot"], taken["engine"]) == ("complete", True, SLOT, "disk")
    assert {"attempt", "keep_until", "birth_keep_until", "held_until", "parts"} <= set(taken)
    assert {row["schema"] for row in rows.values()} == {1}


def test_what_is_none_is_left_out_and_never_wanted(storage: Storage, shard: Shard) -> None:
    uid = new_uid()
    put(TableLedger(storage), shard, uid, bare_machine(shard, uid))
    machine = stored(storage, shard)[f"{shard}|00", f"m|{uid}"]
    assert "next_look" not in machine
    assert machine["wanted_at"] == NEVER


def test_a_point_of_many_disks_and_attempts_fits(storage: Storage, shard: Shard) -> None:
    uid, ledger = new_uid(), TableLedger(storage)
    parts = tuple(replace(part(shard, number % 65), attempt=1 + number // 65) for number in range(4 * 65))
    put(ledger, shard, uid, bare_machine(shard, uid), replace(point(shard, uid), parts=parts))
    [held] = ledger.points(shard, uid)
    assert held.row.parts == parts
    [row] = [row for (_, name), row in stored(storage, shard).items() if name.startswith("p|")]
    assert "parts_2" in row


def test_what_is_too_large_is_refused_before_anything_is_written(storage: Storage, shard: Shard) -> None:
    uid, ledger = new_uid(), TableLedger(storage)
    machine = bare_machine(shard, uid)
    many = [operation(uid, f"slot-{number}") for number in range(100)]
    for rows in ([machine, *many], [replace(machine, because="x" * 33_000)], [replace(machine, because="😀" * 16_500)]):
        with pytest.raises(Refused):
            put(ledger, shard, uid, *rows)
    for count in (1600, 4000):
        disks = tuple(part(shard, number) for number in range(count))
        with pytest.raises(Refused, match=r"EntityTooLarge: row p\|"):
            put(ledger, shard, uid, machine, replace(point(shard, uid), parts=disks))
    assert stored(storage, shard) == {}


def test_before_the_first_write_there_is_no_table_and_nothing_in_it(storage: Storage) -> None:
    table = Table(storage, f"none{uuid.uuid4().hex[:8]}")
    assert list(table.query("PartitionKey eq @it", it="x")) == []
    assert table.get("x", "y") is None
    assert table.commit([create({"PartitionKey": "x", "RowKey": "y"})])
    assert table.get("x", "y") is not None


def test_a_key_that_azure_would_refuse_is_a_mistake_of_ours() -> None:
    for text in ("a/b", "a\\b", "a#b", "a?b", "a\nb", "x" * 600):
        with pytest.raises(ValueError, match="table key"):
            key("o", text)


def test_a_row_of_a_newer_version_is_refused(storage: Storage, shard: Shard) -> None:
    uid, ledger = new_uid(), TableLedger(storage)
    put(ledger, shard, uid, bare_machine(shard, uid))
    newer = {**entity_of(bare_machine(shard, uid), f"{shard}|00"), "schema": 2}
    put(ledger, shard, other := new_uid(), bare_machine(shard, other))
    storage.table("ledger").upsert_entity(newer)
    try:
        with pytest.raises(NewerRows, match="deploy the newer one again"):
            ledger.record(shard, uid)
        listed = ledger.machines(shard)
        assert next(listed).row.uid == other
        with pytest.raises(NewerRows, match=uid):
            next(listed)
    finally:  # other tests read whole fleets of the same account
        storage.table("ledger").delete_entity(newer)


def test_columns_of_a_later_build_are_ignored_and_missing_ones_take_their_default(shard: Shard) -> None:
    machine = full_machine(shard, new_uid())
    entity = entity_of(machine, "p")
    assert row_of(Machine, {**entity, "colour": "blue"}) == machine
    del entity["model"]
    assert row_of(Machine, entity).model == ""
    del entity["status"]
    with pytest.raises(Refused, match="status"):
        row_of(Machine, entity)


@pytest.mark.parametrize(("column", "value"), [("status", ""), ("disks", "{"), ("id", "x"), ("disks", '[{"id":1}]')])
def test_a_row_that_somebody_damaged_is_refused_by_name(shard: Shard, column: str, value: str) -> None:
    entity = {**entity_of(full_machine(shard, new_uid()), "p"), column: value}
    with pytest.raises(Refused, match=r"m\|"):
        row_of(Machine, entity)


def test_a_nested_value_of_a_later_build_is_read(shard: Shard) -> None:
    entity = entity_of(full_operation(new_uid()), "p")
    entity["failure"] = entity["failure"].replace("{", '{"colour":"blue",', 1)
    assert row_of(Operation, entity).failure == full_operation(new_uid()).failure


def test_from_a_size_on_new_machines_are_spread_over_slices_and_all_are_found(storage: Storage, shard: Shard) -> None:
    ledger = TableLedger(storage, full=3)
    uids = [new_uid() for _ in range(12)]
    for uid in uids:
        put(ledger, shard, uid, replace(bare_machine(shard, uid), next_look=EXACT), operation(uid), point(shard, uid))
    homes = Counter(place for place, name in stored(storage, shard) if name.startswith("m|"))
    assert homes[f"{shard}|00"] == 3
    assert len(homes) > 3
    assert {held.row.uid for held in ledger.machines(shard)} == set(uids)
    assert [found.machine.row.uid for found in ledger.due(shard, EXACT)] == sorted(uids)
    for uid in uids:
        found = ledger.record(shard, uid)
        assert found is not None
        assert [held.row.uid for held in found.operations] == [uid]
        [held] = ledger.points(shard, uid)
        started = replace(found.operations[0].row, state=State.STARTED)
        ledger.commit(
            Transition(shard, uid, (Write(started, found.operations[0].etag), Write(replace(held.row), held.etag)))
        )
        with pytest.raises(LostRace):
            put(ledger, shard, uid, bare_machine(shard, uid))


def test_who_reads_machines_reads_their_census_along(
    storage: Storage, shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, far, uids = TableLedger(storage, full=1), EXACT + timedelta(days=900), [new_uid() for _ in range(3)]
    for uid in uids:
        put(
            ledger,
            shard,
            uid,
            replace(bare_machine(shard, uid), next_look=EXACT, next_expiry=far, snapshots=2),
            operation(uid),
        )

    def refuse(*given: object) -> None:
        raise AssertionError("a request of its own")

    monkeypatch.setattr(Table, "get", refuse)
    assert {held.row.uid for held in ledger.machines(shard)} == set(uids)
    assert {record.machine.row.uid for record in ledger.due(shard, far)} == set(uids)
    assert ledger.next_wanted(shard, far) == EXACT
    assert ledger.next_wanted(shard, EXACT - timedelta(seconds=1)) is None
    assert ledger.snapshots(shard) == 6
    assert {held.row.uid for held in ledger.expiring(shard, far)} == set(uids)


def partitions_asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The partition of every query from now on."""
    asked, query = list[str](), Table.query

    def counted(table: Table, condition: str, **given: Any) -> Iterator[dict[str, Any]]:
        asked.append(str(given["partition"]))
        return query(table, condition, **given)

    monkeypatch.setattr(Table, "query", counted)
    return asked


def test_machines_of_one_slice_are_read_together_each_batch_when_its_turn_comes(
    storage: Storage, shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = TableLedger(storage, full=1)
    for uid in (new_uid() for _ in range(12)):
        put(ledger, shard, uid, bare_machine(shard, uid), operation(uid), point(shard, uid))
    machines = [*ledger.machines(shard)]
    machines = machines[1::2] + machines[::2]
    asked = partitions_asked(monkeypatch)
    batches = ledger.with_points(shard, machines, 20)
    assert asked == [], "nothing is read ahead of its turn"
    homes = [{held_slice(record.machine.etag) for record, _ in batch} for batch in batches]
    assert homes == [{one} for one in dict.fromkeys(held_slice(machine.etag) for machine in machines)]
    assert Counter(asked) == {f"{shard}|{slice_}": 2 for [slice_] in homes}, "points and operations, once a slice"


def test_a_machine_that_was_due_is_looked_for_where_it_was_and_is_found_where_it_is(
    storage: Storage, shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, uids = TableLedger(storage, full=1), [new_uid(), new_uid()]
    for uid in uids:
        put(ledger, shard, uid, replace(bare_machine(shard, uid), next_look=EXACT), point(shard, uid))
    other = Shard(shard.subscription, "northeurope")
    put(ledger, other, uids[1], bare_machine(other, uids[1]), point(other, uids[1]))
    assert len(ledger.due(shard, EXACT)) == 2
    asked = partitions_asked(monkeypatch)
    assert [len(ledger.points(shard, uid)) for uid in uids] == [1, 1]
    assert asked == [f"{shard}|00", f"{shard}|{slices.hashed(uids[1])}"], "the first lies in slice 00, and no more do"
    assert len(ledger.points(other, uids[1])) == 1
    assert ledger.record(other, uids[1]) is not None


def test_rows_without_an_etag_go_to_their_machine(storage: Storage, shard: Shard) -> None:
    ledger = TableLedger(storage, full=1)
    uids = [new_uid(), new_uid()]
    for uid in uids:
        put(ledger, shard, uid, bare_machine(shard, uid))
        put(ledger, shard, uid, operation(uid))
    homes = {name.split("|")[1]: place for place, name in stored(storage, shard) if name.startswith("o|")}
    assert homes == {uids[0]: f"{shard}|00", uids[1]: f"{shard}|{slices.hashed(uids[1])}"}
    with pytest.raises(LostRace):
        put(ledger, shard, new_uid(), operation(new_uid()))


def test_machines_registered_at_the_same_time_are_registered_once_also_while_slices_change(
    storage: Storage, shard: Shard
) -> None:
    ledger = TableLedger(storage, full=4)
    uids = [new_uid() for _ in range(8)]

    def register(uid: VmUid) -> str:
        try:
            put(ledger, shard, uid, bare_machine(shard, uid))
        except LostRace:
            return ""
        return uid

    with closing(ThreadWorkers()) as workers:
        answers = workers.run([partial(register, uid) for uid in (*uids, *uids, *uids)])
    found = Counter(held.row.uid for held in ledger.machines(shard))
    assert found == Counter(answer for answer in answers if isinstance(answer, str) and answer)
    assert found == Counter(uids)


def test_hashed_slices_are_spread_evenly() -> None:
    homes = Counter(slices.hashed(VmUid(str(uuid.UUID(int=number)))) for number in range(3200))
    assert set(homes) == {f"{number:02}" for number in range(1, 33)}
    assert max(homes.values()) < 150


def test_a_commit_whose_answer_is_lost_says_so(shard: Shard) -> None:
    uid = new_uid()
    held = Transition(shard, uid, (Write(bare_machine(shard, uid), "00/W/x"),))
    with deaf_server() as port, storage_at(port) as storage:
        assert type(failure(storage, held)) is OutcomeUnknown


def test_a_commit_that_reaches_nobody_was_not_accepted(shard: Shard) -> None:
    uid = new_uid()
    held = Transition(shard, uid, (Write(bare_machine(shard, uid), "00/W/x"),))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with storage_at(port) as storage:
        assert type(failure(storage, held)) is Unavailable


def failure(storage: Storage, transition: Transition) -> CloudError:
    with pytest.raises(CloudError) as failed:
        TableLedger(storage).commit(transition)
    return failed.value


@contextmanager
def storage_at(port: int) -> Iterator[Storage]:
    address = f"http://127.0.0.1:{port}/devstoreaccount1"
    account = StorageAccount("x", f"AccountName=devstoreaccount1;AccountKey={KEY};TableEndpoint={address};")
    with closing(Storage(account, Identity(Login(managed=False)), Calls(SystemClock()))) as storage:
        yield storage


@contextmanager
def deaf_server() -> Iterator[int]:
    """Takes every request and hangs up without a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    taken, _ = server.accept()
                except OSError:
                    return
                with taken:
                    taken.recv(65536)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_census_of_an_earlier_build_is_put_where_the_machines_are_read(storage: Storage, shard: Shard) -> None:
    ledger = TableLedger(storage, full=2)
    uids = {new_uid() for _ in range(4)}
    for uid in uids:
        put(ledger, shard, uid, bare_machine(shard, uid))
    first, table = f"{shard}|00", storage.table("ledger")
    census = table.get_entity(first, slices.CENSUS)
    table.delete_entity(first, slices.CENSUS)
    table.create_entity({**census, "RowKey": slices.EARLIER})
    again = TableLedger(storage, full=2)
    assert {held.row.uid for held in again.machines(shard)} == uids
    moved = stored(storage, shard)[first, slices.CENSUS]
    assert (moved["machines"], moved["closed"]) == (census["machines"], True)
    put(again, shard, late := new_uid(), bare_machine(shard, late))
    assert {held.row.uid for held in again.machines(shard)} == {*uids, late}
