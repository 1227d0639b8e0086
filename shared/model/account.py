"""The storage account that holds our tables, queues and blobs: how the settings name it."""

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
