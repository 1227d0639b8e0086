"""A blob lease that lets one host at a time run a listener.

Used by `timer_listener`. Never fires anything itself; a host that finds the lease held asks again later.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from local.host.activity import Activity
from local.host.clock import Clock
from local.host.storage import first_line

log = logging.getLogger("host.singleton")
LEASE_SECONDS = 15  # the development value; 60 in Azure
RECOVERY = timedelta(minutes=1)


class SingletonLock:
    """Held from `acquire` until `release`."""

    def __init__(self, container: ContainerClient, name: str, clock: Clock, activity: Activity) -> None:
        self._container = container
        self._blob = container.get_blob_client(name)
        self._clock = clock
        self._activity = activity
        self._lease: BlobLeaseClient | None = None

    async def acquire(self) -> None:
        """Wait until the lease is ours."""
        while True:
            with self._activity.step():
                if await self._try():
                    return
            await self._clock.until(self._clock.now() + RECOVERY)

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        await self.acquire()
        renewal = asyncio.ensure_future(self._renew())
        try:
            yield
        finally:
            renewal.cancel()
            await self._release()

    async def _try(self) -> bool:
        try:
            self._lease = await self._blob.acquire_lease(LEASE_SECONDS)
        except ResourceNotFoundError:
            await self._create()
            return await self._try()
        except AzureError as error:
            log.info("%s is not to be had: %s", self._blob.blob_name, first_line(error))
            return False
        return True

    async def _create(self) -> None:
        with contextlib.suppress(ResourceExistsError):
            await self._container.create_container()
        with contextlib.suppress(ResourceExistsError):
            await self._blob.upload_blob(b"", overwrite=False)

    async def _renew(self) -> None:
        """Renew in real time: a lease that ran out over a jump may be renewed as long as nobody else took it."""
        while self._lease is not None:
            await asyncio.sleep(LEASE_SECONDS / 2)
            try:
                await self._lease.renew()
            except AzureError as error:
                log.warning("%s: lease not renewed: %s", self._blob.blob_name, first_line(error))
                with contextlib.suppress(AzureError):
                    await self._try()

    async def _release(self) -> None:
        if self._lease is not None:
            with contextlib.suppress(AzureError, TimeoutError):
                await asyncio.wait_for(self._lease.release(), 0.3)
