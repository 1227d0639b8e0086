"""Role-based access: roles, assignments and linked checks.

The front asks; enforcement begins with the first assignment.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from local.simulator.answers import ArmError
from local.simulator.ids import key_of, scopes_of
from local.simulator.linked_checks import LINKED, LinkedCheck
from local.simulator.store import Resource, Store

ASSIGNMENT = "microsoft.authorization/roleassignments"
DEFINITION = "microsoft.authorization/roledefinitions"


@dataclass(frozen=True, slots=True)
class Role:
    """What a role allows."""

    name: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Tell whether the action is granted; both sides in lower case."""
        return _any(self.actions, action) and not _any(self.not_actions, action)


def _any(patterns: Iterable[str], action: str) -> bool:
    return any(fnmatchcase(action, pattern.lower()) for pattern in patterns)


_COMPUTE = "Microsoft.Compute"
_COMMON = ("Microsoft.Authorization/*/read", "Microsoft.Resources/subscriptions/resourceGroups/read")
_NOT_ACCESS = ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write")
_VAULT = "Microsoft.RecoveryServices/vaults"
_IN_ITEMS = f"{_VAULT}/backupFabrics/protectionContainers/protectedItems"
_OPERATOR = (
    f"{_VAULT}/read", f"{_VAULT}/*/read", f"{_VAULT}/backupFabrics/refreshContainers/action", f"{_IN_ITEMS}/write",
    f"{_IN_ITEMS}/backup/action", f"{_IN_ITEMS}/recoveryPoints/*", f"{_VAULT}/backupJobs/cancel/action",
    "Microsoft.RecoveryServices/locations/*/action",
)  # fmt: skip
# Built-in roles: documented (their definitions are public); those this estate can meet.
BUILT_IN = {
    role.name.lower(): role
    for role in (
        Role("Owner", ("*",)),
        Role("Contributor", ("*",), (*_NOT_ACCESS, "Microsoft.Authorization/elevateAccess/Action")),
        Role("Reader", ("*/read",)),
        Role(
            "Virtual Machine Contributor",
            (*_COMMON, f"{_COMPUTE}/virtualMachines/*", f"{_COMPUTE}/disks/write", f"{_COMPUTE}/disks/read",
             f"{_COMPUTE}/disks/delete", f"{_COMPUTE}/locations/*", "Microsoft.Network/networkInterfaces/*",
             "Microsoft.Network/virtualNetworks/read", "Microsoft.Network/virtualNetworks/subnets/join/action"),
        ),
        Role(
            "Disk Snapshot Contributor",
            (*_COMMON, f"{_COMPUTE}/snapshots/*", f"{_COMPUTE}/disks/beginGetAccess/action"),
        ),
        Role("Disk Backup Reader", (*_COMMON, f"{_COMPUTE}/disks/read", f"{_COMPUTE}/disks/beginGetAccess/action")),
        Role("Tag Contributor", (*_COMMON, "Microsoft.Resources/tags/*", "*/read")),
        Role("EventGrid Contributor", (*_COMMON, "Microsoft.EventGrid/*")),
        Role("Backup Reader", (*_COMMON, f"{_VAULT}/*/read", f"{_VAULT}/read",
                               "Microsoft.RecoveryServices/locations/*/action")),
        Role("Backup Operator", (*_COMMON, *_OPERATOR)),
        Role(
            "Backup Contributor",
            (*_COMMON, *_OPERATOR, f"{_VAULT}/write", f"{_VAULT}/backupPolicies/*", f"{_VAULT}/backupconfig/*",
             f"{_VAULT}/backupstorageconfig/*", f"{_VAULT}/backupJobs/*", f"{_VAULT}/backupResourceGuardProxies/*",
             f"{_VAULT}/backupFabrics/protectionContainers/*"),
        ),
    )
}  # fmt: skip


# The definitions' own names, the same in every tenant (documented).
DEFINITION_IDS = {
    "owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "virtual machine contributor": "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
    "disk snapshot contributor": "7efff54f-a5b4-42b5-a1c5-5411624893ce",
    "disk backup reader": "3e5e47e6-65f7-47ef-90b5-e5dd4d455f24",
    "tag contributor": "4a9ae827-6dc8-4573-8ac7-8239d42aa03f",
    "eventgrid contributor": "1e241071-0855-49ea-94dc-649edcd759de",
    "backup contributor": "5e467623-bb1f-42f4-a55d-6e525e11384b",
}
_NAMES = {identifier: name for name, identifier in DEFINITION_IDS.items()}


