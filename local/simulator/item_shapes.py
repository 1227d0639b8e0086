"""What a new protected item says, and which machines need which policies. Pure; used by backup_protection.py."""

from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document
from local.simulator.ids import parse
from local.simulator.store import Resource
from local.simulator.vault_ids import ITEM, machine_name

if TYPE_CHECKING:
    from local.simulator.world import World

NEVER_BACKED_UP = "2001-01-01T00:00:00Z"
FAST = ("premiumv2_lrs", "ultrassd_lrs")


def check_policy_fits(machine: Document, policy: Document) -> None:
    """Refuse machines that need an enhanced policy (documented; the code is assumed)."""
    security = (machine["properties"].get("securityProfile") or {}).get("securityType")
    disks = machine["properties"]["storageProfile"].get("dataDisks") or []
    kinds = {str((disk.get("managedDisk") or {}).get("storageAccountType", "")).lower() for disk in disks}
    if policy.get("policyType") != "V2" and (security == "TrustedLaunch" or kinds & set(FAST)):
        message = "The virtual machine can only be protected with an enhanced policy."
        raise ArmError(400, "UserErrorEnhancedPolicyRequired", message)


def new_item(world: "World", vault: Resource, machine: Resource, new_id: str) -> Document:
    number = int(world.chance.share(f"item {new_id}") * 900_000_000_000_000) + 90_000_000_000_000
    properties: Document = {
        "friendlyName": parse(machine.id).name,
        "virtualMachineId": machine.id,
        "protectionStatus": "Healthy",
        "protectionState": "IRPending",
        "healthStatus": "Passed",
        "lastBackupStatus": "",
        "lastBackupTime": NEVER_BACKED_UP,
        "protectedItemDataId": str(number),
        "sourceSideScanning": 0,
        "protectedItemType": "Microsoft.Compute/virtualMachines",
        "backupManagementType": "AzureIaasVM",
        "workloadType": "VM",
        "containerName": machine_name(machine.id),
        "sourceResourceId": machine.id,
        "policyId": "",
        "policyName": "",
        "vaultId": f"https://management.azure.com{vault.id}",
        "isArchiveEnabled": False,
        "softDeleteRetentionPeriod": 0,
    }
    return {"id": new_id, "name": new_id.rsplit("/", 1)[-1], "type": ITEM, "properties": properties}
