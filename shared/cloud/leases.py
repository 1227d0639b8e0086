"""Leases on shards: partitions `lease` and `reaper` of the table `shards`. Built by wiring."""

from __future__ import annotations

from datetime import datetime

from shared.cloud import table as tables
from shared.cloud.ledger import SHARDS
from shared.cloud.rows import SCHEMA, Entity
from shared.cloud.storage import Storage
from shared.cloud.table import Overtaken, Table
from shared.model.draining import Lease
from shared.model.identity import Shard

DRAINER = "lease"
REAPER = "reaper"


class TableLeases:
    """One row per shard at which somebody is at work: `partition` says at what."""

    def __init__(self, storage: Storage, partition: str = DRAINER) -> None:
        self._table = Table(storage, SHARDS)
        self._partition = partition

    def take(self, shard: Shard, holder: str, now: datetime, until: datetime) -> Lease | None:
        found = self._table.get(self._partition, str(shard))
        if found and found["until"] >= now and found["holder"] != holder:
            return None
        row: Entity = {
            "PartitionKey": self._partition,
            "RowKey": str(shard),
            "schema": SCHEMA,
            "holder": holder,
            "until": until,
        }
        try:
            [etag] = self._table.commit([tables.replace(row, found["etag"]) if found else tables.create(row)])
        except Overtaken:
            return None
        return Lease(shard, holder, until, etag)

    def give_back(self, lease: Lease) -> None:
        self._table.remove([{"PartitionKey": self._partition, "RowKey": str(lease.shard), "etag": lease.etag}])
