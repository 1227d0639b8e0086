"""VM models as blobs named by the SHA-256 of their content: written once, never changed. Built by wiring."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from functools import partial

from shared.cloud.storage import Storage
from shared.errors import Conflict, Refused

CONTAINER = "models"


class BlobModels:
    """Keeps models in the container `models`, gzipped."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def keep(self, model: Mapping[str, object]) -> str:
        # The form of decide.naming.model_reference, byte for byte.
        text = json.dumps(dict(model), sort_keys=True, separators=(",", ":")).encode()
        reference = hashlib.sha256(text).hexdigest()
        container = self._storage.container(CONTAINER)
        packed = gzip.compress(text, mtime=0)
        upload = partial(container.upload_blob, _name(reference), packed, overwrite=False)
        try:
            self._storage.existing(lambda: self._storage.calls.repeatable(upload), container.create_container)
        except Conflict as error:
            if error.code != "BlobAlreadyExists":
                raise
        return reference

    def load(self, reference: str) -> Mapping[str, object]:
        blob = self._storage.container(CONTAINER).get_blob_client(_name(reference))
        text = gzip.decompress(self._storage.calls.repeatable(lambda: blob.download_blob().readall()))
        if hashlib.sha256(text).hexdigest() != reference:
            raise Refused("ModelChanged", f"the model {reference} is not what was written under that name")
        document: dict[str, object] = json.loads(text)
        return document


def _name(reference: str) -> str:
    return f"{reference}.json.gz"
