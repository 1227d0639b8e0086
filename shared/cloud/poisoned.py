"""Messages that failed too often: partition `poisoned` of the table `ledger`. Built by wiring.

Whoever may send messages wrote them: what is kept is shown to people, so it has nothing in it that opens something.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from shared.cloud import table as tables
from shared.cloud.ledger import END, LEDGER
from shared.cloud.redaction import shown
from shared.cloud.rows import entity_of, row_of
from shared.cloud.storage import Storage
from shared.cloud.table import Overtaken, Table
from shared.model.request import PoisonedMessage

PARTITION = "poisoned"
LONGEST = 1000  # characters kept of a message: enough to tell what it was


class TablePoisoned:
    """One row per queue and text: the same message again is the same row, and keeps its first instant."""

    def __init__(self, storage: Storage) -> None:
        self._table = Table(storage, LEDGER)

    def keep(self, message: PoisonedMessage) -> None:
        with suppress(Overtaken):
            self._table.commit([tables.create(entity_of(presentable(message), PARTITION))])

    def forget(self, before: datetime) -> None:
        self._table.remove(self._table.between(PARTITION, "x|", "x" + END, "at lt @before", before=before))

    def kept(self) -> Sequence[PoisonedMessage]:
        rows = self._table.between(PARTITION, "x|", "x" + END)
        return [row_of(PoisonedMessage, row) for row in rows]


def presentable(message: PoisonedMessage) -> PoisonedMessage:
    """The message as it is kept."""
    return replace(message, text=shown(message.text, LONGEST))
