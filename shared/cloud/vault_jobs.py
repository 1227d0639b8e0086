"""What vaults do and did, and their recovery points: lists of the provider, triggers by the typed client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.cloud import vault_shapes as shapes
from shared.cloud.arm import Arm, Hook
from shared.cloud.pages import listed
from shared.cloud.vault_items import names_of, path_of
from shared.cloud.vaults import BACKUP_VERSION, FABRIC, OF_VMS, BackupClient, lane, stream
from shared.errors import Missing
from shared.model.draining import CallKind
from shared.model.identity import ResourceId
from shared.model.vault import JobSeen, PointSeen
from shared.ports import Clock

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

FILTER_TIME = "%Y-%m-%d %I:%M:%S %p"  # and `eq` even for ranges [azure-facts 5.8]
AHEAD = timedelta(hours=1)


class AzureVaultJobs:
    """The jobs and recovery points of vaults."""

    def __init__(self, arm: Arm, clock: Clock) -> None:
        self._arm = arm
        self._clock = clock
        self._client = BackupClient(arm)

    def jobs(self, vault: ResourceId, since: datetime) -> Iterator[JobSeen]:
        begin, end = (when.astimezone(UTC).strftime(FILTER_TIME) for when in (since, self._clock.now() + AHEAD))
        wanted = f"startTime eq '{begin}' and endTime eq '{end}' and {OF_VMS}"
        path = f"{vault}/backupJobs"
        pages = listed(self._arm, lane(vault, CallKind.READ), path, BACKUP_VERSION, **{"$filter": wanted})
        yield from (shapes.job_seen(vault, body) for body in pages)

    def job(self, vault: ResourceId, name: str) -> JobSeen | None:
        try:
            found = self._arm.get(lane(vault, CallKind.READ), f"{vault}/backupJobs/{name}", BACKUP_VERSION)
        except Missing:
            return None
        return shapes.job_seen(vault, found)

    def back_up(self, vault: ResourceId, vm: ResourceId, until: datetime) -> str:
        container, item = names_of(vm)
        expiry = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        wanted = {"objectType": "IaasVMBackupRequest", "recoveryPointExpiryTimeInUTC": expiry}

        def send(client: RecoveryServicesBackupClient, hook: Hook) -> object:
            at = (vault.name, vault.group, FABRIC, container, item)
            client.backups.trigger(*at, stream({"properties": wanted}), raw_response_hook=hook)
            return None

        return self._client.write(vault, send)

    def cancel(self, vault: ResourceId, job: str) -> None:
        def send(client: RecoveryServicesBackupClient, hook: Hook) -> object:
            client.job_cancellations.trigger(vault.name, vault.group, job, raw_response_hook=hook)
            return None

        self._client.write(vault, send)

    def points(self, vault: ResourceId, vm: ResourceId) -> Sequence[PointSeen]:
        path = f"{path_of(vault, vm)}/recoveryPoints"
        pages = listed(self._arm, lane(vault, CallKind.READ), path, BACKUP_VERSION)
        return [point for body in pages if (point := shapes.point_seen(body))]
