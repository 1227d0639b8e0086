"""What is ours in the cloud, as the settings name it: the storage account, the API and its callers, where to tell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """Reached by a connection string, or by identity through one endpoint per service.

    Exactly one of the two: `connection_string` is empty where the identity is used. `client_id` names a user-assigned
    identity, empty for the system-assigned one.
    """

    name: str
    connection_string: str = ""
    blob: str = ""
    queue: str = ""
    table: str = ""
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Api:
    """The HTTP API. It believes tokens for its `audiences`, of one `tenant`; empty: nobody's.

    `keyed` says that the function key alone lets somebody read.

    `endpoint` and `key` are for those who call it: where it is, and the function key that the platform asks for.
    """

    audiences: frozenset[str] = frozenset()
    tenant: str = ""
    endpoint: str = ""
    key: str = ""
    keyed: bool = True


@dataclass(frozen=True, slots=True)
class Telling:
    """Where telemetry goes: to a file, or to Azure Monitor by its connection string; nowhere while both are empty.

    `share` is the part of the traces that is told, from 0 to 1.
    """

    file: str = ""
    connection: str = ""
    share: float = 0.0
