"""What vaults protect and could protect: lists of the provider, changes by the typed client. Built by wiring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from shared.cloud import vault_shapes as shapes
from shared.cloud.arm import Arm, Hook
from shared.cloud.pages import listed
from shared.cloud.vaults import BACKUP_VERSION, FABRIC, OF_VMS, BackupClient, lane, stream
from shared.errors import Missing
from shared.model.draining import CallKind
from shared.model.identity import ResourceId
from shared.model.vault import Act, ItemOrder, ItemSeen, JobError, Tracked

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

OF_ITEMS = f"{OF_VMS} and itemType eq 'VM'"
RUNNING = 202


class AzureVaultItems:
    """The protected items of vaults."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._client = BackupClient(arm)

    def items(self, vault: ResourceId) -> Iterator[ItemSeen]:
        path = f"{vault}/backupProtectedItems"
        pages = listed(self._arm, lane(vault, CallKind.READ), path, BACKUP_VERSION, **{"$filter": OF_ITEMS})
        yield from (shapes.item_seen(vault, body) for body in pages)

    def protectable(self, vault: ResourceId) -> Iterator[ResourceId]:
        path = f"{vault}/backupProtectableItems"
        pages = listed(self._arm, lane(vault, CallKind.READ), path, BACKUP_VERSION, **{"$filter": OF_VMS})
        yield from (vm for body in pages if (vm := shapes.protectable_seen(body)))

    def refusal(self, vault: ResourceId, vm: ResourceId, region: str) -> JobError | None:
        provider = f"/subscriptions/{vault.subscription}/providers/Microsoft.RecoveryServices"
        body = {"resourceType": "VM", "resourceId": str(vm), "vaultId": str(vault)}
        path = f"{provider}/locations/{region}/backupPreValidateProtection"
        return shapes.refusal_seen(self._arm.ask(lane(vault, CallKind.READ), path, BACKUP_VERSION, body))

    def refresh(self, vault: ResourceId) -> str:
        def send(client: RecoveryServicesBackupClient, hook: Hook) -> object:
            client.protection_containers.refresh(vault.name, vault.group, FABRIC, raw_response_hook=hook)
            return None

        return self._client.write(vault, send)

    def refreshed(self, vault: ResourceId, operation: str) -> bool:
        path = f"{vault}/backupFabrics/{FABRIC}/operationResults/{operation}"
        try:
            return self._arm.status(lane(vault, CallKind.READ), path, BACKUP_VERSION) != RUNNING
        except Missing:
            return True

    def change(self, order: ItemOrder) -> str:
        container, item = names_of(order.vm)

        def send(client: RecoveryServicesBackupClient, hook: Hook) -> object:
            items, at = client.protected_items, (order.vault.name, order.vault.group, FABRIC, container, item)
            return items.begin_create_or_update(*at, stream(body_of(order)), polling=False, raw_response_hook=hook)

        return self._client.write(order.vault, send)

    def delete(self, vault: ResourceId, vm: ResourceId) -> str:
        container, item = names_of(vm)

        def send(client: RecoveryServicesBackupClient, hook: Hook) -> object:
            client.protected_items.delete(vault.name, vault.group, FABRIC, container, item, raw_response_hook=hook)
            return None

        return self._client.write(vault, send, CallKind.DELETE)

    def tracked(self, vault: ResourceId, operation: str) -> Tracked:
        try:
            return shapes.tracked(
                self._arm.get(lane(vault, CallKind.READ), f"{vault}/backupOperations/{operation}", BACKUP_VERSION)
            )
        except Missing:
            return Tracked(done=True)


def names_of(vm: ResourceId) -> tuple[str, str]:
    """The names of a VM's container and item in any vault [azure-facts 5.1]."""
    name = f"iaasvmcontainerv2;{vm.group};{vm.name}"
    return f"iaasvmcontainer;{name}", f"vm;{name}"


def path_of(vault: ResourceId, vm: ResourceId) -> str:
    """The path of a VM's item in a vault."""
    container, item = names_of(vm)
    return f"{vault}/backupFabrics/{FABRIC}/protectionContainers/{container}/protectedItems/{item}"


def body_of(order: ItemOrder) -> Mapping[str, Any]:
    """The body of a change [azure-facts 5.6, 5.11]."""
    properties: dict[str, Any] = {
        "protectedItemType": "Microsoft.Compute/virtualMachines",
        "sourceResourceId": str(order.vm),
    }
    match order.act:
        case Act.PROTECT:
            properties["policyId"] = f"{order.vault}/backupPolicies/{order.policy}"
            if order.left_out:
                luns = {"diskLunList": list(order.left_out), "isInclusionList": False}
                properties["extendedProperties"] = {"diskExclusionProperties": luns}
        case Act.STOP:
            properties["protectionState"] = "ProtectionStopped"
        case Act.UNDELETE:
            properties |= {"protectionState": "ProtectionStopped", "isRehydrate": True}
    return {"properties": properties}
