"""Management locks as they take effect: what is locked, and which calls that stops. The routes are in locks.py."""

import json

from local.simulator.answers import ArmError
from local.simulator.ids import is_within, scopes_of
from local.simulator.store import Resource

LOCK = "microsoft.authorization/locks"
SUFFIX = "/providers/microsoft.authorization/locks/"


class Locks:
    """Levels by locked scope, kept in step with the store."""

    def __init__(self) -> None:
        self._levels: dict[str, dict[str, str]] = {}

    def changed(self, resource: Resource, _at: float) -> None:
        """Follow a change of the store."""
        if resource.type != LOCK:
            return
        scope = resource.key[: resource.key.rindex(SUFFIX)]
        held = self._levels.setdefault(scope, {})
        if resource.gone is None:
            held[resource.key] = str(json.loads(resource.body)["properties"]["level"]).lower()
        else:
            held.pop(resource.key, None)
        if not held:
            del self._levels[scope]

    def check(self, verb: str, key: str, resource_id: str) -> None:
        """Refuse a delete below any lock and a write below a read-only one (documented; strictest wins, inherited)."""
        if not self._levels or SUFFIX in key + "/":
            return
        stops = {"readonly"} if verb == "write" else {"readonly", "cannotdelete"}
        scopes = [scope for scope in scopes_of(key) if not stops.isdisjoint(self._levels.get(scope, {}).values())]
        if verb == "delete" and key.count("/") == 4:
            # Deleting a group is stopped by a lock on anything in it.
            scopes.extend(
                scope for scope, held in self._levels.items() if is_within(scope, key) and scope not in scopes
            )
        if scopes:
            listed = ", ".join(f"'{scope}'" for scope in scopes)
            raise ArmError(
                409,
                "ScopeLocked",
                f"The scope '{resource_id}' cannot perform {verb} operation because following scope(s) are locked: "
                f"{listed}. Please remove the lock and try again.",
            )
