"""Role assignments, role definitions, policy and deny assignments as resources on any scope.

What they allow and forbid is decided in rbac.py and denials.py. Assignments made through these routes count once a
seed's own have begun enforcement.
"""

import re
from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document, Reply
from local.simulator.clock import iso
from local.simulator.denials import DENY, POLICY
from local.simulator.ids import is_within, key_of
from local.simulator.listing import joined
from local.simulator.rbac import ASSIGNMENT, BUILT_IN, DEFINITION, DEFINITION_IDS, Role
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

CLAUSE = re.compile(r"(principalId|assignedTo\(|roleName|type)\s*(?:eq\s*)?'?([^')]+)'?", re.IGNORECASE)
MARK = "/providers/microsoft.authorization/"


def put_assignment(world: "World", call: "Call") -> Reply:
    """Grant a role (201); the same grant twice is a conflict (recorded: RoleAssignmentExists)."""
    properties = call.body().get("properties") or {}
    definition, principal = str(properties.get("roleDefinitionId", "")), str(properties.get("principalId", ""))
    if not definition or not principal:
        raise ArmError(400, "InvalidRequestContent", "The request must name 'roleDefinitionId' and 'principalId'.")
    if world.access.role(definition) is None:
        message = f"The specified role definition with ID '{definition.rsplit('/', 1)[-1]}' does not exist."
        raise ArmError(404, "RoleDefinitionDoesNotExist", message)
    scope = call["scope"].rstrip("/")
    for held in world.store.all_of(key_of(scope) if scope else "/", ASSIGNMENT):
        there = held.document()["properties"]
        same = there["principalId"].lower() == principal.lower() and _same(there["roleDefinitionId"], definition)
        if same and held.key != key_of(call.path) and held.key.split(MARK, 1)[0] == key_of(scope):
            raise ArmError(409, "RoleAssignmentExists", "The role assignment already exists.")
    document = _document(call, scope, properties)
    found = world.store.get(key_of(call.path))
    if found is None:
        world.store.create(document["id"], document, call.now)
        return Reply.of(document, 201)
    world.store.write(found, document, call.now)
    return Reply.of(document)


def _same(first: str, second: str) -> bool:
    return first.rsplit("/", 1)[-1].lower() == second.rsplit("/", 1)[-1].lower()


def _document(call: "Call", scope: str, properties: Document) -> Document:
    moment = iso(call.now)
    return {
        "properties": {
            "roleDefinitionId": properties["roleDefinitionId"],
            "principalId": properties["principalId"],
            "principalType": properties.get("principalType", "ServicePrincipal"),
            "scope": scope or "/",
            "condition": properties.get("condition"),
            "conditionVersion": properties.get("conditionVersion"),
            "createdOn": moment,
            "updatedOn": moment,
            "createdBy": call.principal.oid,
            "updatedBy": call.principal.oid,
            "delegatedManagedIdentityResourceId": None,
            "description": properties.get("description"),
        },
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{call['name']}",
        "type": "Microsoft.Authorization/roleAssignments",
        "name": call["name"],
    }


def delete_assignment(world: "World", call: "Call") -> Reply:
    """Take a grant back (200), or answer 204 where none is."""
    found = world.store.get(key_of(call.path))
    if found is None:
        return Reply(204)
    world.store.remove(found, call.now)
    return Reply(200, found.body)


def one(world: "World", call: "Call") -> Reply:
    """Answer one assignment of any kind."""
    found = world.store.get(key_of(call.path))
    if found is None:
        name = call.path.rsplit("/", 1)[-1]
        raise ArmError(404, "AuthorizationObjectNotFound", f"The object with name '{name}' is not found.")
    return Reply(200, found.body)


def assignments(world: "World", call: "Call") -> Reply:
    """List grants at a scope, below it and above it."""
    wanted = {name.lower().rstrip("("): value.lower() for name, value in CLAUSE.findall(call.query.get("$filter", ""))}
    principal = wanted.get("principalid") or wanted.get("assignedto")
    found = [
        held
        for held in _around(world, call, ASSIGNMENT)
        if principal is None or held.document()["properties"]["principalId"].lower() == principal
    ]
    return joined([held.body for held in found])


def _around(world: "World", call: "Call", kind: str) -> list[Resource]:
    scope = key_of(call["scope"]) if call["scope"].strip("/") else "/"
    found = []
    for held in world.store.everything():
        if held.type == kind:
            own = held.key.split(MARK, 1)[0] or "/"
            if is_within(own, scope) or is_within(scope, own):
                found.append(held)
    return found


