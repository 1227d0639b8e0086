"""What a vault is asked to bring back, and what is there when it has: triggers by the typed client. Built by wiring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.cloud.arm import Arm, Hook
from shared.cloud.inventory import DISK_VERSION
from shared.cloud.pace import Lane
from shared.cloud.pages import listed
from shared.cloud.vault_items import names_of, path_of
from shared.cloud.vault_shapes import error_told, moment
from shared.cloud.vaults import BACKUP_VERSION, FABRIC, BackupClient, lane, stream
from shared.model.draining import CallKind
from shared.model.vault import JobError
from shared.model.vault_restore import DiskSeen, RecoveryOrder

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient


class AzureVaultRestores:
    """Restores of disks from the points of vaults."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._client = BackupClient(arm)

    def check(self, order: RecoveryOrder) -> Sequence[JobError]:
        wanted = {"objectType": "ValidateIaasVMRestoreOperationRequest", "restoreRequest": body_of(order)}
        body = {"id": f"{path_of(order.vault, order.vm)}/recoveryPoints/{order.point}", "properties": wanted}
        path = f"{order.vault}/backupValidateOperation"
        answer = self._arm.ask(lane(order.vault, CallKind.READ), path, BACKUP_VERSION, body)
        found = (answer.get("validateOperationResponse") or {}).get("validationResults") or ()
        return [_refusal(one) for one in found]

    def restore(self, order: RecoveryOrder) -> str:
        container, item = names_of(order.vm)

        def send(client: RecoveryServicesBackupClient, hook: Hook) -> object:
            at = (order.vault.name, order.vault.group, FABRIC, container, item, order.point)
            body = stream({"properties": body_of(order)})
            return client.restores.begin_trigger(*at, body, polling=False, raw_response_hook=hook)

        return self._client.write(order.vault, send)

    def disks(self, group: str) -> Sequence[DiskSeen]:
        subscription = group.strip("/").split("/")[1]
        path = f"{group}/providers/Microsoft.Compute/disks"
        pages = listed(self._arm, Lane(subscription, "", CallKind.READ), path, DISK_VERSION)
        return [_disk(one) for one in pages]


def _disk(body: Mapping[str, Any]) -> DiskSeen:
    made_at = moment((body.get("properties") or {}).get("timeCreated"))
    return DiskSeen(str(body["id"]), made_at, tuple(body.get("zones") or ()))


def _refusal(body: Mapping[str, Any]) -> JobError:
    advice = "; ".join(str(one) for one in body.get("recommendations") or ())
    return error_told(body.get("code"), body.get("message"), advice)


def body_of(order: RecoveryOrder) -> Mapping[str, Any]:
    """The request for managed disks in a group [azure-facts 5.9; IaasVMRestoreRequest]."""
    return {
        "objectType": "IaasVMRestoreRequest",
        "recoveryPointId": order.point,
        "recoveryType": "RestoreDisks",
        "sourceResourceId": str(order.vm),
        "storageAccountId": order.staging,
        "targetResourceGroupId": order.group,
        "region": order.region,
        "createNewCloudService": False,
        "originalStorageAccountOption": False,
    }
