"""Small JSON blobs in the container `control`, each replaced only as it was read. Built by wiring, for brakes and such.

They lie beside the tables on purpose: what is in them outlives a loss of every table, and nobody who may only write to
tables can change it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from shared.cloud.codec import columns_of, read, written
from shared.cloud.rows import SCHEMA
from shared.cloud.storage import Storage
from shared.errors import Conflict, LostRace, Missing, NewerRows, Refused

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient

CONTAINER = "control"
CHANGED = frozenset({"BlobAlreadyExists", "ConditionNotMet", "UpdateConditionNotMet", "BlobNotFound"})

Value = TypeVar("Value")


class Control:
    """The container `control`. A value is a frozen dataclass of texts and nested values with a field `etag`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def load(self, name: str, kind: type[Value]) -> Value:
        """What stands under a name; an empty value where nothing does."""
        blob = self._storage.container(CONTAINER).get_blob_client(name)
        try:
            text, etag = self._storage.calls.repeatable(partial(_downloaded, blob))
        except Missing:
            return kind()
        found: Value = _read(name, kind, text, etag)
        return found

    def store(self, name: str, value: Any) -> None:
        """Replace what stands under a name by its newer self; LostRace when it changed meanwhile."""
        from azure.core import MatchConditions

        container = self._storage.container(CONTAINER)
        condition: dict[str, Any] = {"overwrite": False}
        if value.etag:
            condition = {"overwrite": True, "etag": value.etag, "match_condition": MatchConditions.IfNotModified}
        upload = partial(container.get_blob_client(name).upload_blob, _written(value), **condition)
        try:
            self._storage.existing(lambda: self._storage.calls.once(upload), container.create_container)
        except (Conflict, Missing) as error:
            if error.code not in CHANGED:
                raise
            raise LostRace(f"{name}: {error}") from error


def _downloaded(blob: BlobClient) -> tuple[bytes, str]:
    found = blob.download_blob()
    return found.readall(), str(found.properties.etag)


def _written(value: Any) -> bytes:
    document: dict[str, Any] = {"schema": SCHEMA}
    for field in fields(value):
        if field.name != "etag":
            document.update(written(field.name, getattr(value, field.name)))
    return json.dumps(document).encode()


def _read(name: str, kind: Any, text: bytes, etag: str) -> Any:
    try:
        document: Mapping[str, Any] = json.loads(text)
        if document["schema"] > SCHEMA:
            raise NewerRows(f"{name} was written by a newer Tagback than this one: deploy the newer one again")
        known = {column.name: read(column, document) for column in columns_of(kind) if column.name in document}
        return kind(**known, etag=etag)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # What cannot be read is not empty: nobody knows what it stops.
        raise Refused("DamagedBlob", f"{name} is not as Tagback writes it: {error}") from error
