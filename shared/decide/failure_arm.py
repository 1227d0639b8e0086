"""What follows the failures of Azure Resource Manager and Compute: one row per row of azure-facts 3.9, and our own.

Codes and classes are the facts'; delays and numbers of attempts are ours. Read by `failure.py`. A transient cause is
tried for longer than a day in sum: the next slot supersedes it sooner.
"""

from __future__ import annotations

from shared.decide.failure_rules import DAY, HOUR, MINUTE, Course, Follow, Rule, WaitFor
from shared.model.fault import Trouble

_BUSY = Course(
    Follow.WAIT, "another operation is running on it", MINUTE, 15 * MINUTE, 120, wait_for=WaitFor.OTHER_OPERATION
)
_TOO_MANY = Course(Follow.RETRY, "Azure asked for fewer calls", MINUTE / 4, 5 * MINUTE, 320)
_NO_ANSWER = Course(Follow.RETRY, "Azure did not answer", MINUTE / 2, 30 * MINUTE, 60)
_UNKNOWN = Course(Follow.RETRY, "the answer was lost: look, then act", MINUTE / 3, 15 * MINUTE, 120)
_GONE = Course(Follow.GONE, "what it needs is not there", MINUTE, 30 * MINUTE, 12)
_QUOTA = Course(
    Follow.ASK,
    "a quota or a limit of the platform is reached",
    HOUR,
    6 * HOUR,
    30,
    WaitFor.QUOTA,
    "raise the quota named in the message, or delete what is no longer needed",
)
_DENIED = Course(
    Follow.ASK,
    "a permission is missing",
    15 * MINUTE,
    HOUR,
    200,
    WaitFor.PERMISSION,
    "grant the action named in the message to this app's identity, at the scope named there",
)
_FORBIDDEN = Course(
    Follow.ASK,
    "an Azure policy forbids it",
    HOUR,
    6 * HOUR,
    60,
    WaitFor.POLICY,
    "exempt the recovery group from the policy named in the message, or give it the tags that the policy wants",
)
_REFUSED = Course(Follow.GIVE_UP, "Azure refuses the request itself, and would again")

FACTS = (
    Rule(
        "3.9: AuthorizationFailed, LinkedAuthorizationFailed",
        ("AuthorizationFailed", "LinkedAuthorizationFailed"),
        _DENIED,
    ),
    Rule(
        "3.9: ScopeLocked",
        ("ScopeLocked",),
        Course(
            Follow.ASK,
            "a lock stands in the way",
            DAY / 2,
            DAY,
            60,
            WaitFor.LOCK_GONE,
            "remove the lock from the scope named in the message; `tagback retry` then tries at once",
        ),
    ),
    Rule("3.9: RequestDisallowedByPolicy", ("RequestDisallowedByPolicy",), _FORBIDDEN),
    Rule(
        "3.9: ResourceNotFound, ResourceGroupNotFound, NotFound",
        ("ResourceNotFound", "ResourceGroupNotFound", "NotFound"),
        _GONE,
    ),
    Rule("3.9: ParentResourceNotFound", ("ParentResourceNotFound",), _GONE),
    Rule("3.9: Conflict, AnotherOperationInProgress", ("Conflict", "AnotherOperationInProgress"), _BUSY),
    Rule(
        "3.9: OperationNotAllowed",
        ("OperationNotAllowed",),
        _QUOTA,
        when=(
            (("too many requests", "throttl"), _TOO_MANY),
            (("in progress", "being updated", "being created", "being deleted", "another operation"), _BUSY),
            (
                ("copy is not complete", "pending snapshot"),
                Course(
                    Follow.WAIT,
                    "earlier snapshots of the disk are still being copied",
                    5 * MINUTE,
                    HOUR,
                    48,
                    wait_for=WaitFor.COPIED,
                ),
            ),
        ),
    ),
    Rule(
        "3.9: AttachDiskWhileBeingDetached, DiskBeingUpdated-like messages",
        ("AttachDiskWhileBeingDetached", "DiskBeingUpdated"),
        _BUSY,
    ),
    Rule(
        "3.9: PreconditionFailed",
        ("PreconditionFailed",),
        Course(Follow.RETRY, "somebody else changed it meanwhile", MINUTE / 4, 5 * MINUTE, 60),
    ),
    Rule("3.9: QuotaExceeded, ResourceQuotaExceeded", ("QuotaExceeded", "ResourceQuotaExceeded"), _QUOTA),
    Rule(
        "3.9: TooManyRequests, OperationNotAllowed with throttling text, SubscriptionRequestsThrottled",
        ("TooManyRequests", "SubscriptionRequestsThrottled"),
        _TOO_MANY,
        trouble=Trouble.THROTTLED,
    ),
    Rule(
        "3.9: InternalServerError, ServiceUnavailable, GatewayTimeout",
        ("InternalServerError", "ServiceUnavailable", "GatewayTimeout"),
        _NO_ANSWER,
    ),
    Rule(
        "3.9: SkuNotAvailable, AllocationFailed, ZonalAllocationFailed",
        ("SkuNotAvailable", "AllocationFailed", "ZonalAllocationFailed"),
        Course(
            Follow.WAIT,
            "Azure has none of this size here now",
            15 * MINUTE,
            6 * HOUR,
            6,
            WaitFor.CAPACITY,
            "choose another size or zone",
        ),
    ),
    Rule(
        "3.9: MissingSubscriptionRegistration",
        ("MissingSubscriptionRegistration",),
        Course(
            Follow.ASK,
            "the subscription is not registered for a resource provider",
            HOUR,
            6 * HOUR,
            60,
            WaitFor.PERSON,
            "register the provider named in the message: az provider register --namespace NAME",
        ),
    ),
    Rule(
        "3.9: ResourceGroupBeingDeleted",
        ("ResourceGroupBeingDeleted",),
        Course(Follow.GONE, "its resource group is being deleted", 5 * MINUTE, 30 * MINUTE, 12),
    ),
    Rule("3.9: InvalidParameter, BadRequest", ("InvalidParameter", "BadRequest"), _REFUSED),
    Rule(
        "3.9: SnapshotCopyNotComplete",
        ("SnapshotCopyNotComplete",),
        Course(Follow.WAIT, "its copy is not complete", 5 * MINUTE, HOUR, 48, wait_for=WaitFor.COPIED),
    ),
    Rule(
        "3.9: CopySourceNotFound",
        ("CopySourceNotFound",),
        Course(Follow.GONE, "what was being copied was deleted; a new attempt copies what is there now"),
    ),
)