class Access:
    """Assignments by scope, kept in step with the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._granted: dict[tuple[str, str], dict[str, str]] = {}
        self._memory: dict[tuple[str, str, str], bool] = {}
        self._begun = False

    def changed(self, resource: Resource, _at: float) -> None:
        """Follow a change of the store."""
        if resource.type not in (ASSIGNMENT, DEFINITION):
            return
        self._memory.clear()
        if resource.type != ASSIGNMENT:
            return
        self._begun = self._begun or bool((resource.notes or {}).get("seeded"))
        scope = resource.key.split("/providers/microsoft.authorization/", 1)[0] or "/"
        properties = json.loads(resource.body)["properties"]
        held = self._granted.setdefault((scope, properties["principalId"].lower()), {})
        if resource.gone is None:
            held[resource.key] = properties["roleDefinitionId"]
        else:
            held.pop(resource.key, None)

    def enforced(self) -> bool:
        """Tell whether a seed made an assignment; without one every principal may do everything."""
        return self._begun

    def allows(self, principal: str, action: str, key: str) -> bool:
        """Tell whether the principal may do this here."""
        if not self._begun:
            return True
        question = (principal.lower(), action.lower(), key)
        known = self._memory.get(question)
        if known is None:
            if len(self._memory) > 200_000:
                self._memory.clear()
            known = self._memory[question] = self._decide(*question)
        return known

    def reaches(self, principal: str, action: str, scope: str) -> bool:
        """Tell whether the principal may do this at the scope or holds any role below it."""
        below = scope + "/"
        return self.allows(principal, action, scope) or any(
            holder == principal.lower() and held and granted.startswith(below)
            for (granted, holder), held in self._granted.items()
        )

    def held(self, principal: str, key: str) -> list[Role]:
        """Return the roles that reach a place; before enforcement everybody has every right."""
        if not self._begun:
            return [BUILT_IN["owner"]]
        names = [name for at in scopes_of(key) for name in self._granted.get((at, principal.lower()), {}).values()]
        return [role for name in names if (role := self.role(name)) is not None]

    def _decide(self, principal: str, action: str, key: str) -> bool:
        for scope in scopes_of(key):
            for name in self._granted.get((scope, principal), {}).values():
                role = self.role(name)
                if role is not None and role.allows(action):
                    return True
        return False

    def role(self, definition_id: str) -> Role | None:
        """Return a role by its definition id or, for built-in ones, by name."""
        name = definition_id.rsplit("/", 1)[-1]
        built_in = BUILT_IN.get(_NAMES.get(name.lower(), name.lower()))
        if built_in is not None:
            return built_in
        # A definition of the tenant is shown below every scope too.
        found = self._store.get(key_of(definition_id)) or self._store.get(key_of(f"/providers/{DEFINITION}/{name}"))
        if found is None:
            return None
        properties = found.document()["properties"]
        permissions = properties["permissions"][0]
        return Role(properties["roleName"], tuple(permissions["actions"]), tuple(permissions.get("notActions", ())))

    def check(self, principal: str, action: str, resource_id: str) -> None:
        """Refuse what no assignment grants (recorded wording)."""
        if not self.allows(principal, action, key_of(resource_id)):
            raise ArmError(
                403,
                "AuthorizationFailed",
                f"The client '{principal}' with object id '{principal}' does not have authorization to perform action "
                f"'{action}' over scope '{resource_id}' or the scope is invalid. If access was recently granted, "
                "please refresh your credentials.",
            )

    def check_linked(self, principal: str, action: str, resource_id: str, linked: Iterable[str]) -> None:
        """Refuse what needs a right on a linked resource that is missing (documented wording)."""
        if not self._begun:
            return
        for linked_id in linked:
            for rule in LINKED:
                if rule.action.lower() == action.lower() and _is_type(linked_id, rule.linked_type):
                    self._require(principal, rule, resource_id, linked_id)

    def _require(self, principal: str, rule: LinkedCheck, resource_id: str, linked_id: str) -> None:
        if not self.allows(principal, rule.needs, key_of(linked_id)):
            raise ArmError(
                403,
                "LinkedAuthorizationFailed",
                f"The client '{principal}' with object id '{principal}' has permission to perform action "
                f"'{rule.action}' on scope '{resource_id}'; however, it does not have permission to perform action(s) "
                f"'{rule.needs}' on the linked scope(s) '{linked_id}' (respectively) or the linked scope(s) are "
                "invalid.",
            )


def _is_type(resource_id: str, kind: str) -> bool:
    parts = key_of(resource_id).split("/")
    return len(parts) > 7 and "/".join([parts[6], *parts[7::2]]) == kind
