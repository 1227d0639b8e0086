"""What follows the failures of Azure Backup: one row per row of azure-facts 5.12.

Codes, causes and remedies are the facts'. The delays follow 5.8: what passes is tried three times within the hour, what
a person must mend is looked at once a day. Read by `failure.py`.
"""

from __future__ import annotations

from shared.decide.failure_rules import DAY, HOUR, MINUTE, Course, Follow, Rule, WaitFor
from shared.model.fault import Area, Task

JOB = Course(Follow.RETRY, "Azure Backup failed for a while", 5 * MINUTE, 15 * MINUTE, 3)
OTHER_JOB = Course(
    Follow.WAIT, "another job of this VM is running", 5 * MINUTE, 15 * MINUTE, 96, wait_for=WaitFor.OTHER_OPERATION
)
GONE = Course(Follow.GONE, "the VM does not exist any more", 10 * MINUTE, 30 * MINUTE, 3)
AGENT = "the VM must run with a current VM agent that answers: restart the agent, then check its network"


def ask(because: str, remedy: str, wait_for: WaitFor = WaitFor.PERSON) -> Course:
    """A person mends it; looked at once a day."""
    return Course(Follow.ASK, because, DAY, DAY, 30, wait_for, remedy)


def then_ask(because: str, remedy: str, attempts: int = 3, wait_for: WaitFor = WaitFor.NOTHING) -> Course:
    """It may pass; when it does not, a person."""
    follow = Follow.WAIT if wait_for else Follow.RETRY
    return Course(follow, because, 5 * MINUTE, 15 * MINUTE, attempts, wait_for, remedy)


def final(because: str, remedy: str) -> Course:
    return Course(Follow.GIVE_UP, because, remedy=remedy)


def _row(first_cell: str, codes: str, course: Course) -> Rule:
    return Rule(f"5.12: {first_cell}", tuple(codes.split()), course, Area.VAULT)


def _named(code: str, course: Course) -> Rule:
    """A row whose first cell is its one code."""
    return _row(code, code, course)


