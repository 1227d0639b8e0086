"""Entities of one table: get, query and transact, in our errors. Used by the ledger, requests and leases adapters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from shared.cloud.rows import Entity
from shared.cloud.storage import Storage
from shared.errors import CloudError, Conflict, LostRace, Missing, Refused

if TYPE_CHECKING:
    from azure.data.tables import TableClient

Change: TypeAlias = "tuple[str, Entity] | tuple[str, Entity, Mapping[str, Any]]"
MOST_CHANGES = 100
# Azure's limits [azure-facts 7.1] with a margin: 4 MiB for what is sent, and 1 MiB and 252 columns for an entity, whose
# names and texts it counts in UTF-16.
MOST_BYTES = 3_500_000
MOST_ENTITY_BYTES = 1_000_000
MOST_COLUMNS = 252
OWN_COLUMNS = frozenset({"PartitionKey", "RowKey"})
OVERTAKEN = {
    "EntityAlreadyExists",
    "UpdateConditionNotSatisfied",
    "ConditionNotMet",
    "ResourceNotFound",
    "EntityNotFound",
}


class Overtaken(LostRace):
    """A transaction failed because of the change number `index`, as far as Azure told."""

    def __init__(self, index: int) -> None:
        super().__init__("the row was changed, created or removed meanwhile")
        self.index = index


class Table:
    """One table, made when the first write finds it missing."""

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage = storage
        self._name = name

    def get(self, partition: str, key: str) -> Entity | None:
        """One entity with its ETag under `etag`; None when it is not there."""
        client = self._storage.table(self._name)
        try:
            found = self._storage.calls.repeatable(partial(client.get_entity, partition, key))
        except Missing:
            return None
        return {**found, "etag": found.metadata["etag"]}

    def query(self, condition: str, *, columns: list[str] | None = None, **values: Any) -> Iterator[Entity]:
        """Every entity that meets an OData condition, page by page; `@name` in it stands for a value.

        With `columns` only those are read.
        """
        pages = self._storage.table(self._name).query_entities(condition, parameters=values, select=columns).by_page()
        while True:
            try:
                page = self._storage.calls.repeatable(lambda: list(next(pages)))
            except StopIteration:
                return
            except Missing:
                return
            for found in page:
                yield {**found, "etag": found.metadata["etag"]}

    def between(self, partition: str, low: str, high: str, condition: str = "", **values: Any) -> Iterator[Entity]:
        """The entities of a partition with `low` <= RowKey < `high` that meet the condition, by RowKey."""
        span = "PartitionKey eq @partition and RowKey ge @low and RowKey lt @high"
        both = f"{span} and {condition}" if condition else span
        return self.query(both, partition=partition, low=low, high=high, **values)

    def remove(self, entities: Iterable[Entity]) -> None:
        """Remove entities of one partition as they were read; one that changed meanwhile stays with its batch."""
        waiting = [delete(one["PartitionKey"], one["RowKey"], one["etag"]) for one in entities]
        for start in range(0, len(waiting), MOST_CHANGES):
            batch = waiting[start : start + MOST_CHANGES]
            client = self._storage.table(self._name)
            with suppress(Overtaken):
                self._sent(
                    partial(client.submit_transaction, batch) if batch[1:] else partial(_alone, client, batch[0])
                )

    def commit(self, changes: Sequence[Change]) -> Sequence[str]:
        """All changes or none, with their new ETags; Overtaken when one meets a row that is not as it was read.

        One change goes without a transaction around it, at half the cost. Not so a deletion: alone, the SDK passes over
        one of a row that is gone.
        """
        _refuse_too_much(changes)
        client = self._storage.table(self._name)
        alone = len(changes) == 1 and changes[0][0] != "delete"
        send = partial(_alone, client, changes[0]) if alone else partial(client.submit_transaction, changes)
        return [str(part.get("etag", "")) for part in self._sent(send)]

    def _sent(self, send: Callable[[], Sequence[Mapping[str, Any]]]) -> Sequence[Mapping[str, Any]]:
        make = self._storage.table(self._name).create_table
        try:
            return self._storage.existing(lambda: self._storage.calls.once(send), make)
        except (Conflict, Missing) as error:
            if error.code not in OVERTAKEN:
                raise
            raise Overtaken(_index(error)) from error


def _alone(client: TableClient, change: Change) -> Sequence[Mapping[str, Any]]:
    conditions: Mapping[str, Any] = change[2] if len(change) == 3 else {}
    match change[0]:
        case "create":
            return [client.create_entity(change[1])]
        case "update":
            return [client.update_entity(change[1], **conditions)]
        case _:
            client.delete_entity(change[1], **conditions)
            return [{}]


def create(entity: Entity) -> Change:
    return ("create", entity)


def replace(entity: Entity, etag: str) -> Change:
    return ("update", entity, {"mode": "replace", **_if_match(etag)})


def delete(partition: str, key: str, etag: str) -> Change:
    return ("delete", {"PartitionKey": partition, "RowKey": key}, _if_match(etag))


def _if_match(etag: str) -> Mapping[str, Any]:
    from azure.core import MatchConditions

    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _index(error: CloudError) -> int:
    return int(getattr(error.__cause__, "index", 0))


def _refuse_too_much(changes: Sequence[Change]) -> None:
    """Say it before Azure does: a transaction is never cut in two."""
    sizes = [len(json.dumps(change[1], default=str).encode()) for change in changes]
    if len(changes) > MOST_CHANGES or sum(sizes) > MOST_BYTES:
        raise Refused("TransactionTooLarge", f"{len(changes)} rows of {sum(sizes)} bytes do not fit into a transaction")
    for _, entity, *_ in changes:
        stored, columns = _stored_bytes(entity), len(entity.keys() - OWN_COLUMNS)
        if stored > MOST_ENTITY_BYTES or columns > MOST_COLUMNS:
            what = f"row {entity['RowKey']} of {stored} bytes in {columns} columns"
            raise Refused("EntityTooLarge", f"{what} does not fit into a table")


def _stored_bytes(entity: Entity) -> int:
    """What a row takes as Azure counts: two bytes per character of names and texts, and little for all else."""
    texts = sum(len(value.encode("utf-16-le")) if isinstance(value, str) else 16 for value in entity.values())
    return texts + sum(2 * len(name) + 8 for name in entity)
