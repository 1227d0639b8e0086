"""Requests of people: partition `requests` of the table `ledger`. Built by wiring."""

from __future__ import annotations

from datetime import datetime

from shared.cloud import table as tables
from shared.cloud.ledger import END, LEDGER
from shared.cloud.rows import Entity, entity_of, key, row_of
from shared.cloud.storage import Storage
from shared.cloud.table import Overtaken, Table
from shared.errors import LostRace
from shared.model.request import Progress, Request

PARTITION = "requests"


class TableRequests:
    """Requests by id. A request is settled once, so `still asked` means unchanged since it was found."""

    def __init__(self, storage: Storage) -> None:
        self._table = Table(storage, LEDGER)

    def add(self, request: Request) -> None:
        self._commit(request, tables.create(entity_of(request, PARTITION)))

    def find(self, request_id: str) -> Request | None:
        found = self._stored(request_id)
        return row_of(Request, found) if found else None

    def settle(self, request: Request) -> None:
        found = self._stored(request.id)
        if found is None or row_of(Request, found).progress is not Progress.ASKED:
            raise LostRace(f"request {request.id} is settled already, or gone")
        self._commit(request, tables.replace(entity_of(request, PARTITION), found["etag"]))

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
