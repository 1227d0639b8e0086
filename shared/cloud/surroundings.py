"""What Azure says of rights, providers, quotas and recovery groups. Built by wiring for `tagback doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azure.core.rest import HttpRequest

from shared.cloud.arm import Arm
from shared.cloud.inventory import ABSENT
from shared.cloud.pace import Lane
from shared.cloud.snapshots import GROUP_VERSION, Recovery
from shared.errors import Missing, Refused
from shared.model.draining import CallKind
from shared.model.identity import Shard
from shared.model.rights import Permission, Quota

AUTHORIZATION = "Microsoft.Authorization"
AUTHORIZATION_VERSION = "2022-04-01"
USAGES_VERSION = "2024-07-01"


class AzureSurroundings:
    """Azure around one installation, as whoever asks may see it."""

    def __init__(self, arm: Arm, recovery: Recovery) -> None:
        self._arm = arm
        self._recovery = recovery

    def permissions(self, scope: str) -> Sequence[Permission]:
        path = f"{scope}/providers/{AUTHORIZATION}/permissions"
        return [_permission(each) for each in self._listed(path, AUTHORIZATION_VERSION)]

    def granted(self, scope: str, principal: str) -> Sequence[Permission]:
        if not all(character.isalnum() or character in "-_" for character in principal):
            raise Refused("NotAnId", f"not an object id: {principal!r}")
        path = f"{scope}/providers/{AUTHORIZATION}/roleAssignments"
        held = self._listed(path, AUTHORIZATION_VERSION, **{"$filter": f"assignedTo('{principal}')"})
        reaching = [each["properties"] for each in held if _reaches(each["properties"], scope)]
        found: list[Permission] = []
        for role in sorted({str(each["roleDefinitionId"]).rsplit("/", 1)[-1] for each in reaching}):
            place = f"{scope}/providers/{AUTHORIZATION}/roleDefinitions/{role}"
            definition = self._arm.get(_lane(scope), place, AUTHORIZATION_VERSION)
            found += [_permission(each) for each in definition["properties"]["permissions"]]
        return found

    def provider(self, scope: str, namespace: str) -> str:
        found = self._arm.get(_lane(scope), f"{scope}/providers/{namespace}", GROUP_VERSION)
        return str(found.get("registrationState") or "")

    def quotas(self, shard: Shard) -> Sequence[Quota]:
        path = f"/subscriptions/{shard.subscription}/providers/Microsoft.Compute/locations/{shard.region}/usages"
        found = self._listed(path, USAGES_VERSION)
        return [Quota(str(one["name"]["value"]), int(one["currentValue"]), int(one["limit"])) for one in found]

    def owner(self, group: str) -> str | None:
        try:
            found = self._arm.get(_lane(group), group, GROUP_VERSION)
        except Missing as error:
            if error.code.lower() in ABSENT:
                return None
            raise
        return str((found.get("tags") or {}).get("tagback-owner") or "")

    def recovery_group(self, region: str) -> str:
        return self._recovery.group(region)

    def _listed(self, path: str, version: str, **query: str) -> Iterator[Mapping[str, Any]]:
        page = self._arm.get(_lane(path), path, version, **query)
        while True:
            yield from page.get("value") or []
            following = str(page.get("nextLink") or "")
            if not following:
                return
            page = self._arm.send(_lane(path), HttpRequest("GET", following))


def _lane(path: str) -> Lane:
    return Lane(path.split("/")[2], "", CallKind.READ)


def _permission(body: Mapping[str, Any]) -> Permission:
    return Permission(tuple(body.get("actions") or ()), tuple(body.get("notActions") or ()))


def _reaches(assignment: Mapping[str, Any], scope: str) -> bool:
    """Whether an assignment holds at a scope: made there or above it, not below."""
    at = str(assignment.get("scope") or "").rstrip("/").lower()
    return scope.lower() == at or scope.lower().startswith(f"{at}/")
