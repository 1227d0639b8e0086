"""Clients of our storage account, made once per process and on first use: the SDKs are large, most functions need one.

Used by the ledger, leases, requests, queue, models and audit adapters. Tables, queues and containers are made when a
call finds them missing, never on each call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from shared.cloud.call import Calls
from shared.errors import Conflict, Missing
from shared.model.account import StorageAccount

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableClient, TableServiceClient
    from azure.storage.blob import BlobServiceClient, ContainerClient
    from azure.storage.queue import QueueClient, QueueServiceClient

Answer = TypeVar("Answer")
Client = TypeVar("Client")

# One owner of retries (cloud/call.py), and no wait that a slice of draining cannot afford.
SECONDS_TO_CONNECT = 5
SECONDS_TO_ANSWER = 30
# "The thing you want to write to is not there": only these make us create it.
NOT_THERE = {"TableNotFound", "QueueNotFound", "ContainerNotFound"}


class Storage:
    """The account's tables, queues and containers by name."""

    def __init__(self, account: StorageAccount, credential: TokenCredential, calls: Calls) -> None:
        self.calls = calls
        self._account = account
        self._credential = credential
        self._clients: dict[tuple[str, str], Any] = {}
        self._open = ExitStack()
        self._lock = threading.RLock()

    def close(self) -> None:
        self._open.close()

    def table(self, name: str) -> TableClient:
        return self._kept(("table", name), lambda: self._tables().get_table_client(name))

    def queue(self, name: str) -> QueueClient:
        from azure.storage.queue import TextBase64EncodePolicy

        # The Functions host expects base64; the SDK's default is plain text [local-host 1].
        policy = TextBase64EncodePolicy()
        return self._kept(("queue", name), lambda: self._queues().get_queue_client(name, message_encode_policy=policy))

    def container(self, name: str) -> ContainerClient:
        return self._kept(("container", name), lambda: self._blobs().get_container_client(name))

    def create(self, make: Callable[[], object]) -> None:
        """Make a table, queue or container; nothing happens when somebody else was faster."""
        from azure.core.exceptions import ResourceExistsError

        def attempt() -> None:
            try:
                make()
            except ResourceExistsError as error:
                # A queue that exists answers 204, which the SDK raises as well [local-host 1].
                if "BeingDeleted" in str(getattr(error, "error_code", "")):
                    raise

        self.calls.repeatable(attempt)

    def existing(self, call: Callable[[], Answer], make: Callable[[], object]) -> Answer:
        """Run a call; when its table, queue or container is missing, make that and run the call once more."""
        try:
            return call()
        except (Missing, Conflict) as error:
            if error.code not in NOT_THERE:
                raise
        self.create(make)
        return call()

    def _kept(self, key: tuple[str, str], make: Callable[[], Client]) -> Client:
        with self._lock:
            if key not in self._clients:
                self._clients[key] = make()
            client: Client = self._clients[key]
            return client

    def _tables(self) -> TableServiceClient:
        from azure.data.tables import TableServiceClient

        def make() -> TableServiceClient:
            if self._account.connection_string:
                client = TableServiceClient.from_connection_string(self._account.connection_string, **_options())
            else:
                client = TableServiceClient(self._account.table, credential=self._credential, **_options())
            return self._open.enter_context(client)

        return self._kept(("service", "table"), make)

    def _queues(self) -> QueueServiceClient:
        from azure.storage.queue import QueueServiceClient

        def make() -> QueueServiceClient:
            if self._account.connection_string:
                client = QueueServiceClient.from_connection_string(self._account.connection_string, **_options())
            else:
                client = QueueServiceClient(self._account.queue, credential=self._credential, **_options())
            return self._open.enter_context(client)

        return self._kept(("service", "queue"), make)

    def _blobs(self) -> BlobServiceClient:
        from azure.storage.blob import BlobServiceClient

        def make() -> BlobServiceClient:
            if self._account.connection_string:
                client = BlobServiceClient.from_connection_string(self._account.connection_string, **_options())
            else:
                client = BlobServiceClient(self._account.blob, credential=self._credential, **_options())
            return self._open.enter_context(client)

        return self._kept(("service", "blob"), make)


def _options() -> dict[str, Any]:
    from shared.cloud.transport import transport

    return {
        "retry_total": 0,
        "logging_enable": False,
        "transport": transport(SECONDS_TO_CONNECT, SECONDS_TO_ANSWER),
    }
