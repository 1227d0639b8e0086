"""The ledger in Azure Table storage: table `ledger`, one partition per shard and slice. Built by wiring.

Rows of one machine share a partition, so one transition is one entity-group transaction under If-Match. An ETag given
out is prefixed with the row's slice: whoever hands it back spares us looking for the machine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace as changed
from datetime import datetime
from typing import Any, TypeVar

from shared.cloud import table as tables
from shared.cloud.codec import instant
from shared.cloud.held import batches, changes_of, held_of, readable, slice_of
from shared.cloud.rows import SCHEMA, Entity, key
from shared.cloud.slices import (
    CENSUS,
    EARLIER,
    FIRST,
    FULL,
    Census,
    census_entity,
    census_of,
    further_slices,
    hashed,
    partition,
)
from shared.cloud.slices import slices_of as slices_to_search
from shared.cloud.storage import Storage
from shared.cloud.table import Change, Overtaken, Table
from shared.errors import LostRace
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from shared.model.operation import Operation, State
from shared.model.point import Point
from shared.model.transition import Held, Record, Transition, WithPoints

RowT = TypeVar("RowT", Machine, Operation, Point)
LEDGER = "ledger"
SHARDS = "shards"
SHARD_PARTITION = "shard"
REGISTRATION_TRIES = 20
ASKED_TOGETHER = 10  # machines whose points one query asks for: a filter has 15 comparisons at most, three are the keys
END = "}"  # sorts after | and every character of our keys


class TableLedger:
    """Machines, operations and points. `full` is the size from which on a shard's new machines are spread."""

    def __init__(self, storage: Storage, full: int = FULL) -> None:
        self._table = Table(storage, LEDGER)
        self._shards = Table(storage, SHARDS)
        self._full = full
        # Where machines were due last: rows never move, so they are looked for there.
        self._homes: dict[VmUid, str] = {}

    def record(self, shard: Shard, uid: VmUid) -> Record | None:
        for slice_ in self._slices(uid):
            found = self._table.get(partition(shard, slice_), key("m", uid))
            if found is not None:
                rows = self._rows(shard, slice_, f"o|{uid}|")
                return Record(held_of(Machine, slice_, found), tuple(held_of(Operation, slice_, row) for row in rows))
        return None

    def machines(self, shard: Shard) -> Iterator[Held[Machine]]:
        yield from readable(Machine, self._machines(shard))

    def expiring(self, shard: Shard, now: datetime) -> Iterator[Held[Machine]]:
        for held in readable(Machine, self._machines(shard, "next_expiry le @now", now=now)):
            if held.row.next_expiry is not None and held.row.next_expiry <= now:
                yield held

    def operations(self, shard: Shard, since: datetime | None = None) -> Iterator[Held[Operation]]:
        slices = [FIRST, *further_slices(self._census(shard).closed)]
        ended: Mapping[str, Any] = {"condition": "ended_at ge @since", "since": since} if since else {}
        rows = ((slice_, row) for slice_ in slices for row in self._rows(shard, slice_, "o|", **ended))
        yield from readable(Operation, rows)

    def due(self, shard: Shard, now: datetime) -> Sequence[Record]:
        waiting: dict[str, list[Held[Machine]]] = defaultdict(list)
        for slice_, row in self._machines(shard, "wanted_at le @now", now=now):
            held = held_of(Machine, slice_, row)
            # Asked again here: an emulator that compares instants by the millisecond shows some too early.
            if _due(held.row, now):
                waiting[slice_].append(held)
                self._homes[held.row.uid] = slice_
        records = [record for slice_, machines in waiting.items() for record in self._records(shard, slice_, machines)]
        return sorted(records, key=lambda record: (record.machine.row.wanted_at or now, record.machine.row.uid))

    def next_wanted(self, shard: Shard, until: datetime) -> datetime | None:
        rows = self._machines(shard, "wanted_at le @until", ["wanted_at"], until=until)
        wanted = (moment for _, row in rows if (moment := instant(row["wanted_at"])) <= until)
        return min(wanted, default=None)

    def points(self, shard: Shard, uid: VmUid) -> tuple[Held[Point], ...]:
        for slice_ in self._slices(uid):
            found = [held_of(Point, slice_, row) for row in self._rows(shard, slice_, f"p|{uid}|")]
            if found:
                return tuple(sorted(found, key=lambda held: held.row.slot))
        return ()

    def with_points(self, shard: Shard, machines: Sequence[Held[Machine]], most: int) -> Iterator[Sequence[WithPoints]]:
        for slice_, batch in batches(machines, most):
            points = self._points(shard, slice_, sorted(held.row.uid for held in batch))
            records = self._records(shard, slice_, batch)
            yield [(record, tuple(points.get(record.machine.row.uid, ()))) for record in records]

    def _points(self, shard: Shard, slice_: str, uids: Sequence[VmUid]) -> Mapping[VmUid, Sequence[Held[Point]]]:
        """The points of machines, oldest first; a few machines with one query."""
        points: dict[VmUid, list[Held[Point]]] = defaultdict(list)
        for start in range(0, len(uids), ASKED_TOGETHER):
            some = uids[start : start + ASKED_TOGETHER]
            either = " or ".join(f"uid eq @uid{number}" for number in range(len(some)))
            values = {f"uid{number}": uid for number, uid in enumerate(some)}
            low, high = f"p|{some[0]}|", f"p|{some[-1]}{END}"
            for row in self._table.between(partition(shard, slice_), low, high, f"( {either} )", **values):
                held = held_of(Point, slice_, row)
                points[held.row.uid].append(held)
        return {uid: sorted(held, key=lambda one: one.row.slot) for uid, held in points.items()}

    def snapshots(self, shard: Shard) -> int:
        return sum(int(row.get("snapshots", 0)) for _, row in self._machines(shard, columns=["snapshots"]))

    def commit(self, transition: Transition) -> tuple[str, ...]:
        registers = any(isinstance(write.row, Machine) and write.etag is None for write in transition.writes)
        try:
            if registers:
                return self._register(transition)
            return self._write(transition, self._slice(transition), [])
        except Overtaken as error:
            raise LostRace(f"machine {transition.uid}: {error}") from error

    def shards(self) -> Sequence[Shard]:
        found = self._shards.query("PartitionKey eq @partition", partition=SHARD_PARTITION)
        return sorted(Shard.parse(row["RowKey"]) for row in found)

    def _rows(self, shard: Shard, slice_: str, prefix: str, condition: str = "", **values: Any) -> Iterator[Entity]:
        return self._table.between(partition(shard, slice_), prefix, prefix[:-1] + END, condition, **values)

    def _machines(
        self, shard: Shard, condition: str = "", columns: list[str] | None = None, **values: Any
    ) -> Iterator[tuple[str, Entity]]:
        """The machines of every slice that meet a condition. The census comes along with those of the first."""
        closed: bool | None = None
        first = [*columns, "RowKey", "closed"] if columns else None
        for row in self._table.between(partition(shard, FIRST), CENSUS, "m" + END, condition, columns=first, **values):
            if row["RowKey"] == CENSUS:
                closed = bool(row["closed"])
            else:
                yield FIRST, row
        for slice_ in further_slices(self._moved(shard).closed if closed is None else closed):
            for row in self._rows(shard, slice_, "m|", condition, columns=columns, **values):
                yield slice_, row

    def _records(self, shard: Shard, slice_: str, machines: Sequence[Held[Machine]]) -> Sequence[Record]:
        operations = self._unresolved(shard, slice_)
        return [Record(machine, tuple(operations.get(machine.row.uid, ()))) for machine in machines]

    def _unresolved(self, shard: Shard, slice_: str) -> Mapping[VmUid, Sequence[Held[Operation]]]:
        operations: dict[VmUid, list[Held[Operation]]] = defaultdict(list)
        condition = "( open eq @yes or state eq @given_up )"
        for row in self._rows(shard, slice_, "o|", condition, yes=True, given_up=State.GAVE_UP.value):
            held = held_of(Operation, slice_, row)
            operations[held.row.uid].append(held)
        return operations

    def _slices(self, uid: VmUid) -> Sequence[str]:
        """Where a machine can be, in the order to look."""
        return sorted(slices_to_search(uid), key=lambda slice_: slice_ != self._homes.get(uid, FIRST))

    def _slice(self, transition: Transition) -> str:
        """Where the machine's rows are: its ETags say it; a transition without any is looked up."""
        etags = [write.etag for write in transition.writes if write.etag] + [held.etag for held in transition.removed]
        if etags:
            return slice_of(etags[0])
        for slice_ in slices_to_search(transition.uid):
            if self._table.get(partition(transition.shard, slice_), key("m", transition.uid)) is not None:
                return slice_
        raise LostRace(f"machine {transition.uid} is not registered in {transition.shard}")

    def _write(self, transition: Transition, slice_: str, counting: list[Change]) -> tuple[str, ...]:
        etags = self._table.commit([*changes_of(transition, slice_), *counting])
        return tuple(f"{slice_}/{etag}" for etag in etags[: len(transition.writes)])

    def _register(self, transition: Transition) -> tuple[str, ...]:
        """Commit a new machine into the slice that takes new ones now."""
        shard = transition.shard
        for _ in range(REGISTRATION_TRIES):
            census = self._census(shard)
            if census.closed:
                return self._register_hashed(transition)
            if census.machines >= self._full:
                self._close(shard, census)
                continue
            if not census.etag:
                self._note(shard)
            counted = _counting(shard, changed(census, machines=census.machines + 1))
            try:
                return self._write(transition, FIRST, [counted])
            except Overtaken as error:
                if error.index < len(transition.writes):
                    raise
        raise LostRace(f"machine {transition.uid}: too many others are being registered in {shard}")

    def _register_hashed(self, transition: Transition) -> tuple[str, ...]:
        if self._table.get(partition(transition.shard, FIRST), key("m", transition.uid)) is not None:
            raise LostRace(f"machine {transition.uid} is registered already")
        return self._write(transition, hashed(transition.uid), [])

    def _census(self, shard: Shard) -> Census:
        place = partition(shard, FIRST)
        if found := self._table.get(place, CENSUS):
            return census_of(found, found["etag"])
        earlier = self._table.get(place, EARLIER)
        return census_of(earlier, "") if earlier else Census()

    def _moved(self, shard: Shard) -> Census:
        """The census of a shard that shows none among its machines: put there, where an earlier build kept it apart."""
        census = self._census(shard)
        if census.machines and not census.etag:
            with suppress(Overtaken):
                self._table.commit([_counting(shard, census)])
        return census

    def _close(self, shard: Shard, census: Census) -> None:
        """Let slice 00 take no more machines, unless the census changed meanwhile."""
        with suppress(Overtaken):
            self._table.commit([_counting(shard, changed(census, closed=True))])

    def _note(self, shard: Shard) -> None:
        """Remember the shard before its first machine; a shard whose first registration fails stands there empty."""
        row = {"PartitionKey": SHARD_PARTITION, "RowKey": str(shard), "schema": SCHEMA}
        with suppress(Overtaken):
            self._shards.commit([tables.create(row)])


def _due(machine: Machine, now: datetime) -> bool:
    return machine.wanted_at is not None and machine.wanted_at <= now


def _counting(shard: Shard, census: Census) -> Change:
    entity = census_entity(shard, census)
    return tables.replace(entity, census.etag) if census.etag else tables.create(entity)
