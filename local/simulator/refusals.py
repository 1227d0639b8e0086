"""How the front refuses: unknown routes, injected faults and throttling, in the words of whoever refuses."""

from typing import TYPE_CHECKING, Any

from local.simulator.answers import ArmError, Document, Reply, encode
from local.simulator.buckets import Toll
from local.simulator.clock import iso
from local.simulator.faults import Fault

if TYPE_CHECKING:
    from local.simulator.call import Call


def unknown(method: str, path: str) -> ArmError:
    return ArmError(501, "NotImplemented", f"The simulator has no route for {method} {path}.")


def injected(fault: Fault) -> Reply:
    effect: Document = fault.effect
    status = int(effect["status"])
    body: Any = effect.get("body")
    if body is None:
        body = {
            "error": {"code": effect.get("code", DEFAULT_CODES.get(status, "InternalServerError")), "message": INJECTED}
        }
    raw = body.encode() if isinstance(body, str) else encode(body)
    headers = {"Retry-After": str(effect["retry_after"])} if "retry_after" in effect else {}
    return Reply(status, raw, headers)


INJECTED = "The simulator was told to fail this request."


DEFAULT_CODES = {
    400: "BadRequest",
    401: "ExpiredAuthenticationToken",
    403: "AuthorizationFailed",
    404: "ResourceNotFound",
    408: "RequestTimeout",
    409: "Conflict",
    412: "PreconditionFailed",
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


def throttled(toll: Toll, call: "Call") -> ArmError:
    """Refuse with 429 in the words of who throttles: ARM, Resource Graph or the compute provider (documented)."""
    wait, name = toll.retry_after, str(toll.refused_by)
    headers = {**toll.headers, "Retry-After": str(wait)}
    if name.startswith("Microsoft.RecoveryServices/"):
        message = (
            "The request is being throttled as the number of requests has exceeded the limit of '150' for time "
            f"interval '01:00:00'. Please try again after '{wait}' seconds."
        )
        return ArmError(429, "ResourceRequestsThrottled", message, headers=headers)
    if name.startswith("Microsoft."):
        inner = {
            "code": "TooManyRequests",
            "target": name.rsplit("/", 1)[-1],
            "message": f"Retry after {wait} seconds.",
        }
        message = "The server rejected the request because too many requests have been received for this subscription."
        return ArmError(429, "OperationNotAllowed", message, details=[inner], headers=headers)
    if name == "user-quota":
        message = f"Please provide below info when asking for support: timestamp = {iso(call.now)}."
        inner = {
            "code": "RateLimiting",
            "message": "Client application has been throttled and should not attempt to repeat.",
        }
        return ArmError(429, "RateLimiting", message, details=[inner], headers=headers)
    scope = "Subscription" if name.startswith("subscription") else "Tenant"
    message = (
        f"Number of '{name.rsplit('-', 1)[-1]}' requests for {scope.lower()} actor '{call.principal.oid}' exceeded. "
        f"Please try again after '{wait}' seconds after additional tokens are available."
    )
    return ArmError(429, f"{scope}RequestsThrottled", message, headers=headers)
