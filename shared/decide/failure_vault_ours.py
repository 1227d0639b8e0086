"""What follows the failures of Azure Backup that are not in the tables of the facts: what protects a vault from us, and
what our own looks at vaults came to. Read by `failure.py`.

Sources: azure-facts 5.11 (resource guard, immutability, soft delete, locks end as "needs approval", never as retries)
and the words of clients' public issue threads; codes without either are compared by their words.
"""

from __future__ import annotations

from shared.decide.failure_rules import HOUR, MINUTE, Course, Follow, Rule, WaitFor
from shared.decide.failure_vault import JOB, ask
from shared.model.fault import Area

FACTS = (
    Rule(
        "ours: a resource guard or immutability protects the vault",
        (
            "UserErrorResourceGuardOperationRequestIdMissing",
            "UserErrorOperationNotAllowedOnImmutableVault",
            "UserErrorSoftDeleteAlwaysOn",
        ),
        ask(
            "the vault is protected from this change",
            "needs approval: let a Backup MUA Operator approve it, or make the change in the vault yourself",
            WaitFor.PERMISSION,
        ),
        Area.VAULT,
        says=("resource guard", "resourceguard", "multi-user authorization", "immutab"),
    ),
    Rule(
        "ours: what a vault has of a machine is deleted softly",
        ("UserErrorItemInSoftDeletedState",),
        ask(
            "what the vault has of the VM is deleted, and kept for a while",
            "needs approval: undelete it in the vault, or tag the VM so that its plan does",
        ),
        Area.VAULT,
    ),
    Rule(
        "ours: no vault that a machine may go to",
        ("NoVault", "UserErrorPolicyLimit"),
        Course(
            Follow.ASK,
            "there is no vault with room, or no policy can be added to it",
            HOUR,
            6 * HOUR,
            60,
            WaitFor.ROOM,
            "make a vault, or let Tagback make one (TAGBACK_VAULT_CREATE)",
        ),
        Area.VAULT,
    ),
    Rule(
        "ours: a machine that another vault protects",
        ("UserErrorVmAlreadyProtected", "BMSUserErrorObjectLocked", "UserErrorItemAlreadyProtectedInAnotherVault"),
        ask(
            "another vault protects the VM, and a VM can be in one only",
            "stop its protection there and delete that data, or leave the VM to that vault: tag it off",
        ),
        Area.VAULT,
        says=("already protected", "is protected in"),
    ),
    Rule(
        "ours: a machine that the vault does not know yet",
        (
            "BMSUserErrorContainerObjectNotFound",
            "UserErrorContainerNotFound",
            "BMSUserErrorInvalidConfigureProtectionRequest",
        ),
        Course(
            Follow.RETRY,
            "the vault has not discovered the VM yet",
            2 * MINUTE,
            15 * MINUTE,
            12,
            remedy="look whether the vault lists the VM; it must be in the same region and subscription",
        ),
        Area.VAULT,
    ),
    Rule("ours: a job that failed and says no reason", ("JobFailed",), JOB, Area.VAULT),
)
