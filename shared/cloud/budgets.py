"""Budgets of deletions: partition `budget` of the table `shards`, one row per shard. Built by wiring."""

from __future__ import annotations

import json
from datetime import datetime

from shared.cloud import table as tables
from shared.cloud.ledger import SHARDS
from shared.cloud.rows import SCHEMA, Entity
from shared.cloud.storage import Storage
from shared.cloud.table import Overtaken, Table
from shared.errors import LostRace, Refused
from shared.model.identity import Shard
from shared.model.spending import Hour, Spending

PARTITION = "budget"


class TableBudgets:
    """What was claimed within the last day, by the hour."""

    def __init__(self, storage: Storage) -> None:
        self._table = Table(storage, SHARDS)

    def spending(self, shard: Shard) -> Spending:
        found = self._table.get(PARTITION, str(shard))
        if found is None:
            return Spending(shard)
        try:
            hours = [Hour(datetime.fromisoformat(at), int(a), int(b)) for at, a, b in json.loads(found["hours"])]
        except (ValueError, TypeError, KeyError) as error:
            # A budget that cannot be read is not an empty one.
            raise Refused("DamagedRow", f"the budget of {shard} is not as Tagback writes it: {error}") from error
        return Spending(shard, tuple(hours), found["etag"])

    def spend(self, spending: Spending) -> None:
        hours = [(hour.start.isoformat(), hour.planned, hour.unplanned) for hour in spending.hours]
        row: Entity = {
            "PartitionKey": PARTITION,
            "RowKey": str(spending.shard),
            "schema": SCHEMA,
            "hours": json.dumps(hours),
        }
        change = tables.replace(row, spending.etag) if spending.etag else tables.create(row)
        try:
            self._table.commit([change])
        except Overtaken as error:
            raise LostRace(f"the budget of {spending.shard}: {error}") from error
