"""Immutability of snapshots: a policy holds a snapshot for days; a locked one can only be prolonged (documented).

The routes are those of DiskRP 2026-03-02; the words of refusals are assumed.
"""

from typing import TYPE_CHECKING

from local.simulator import volumes
from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply, invalid
from local.simulator.clock import compute_time, parse_time
from local.simulator.lro import Operation
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

SNAPSHOT = "Microsoft.Compute/snapshots"
DAY = 24 * 3600.0
TYPES = {"unlocked": "Unlocked", "locked": "Locked"}


def put(world: "World", call: "Call") -> Reply:
    """Accept a policy (202): new, or in place of one that allows it."""
    found = world.resource(call.path.rsplit("/", 1)[0], SNAPSHOT)
    body = call.body()
    days, kind = body.get("immutabilityDurationDays"), TYPES.get(str(body.get("type", "")).lower())
    if not isinstance(days, int) or days < 1:
        message = "Required parameter 'immutabilityDurationDays' is missing (null)."
        raise invalid(message, "immutabilityDurationDays")
    if kind is None:
        raise invalid("The value of parameter 'type' must be 'Unlocked' or 'Locked'.", "type")
    before = policy_of(found)
    locked = bool(before) and before["type"] == "Locked" and not is_over(before, call.now)
    if locked and (kind == "Unlocked" or days < int(before["immutabilityDurationDays"])):
        name = found.id.rsplit("/", 1)[-1]
        message = f"The immutability policy of snapshot '{name}' is locked and can only be extended."
        raise ArmError(409, "OperationNotAllowed", message)
    operation = volumes.begin(world, call, "snapshot.hold", found, {"days": days, "type": kind})
    return accepted(call, operation, 202, None, location=True)


def finish(world: "World", operation: Operation, at: float) -> Document:
    """Let the policy hold, from the time it was first set."""
    found = world.store.get(operation.target)
    if found is None:
        raise ArmError(404, "NotFound", "The snapshot was deleted.")
    document, before = found.document(), policy_of(found)
    start = parse_time(before["policyStartTime"]) if before else at
    days = operation.arguments["days"]
    document["properties"]["immutabilityPolicy"] = {
        "immutabilityDurationDays": days,
        "type": operation.arguments["type"],
        "policyStartTime": compute_time(start),
        "policyExpirationTime": compute_time(start + days * DAY),
        "isPolicyExpired": False,
    }
    world.store.write(found, document, at)
    return document


def policy_of(found: Resource) -> Document:
    """Return a snapshot's policy, empty where it has none."""
    policy: Document = found.document()["properties"].get("immutabilityPolicy") or {}
    return policy


def is_over(policy: Document, now: float) -> bool:
    """Tell whether a policy's time has passed."""
    return now >= parse_time(policy["policyExpirationTime"])


def check_delete(found: Resource, now: float) -> None:
    """Refuse to delete what is held (documented: it cannot be deleted before its policy expires)."""
    policy = policy_of(found)
    if policy and not is_over(policy, now):
        name, until = found.id.rsplit("/", 1)[-1], policy["policyExpirationTime"]
        message = f"Snapshot '{name}' cannot be deleted: its immutability policy expires at {until}."
        raise ArmError(409, "OperationNotAllowed", message)


def shown(document: Document, now: float) -> Document:
    """Say of a policy whether it is over."""
    policy = document["properties"].get("immutabilityPolicy")
    if policy:
        document["properties"]["immutabilityPolicy"] = {**policy, "isPolicyExpired": is_over(policy, now)}
    return document


_AT = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/snapshots/{name}"
_SINCE, _S = Versions("2026-03-02"), Evidence.SPECIFIED
_WINDOWS = ("Microsoft.Compute/CreateUpdateDisks3Min", "Microsoft.Compute/CreateUpdateDisks30Min")
ROUTES = tuple(
    Route("POST", f"{_AT}/{name}", f"{SNAPSHOT}/{name}/action", put, _S, f"azure-mgmt-compute 39 Snapshots.{name}",
          _SINCE, _WINDOWS)
    for name in ("updateImmutabilityPolicy", "updateImmutabilityPolicyLock")
)  # fmt: skip
FINISHERS = {"snapshot.hold": finish}
