"""Host, function and system keys: where they are kept and which level a request reaches with one.

Used by the front. Kept in the container Azure keeps them in, so that they outlive a restart; a setting
`LocalHostKeys__master`, `__default` or `__eventgrid_extension` decides a key.
"""

import base64
import contextlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient

from local.host.settings import AppSettings

CONTAINER = "azure-webjobs-secrets"
EVENT_GRID = "eventgrid_extension"
NAMES = ("master", "default", EVENT_GRID)


class Level(StrEnum):
    """Authorization levels of the Functions host."""

    ANONYMOUS = "anonymous"
    FUNCTION = "function"
    SYSTEM = "system"
    ADMIN = "admin"


def _new_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(40)).decode().rstrip("=") + "=="


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one host; function keys by lower-cased function name."""

    master: str
    default: str
    event_grid: str
    functions: Mapping[str, str]

    def shown(self) -> dict[str, str]:
        return {"master": self.master, EVENT_GRID: self.event_grid, "default": self.default}

    def level(self, key: str | None, function: str = "") -> Level:
        """The level a key gives, for one function where one is asked for."""
        if not key:
            return Level.ANONYMOUS
        if _same(key, self.master):
            return Level.ADMIN
        if _same(key, self.event_grid):
            return Level.SYSTEM
        own = self.functions.get(function.lower())
        if _same(key, self.default) or (own is not None and _same(key, own)):
            return Level.FUNCTION
        return Level.ANONYMOUS


def _same(given: str, kept: str) -> bool:
    return secrets.compare_digest(given.encode(), kept.encode())


def allows(level: Level, required: Level) -> bool:
    """A level must be met exactly, or be admin."""
    return required is Level.ANONYMOUS or level in (required, Level.ADMIN)


class KeyStore:
    """Reads and creates keys. Without storage the keys last as long as the process."""

    def __init__(self, blobs: BlobServiceClient | None, host_id: str, settings: AppSettings) -> None:
        self._blobs = blobs
        self._host_id = host_id
        self._settings = settings

    async def keys(self, http_functions: tuple[str, ...]) -> Keys:
        host = await self._document("host", lambda: self._host_document())
        stored = {
            "master": host["masterKey"]["value"],
            "default": next(key["value"] for key in host["functionKeys"] if key["name"] == "default"),
            EVENT_GRID: next(key["value"] for key in host["systemKeys"] if key["name"] == EVENT_GRID),
        }
        named = {name: self._settings.get(f"LocalHostKeys__{name}") or value for name, value in stored.items()}
        functions = {}
        for function in http_functions:
            document = await self._document(function.lower(), lambda: {"keys": [_entry("default")]})
            functions[function.lower()] = document["keys"][0]["value"]
        return Keys(named["master"], named["default"], named[EVENT_GRID], functions)

    @staticmethod
    def _host_document() -> dict[str, Any]:
        return {
            "masterKey": _entry("master"),
            "functionKeys": [_entry("default")],
            "systemKeys": [_entry(EVENT_GRID)],
        }

    async def _document(self, name: str, new: Any) -> dict[str, Any]:
        """The stored document, or a new one; when two hosts create it at once the first one's counts."""
        if self._blobs is None:
            created: dict[str, Any] = new()
            return created
        blob = self._blobs.get_blob_client(CONTAINER, f"{self._host_id}/{name}.json")
        for _attempt in range(3):
            try:
                stored: dict[str, Any] = json.loads(await (await blob.download_blob()).readall())
                return stored
            except ResourceNotFoundError:
                await self._create(name, new())
        raise RuntimeError(f"{CONTAINER}/{blob.blob_name} cannot be created")

    async def _create(self, name: str, document: dict[str, Any]) -> None:
        assert self._blobs is not None
        container = self._blobs.get_container_client(CONTAINER)
        with contextlib.suppress(ResourceExistsError):
            await container.create_container()
        with contextlib.suppress(ResourceExistsError):
            await container.upload_blob(f"{self._host_id}/{name}.json", json.dumps(document), overwrite=False)


def _entry(name: str) -> dict[str, Any]:
    return {"name": name, "value": _new_key(), "encrypted": False}
