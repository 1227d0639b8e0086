"""Requests of people: partition `requests` of the table `ledger`. Built by wiring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.cloud import table as tables
from shared.cloud.ledger import END, LEDGER
from shared.cloud.rows import Entity, entity_of, key, row_of
from shared.cloud.storage import Storage
from shared.cloud.table import Overtaken, Table
from shared.errors import LostRace
from shared.model.request import Asked, Progress, Request

PARTITION = "requests"


class TableRequests:
    """Requests by id. One that is not `asked` any more was settled for good; `revision` tells what came first."""

    def __init__(self, storage: Storage) -> None:
        self._table = Table(storage, LEDGER)

    def add(self, request: Request) -> None:
        self._commit(request, tables.create(entity_of(request, PARTITION)))

    def find(self, request_id: str) -> Request | None:
        found = self._stored(request_id)
        return row_of(Request, found) if found else None

    def settle(self, request: Request) -> Request:
        found = self._stored(request.id)
        stored = row_of(Request, found) if found else None
        if found is None or stored is None or stored.progress is not Progress.ASKED:
            raise LostRace(f"request {request.id} is settled already, or gone")
        if stored.revision != request.revision:
            raise LostRace(f"request {request.id} was changed by somebody else")
        newer = replace(request, revision=request.revision + 1)
        self._commit(newer, tables.replace(entity_of(newer, PARTITION), found["etag"]))
        return newer

    def unsettled(self) -> Sequence[Request]:
        asked = self._table.between(PARTITION, "r|", "r" + END, "progress eq @asked", asked=Progress.ASKED.value)
        return [row_of(Request, found) for found in asked]

    def expired(self, now: datetime) -> Sequence[Request]:
        answered = "expires le @now and progress ne @waiting and ( asked eq @restore or asked eq @drill )"
        kinds = {"restore": Asked.RESTORE.value, "drill": Asked.DRILL.value}
        values = {"now": now, "waiting": Progress.ASKED.value, **kinds}
        found = self._table.between(PARTITION, "r|", "r" + END, answered, **values)
        return [row_of(Request, one) for one in found]

    def forget(self, before: datetime) -> None:
        answered = self._table.between(
            PARTITION,
            "r|",
            "r" + END,
            "at lt @before and progress ne @asked",
            before=before,
            asked=Progress.ASKED.value,
        )
        self._table.remove(answered)

    def _stored(self, request_id: str) -> Entity | None:
        return self._table.get(PARTITION, key("r", request_id))

    def _commit(self, request: Request, change: tables.Change) -> None:
        try:
            self._table.commit([change])
        except Overtaken as error:
            raise LostRace(f"request {request.id}: {error}") from error
