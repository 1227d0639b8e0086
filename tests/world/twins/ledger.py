"""The twin of ports.Ledger: entity-group transactions under If-Match, as Table storage keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import cast

from shared.errors import LostRace
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.point import Point
from shared.ports import Held, Record, Row, Transition
from tests.world.steps import Call, Effect, Steps
from tests.world.twins.rows import Kept, Key, kept, key_of
from tests.world.twins.witness import Witness

ROWS_OF_ONE_TRANSACTION = 100
ROWS_OF_ONE_PAGE = 5


class LedgerTwin:
    """Our memory of intent: rows by shard, machine and key."""

    def __init__(self, steps: Steps, witness: Witness) -> None:
        self._steps = steps
        self._witness = witness
        self._writes = 0
        self.rows: dict[Shard, dict[VmUid, dict[Key, Kept]]] = {}

    def record(self, shard: Shard, uid: VmUid) -> Record | None:
        self._read("ledger.record", shard, uid, before=True)
        answer = self.held(shard, uid)
        self._read("ledger.record", shard, uid, before=False)
        return answer

    def machines(self, shard: Shard) -> Iterator[Held[Machine]]:
        """Page by page: what changes meanwhile on later pages is seen, on earlier ones not."""
        uids = sorted(self.rows.get(shard, {}))
        for start in range(0, max(len(uids), 1), ROWS_OF_ONE_PAGE):
            self._read("ledger.machines", shard, str(start), before=True)
            records = [self.held(shard, uid) for uid in uids[start : start + ROWS_OF_ONE_PAGE]]
            self._read("ledger.machines", shard, str(start), before=False)
            yield from (record.machine for record in records if record is not None)

    def due(self, shard: Shard, now: datetime) -> Sequence[Record]:
        self._read("ledger.due", shard, "", before=True)
        found = []
        for uid in self.rows.get(shard, {}):
            record = self.held(shard, uid)
            if record and record.machine.row.wanted_at and record.machine.row.wanted_at <= now:
                opened = tuple(held for held in record.operations if held.row.state.open)
                found.append(Record(record.machine, opened))
        self._read("ledger.due", shard, "", before=False)
        return sorted(found, key=lambda record: (record.machine.row.wanted_at, record.machine.row.uid))

    def points(self, shard: Shard, uid: VmUid) -> tuple[Held[Point], ...]:
        self._read("ledger.points", shard, uid, before=True)
        rows = self.rows.get(shard, {}).get(uid, {})
        answer = [held for held in rows.values() if isinstance(held.row, Point)]
        self._read("ledger.points", shard, uid, before=False)
        return tuple(sorted(answer, key=lambda held: (held.row.slot, held.row.engine)))

    def commit(self, transition: Transition) -> tuple[str, ...]:
        call = Call("table", "ledger.commit", Effect.WRITE, str(transition.shard), transition.uid)
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
        rows = self.rows.get(transition.shard, {}).get(transition.uid, {})
        wanted: list[tuple[Key, str | None]] = [(key_of(write.row), write.etag) for write in transition.writes]
        wanted += [(key_of(held.row), held.etag) for held in transition.removed]
        keys = [key for key, _ in wanted]
        if len(set(keys)) < len(keys) or not 0 < len(keys) <= ROWS_OF_ONE_TRANSACTION:
            raise ValueError(f"Table storage refuses this transaction: {keys}")
        if any(write.row.uid != transition.uid for write in transition.writes):
            raise ValueError("a transition holds rows of another machine")
        if not all(self.stands(etag, rows.get(key)) for key, etag in wanted):
            raise LostRace(f"rows of {transition.uid} changed")
        self._witness.rows_committed(transition, [rows.get(key) for key in keys])
        rows = self.rows.setdefault(transition.shard, {}).setdefault(transition.uid, rows)
        for held in transition.removed:
            del rows[key_of(held.row)]
        return tuple(self._put(rows, write.row) for write in transition.writes)

    def _put(self, rows: dict[Key, Kept], row: Row) -> str:
        self._writes += 1
        rows[key_of(row)] = kept(row, f"e{self._writes}")
        return f"e{self._writes}"

    def held(self, shard: Shard, uid: VmUid) -> Record | None:
        rows = self.rows.get(shard, {}).get(uid, {})
        machine = rows.get(("m",))
        if machine is None:
            return None
        operations = [held for held in rows.values() if isinstance(held.row, Operation)]
        return Record(cast(Held[Machine], machine), tuple(sorted(operations, key=lambda held: held.row.id)))

    def _read(self, verb: str, shard: Shard, subject: str, *, before: bool) -> None:
        call = Call("table", verb, Effect.READ, str(shard), subject)
        if before:
            self._steps.before(call)
        else:
            self._steps.after(call)
