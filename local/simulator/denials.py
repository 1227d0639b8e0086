"""Denials by policy and by deny assignment: what forbids writes that a role would allow, and tags that policies add.

Kept in step with the store; asked by the front before a handler runs. Seeds make them (`[[policy]]`,
`[[deny_assignment]]`); there is no policy language, only the few conditions a backup product meets.
"""

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from local.simulator.answers import ArmError, Document
from local.simulator.ids import is_within, key_of, parse
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.call import Call

POLICY = "microsoft.authorization/policyassignments"
DENY = "microsoft.authorization/denyassignments"
MARK = "/providers/microsoft.authorization/"
WRITES = frozenset({"PUT", "PATCH"})
CONDITIONS = ("missing_tag", "location_not_in", "sku_in", "public_network_access")


@dataclass(frozen=True, slots=True)
class Held:
    """A policy or deny assignment in force."""

    id: str
    name: str
    scope: str
    properties: Document


class Denials:
    """What is forbidden where."""

    def __init__(self) -> None:
        self._policies: dict[str, Held] = {}
        self._denied: dict[str, Held] = {}

    def changed(self, resource: Resource, _at: float) -> None:
        """Follow a change of the store."""
        if resource.type not in (POLICY, DENY):
            return
        kept = self._policies if resource.type == POLICY else self._denied
        if resource.gone is not None:
            kept.pop(resource.key, None)
            return
        document = json.loads(resource.body)
        scope = resource.key.split(MARK, 1)[0] or "/"
        kept[resource.key] = Held(resource.id, document["name"], scope, document["properties"])

    def check(self, call: "Call") -> None:
        """Refuse what a deny assignment or a policy forbids; lay the tags of policies over a write."""
        if not self._policies and not self._denied:
            return
        key = key_of(call.subject)
        for held in self._denied.values():
            if is_within(key, held.scope) and _denies(held.properties, call):
                raise _access_denied(held, call)
        if call.method in WRITES:
            self._apply_policies(call, key)

    def _apply_policies(self, call: "Call", key: str) -> None:
        kind = parse(key).type or "microsoft.resources/subscriptions/resourcegroups"
        for held in self._policies.values():
            types = [str(each).lower() for each in held.properties.get("types") or ["*"]]
            if not is_within(key, held.scope) or not any(fnmatchcase(kind, each) for each in types):
                continue
            if held.properties["effect"] == "deny" and _violates(held.properties.get("when") or {}, call):
                raise _disallowed(held, call)
            if held.properties["effect"] == "append" and call.method == "PUT":
                tags = held.properties.get("tags") or {}
                call.body()["tags"] = {**tags, **(call.body().get("tags") or {})}


def _denies(properties: Document, call: "Call") -> bool:
    principals = {str(each).lower() for each in properties["principals"]}
    excluded = {str(each).lower() for each in properties.get("excludePrincipals") or []}
    who, action = call.principal.oid.lower(), call.route.action.lower()
    if who in excluded or not ({"*", who} & principals):
        return False
    named = any(fnmatchcase(action, str(each).lower()) for each in properties["actions"])
    return named and not any(fnmatchcase(action, str(each).lower()) for each in properties.get("notActions") or [])


def _violates(when: Document, call: "Call") -> bool:
    """Tell whether a body meets every condition of a policy; one without conditions forbids all."""
    body = call.body()
    tags = {str(name).lower() for name in body.get("tags") or {}}
    location = str(body.get("location", "")).lower().replace(" ", "")
    sku = str((body.get("sku") or {}).get("name", "")).lower()
    tests: dict[str, Any] = {
        "missing_tag": lambda value: call.method == "PUT" and str(value).lower() not in tags,
        "location_not_in": lambda value: bool(location) and location not in [str(each).lower() for each in value],
        "sku_in": lambda value: sku in [str(each).lower() for each in value],
        "public_network_access": lambda value: (
            (body.get("properties") or {}).get("publicNetworkAccess", "Enabled") == value
        ),
    }
    return all(tests[name](value) for name, value in when.items())


def _disallowed(held: Held, call: "Call") -> ArmError:
    """Refuse in the words of Azure Policy (documented: RequestDisallowedByPolicy with additionalInfo)."""
    name = parse(call.subject).name
    display = str(held.properties.get("displayName") or held.name)
    definition = f"/providers/Microsoft.Authorization/policyDefinitions/{held.name}"
    identifiers = [
        {
            "policyAssignment": {"name": display, "id": held.id},
            "policyDefinition": {"name": display, "id": definition},
        }
    ]
    info = {
        "policyDefinitionDisplayName": display,
        "policyAssignmentName": held.name,
        "policyAssignmentDisplayName": display,
        "policyAssignmentId": held.id,
        "policyAssignmentScope": held.scope,
        "policyDefinitionId": definition,
        "policyDefinitionName": held.name,
        "policyDefinitionEffect": "deny",
    }
    return ArmError(
        403,
        "RequestDisallowedByPolicy",
        f"Resource '{name}' was disallowed by policy. Policy identifiers: '{json.dumps(identifiers)}'.",
        target=name,
        additionalInfo=[{"type": "PolicyViolation", "info": info}],
    )


def _access_denied(held: Held, call: "Call") -> ArmError:
    """Refuse in the words of ARM (documented: DenyAssignmentAuthorizationFailed)."""
    who = call.principal.oid
    return ArmError(
        403,
        "DenyAssignmentAuthorizationFailed",
        f"The client '{who}' with object id '{who}' has permission to perform action '{call.route.action}' on scope "
        f"'{call.subject}'; however, the access is denied because of the deny assignment with name '{held.name}' and "
        f"Id '{held.id.rsplit('/', 1)[-1]}' at scope '{held.scope}'.",
    )
