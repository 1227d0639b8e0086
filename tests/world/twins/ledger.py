"""The twin of ports.Ledger: entity-group transactions under If-Match, as Table storage keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zlib import crc32

from shared.errors import LostRace
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.point import Point
from shared.model.transition import Held, Record, Row, Transition, WithPoints
from tests.world.steps import Call, Effect, Steps
from tests.world.twins.rows import Kept, Rows, key_of, told
from tests.world.twins.witness import Witness

ROWS_OF_ONE_TRANSACTION = 100
ROWS_OF_ONE_PAGE = 5
SLICES = 2
A_WRITE = timedelta(microseconds=1)  # no two writes of workers are of one instant


class LedgerTwin:
    """Our memory of intent: rows by shard, machine and key."""

    def __init__(self, steps: Steps, witness: Witness) -> None:
        self._steps = steps
        self._witness = witness
        self._writes = 0
        self.races = 0
        self.rows: dict[Shard, dict[VmUid, Rows]] = {}

    def record(self, shard: Shard, uid: VmUid) -> Record | None:
        call = self._reading("ledger.record", shard, uid)
        answer = self.held(shard, uid)
        self._steps.after(call)
        return answer

    def machines(self, shard: Shard) -> Iterator[Held[Machine]]:
        """Page by page: what changes meanwhile on later pages is seen, on earlier ones not."""
        uids = sorted(self.rows.get(shard, {}))
        for start in range(0, max(len(uids), 1), ROWS_OF_ONE_PAGE):
            call = self._reading("ledger.machines", shard, str(start))
            page = [self.rows[shard][uid].machine for uid in uids[start : start + ROWS_OF_ONE_PAGE]]
            self._steps.after(call)
            yield from (machine for machine in page if machine is not None)

    def expiring(self, shard: Shard, now: datetime) -> Iterator[Held[Machine]]:
        call = self._reading("ledger.expiring", shard, "")
        found = [rows.machine for _, rows in sorted(self.rows.get(shard, {}).items()) if rows.machine]
        self._steps.after(call)
        yield from (held for held in found if held.row.next_expiry and held.row.next_expiry <= now)

    def snapshots(self, shard: Shard) -> int:
        call = self._reading("ledger.snapshots", shard, "")
        machines = [rows.machine for rows in self.rows.get(shard, {}).values()]
        answer = sum(held.row.snapshots for held in machines if held is not None)
        self._steps.after(call)
        return answer

    def operations(self, shard: Shard, since: datetime | None = None) -> Iterator[Held[Operation]]:
        call = self._reading("ledger.operations", shard, "")
        found = [
            held for _, rows in sorted(self.rows.get(shard, {}).items()) for _, held in sorted(rows.operations.items())
        ]
        self._steps.after(call)
        yield from (held for held in found if since is None or (held.row.ended_at and held.row.ended_at >= since))

    def due(self, shard: Shard, now: datetime) -> Sequence[Record]:
        call = self._reading("ledger.due", shard, "")
        found = []
        for uid, rows in self.rows.get(shard, {}).items():
            wanted = rows.machine.row.wanted_at if rows.machine else None
            if wanted is not None and wanted <= now:
                found.append((wanted, uid, rows))
        records = [
            Record(rows.machine, _unresolved(rows)) for _, _, rows in sorted(found, key=_earliest) if rows.machine
        ]
        self._steps.after(call)
        return records

    def next_wanted(self, shard: Shard, until: datetime) -> datetime | None:
        call = self._reading("ledger.next_wanted", shard, "")
        machines = [rows.machine.row for rows in self.rows.get(shard, {}).values() if rows.machine]
        wanted = [one.wanted_at for one in machines if one.wanted_at and one.wanted_at <= until]
        self._steps.after(call)
        return min(wanted, default=None)

    def points(self, shard: Shard, uid: VmUid) -> tuple[Held[Point], ...]:
        call = self._reading("ledger.points", shard, uid)
        rows = self.rows.get(shard, {}).get(uid, Rows())
        answer = tuple(held for _, held in sorted(rows.points.items()))
        self._steps.after(call)
        return answer

    def with_points(self, shard: Shard, machines: Sequence[Held[Machine]], most: int) -> Iterator[Sequence[WithPoints]]:
        """Those of one slice together, as they lie in a ledger of many slices."""
        placed: dict[int, list[Held[Machine]]] = {}
        for machine in machines:
            placed.setdefault(crc32(machine.row.uid.encode()) % SLICES, []).append(machine)
        for held in placed.values():
            for start in range(0, len(held), most):
                yield self._together(shard, held[start : start + most])

    def _together(self, shard: Shard, machines: Sequence[Held[Machine]]) -> Sequence[WithPoints]:
        call = self._reading("ledger.with_points", shard, "")
        there = self.rows.get(shard, {})
        found = [(machine, there.get(machine.row.uid, Rows())) for machine in machines]
        answer = [
            (Record(machine, _unresolved(rows)), tuple(held for _, held in sorted(rows.points.items())))
            for machine, rows in found
        ]
        self._steps.after(call)
        return answer

    def commit(self, transition: Transition) -> tuple[str, ...]:
        said = " ".join(told(write.row) for write in transition.writes)
        call = Call("table", "ledger.commit", Effect.WRITE, str(transition.shard), f"{transition.uid} {said}")
        self._steps.before(call)
        etags = self._apply(transition)
        self._steps.after(call)
        return etags

    def shards(self) -> Sequence[Shard]:
        call = Call("table", "ledger.shards", Effect.READ)
        self._steps.before(call)
        answer = sorted(shard for shard, machines in self.rows.items() if machines)
        self._steps.after(call)
        return answer

    def stands(self, etag: str | None, there: Kept | None) -> bool:
        """Whether a condition holds: a row is created only where none is, and replaced only as it was read."""
        return (there.etag if there else None) == etag

    def _apply(self, transition: Transition) -> tuple[str, ...]:
        rows = self.rows.get(transition.shard, {}).get(transition.uid, Rows())
        wanted: list[tuple[Row, str | None]] = [(write.row, write.etag) for write in transition.writes]
        wanted += [(held.row, held.etag) for held in transition.removed]
        keys = [key_of(row) for row, _ in wanted]
        if len(set(keys)) < len(keys) or not 0 < len(keys) <= ROWS_OF_ONE_TRANSACTION:
            raise ValueError(f"Table storage refuses this transaction: {keys}")
        if any(row.uid != transition.uid for row, _ in wanted):
            raise ValueError("a transition holds rows of another machine")
        if not all(self.stands(etag, rows.get(row)) for row, etag in wanted):
            self.races += 1
            raise LostRace(f"rows of {transition.uid} changed")
        self._witness.rows_committed(transition, [rows.get(row) for row, _ in wanted])
        self.rows.setdefault(transition.shard, {})[transition.uid] = rows
        for held in transition.removed:
            rows.remove(held.row)
        if self._steps.scheduler.current is not None:
            self._steps.scheduler.now += A_WRITE
        return tuple(self._put(rows, write.row) for write in transition.writes)

    def _put(self, rows: Rows, row: Row) -> str:
        self._writes += 1
        rows.put(row, f"e{self._writes}")
        return f"e{self._writes}"

    def held(self, shard: Shard, uid: VmUid) -> Record | None:
        """The machine and all its operations as they stand now."""
        rows = self.rows.get(shard, {}).get(uid)
        if rows is None or rows.machine is None:
            return None
        return Record(rows.machine, tuple(held for _, held in sorted(rows.operations.items())))

    def _reading(self, verb: str, shard: Shard, subject: str) -> Call:
        call = Call("table", verb, Effect.READ, str(shard), subject)
        self._steps.before(call)
        return call


def _unresolved(rows: Rows) -> tuple[Held[Operation], ...]:
    return tuple(held for _, held in sorted(rows.operations.items()) if held.row.state.unresolved)


def _earliest(found: tuple[datetime, VmUid, Rows]) -> tuple[datetime, VmUid]:
    return found[0], found[1]