OURS = (
    Rule("ours: an answer that was lost", (), _UNKNOWN, trouble=Trouble.OUTCOME_UNKNOWN),
    Rule(
        "ours: seen in recordings",
        ("RetryableErrorDueToAnotherOperation", "RetryableError", "PropertyChangeInProgress"),
        _BUSY,
    ),
    Rule(
        "ours: transient answers of gateways",
        ("InvalidGatewayHost", "BadGateway", "RequestTimeout", "ServerTimeout"),
        _NO_ANSWER,
    ),
    Rule(
        "ours: a subscription that cannot be written",
        ("ReadOnlyDisabledSubscription", "SubscriptionNotFound", "DisallowedOperation"),
        Course(
            Follow.ASK,
            "the subscription is disabled or cannot be seen",
            HOUR,
            6 * HOUR,
            60,
            WaitFor.PERSON,
            "enable the subscription, or take it out of TAGBACK_SUBSCRIPTIONS",
        ),
    ),
    Rule("ours: a token that was refused", ("InvalidAuthenticationToken", "ExpiredAuthenticationToken"), _DENIED),
    Rule("ours: the machine was not found", ("Absent",), _GONE),
    Rule("ours: what is being made or unmade while it is read", ("BeingMade",), _BUSY),
    Rule(
        "ours: a snapshot that failed, was canceled, vanished, or is not ours",
        ("PartFailed", "PartCanceled", "PartVanished", "PartForeign"),
        Course(
            Follow.RETRY, "a snapshot of this attempt came to nothing; it is begun anew", MINUTE / 2, 30 * MINUTE, 24
        ),
    ),
    Rule(
        "ours: a snapshot that never becomes ready",
        ("PartEndless",),
        Course(
            Follow.RETRY,
            "a snapshot of this attempt is not ready after a day",
            HOUR,
            6 * HOUR,
            3,
            remedy="look at the snapshot named in the message: delete it if Azure never completes it",
        ),
    ),
    Rule(
        "ours: no room below a platform limit",
        ("NoRoom",),
        Course(Follow.WAIT, "a platform limit leaves no room yet", 5 * MINUTE, HOUR, 120, wait_for=WaitFor.ROOM),
    ),
)

# What is done about a code that no row names: what its class allows, cautiously. Such a code is shown as a problem.
_REPORT = "Tagback does not know this code: read the message, and report the code so that it gets a rule"
CAUTIOUS = {
    Trouble.THROTTLED: _TOO_MANY,
    Trouble.OUTCOME_UNKNOWN: _UNKNOWN,
    Trouble.UNAVAILABLE: _NO_ANSWER,
    Trouble.CONFLICT: Course(Follow.RETRY, "it is refused for now", 2 * MINUTE, HOUR, 24, remedy=_REPORT),
    Trouble.MISSING: Course(Follow.RETRY, "what it needs was not there", 2 * MINUTE, HOUR, 12, remedy=_REPORT),
    Trouble.BLOCKED: Course(Follow.ASK, "something stands in the way", HOUR, 6 * HOUR, 30, remedy=_REPORT),
    Trouble.DENIED: Course(Follow.ASK, "it is not permitted", 15 * MINUTE, HOUR, 100, remedy=_REPORT),
    Trouble.REFUSED: Course(Follow.ASK, "Azure refuses it", HOUR, 12 * HOUR, 8, remedy=_REPORT),
}