FACTS = (
    _named(
        "UserErrorGuestAgentStatusUnavailable",
        then_ask("the VM agent does not answer", AGENT, wait_for=WaitFor.AGENT),
    ),
    _named(
        "GuestAgentSnapshotTaskStatusError",
        then_ask("the VM agent cannot take the snapshot", AGENT, 1, WaitFor.AGENT),
    ),
    _named(
        "UserErrorVmProvisioningStateFailed",
        ask("the VM is in a failed state", "remove the failed extension, or repeat the VM's last update"),
    ),
    _named(
        "UserErrorVmNotInDesirableState",
        then_ask(
            "the VM is between two states",
            "bring the VM into a state that lasts: running or stopped",
            6,
            WaitFor.VM_SETTLED,
        ),
    ),
    _named(
        "UserErrorRpCollectionLimitReached",
        ask(
            "there are too many instant recovery points, or a lock keeps them",
            "remove the lock from the group of the restore points, and delete the collection AzureBackup_<VM>_…",
            WaitFor.LOCK_GONE,
        ),
    ),
    _named(
        "UserErrorKeyvaultPermissionsNotConfigured",
        ask(
            "the vault may not read the keys of the VM's disks",
            "give the vault's identity rights on the key vault",
            WaitFor.PERMISSION,
        ),
    ),
    _named(
        "ExtensionSnapshotFailedNoNetwork", ask("the VM reaches no storage", "open the VM's network to Azure storage")
    ),
    _named("ExtensionSnapshotFailedNoSecureNetwork", ask("the VM makes no secure channel", "enable TLS 1.2 in the VM")),
    _row(
        "ExtensionOperationFailedForManagedDisks / ExtensionOperationFailed",
        "ExtensionOperationFailedForManagedDisks ExtensionOperationFailed",
        then_ask("the backup extension failed", "read the logs of the VM agent and of the backup extension"),
    ),
    _row("BackUpOperationFailed / BackUpOperationFailedV2", "BackUpOperationFailed BackUpOperationFailedV2", JOB),
    _named("UserErrorBackupOperationInProgress", OTHER_JOB),
    _named("CopyingVHDsFromBackUpVaultTakingLongTime", JOB),
    _named(
        "VMRestorePointInternalError",
        then_ask(
            "the backup extension was stopped inside the VM",
            "exclude the extension's folders from the antivirus program",
        ),
    ),
    _named(
        "UserErrorUnsupportedDiskSize",
        final("a disk is larger than Azure Backup takes", "leave the disk out: tag it backup = off"),
    ),
    _named(
        "UserErrorFsFreezeFailed",
        ask(
            "a file system of the VM could not be frozen",
            "check mounts and duplicate UUIDs, or skip mounts in vmbackup.conf",
        ),
    ),
    _row(
        "ExtensionSnapshotFailedCOM / ExtensionInstallationFailedCOM / ...MDTC",
        "ExtensionSnapshotFailedCOM ExtensionInstallationFailedCOM ExtensionInstallationFailedMDTC",
        ask("COM+ does not work in the VM", "repair the services COM+ System Application and MSDTC"),
    ),
    _row(
        "ExtensionFailedVssWriterInBadState, ExtensionFailedVssServiceInBadState",
        "ExtensionFailedVssWriterInBadState ExtensionFailedVssServiceInBadState",
        ask("VSS does not work in the VM", "restart the VSS writers and service, or the VM"),
    ),
    _named(
        "ExtensionConfigParsingFailure",
        ask(
            "the backup extension cannot read its configuration", "restore the default rights of the MachineKeys folder"
        ),
    ),
    _named(
        "ExtensionStuckInDeletionState",
        ask("the backup extension is stuck", "uninstall the extension VMSnapshot; the next backup installs it"),
    ),
    _named(
        "ExtensionFailedSnapshotLimitReachedError",
        ask("a disk has too many snapshots", "delete snapshots of the VM's disks that are not needed", WaitFor.QUOTA),
    ),
    _named(
        "ExtensionFailedTimeoutVMNetworkUnresponsive",
        then_ask("the VM's network was too slow", "let the backup run when the VM is less busy, or enlarge the VM"),
    ),
    _named(
        "ExtensionSnapshotBitlockerError",
        ask("a drive is locked by BitLocker", "unlock the drive, or suspend BitLocker"),
    ),
    _named(
        "ExtensionVCRedistInstallationFailure",
        ask("the Visual C++ runtime cannot be installed", "install vcredist2013_x64 from the extension's folder"),
    ),
    _row(
        "380008 AzureVmOffline",
        "380008 AzureVmOffline",
        Course(
            Follow.WAIT,
            "the VM is stopped",
            HOUR,
            6 * HOUR,
            8,
            WaitFor.VM_RUNNING,
            "start the VM, with its agent installed",
        ),
    ),
    _row("320001 ResourceNotFound, 400094 BCMV2VMNotFound", "320001 ResourceNotFound 400094 BCMV2VMNotFound", GONE),
    _named(
        "UserErrorBCMPremiumStorageQuotaError",
        ask("the storage account has no room for the snapshot", "keep half of the storage account free", WaitFor.QUOTA),
    ),
    _named(
        "UserErrorSkuNotAvailable",
        final("the VM's size is not on offer", "restore the disks, and build a VM of another size"),
    ),
    _named(
        "UserErrorMarketPlaceVMNotSupported",
        final("the VM's image is not sold any more", "restore the disks, and build the VM with its plan"),
    ),
    _named(
        "UserErrorRequestDisallowedByPolicy",
        ask(
            "an Azure policy forbids it",
            "change the policy's effect to Modify, or make the group of the restore points beforehand",
            WaitFor.POLICY,
        ),
    ),
    _named("UserErrorInstantRpNotFound", final("the instant recovery point is gone", "choose another recovery point")),
    _named(
        "UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed",
        final("the VM is no longer of trusted launch", "use a VM of trusted launch, or another name or group"),
    ),
    _named(
        "UserErrorUnableToOpenMount",
        ask("the backup extension cannot open a mount", "end an older file restore, and make every mount accessible"),
    ),
    Rule(
        '5.12: job-cancel: "operation cannot be cancelled" / "not in progress"',
        (),
        final("the job cannot be canceled any more", "wait until the job ends"),
        Area.VAULT,
        Task.CANCEL,
        says=(
            "cancellation is not supported",
            "cancellation isn't supported",
            "cannot be cancelled",
            "not in progress",
            "isn't in progress",
        ),
        when=(
            (
                ("not in progress", "isn't in progress"),
                Course(Follow.RETRY, "the job is changing its state", MINUTE, MINUTE, 3),
            ),
        ),
    ),
    Rule(
        "5.12: OperationNotAllowed / Conflict / 429 from ARM",
        ("OperationNotAllowed", "Conflict", "CloudTooManyRequests"),
        Course(Follow.RETRY, "Azure Resource Manager refused it for a while", 5 * MINUTE, 15 * MINUTE, 12),
        Area.VAULT,
    ),
)
