"""What follows the failures that Azure Backup told in 2015, when it knew messages and no codes.

One row per row of the table of 2015 in azure-facts 5.12; a message counts only for the task that it was told of.
Read by `failure.py`.
"""

from __future__ import annotations

from shared.decide.failure_rules import HOUR, MINUTE, Course, Follow, Rule, WaitFor
from shared.decide.failure_vault import AGENT, GONE, JOB, OTHER_JOB, ask, final, then_ask
from shared.model.fault import Area, Task


def _row(first_cell: str, task: Task, course: Course, *says: str) -> Rule:
    return Rule(f"2015: {first_cell}", (), course, Area.VAULT, task, says)


FACTS = (
    _row(
        "Discovery: internal error while looking for VMs",
        Task.DISCOVER,
        Course(
            Follow.RETRY,
            "looking for VMs failed inside Azure Backup",
            15 * MINUTE,
            15 * MINUTE,
            2,
            remedy="Azure Backup still finds no VMs: report it to Microsoft",
        ),
        "encountered and internal error",
        "encountered an internal error",
    ),
    _row("Discovery: another discovery already running", Task.DISCOVER, OTHER_JOB, "another discovery operation"),
    _row(
        "Register: role not in a state to install the extension",
        Task.REGISTER,
        Course(
            Follow.WAIT,
            "the VM is not running",
            15 * MINUTE,
            6 * HOUR,
            8,
            WaitFor.VM_RUNNING,
            "start the VM, then it is registered again",
        ),
        "not in a state to install extension",
    ),
    _row(
        "Register: number of data disks over the limit: first 5 (before 10/2015), then 16",
        Task.REGISTER,
        final("the VM has more data disks than Azure Backup takes", "detach data disks, or leave some out"),
        "number of data disks attached",
    ),
    _row(
        "Register: VM Guest Agent certificate not found",
        Task.REGISTER,
        ask("the VM agent is too old", AGENT, WaitFor.AGENT),
        "agent certificate not found",
    ),
    _row(
        "Register: install agent timed out",
        Task.REGISTER,
        then_ask("installing the VM agent took too long", "check that the VM's operating system is supported", 1),
        "install agent operation timeout",
    ),
    _row("Register: another operation in progress on the item", Task.REGISTER, OTHER_JOB, "another operation is"),
    _row(
        "Register: internal error",
        Task.REGISTER,
        then_ask("registering failed inside Azure Backup", "check that Azure Backup supports this VM's configuration"),
        "encountered an internal error",
    ),
    _row("Backup: copying VHDs took too long", Task.BACK_UP, JOB, "copying vhds from backup vault"),
    _row(
        "Backup: snapshot subtask timed out / agent not reachable",
        Task.BACK_UP,
        then_ask("the VM agent told nothing of the snapshot", AGENT, wait_for=WaitFor.AGENT),
        "snapshot vm sub task timed out",
        "could not communicate with the vm agent",
    ),
    _row(
        "Backup: internal error / VM deleted",
        Task.BACK_UP,
        Course(Follow.GONE, "the backup failed, or the VM was deleted", 10 * MINUTE, HOUR, 3),
        "backup failed with an internal error",
    ),
    _row(
        "Backup: VM agent missing",
        Task.BACK_UP,
        ask("the VM has no VM agent", "install the Azure VM agent", WaitFor.AGENT),
        "vm agent is a pre-requisite",
        "machine agent is not present",
    ),
    _row(
        "Backup: COM+ / BitLocker",
        Task.BACK_UP,
        ask("COM+ does not work in the VM, or BitLocker locks a drive", "repair COM+ and MSDTC, or turn off BitLocker"),
        "com+ was unable",
        "bitlocker",
    ),
    _row("Backup: VM not found", Task.BACK_UP, GONE, "virtual machine not found"),
    _row(
        "Restore: cloud service name taken, vnet/subnet missing, storage account in another region, RG limit",
        Task.RESTORE,
        final("the target of the restore cannot take it", "choose another name, network, storage account or group"),
        "dns name is already taken",
        "virtual network configuration is not correct",
        "selected subnet does not exist",
        "two different regions",
        "resource group quota has been reached",
    ),
    _row(
        "Policy: create failed",
        Task.POLICY,
        final("the policy keeps more than Azure Backup does", "shorten the plan's keep"),
        "failed to create the policy",
    ),
    _row(
        "Cancel: job not cancellable / finished",
        Task.CANCEL,
        Course(Follow.WAIT, "the job is almost done", MINUTE, 5 * MINUTE, 6, wait_for=WaitFor.OTHER_OPERATION),
        "not in a cancellable state",
        "isn't in a cancelable state",
        "failed to cancel the job",
    ),
)
