"""Why backups fail: the codes of Azure Backup with their words and what the service recommends, as a table.

The title of an error is its name (recorded in the health details of items); the number is told where a recording or a
page tells it, and left out elsewhere (0 here). Used by runs, jobs and protected items.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from local.simulator.answers import Document
from local.simulator.routing import Evidence


@dataclass(frozen=True, slots=True)
class BackupError:
    """One code: name, number, message, recommendation, and what the sentence is known from."""

    name: str
    number: int
    message: str
    recommendation: str
    evidence: Evidence = Evidence.DOCUMENTED

    def detail(self) -> Document:
        """Write it as items show it in their health."""
        found = [self.recommendation] if self.recommendation else []
        number = {"code": self.number} if self.number else {}
        return {**number, "title": self.name, "message": self.message, "recommendations": found}

    def of_job(self) -> Document:
        """Write it as jobs show it."""
        found = [self.recommendation] if self.recommendation else []
        number = {"errorCode": self.number} if self.number else {}
        return {**number, "errorTitle": self.name, "errorString": self.message, "recommendations": found}


_R = Evidence.RECORDED
HEALTHY = BackupError(
    "IaasVmHealthGreenDefault", 400239, "Backup pre-check status of this virtual machine is OK.", "", _R
)
CANCELLED = BackupError("UserErrorJobSuccessfullyCancelled", 400158, "Job is cancelled.", "", _R)
_AGENT = "Ensure that the virtual machine runs, that its agent is the latest one and has network access, then retry."
_RETRY = "Please retry the operation in a few minutes. If the problem persists, please contact Microsoft support."
_VSS = "Restart the VSS service and the writers that are in a bad state, or the virtual machine, then retry."
_REPAIR = "Repair the named service in the virtual machine, then retry."

_ROWS = (
    BackupError("BackUpOperationFailed", 400002, "Backup failed with an internal error.",
                "Follow the instructions at https://aka.ms/backup-operation-failed and retry the backup operation. "
                "If it fails further, please contact Microsoft support.", _R),
    BackupError("BackUpOperationFailedV2", 0, "Backup failed with an internal error.", _RETRY),
    BackupError("UserErrorVmNotFoundV2", 400136, "Virtual machine doesn't exist.",
                "Please make sure that virtual machine exists or select a different virtual machine. For more details, "
                "please refer to http://aka.ms/UserErrorVmNotFoundV2", _R),
    BackupError("BCMV2VMNotFound", 400094, "The virtual machine doesn't exist or was deleted.",
                "Stop protection of the deleted virtual machine, or create it anew with the same name and group."),
    BackupError("ResourceNotFound", 320001,
                "The operation could not be performed as the virtual machine no longer exists.",
                "Stop protection of the deleted virtual machine, or create it anew with the same name and group."),
    BackupError("AzureVmOffline", 380008, "The backup could not be performed as the virtual machine is not running.",
                "Start the virtual machine and retry."),
    BackupError("DataTransferFromVaultFailed", 400004, "Data transfer from the vault failed.", _RETRY, _R),
    BackupError("UserErrorGenericResourceNotFound", 400309, "Azure resource does not exist.",
                "Please make sure required resources exist. If the issue persists, contact Microsoft support.", _R),
    BackupError("UserErrorGuestAgentStatusUnavailable", 0, "VM Agent unable to communicate with Azure Backup.", _AGENT),
    BackupError("GuestAgentSnapshotTaskStatusError", 0,
                "Could not communicate with the VM agent for snapshot status.", _AGENT),
    BackupError("UserErrorVmProvisioningStateFailed", 0, "The VM is in failed provisioning state.",
                "Remove the extension that failed or redo the update of the virtual machine, then retry."),
    BackupError("UserErrorVmNotInDesirableState", 0, "VM is not in a state that allows backups.",
                "Wait until the virtual machine is running or stopped, then retry."),
    BackupError("UserErrorRpCollectionLimitReached", 0, "The Restore Point collection max limit has reached.",
                "Remove the lock on the resource group of the restore points, or delete the restore point collection."),
    BackupError("UserErrorKeyvaultPermissionsNotConfigured", 0,
                "Backup doesn't have sufficient permissions to the key vault for backup of encrypted VMs.",
                "Give the backup service access to the key vault, then retry."),
    BackupError("ExtensionSnapshotFailedNoNetwork", 0,
                "Snapshot operation failed due to no network connectivity on the virtual machine.", _AGENT),
    BackupError("ExtensionSnapshotFailedNoSecureNetwork", 0,
                "Snapshot operation failed because of failure to create a secure network communication channel.",
                "Enable TLS 1.2 in the virtual machine, then retry."),
    BackupError("ExtensionOperationFailedForManagedDisks", 0, "VMSnapshot extension operation failed.", _AGENT),
    BackupError("ExtensionOperationFailed", 0, "VMSnapshot extension operation failed.", _AGENT),
    BackupError("UserErrorBackupOperationInProgress", 0,
                "Unable to initiate backup as another backup operation is currently in progress.",
                "Please wait for that operation to finish."),
    BackupError("CopyingVHDsFromBackUpVaultTakingLongTime", 0, "Copying backed up data from vault timed out.", _RETRY),
    BackupError("VMRestorePointInternalError", 0, "Backup failed with an internal error of the restore point.",
                "Exclude the backup plug-in's folder from the antivirus, then retry."),
    BackupError("UserErrorUnsupportedDiskSize", 0, "The VM has a disk of a size that is not supported.",
                "Exclude the disk from backup."),
    BackupError("UserErrorFsFreezeFailed", 0, "Failed to freeze one or more mount-points of the VM.",
                "Check the mount points for errors and doubled identifiers, then retry."),
    BackupError("ExtensionSnapshotFailedCOM", 0, "Snapshot operation failed due to COM+ error.", _REPAIR),
    BackupError("ExtensionInstallationFailedCOM", 0, "Extension installation failed due to a COM+ error.", _REPAIR),
    BackupError("ExtensionInstallationFailedMDTC", 0,
                "Extension installation failed with the error COM+ was unable to talk to the MSDTC.", _REPAIR),
    BackupError("ExtensionFailedVssWriterInBadState", 0,
                "Snapshot operation failed because VSS writers were in a bad state.", _VSS),
    BackupError("ExtensionFailedVssServiceInBadState", 0,
                "Snapshot operation failed due to VSS service in bad state.", _VSS),
    BackupError("ExtensionConfigParsingFailure", 0, "Failure in parsing the config for the backup extension.",
                "Correct the permissions of the MachineKeys folder, then retry."),
    BackupError("ExtensionStuckInDeletionState", 0, "Extension state is not supportive to backup operation.",
                "Uninstall the extension, then retry."),
    BackupError("ExtensionFailedSnapshotLimitReachedError", 0,
                "Snapshot operation failed as the snapshot limit is exceeded for some of the disks attached.",
                "Delete snapshots of the disks that are not needed, then retry."),
    BackupError("ExtensionFailedTimeoutVMNetworkUnresponsive", 0,
                "Snapshot operation failed due to inadequate VM resources.", _AGENT),
    BackupError("ExtensionSnapshotBitlockerError", 0, "The snapshot operation failed with a BitLocker error.",
                "Turn off or unlock BitLocker for the drives, then retry."),
    BackupError("ExtensionVCRedistInstallationFailure", 0,
                "The snapshot operation failed due to failed installation of Visual C++ Redistributable.", _REPAIR),
    BackupError("UserErrorBCMPremiumStorageQuotaError", 0,
                "Could not copy the snapshot of the virtual machine, due to insufficient free space in the account.",
                "Free space in the storage account, then retry."),
    BackupError("UserErrorRequestDisallowedByPolicy", 0,
                "An invalid policy is configured on the VM which is preventing Snapshot operation.",
                "Change the policy to Modify, or make the resource group of the snapshots beforehand."),
    BackupError("UserErrorUnableToOpenMount", 0, "Backup failed as a file restore of the virtual machine is open.",
                "Unmount the disks of the file restore, then retry."),
    BackupError("UserErrorInstantRpNotFound", 0, "The snapshot of the recovery point is no longer there.",
                "Choose another recovery point."),
    BackupError("UserErrorSkuNotAvailable", 0, "Restore failed as the selected VM size is not available.",
                "Restore the disks and create the virtual machine in another size."),
    BackupError("UserErrorMarketPlaceVMNotSupported", 0, "Restore of a marketplace VM failed.",
                "Restore the disks and create the virtual machine with its plan."),
    BackupError("UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed", 0,
                "The target of the restore has to be a trusted launch VM.", "Choose a trusted launch target."),
    BackupError("UserErrorVMAlreadyProtected", 0,
                "Virtual machine is already registered\\registering with another recovery services vault. Please "
                "select a different virtual machine for registration.", "Stop its protection in the other vault."),
    CANCELLED,
)  # fmt: skip
ERRORS: Mapping[str, BackupError] = {row.name.lower(): row for row in _ROWS}
INTERNAL = ERRORS["backupoperationfailed"]


def error_of(name: str) -> BackupError:
    """Return a row by its name; a name the table does not know is an internal error called so."""
    found = ERRORS.get(name.lower())
    return found or BackupError(name, 0, INTERNAL.message, INTERNAL.recommendation, Evidence.ASSUMED)
