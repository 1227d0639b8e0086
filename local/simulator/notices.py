"""What Event Grid will say of a write, delete or action, taken from the call while it is at hand.

Used by the front and LROs.
"""

from typing import TYPE_CHECKING

from local.simulator.answers import Document

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

VERBS = {"PUT": "Write", "PATCH": "Write", "DELETE": "Delete", "POST": "Action"}
CLAIM_OID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
CLAIM_TENANT = "http://schemas.microsoft.com/identity/claims/tenantid"


class Notices:
    """Makes the lasting part of a resource event (azure-facts 1.2; field set of the documentation's samples)."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def of(self, call: "Call") -> Document | None:
        """Return what an event would say, or None where the call raises none."""
        verb = VERBS.get(call.method)
        if verb is None or not call.path.lower().startswith("/subscriptions/"):
            return None
        uri = self._subject(call)
        principal = call.principal.oid
        claims = {
            name: str(value) for name, value in call.principal.claims.items() if not isinstance(value, list | dict)
        }
        return {
            "verb": verb,
            "authorization": {
                "scope": uri,
                "action": call.route.action,
                "evidence": {"role": "Contributor", "principalId": principal, "principalType": "ServicePrincipal"},
            },
            "claims": {**claims, CLAIM_OID: principal, CLAIM_TENANT: self._world.tenant},
            "correlationId": call.correlation,
            "httpRequest": {
                "clientRequestId": call.headers.get("x-ms-client-request-id", ""),
                "clientIpAddress": "127.0.0.1",
                "method": call.method,
                "url": call.base_url + call.target,
            },
            "resourceProvider": call.route.action.split("/", 1)[0],
            "resourceUri": uri,
            "operationName": call.route.action,
            "subscriptionId": uri.split("/")[2],
            "tenantId": self._world.tenant,
        }

    @staticmethod
    def _subject(call: "Call") -> str:
        """Write the id as events do: `resourcegroups` for writes, `resourceGroups` for deletes (recorded)."""
        parts = [part for part in call.path.split("/") if part]
        if call.method == "POST":
            parts = parts[:-1]
        if len(parts) > 2 and parts[2].lower() == "resourcegroups":
            parts[2] = "resourceGroups" if call.method == "DELETE" else "resourcegroups"
        return "/" + "/".join(parts)
