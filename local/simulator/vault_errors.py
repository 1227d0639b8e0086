"""How vaults and Azure Backup refuse: ARM's error form, padded with nulls (recorded by clients of both)."""

from local.simulator.answers import ArmError, Document

PADDING: Document = {"target": None, "details": None, "innerError": None}


def refused(status: int, code: str, message: str) -> ArmError:
    """Refuse in the form of the backup service."""
    return ArmError(status, code, message, **PADDING)


# Codes that clients have shown in public issue threads are documented: BMSUserErrorInvalidPolicyInput,
# BMSUserErrorInvalidConfigureProtectionRequest, ServiceResourceNotEmptyWithContainerDetails and the words of a missing
# resource guard request. The others are assumed, in the service's style.
def bad_policy(detail: str = "") -> ArmError:
    """Refuse a policy."""
    return refused(
        400,
        "BMSUserErrorInvalidPolicyInput",
        "Input for create or update policy is not in proper format\r\nPlease check format of parameters like schedule "
        f"time, schedule days, retention time and retention days {detail}".rstrip(),
    )


def bad_protection(detail: str = "") -> ArmError:
    """Refuse a request to protect."""
    return refused(
        400,
        "BMSUserErrorInvalidConfigureProtectionRequest",
        "Input for configure protection is not in proper format\r\nPlease ensure that container exists and other "
        f"parameters are in valid format {detail}".rstrip(),
    )


def missing(code: str, what: str) -> ArmError:
    """Say that the backup service does not know something (status and codes assumed)."""
    return refused(404, code, f"{what} not found.")


def not_empty(names: str) -> ArmError:
    """Refuse to delete a vault that something lies in."""
    return refused(
        409,
        "ServiceResourceNotEmptyWithContainerDetails",
        "Vault cannot be deleted as there are existing resources within the vault. Please ensure there are no backup "
        "items, protected servers or backup management servers associated with this vault. Unregister the following "
        f"containers associated with this vault before proceeding for deletion : {names}. Unregister all containers "
        "from the vault and then retry to delete vault. For instructions, see https://aka.ms/AB-AA4ecq5",
    )


def guarded(operation: str) -> ArmError:
    """Refuse what a resource guard protects and nobody approved."""
    return refused(
        400,
        "UserErrorResourceGuardOperationRequestIdMissing",
        f"ResourceGuard Operation requestid is either null or empty; {operation} is a critical operation.",
    )


def immutable(operation: str) -> ArmError:
    """Refuse what an immutable vault does not allow (documented; code and words are assumed)."""
    return refused(
        400,
        "UserErrorOperationNotAllowedOnImmutableVault",
        f"The operation {operation} is not allowed, as immutability is enabled on the vault.",
    )
