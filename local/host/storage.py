"""Storage clients by connection name, as a binding's `connection` names them.

Used by listeners, outputs, keys and timers. Never retries by itself: every listener has a back-off of its own.
"""

from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from local.host.settings import AppSettings
from local.host.values import FunctionInError, HostError

DEFAULT_CONNECTION = "AzureWebJobsStorage"
CALL: dict[str, Any] = {"retry_total": 0, "connection_timeout": 5, "read_timeout": 30}


class Storage:
    """All storage accounts the app's bindings name, opened on first use."""

    def __init__(self, settings: AppSettings) -> None:
        self._settings = settings
        self._queues: dict[str, QueueServiceClient] = {}
        self._blobs: BlobServiceClient | None = None
        self._credential: AsyncTokenCredential | None = None

    @property
    def is_configured(self) -> bool:
        return self._value(DEFAULT_CONNECTION) is not None or self._endpoint(DEFAULT_CONNECTION, "blob") is not None

    def queue(self, connection: str, name: str) -> QueueClient:
        return self._queue_service(connection or DEFAULT_CONNECTION).get_queue_client(
            name, message_encode_policy=None, message_decode_policy=None
        )

    async def queue_names(self, connection: str) -> frozenset[str]:
        found = self._queue_service(connection or DEFAULT_CONNECTION).list_queues()
        return frozenset([str(queue.name) async for queue in found])

    def blobs(self) -> BlobServiceClient:
        if self._blobs is None:
            value, endpoint = self._value(DEFAULT_CONNECTION), self._endpoint(DEFAULT_CONNECTION, "blob")
            if value is not None:
                self._blobs = _from_text(BlobServiceClient, value, DEFAULT_CONNECTION)
            elif endpoint is not None:
                self._blobs = BlobServiceClient(endpoint, self._identity(), **CALL)
            else:
                raise HostError(f"missing value for {DEFAULT_CONNECTION} in settings", 2)
        return self._blobs

    async def check(self) -> None:
        """Ask the account for something small, so that a wrong or silent one is known before anything starts."""
        try:
            await self.blobs().get_service_properties(retry_total=0, connection_timeout=3, read_timeout=5)
        except HttpResponseError as error:
            raise HostError(f"{DEFAULT_CONNECTION}: storage refuses us: {first_line(error)}") from error
        except (AzureError, ValueError) as error:
            raise HostError(f"{DEFAULT_CONNECTION}: storage does not answer: {first_line(error)}") from error

    async def close(self) -> None:
        for service in self._queues.values():
            await service.close()
        if self._blobs is not None:
            await self._blobs.close()
        if self._credential is not None:
            await self._credential.close()

    def _queue_service(self, connection: str) -> QueueServiceClient:
        if connection not in self._queues:
            value, endpoint = self._value(connection), self._endpoint(connection, "queue")
            if value is not None:
                self._queues[connection] = _from_text(QueueServiceClient, value, connection)
            elif endpoint is not None:
                self._queues[connection] = QueueServiceClient(endpoint, self._identity(), **CALL)
            else:
                raise FunctionInError(f"storage connection '{connection}' is not in the settings")
        return self._queues[connection]

    def _value(self, connection: str) -> str | None:
        names = (f"AzureWebJobs{connection}", connection, f"ConnectionStrings__{connection}")
        return next((value for name in names if (value := self._settings.get(name))), None)

    def _endpoint(self, connection: str, service: str) -> str | None:
        for name in (f"AzureWebJobs{connection}", connection):
            section = self._settings.section(name)
            if uri := section.get((f"{service}serviceuri",)):
                return uri
            if account := section.get(("accountname",)):
                return f"https://{account}.{service}.core.windows.net"
        return None

    def _identity(self) -> AsyncTokenCredential:
        if self._credential is None:
            from azure.identity.aio import DefaultAzureCredential  # costs 0.2 s and is rarely used here

            self._credential = DefaultAzureCredential()
        return self._credential


def _from_text(kind: Any, value: str, connection: str) -> Any:
    try:
        return kind.from_connection_string(value, **CALL)
    except ValueError as error:
        raise HostError(f"{connection} is not a storage connection string: {error}", 2) from error


def first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


async def create_queue(queue: QueueClient) -> None:
    """Create a queue that may exist by now."""
    try:
        await queue.create_queue()
    except ResourceExistsError:
        return  # a lost race arrives here with status 204


async def send(queue: QueueClient, text: str) -> None:
    """Add a message, creating the queue on first use."""
    try:
        await queue.send_message(text)
    except HttpResponseError as error:
        if error.status_code != 404:
            raise
        await create_queue(queue)
        await queue.send_message(text)