def policies(world: "World", call: "Call") -> Reply:
    """List policy assignments that reach a scope."""
    return joined([held.body for held in _around(world, call, POLICY)])


def denied(world: "World", call: "Call") -> Reply:
    """List deny assignments that reach a scope."""
    return joined([held.body for held in _around(world, call, DENY)])


def _permission(role: Role) -> Document:
    return {"actions": list(role.actions), "notActions": list(role.not_actions), "dataActions": [],
            "notDataActions": []}  # fmt: skip


def _definition(role: Role) -> Document:
    name = DEFINITION_IDS.get(role.name.lower(), role.name)
    properties = {"roleName": role.name, "type": "BuiltInRole", "description": role.name, "assignableScopes": ["/"],
                  "permissions": [_permission(role)]}  # fmt: skip
    kind = "Microsoft.Authorization/roleDefinitions"
    return {"properties": properties, "id": f"/providers/{kind}/{name}", "type": kind, "name": name}


def definitions(world: "World", call: "Call") -> Reply:
    """List roles, built-in and of seeds; by name on request."""
    wanted = {name.lower(): value.lower() for name, value in CLAUSE.findall(call.query.get("$filter", ""))}
    found = [_definition(role) for role in BUILT_IN.values()]
    found += [held.document() for held in world.store.everything() if held.type == DEFINITION]
    name = wanted.get("rolename")
    return Reply.of({"value": [each for each in found if name in (None, each["properties"]["roleName"].lower())]})


def definition(world: "World", call: "Call") -> Reply:
    """Answer one role."""
    role = world.access.role(call.path)
    if role is None:
        raise ArmError(404, "RoleDefinitionDoesNotExist", f"The role definition '{call['name']}' does not exist.")
    return Reply.of(_definition(role))


def permissions(world: "World", call: "Call") -> Reply:
    """Tell what the caller's own roles give at a scope, one entry for each of them."""
    held = world.access.held(call.principal.oid, key_of(call["scope"]))
    return Reply.of({"value": [_permission(role) for role in held]})


_AT, _D = "{scope}/providers/Microsoft.Authorization", Evidence.DOCUMENTED
_TYPE, _SINCE = "Microsoft.Authorization", Versions("2015-07-01")
_RBAC = "documented: role assignments REST"
ROUTES = (
    Route("PUT", f"{_AT}/roleAssignments/{{name}}", f"{_TYPE}/roleAssignments/write", put_assignment, _D, _RBAC,
          _SINCE),
    Route("GET", f"{_AT}/roleAssignments/{{name}}", f"{_TYPE}/roleAssignments/read", one, _D, _RBAC, _SINCE),
    Route("DELETE", f"{_AT}/roleAssignments/{{name}}", f"{_TYPE}/roleAssignments/delete", delete_assignment, _D, _RBAC,
          _SINCE),
    Route("GET", f"{_AT}/roleAssignments", f"{_TYPE}/roleAssignments/read", assignments, _D, _RBAC, _SINCE, lists=True),
    Route("GET", f"{_AT}/roleDefinitions", f"{_TYPE}/roleDefinitions/read", definitions, _D, _RBAC, _SINCE, lists=True),
    Route("GET", f"{_AT}/roleDefinitions/{{name}}", f"{_TYPE}/roleDefinitions/read", definition, _D, _RBAC, _SINCE),
    Route("GET", f"{_AT}/permissions", f"{_TYPE}/permissions/read", permissions, _D,
          "documented: permissions REST, list for resource groups and resources", _SINCE, lists=True),
    Route("GET", f"{_AT}/policyAssignments", f"{_TYPE}/policyAssignments/read", policies, _D,
          "documented: policy assignments REST", _SINCE, lists=True),
    Route("GET", f"{_AT}/policyAssignments/{{name}}", f"{_TYPE}/policyAssignments/read", one, _D,
          "documented: policy assignments REST", _SINCE),
    Route("GET", f"{_AT}/denyAssignments", f"{_TYPE}/denyAssignments/read", denied, _D,
          "documented: deny assignments REST", _SINCE, lists=True),
    Route("GET", f"{_AT}/denyAssignments/{{name}}", f"{_TYPE}/denyAssignments/read", one, _D,
          "documented: deny assignments REST", _SINCE),
)  # fmt: skip
