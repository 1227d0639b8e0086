"""Rights on other resources that an action needs besides its own, as a table. Asked by rbac.py."""

from dataclasses import dataclass

from local.simulator.routing import Evidence


@dataclass(frozen=True, slots=True)
class LinkedCheck:
    """A right on another resource that an action needs besides its own."""

    action: str
    linked_type: str
    needs: str
    evidence: Evidence
    source: str


LINKED = (
    LinkedCheck(
        "Microsoft.Compute/snapshots/write", "microsoft.compute/disks", "Microsoft.Compute/disks/beginGetAccess/action",
        Evidence.DOCUMENTED, "azure-facts 3.1: creating a snapshot needs it on the source disk",
    ),
    LinkedCheck(
        "Microsoft.Compute/snapshots/write", "microsoft.compute/snapshots",
        "Microsoft.Compute/snapshots/beginGetAccess/action", Evidence.ASSUMED, "copying a snapshot, as for disks",
    ),
    LinkedCheck(
        "Microsoft.Compute/disks/write", "microsoft.compute/snapshots",
        "Microsoft.Compute/snapshots/beginGetAccess/action", Evidence.DOCUMENTED, "restoring a disk from a snapshot",
    ),
    LinkedCheck(
        "Microsoft.Compute/disks/write", "microsoft.compute/disks", "Microsoft.Compute/disks/beginGetAccess/action",
        Evidence.ASSUMED, "copying a disk, as for snapshots",
    ),
    LinkedCheck(
        "Microsoft.Compute/disks/write", "microsoft.compute/restorepointcollections/restorepoints/diskrestorepoints",
        "Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints/beginGetAccess/action",
        Evidence.ASSUMED, "restoring a disk from a restore point, as from snapshots",
    ),
    LinkedCheck(
        "Microsoft.Compute/restorePointCollections/write", "microsoft.compute/virtualmachines",
        "Microsoft.Compute/virtualMachines/read", Evidence.ASSUMED, "a collection is bound to its machine",
    ),
    LinkedCheck(
        "Microsoft.Compute/restorePointCollections/write", "microsoft.compute/restorepointcollections",
        "Microsoft.Compute/restorePointCollections/read", Evidence.ASSUMED, "a copy's collection, as for machines",
    ),
    LinkedCheck(
        "Microsoft.Compute/restorePointCollections/restorePoints/write", "microsoft.compute/disks",
        "Microsoft.Compute/disks/beginGetAccess/action", Evidence.ASSUMED, "the data of disks is read, as by snapshots",
    ),
    LinkedCheck(
        "Microsoft.Compute/restorePointCollections/restorePoints/write",
        "microsoft.compute/restorepointcollections/restorepoints",
        "Microsoft.Compute/restorePointCollections/restorePoints/read", Evidence.ASSUMED, "copying a restore point",
    ),
    LinkedCheck(
        "Microsoft.Compute/disks/write", "microsoft.compute/diskencryptionsets",
        "Microsoft.Compute/diskEncryptionSets/read", Evidence.DOCUMENTED, "using a customer's key",
    ),
    LinkedCheck(
        "Microsoft.Compute/snapshots/write", "microsoft.compute/diskencryptionsets",
        "Microsoft.Compute/diskEncryptionSets/read", Evidence.DOCUMENTED, "using a customer's key",
    ),
    LinkedCheck(
        "Microsoft.Compute/disks/write", "microsoft.compute/diskaccesses", "Microsoft.Compute/diskAccesses/read",
        Evidence.ASSUMED, "naming a disk access",
    ),
    LinkedCheck(
        "Microsoft.Compute/virtualMachines/write", "microsoft.network/networkinterfaces",
        "Microsoft.Network/networkInterfaces/join/action", Evidence.DOCUMENTED, "permissions of the network provider",
    ),
    LinkedCheck(
        "Microsoft.Compute/virtualMachines/write", "microsoft.compute/disks", "Microsoft.Compute/disks/write",
        Evidence.ASSUMED, "attaching an existing disk changes it",
    ),
    LinkedCheck(
        "Microsoft.Network/networkInterfaces/write", "microsoft.network/virtualnetworks/subnets",
        "Microsoft.Network/virtualNetworks/subnets/join/action", Evidence.DOCUMENTED,
        "permissions of the network provider",
    ),
    LinkedCheck(
        "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/write",
        "microsoft.compute/virtualmachines", "Microsoft.Compute/virtualMachines/write", Evidence.DOCUMENTED,
        "azure-facts 8.1: protecting a machine",
    ),
)  # fmt: skip
